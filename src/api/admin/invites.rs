//! `/api/admin/staff/invites/`: invitations to become staff.

use std::sync::Arc;

use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::Example,
};
use serde::Deserialize;

use crate::{
    accounts::{
        InvitationDoc,
        invitations::{self, InviteError},
    },
    api::{
        Group,
        access::Admin,
        body::Unchecked,
        error::{ApiError, ApiResult, refusals},
        examples,
        fields::Line,
        message::MessageOut,
        paging::{next_cursor, slice},
        scalars::PathId,
    },
    app::App,
    db::StoreError,
    limits::LimitError,
    values::{
        ids::{InvitationId, UserId},
        invalid::{Faults, InvalidField},
        time::Timestamp,
    },
};

/// Handlers of `/api/admin/staff/invites/`.
pub struct InvitesApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl InvitesApi {
    /// Lists the open invitations, the oldest first
    #[oai(path = "/staff/invites", method = "get", operation_id = "listInvitations")]
    async fn list(
        &self,
        _admin: Admin,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Query<Option<String>>,
        /// The `next_cursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<InvitationsOut>, InviteError> {
        let slice = slice(&self.0, "invitations", limit.0, cursor.0).map_err(ApiError::from)?;
        let (page, total) = invitations::list(&self.0, slice).await.map_err(InviteError::from)?;
        let next_cursor = next_cursor(&self.0, "invitations", &page, |doc| doc.id.bytes());
        let invitations = page.items.into_iter().map(InvitationOut::from).collect();
        Ok(Json(InvitationsOut { invitations, total, next_cursor }))
    }

    /// Invites a person to become staff
    ///
    /// Sends a mail to the address. The new invitation replaces an open one to the same address.
    #[oai(path = "/staff/invites", method = "post", operation_id = "inviteStaff")]
    async fn invite(&self, admin: Admin, body: Unchecked<InviteIn>) -> ApiResult<Invited, InviteError> {
        let email = body.check(InviteIn::check)?;
        let invitation = invitations::invite(&self.0, &admin.author, &email).await?.into();
        let message = "invitation sent successfully".to_owned();
        Ok(Invited::Created(Json(InvitedOut { message, invitation })))
    }

    /// Withdraws an open invitation
    #[oai(path = "/staff/invites/:id", method = "delete", operation_id = "withdrawInvitation")]
    async fn withdraw(&self, admin: Admin, id: Path<PathId<InvitationId>>) -> ApiResult<Json<MessageOut>, InviteError> {
        invitations::withdraw(&self.0, &admin.author, id.0.or(InviteError::NotFound)?).await?;
        Ok(Json(MessageOut::new("invitation withdrawn successfully")))
    }
}

refusals! {
    InviteError {
        codes { NotFound => InvitationNotFound }
        causes { Invalid: InvalidField, Limited: LimitError, Store: StoreError }
    }
}

/// The e-mail address to invite.
#[derive(Object, Deserialize)]
#[oai(rename = "Invite", example)]
struct InviteIn {
    email: Option<Line>,
}

impl InviteIn {
    /// Checks the body and returns the address as it was typed.
    fn check(self, faults: &mut Faults) -> Option<String> {
        faults.required("email", self.email.map(|line| line.0), |text| Ok(text.to_owned()))
    }
}

impl Example for InviteIn {
    fn example() -> Self {
        Self { email: Some(examples::line(examples::EMAIL)) }
    }
}

/// An invitation to become staff.
#[derive(Object)]
#[oai(rename = "Invitation", example)]
struct InvitationOut {
    #[oai(rename = "_id")]
    id: InvitationId,
    email: String,
    /// Id of the admin's account.
    invited_by: UserId,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl From<InvitationDoc> for InvitationOut {
    fn from(invitation: InvitationDoc) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email.to_string(),
            invited_by: invitation.invited_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

impl Example for InvitationOut {
    fn example() -> Self {
        Self {
            id: InvitationId::from(*b"\x67\x41\xf0\xa2\xc3\xb4\xd5\xe6\xf7\xa8\xb9\xc1"),
            email: examples::EMAIL.to_owned(),
            invited_by: UserId::from(*b"\x67\x41\xf0\xa2\xc3\xb4\xd5\xe6\xf7\xa8\xb9\xc0"),
            created_at: examples::NOW,
            expires_at: examples::NEXT_WEEK,
        }
    }
}

/// A page of invitations.
#[derive(Object)]
#[oai(rename = "Invitations", example)]
struct InvitationsOut {
    invitations: Vec<InvitationOut>,
    /// Number of entries on all pages together.
    total: u64,
    next_cursor: Option<String>,
}

impl Example for InvitationsOut {
    fn example() -> Self {
        Self { invitations: vec![InvitationOut::example()], total: 1, next_cursor: None }
    }
}

/// The answer to a new invitation.
#[derive(Object)]
#[oai(rename = "Invited", example)]
struct InvitedOut {
    message: String,
    invitation: InvitationOut,
}

impl Example for InvitedOut {
    fn example() -> Self {
        Self { message: "invitation sent successfully".to_owned(), invitation: InvitationOut::example() }
    }
}

#[derive(ApiResponse)]
enum Invited {
    /// The invitation was created.
    #[oai(status = 201)]
    Created(Json<InvitedOut>),
}
