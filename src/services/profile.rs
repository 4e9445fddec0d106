//! What owners change about their accounts beside the password.

use super::{
    mail,
    sessions::Origin,
    sign_in::{self, SignInError},
};
use crate::{
    app::App,
    domain::{ids::SessionRef, invalid::InvalidField, mail_kind::MailKind, password::Password},
    store::{
        StoreError,
        users::{Account, AccountChange, EmailChange, Proof, Taken},
    },
};

/// How often a change is tried whose name was taken a moment ago and is free again.
const ATTEMPTS: usize = 3;

/// Why an account isn't changed.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A field breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// Nothing was named that can be changed.
    #[error("no valid fields provided for update")]
    NothingGiven,
    /// The account would be left with neither.
    #[error("phone_number or email is required")]
    ContactRequired,
    /// Another account has the name.
    #[error("username already taken")]
    UsernameTaken,
    /// Another account has the address.
    #[error("email already registered")]
    EmailTaken,
    /// The password was not confirmed.
    #[error(transparent)]
    NotConfirmed(#[from] SignInError),
    /// The sign-in is too old to stand for the password.
    #[error("confirm with current_password or sign in again")]
    ReauthenticationRequired,
    /// The session is not alive any more.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes what was named and returns the account as it is then.
pub async fn update(
    app: &App,
    account: Account,
    caller: SessionRef,
    mut change: AccountChange,
    current: Option<Password>,
    origin: &Origin,
) -> Result<Account, ProfileError> {
    if change.is_empty() {
        return Err(ProfileError::NothingGiven);
    }
    change.email = change.email.filter(|email| is_new(&account, email));
    // A picture that is sent back as it was shown stays the account's own.
    let shown = account.profile.display.as_ref().map(|display| display.photo.as_str());
    change.photo = change.photo.filter(|photo| Some(photo.as_str()) != shown);
    if change.is_empty() {
        return Ok(account);
    }
    if change.email == Some(EmailChange::Removed) && account.phone_number.is_none() {
        return Err(ProfileError::ContactRequired);
    }
    let proof = prove(app, caller, &change, current, origin).await?;
    for _ in 0..ATTEMPTS {
        match app.store.users.change_account(caller, &change, &proof, app.clock.now()).await {
            // Somebody has the name or address, and may be gone again.
            Err(StoreError::Duplicate) => refuse_taken(app, caller, &change).await?,
            Ok(None) => return Err(why_not(app, caller, &proof).await?),
            changed => {
                let changed = changed?.ok_or(ProfileError::SignedOut)?;
                if change.email.is_some() {
                    app.store.proofs.void(caller.user).await?;
                    // To the address that the account had until now.
                    mail::notify(app, &account, MailKind::EmailChanged).await;
                    if let Some(EmailChange::To(new)) = &change.email {
                        mail::put(app, Some(changed.id), MailKind::EmailSet, new).await?;
                    }
                }
                return Ok(changed);
            }
        }
    }
    Err(StoreError::Duplicate.into())
}

fn is_new(account: &Account, email: &EmailChange) -> bool {
    match email {
        EmailChange::To(email) => account.email.as_ref() != Some(email),
        EmailChange::Removed => account.email.is_some(),
    }
}

/// Who has the address can reset the password: a change of it asks for more than an access token.
async fn prove(
    app: &App,
    caller: SessionRef,
    change: &AccountChange,
    current: Option<Password>,
    origin: &Origin,
) -> Result<Proof, ProfileError> {
    match (&change.email, current) {
        (None, _) => Ok(Proof::NotNeeded),
        (Some(_), Some(current)) => {
            Ok(Proof::Password(sign_in::confirm(app, caller.user, current, origin).await?.password_hash))
        }
        (Some(_), None) => Ok(Proof::SignInAfter(app.clock.now().before(sign_in::RECENT))),
    }
}

/// Why no account met the condition of the change.
async fn why_not(app: &App, caller: SessionRef, proof: &Proof) -> Result<ProfileError, StoreError> {
    let alive = app.store.users.is_alive(caller).await?;
    Ok(match proof {
        Proof::SignInAfter(_) if alive => ProfileError::ReauthenticationRequired,
        Proof::Password(_) if alive => SignInError::WrongCredentials.into(),
        _ => ProfileError::SignedOut,
    })
}

async fn refuse_taken(app: &App, caller: SessionRef, change: &AccountChange) -> Result<(), ProfileError> {
    match app.store.users.taken_from(caller.user, change).await? {
        Some(Taken::Username) => Err(ProfileError::UsernameTaken),
        Some(Taken::Email) => Err(ProfileError::EmailTaken),
        Some(Taken::Phone) | None => Ok(()),
    }
}
