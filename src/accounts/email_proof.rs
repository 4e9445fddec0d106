//! Proving an e-mail address by a link, which also accepts an invitation to become staff.

use super::{
    links::{self, LinkError},
    rules::password::Password,
    sessions::ClientContext,
    sign_in::{self, ReauthenticationError},
    store::{
        Account,
        links::{LinkDoc, LinkKind},
        proofs::{EmailProof, Prover},
    },
};
use crate::{
    app::App,
    db::StoreError,
    limits::LimitError,
    mail::{self, kind::MailKind},
    values::{
        email::Email,
        ids::{SessionRef, UserId},
        invalid::InvalidField,
        time::Timestamp,
    },
};

/// The reason why no link is mailed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A field is missing or breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The caller has not confirmed the password. An access token alone is not enough to prove a new address, because
    /// links to reset the password will go to it.
    #[error(transparent)]
    Reauthentication(#[from] ReauthenticationError),
    /// The address is proven already, and no invitation is open for it.
    #[error("this email is verified already and no invitation is open for it")]
    AlreadyVerified,
    /// The caller has asked for too many mails.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The reason why a link proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ActivateError {
    /// The link is not valid or has expired.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Another account has proven the address.
    #[error("email already registered")]
    Taken,
    /// The caller must be signed in to the account that asked for the link.
    #[error("sign in to the account that asked for this link")]
    AccountRequired,
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a caller sends to ask for a link.
#[derive(Debug)]
pub struct ProofRequest {
    /// The address to prove. `None` or an empty text means the address of the account.
    pub email: Option<String>,
    /// The password of the account. It is needed for an address that is not the account's, unless the caller has signed
    /// in within the last 10 minutes.
    pub current_password: Option<Password>,
}

/// Queues a mail with a link that proves an address, and returns that address.
pub async fn request(
    app: &App,
    account: &Account,
    caller: SessionRef,
    wanted: ProofRequest,
    context: &ClientContext,
) -> Result<Email, RequestError> {
    let given = wanted.email.filter(|text| !text.is_empty());
    let email = match &given {
        Some(text) => Email::parse(text).map_err(|why| InvalidField::because("email", "email", why))?,
        None => account.email.clone().ok_or_else(|| InvalidField::required("email"))?,
    };
    let (now, is_own) = (app.clock.now(), account.email.as_ref() == Some(&email));
    let is_proven = is_own && account.has_proven(&email, now);
    if is_proven && !app.store.invitations.is_open(&email, now).await? {
        return Err(RequestError::AlreadyVerified);
    }
    if !is_own {
        sign_in::reauthenticate(app, caller, wanted.current_password, context).await?;
    }
    mail::take_slots(app, account.id, &email).await?;
    mail::queue(app, Some(account.id), MailKind::VerifyEmail, &email).await?;
    Ok(email)
}

/// Returns what a link would prove, and whether its user must be signed in to the account. The link is not used up.
pub async fn check(app: &App, uid: &str, token: &str) -> Result<(LinkDoc, bool), LinkError> {
    let (link, account) = links::open(app, LinkKind::VerifyEmail, uid, token).await?;
    let needs_account = !may_prove_unsigned(&link, &account, app.clock.now());
    Ok((link, needs_account))
}

/// Proves an address by its link, uses the link up, and returns the account after the change.
///
/// A caller who is signed in to the account of the link can always do this. If an invitation names the address, a
/// customer becomes staff.
///
/// A caller who is not signed in can do this only for the current address of the account, and only while no contact of
/// the account is proven. All sessions of the account end then, because the person who chose its password may be
/// somebody else.
pub async fn activate(app: &App, uid: &str, token: &str, bearer: Option<UserId>) -> Result<Account, ActivateError> {
    let (link, account) = links::open(app, LinkKind::VerifyEmail, uid, token).await?;
    let trail = app.trail(None);
    let prover = match bearer {
        Some(user) if user == link.user => Prover::Owner,
        None if may_prove_unsigned(&link, &account, trail.now) => Prover::Unsigned,
        _ => return Err(ActivateError::AccountRequired),
    };
    match app.store.proofs.prove_email(&link, prover, &trail).await {
        Ok(EmailProof::Done(account)) => Ok(*account),
        Ok(EmailProof::Gone) => Err(LinkError::NotFound.into()),
        Ok(EmailProof::AccountRequired) => Err(ActivateError::AccountRequired),
        Ok(EmailProof::Taken) | Err(StoreError::Duplicate) => Err(ActivateError::Taken),
        Err(error) => Err(error.into()),
    }
}

/// Returns whether a link may prove its address for a caller who is not signed in. See [`activate`].
fn may_prove_unsigned(link: &LinkDoc, account: &Account, now: Timestamp) -> bool {
    account.email.as_ref() == Some(&link.email) && account.contacts(now).may_prove_unsigned()
}

/// Forgets the proven addresses that owners removed from their accounts more than 7 days ago. Until then such an
/// address can still reset the password.
pub async fn forget_removed(app: &App) -> Result<(), StoreError> {
    app.store.users.forget_removed_emails(app.clock.now()).await
}
