//! Invitations to become staff.

use std::time::Duration;

use super::store::invitations::InvitationDoc;
use crate::{
    app::App,
    db::StoreError,
    limits::LimitError,
    mail::{self, kind::MailKind},
    values::{
        author::Author,
        email::Email,
        ids::InvitationId,
        invalid::InvalidField,
        paging::{Page, Slice},
    },
};

/// For so long an invitation is open.
const OPEN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Why there is no invitation.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// A field is missing or breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// No such open invitation.
    #[error("invitation not found")]
    NotFound,
    /// Too many mails to the address.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Invites an address and tells its owner.
pub async fn invite(app: &App, author: &Author, email: &str) -> Result<InvitationDoc, InviteError> {
    let email = Email::parse(email).map_err(|why| InvalidField::because("email", "email", why))?;
    mail::count_invitation(app, &email).await?;
    let (trail, invited_by) = (app.trail(Some(author)), author.user_id);
    let (id, created_at, expires_at) = (InvitationId::new(), trail.now, trail.now.after(OPEN));
    let invitation = InvitationDoc { id, email, invited_by, created_at, expires_at, used_at: None };
    app.store.invitations.insert(&invitation, &trail).await?;
    mail::put(app, None, MailKind::StaffInvitation, &invitation.email).await?;
    Ok(invitation)
}

/// A page of the open invitations, the oldest first, and how many there are in all.
pub async fn list(app: &App, slice: Slice<InvitationId>) -> Result<(Page<InvitationDoc>, u64), StoreError> {
    let (items, total) = app.store.invitations.page(slice.after, slice.probe(), app.clock.now()).await?;
    Ok((Page::of(items, slice.limit), total))
}

/// Takes an open invitation back.
pub async fn withdraw(app: &App, author: &Author, invitation: InvitationId) -> Result<(), InviteError> {
    let withdrawn = app.store.invitations.withdraw(invitation, &app.trail(Some(author))).await?;
    if withdrawn { Ok(()) } else { Err(InviteError::NotFound) }
}
