//! Proving an address by a link, and becoming staff by an invitation.

use super::{
    limits::LimitError,
    links::{self, LinkError},
    mail,
    sessions::Origin,
    sign_in::{self, ReauthenticationError},
};
use crate::{
    app::App,
    domain::{
        email::Email,
        ids::{SessionRef, UserId},
        invalid::InvalidField,
        mail_kind::MailKind,
        password::Password,
    },
    store::{
        StoreError,
        links::{LinkDoc, LinkKind},
        outbox::MailDoc,
        proofs::EmailProof,
        users::Account,
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
    if account.has_proven(&email) && !app.store.invitations.is_open(&email, app.clock.now()).await? {
        return Err(RequestError::AlreadyVerified);
    }
    if account.email.as_ref() != Some(&email) {
        sign_in::reauthenticate(app, caller, wanted.current_password, origin).await?;
    }
    mail::count(app, Some(account.id), Some(&email)).await?;
    mail::put(app, Some(account.id), MailKind::VerifyEmail, &email).await?;
    Ok(email)
}

/// What a link would prove; it stays as good as it was.
pub async fn check(app: &App, uid: &str, token: &str) -> Result<LinkDoc, LinkError> {
    links::open(app, LinkKind::VerifyEmail, uid, token).await
}

/// Proves an address by its link. Whoever is signed in to the very account becomes staff if an invitation names the
/// address; a link that is opened by somebody else, or without a sign-in, makes nobody staff.
pub async fn activate(app: &App, uid: &str, token: &str, bearer: Option<UserId>) -> Result<Account, ActivateError> {
    let link = check(app, uid, token).await?;
    let trail = app.trail(None);
    let before = link.account_email.as_ref().filter(|before| **before != link.email);
    let notice = before.map(|before| MailDoc::new(Some(link.user), MailKind::EmailChanged, before.clone(), trail.now));
    let as_staff = bearer == Some(link.user);
    match app.store.proofs.prove_email(&link, as_staff, notice.as_ref(), &trail).await {
        Ok(EmailProof::Done(account)) => Ok(*account),
        Ok(EmailProof::Gone) => Err(LinkError::NotFound.into()),
        Ok(EmailProof::Taken) | Err(StoreError::Duplicate) => Err(ActivateError::Taken),
        Err(error) => Err(error.into()),
    }
}
