//! Proving an address by a link, and becoming staff by an invitation.

use super::{
    links::{self, LinkError},
    rules::password::Password,
    sessions::Origin,
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

/// Why no link is mailed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A field is missing or breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// Another address is where resets go from then on: an access token alone must not bring one.
    #[error(transparent)]
    Reauthentication(#[from] ReauthenticationError),
    /// There is nothing left to prove.
    #[error("this email is verified already and no invitation is open for it")]
    AlreadyVerified,
    /// Too many mails.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a link proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ActivateError {
    /// The link.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Another account has proven the address.
    #[error("email already registered")]
    Taken,
    /// Whoever opens the link must be signed in to its account.
    #[error("sign in to the account that asked for this link")]
    AccountRequired,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What somebody asks a link for.
#[derive(Debug)]
pub struct Wanted {
    /// The address; unset means the account's.
    pub email: Option<String>,
    /// The password, which another address than the account's needs unless the sign-in is fresh.
    pub current_password: Option<Password>,
}

/// Mails a link that proves an address.
pub async fn request(
    app: &App,
    account: &Account,
    caller: SessionRef,
    wanted: Wanted,
    origin: &Origin,
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
        sign_in::reauthenticate(app, caller, wanted.current_password, origin).await?;
    }
    mail::count(app, account.id, &email).await?;
    mail::put(app, Some(account.id), MailKind::VerifyEmail, &email).await?;
    Ok(email)
}

/// What a link would prove, and whether that needs its account's sign-in; it stays as good as it was.
pub async fn check(app: &App, uid: &str, token: &str) -> Result<(LinkDoc, bool), LinkError> {
    let (link, account) = links::open(app, LinkKind::VerifyEmail, uid, token).await?;
    let needs_account = !proves_unsigned(&link, &account, app.clock.now());
    Ok((link, needs_account))
}

/// Proves an address by its link. Without a sign-in that is only possible while nothing is proven of the account, and then
/// ends its sessions: whoever has its password may be somebody else. Whoever is signed in to the very account becomes staff
/// if an invitation names the address.
pub async fn activate(app: &App, uid: &str, token: &str, bearer: Option<UserId>) -> Result<Account, ActivateError> {
    let (link, account) = links::open(app, LinkKind::VerifyEmail, uid, token).await?;
    let trail = app.trail(None);
    let prover = match bearer {
        Some(user) if user == link.user => Prover::Owner,
        None if proves_unsigned(&link, &account, trail.now) => Prover::Unsigned,
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

/// Whether a link proves its address for somebody who isn't signed in.
fn proves_unsigned(link: &LinkDoc, account: &Account, now: Timestamp) -> bool {
    account.email.as_ref() == Some(&link.email) && account.contacts(now).may_prove_unsigned()
}
