//! What owners change about their accounts beside the password.

use super::{
    rules::{password::Password, username::Username},
    sessions::Origin,
    sign_in::{self, ReauthenticationError, SignInError},
    store::{Account, AccountChange, EmailChange, PhotoChange, Proof, Taken, Wishes},
};
use crate::{
    app::App,
    db::StoreError,
    limits::{self, Count, LimitError},
    mail::{self, kind::MailKind},
    values::{ids::SessionRef, invalid::InvalidField, limits::Action},
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
    /// Another address asks for more than an access token.
    #[error(transparent)]
    Reauthentication(#[from] ReauthenticationError),
    /// Too many mails.
    #[error(transparent)]
    Limited(#[from] LimitError),
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
    change.photo = change.photo.filter(|photo| match photo {
        PhotoChange::To(photo) => Some(photo.as_str()) != shown,
        PhotoChange::Removed => shown.is_some(),
    });
    if change.is_empty() {
        return Ok(account);
    }
    if change.email == Some(EmailChange::Removed) && account.phone_number.is_none() {
        return Err(ProfileError::ContactRequired);
    }
    let Some(email) = &change.email else { return write(app, caller, &change, None, origin).await };
    // Anybody's address can be named: it is mailed to no more often than by a link that is asked for.
    let slots = match email {
        EmailChange::To(new) => Some(mail::count(app, account.id, new).await?),
        EmailChange::Removed => None,
    };
    let changed = write(app, caller, &change, current.as_ref(), origin).await;
    if changed.is_ok() {
        tell(app, &account, email).await;
    } else if let Some(slots) = slots {
        slots.give_back(app).await?;
    }
    changed
}

async fn write(
    app: &App,
    caller: SessionRef,
    change: &AccountChange,
    current: Option<&Password>,
    origin: &Origin,
) -> Result<Account, ProfileError> {
    let mut refusal = ProfileError::from(StoreError::Duplicate);
    for _ in 0..ATTEMPTS {
        let proof = prove(app, caller, change, current, origin).await?;
        match app.store.users.change_account(caller, change, &proof, app.clock.now()).await {
            // Somebody has the name or address, and may be gone again.
            Err(StoreError::Duplicate) => refuse_taken(app, caller, change).await?,
            Ok(None) => refusal = why_not(app, caller, &proof).await?,
            changed => return changed?.ok_or(ProfileError::SignedOut),
        }
        // A sign-in may have renewed the hash of the very password that was given.
        if !matches!(proof, Proof::Password(_)) && !matches!(refusal, ProfileError::Store(_)) {
            break;
        }
    }
    Err(refusal)
}

/// Tells both addresses of the change.
async fn tell(app: &App, before: &Account, email: &EmailChange) {
    match email {
        EmailChange::To(new) => {
            mail::notify(app, before, MailKind::EmailChanged).await;
            mail::notify_claimed(app, before.id, new, MailKind::EmailSet).await;
        }
        EmailChange::Removed => mail::notify(app, before, MailKind::EmailRemoved).await,
    }
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
    current: Option<&Password>,
    origin: &Origin,
) -> Result<Proof, ProfileError> {
    match (&change.email, current) {
        (None, _) => Ok(Proof::NotNeeded),
        (Some(_), Some(current)) => {
            let confirmed = sign_in::confirm(app, caller, current.clone(), origin).await;
            Ok(Proof::Password(confirmed.map_err(ReauthenticationError::from)?.password_hash))
        }
        (Some(_), None) => Ok(Proof::SignInAfter(app.clock.now().before(sign_in::RECENT))),
    }
}

/// Why no account met the condition of the change.
async fn why_not(app: &App, caller: SessionRef, proof: &Proof) -> Result<ProfileError, StoreError> {
    let alive = app.store.users.is_alive(caller).await?;
    Ok(match proof {
        Proof::SignInAfter(_) if alive => ReauthenticationError::Required.into(),
        Proof::Password(_) if alive => ReauthenticationError::from(SignInError::WrongCredentials).into(),
        _ => ProfileError::SignedOut,
    })
}

async fn refuse_taken(app: &App, caller: SessionRef, change: &AccountChange) -> Result<(), ProfileError> {
    let username = change.username.as_ref().map(Username::key);
    let email = match &change.email {
        Some(EmailChange::To(email)) => Some(email),
        _ => None,
    };
    let wishes = Wishes { number: None, username: username.as_ref(), email };
    let taken = app.store.users.taken(wishes, Some(caller.user), app.clock.now()).await?;
    if taken.is_some() {
        // Otherwise a list of addresses would tell whose are known here.
        limits::take(app, [Count::of(Action::Taken, caller.user.to_string())]).await?;
    }
    match taken {
        Some(Taken::Username) => Err(ProfileError::UsernameTaken),
        Some(Taken::Email) => Err(ProfileError::EmailTaken),
        Some(Taken::Phone) | None => Ok(()),
    }
}
