//! The changes that owners make to their accounts, except the password and the number.

use super::{
    letters,
    rules::{password::Password, username::Username},
    sessions::ClientContext,
    sign_in::{self, ReauthenticationError, SignInError},
    store::{Account, AccountChange, DesiredIdentity, EmailChange, PhotoChange, Proof, TakenIdentity},
};
use crate::{
    app::App,
    db::StoreError,
    images,
    limits::{self, Count, LimitError},
    mail::{self, kind::MailKind},
    values::{ids::SessionRef, invalid::InvalidField, limits::Action},
};

/// The maximum number of attempts. A change is tried again when its name or address was taken a moment ago and is free
/// now, or when the hash of the password was renewed in between.
const ATTEMPTS: usize = 3;

/// The reason why an account is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A field breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The request names no field that can be changed.
    #[error("no valid fields provided for update")]
    NothingGiven,
    /// The account would have neither a number nor an address.
    #[error("phone_number or email is required")]
    ContactRequired,
    /// Another account has this name.
    #[error("username already taken")]
    UsernameTaken,
    /// Another account has this address, and the right to keep it.
    #[error("email already registered")]
    EmailTaken,
    /// The caller has not confirmed the password. An access token alone is not enough to change the address.
    #[error(transparent)]
    Reauthentication(#[from] ReauthenticationError),
    /// Too many mails, or too many names and addresses that other accounts have.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The session has ended.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes the fields that `change` names, and returns the account after the change. A change of the address needs the
/// `current` password or a sign-in within the last 10 minutes. Mails to the old and the new address tell of it.
pub async fn update(
    app: &App,
    account: Account,
    caller: SessionRef,
    change: AccountChange,
    current: Option<Password>,
    context: &ClientContext,
) -> Result<Account, ProfileError> {
    if change.is_empty() {
        return Err(ProfileError::NothingGiven);
    }
    let change = without_unchanged(change, &account);
    if change.is_empty() {
        return Ok(account);
    }
    if change.email == Some(EmailChange::Removed) && account.phone_number.is_none() {
        return Err(ProfileError::ContactRequired);
    }
    if let Some(PhotoChange::To(photo)) = &change.photo
        && !images::missing(app, [photo.url()]).await.is_empty()
    {
        return Err(InvalidField::invalid_at("display.photo", "photo").into());
    }
    let Some(email) = &change.email else { return apply(app, caller, &change, None, context).await };
    // The new address may belong to somebody else. So the notice to it counts as a mail that the caller asked for.
    let slots = match email {
        EmailChange::To(new) => Some(mail::take_slots(app, account.id, new).await?),
        EmailChange::Removed => None,
    };
    let changed = apply(app, caller, &change, current.as_ref(), context).await;
    if changed.is_ok() {
        notify_of_email_change(app, &account, email).await;
    } else if let Some(slots) = slots {
        slots.give_back(app).await?;
    }
    changed
}

/// Leaves out the address and the picture if the account has them already.
///
/// A frontend may send the URL of an uploaded picture back unchanged. Writing it would turn the picture into a foreign
/// URL, and the uploaded file would be removed.
fn without_unchanged(change: AccountChange, account: &Account) -> AccountChange {
    let current_photo = account.profile.display.as_ref().map(|display| display.photo.as_str());
    let is_other_email = |change: &EmailChange| match change {
        EmailChange::To(email) => account.email.as_ref() != Some(email),
        EmailChange::Removed => account.email.is_some(),
    };
    let is_other_photo = |change: &PhotoChange| match change {
        PhotoChange::To(photo) => Some(photo.as_str()) != current_photo,
        PhotoChange::Removed => current_photo.is_some(),
    };
    AccountChange { email: change.email.filter(is_other_email), photo: change.photo.filter(is_other_photo), ..change }
}

/// Writes a change, and tries again where the next attempt may succeed.
async fn apply(
    app: &App,
    caller: SessionRef,
    change: &AccountChange,
    current: Option<&Password>,
    context: &ClientContext,
) -> Result<Account, ProfileError> {
    let mut last_refusal = ProfileError::from(StoreError::Duplicate);
    for _ in 0..ATTEMPTS {
        let proof = prove(app, caller, change, current, context).await?;
        match app.store.users.change_account(caller, change, &proof, app.clock.now()).await {
            Ok(Some(account)) => return Ok(account),
            // A sign-in may have renewed the hash of the password that was just confirmed, so this is tried again.
            Ok(None) if matches!(proof, Proof::Password(_)) => {
                last_refusal = reason_of_no_match(app, caller, &proof).await?;
            }
            Ok(None) => return Err(reason_of_no_match(app, caller, &proof).await?),
            // Another account has the name or address, or had it a moment ago: then the change is tried again.
            Err(StoreError::Duplicate) => refuse_taken(app, caller, change).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(last_refusal)
}

/// Queues notices of the change to the address from before and, if there is one, to the new address.
async fn notify_of_email_change(app: &App, before: &Account, email: &EmailChange) {
    match email {
        EmailChange::To(new) => {
            letters::notify(app, before, MailKind::EmailChanged).await;
            letters::notify_claimed(app, before.id, new, MailKind::EmailSet).await;
        }
        EmailChange::Removed => letters::notify(app, before, MailKind::EmailRemoved).await,
    }
}

/// Returns the proof that a change needs. Changing the address needs more than an access token, because the owner of
/// the address can reset the password.
async fn prove(
    app: &App,
    caller: SessionRef,
    change: &AccountChange,
    current: Option<&Password>,
    context: &ClientContext,
) -> Result<Proof, ProfileError> {
    match (&change.email, current) {
        (None, _) => Ok(Proof::NotNeeded),
        (Some(_), Some(current)) => {
            let confirmed = sign_in::confirm_password(app, caller, current.clone(), context).await;
            Ok(Proof::Password(confirmed.map_err(ReauthenticationError::from)?.password_hash))
        }
        (Some(_), None) => Ok(Proof::SignInAfter(app.clock.now().before(sign_in::RECENT_SIGN_IN))),
    }
}

/// Returns the reason why the update matched no account.
async fn reason_of_no_match(app: &App, caller: SessionRef, proof: &Proof) -> Result<ProfileError, StoreError> {
    let is_alive = app.store.users.is_alive(caller).await?;
    Ok(match proof {
        Proof::SignInAfter(_) if is_alive => ReauthenticationError::Required.into(),
        Proof::Password(_) if is_alive => ReauthenticationError::from(SignInError::WrongCredentials).into(),
        _ => ProfileError::SignedOut,
    })
}

/// Fails if another account has the name or the address.
async fn refuse_taken(app: &App, caller: SessionRef, change: &AccountChange) -> Result<(), ProfileError> {
    let username = change.username.as_ref().map(Username::key);
    let email = match &change.email {
        Some(EmailChange::To(email)) => Some(email),
        _ => None,
    };
    let desired = DesiredIdentity { number: None, username: username.as_ref(), email };
    let taken = app.store.users.find_taken(desired, Some(caller.user), app.clock.now()).await?;
    if taken.is_some() {
        // Without this limit a caller could try a list of addresses to find out which of them have accounts.
        limits::take(app, [Count::of(Action::Taken, caller.user.to_string())]).await?;
    }
    match taken {
        Some(TakenIdentity::Username) => Err(ProfileError::UsernameTaken),
        Some(TakenIdentity::Email) => Err(ProfileError::EmailTaken),
        Some(TakenIdentity::Phone) | None => Ok(()),
    }
}
