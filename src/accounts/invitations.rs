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

/// The time for which an invitation is open: 7 days.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The reason why an invitation is not made or withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// A field is missing or breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// No open invitation has this id.
    #[error("invitation not found")]
    NotFound,
    /// Too many mails were sent to the address.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores an invitation for an address and queues a mail to it. The invitation replaces older ones for this address
/// that nobody has used.
pub async fn invite(app: &App, author: &Author, typed: &str) -> Result<InvitationDoc, InviteError> {
    let email = Email::parse(typed).map_err(|why| InvalidField::because("email", "email", why))?;
    mail::take_invitation_slots(app, &email).await?;
    let (trail, invited_by) = (app.trail(Some(author)), author.user_id);
    let (id, created_at, expires_at) = (InvitationId::new(), trail.now, trail.now.after(LIFETIME));
    let invitation = InvitationDoc { id, email, invited_by, created_at, expires_at, used_at: None };
    app.store.invitations.insert(&invitation, &trail).await?;
    mail::queue(app, None, MailKind::StaffInvitation, &invitation.email).await?;
    Ok(invitation)
}

/// Returns a page of the open invitations, the oldest first, and the number of all open invitations.
pub async fn list(app: &App, slice: Slice<InvitationId>) -> Result<(Page<InvitationDoc>, u64), StoreError> {
    let (items, total) = app.store.invitations.page(slice.after, slice.probe(), app.clock.now()).await?;
    Ok((Page::of(items, slice.limit), total))
}

/// Withdraws an open invitation, so that nobody can use it any more.
pub async fn withdraw(app: &App, author: &Author, invitation: InvitationId) -> Result<(), InviteError> {
    let withdrawn = app.store.invitations.withdraw(invitation, &app.trail(Some(author))).await?;
    if withdrawn { Ok(()) } else { Err(InviteError::NotFound) }
}
