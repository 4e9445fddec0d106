//! `/api/admin/staff/invites/`: who may become staff.

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
        invitations::{self, InviteError},
        store::invitations::InvitationDoc,
    },
    api::{
        Group,
        access::Admin,
        body::Body,
        error::{ApiError, ApiResult, ErrorCode, Refusal},
        fields::Line,
        message::MessageOut,
        paging::{next_cursor, slice},
        scalars::PathId,
    },
    app::App,
    values::{
        ids::{InvitationId, UserId},
        invalid::InvalidField,
        time::Timestamp,
    },
};

/// The handlers.
pub struct InvitesApi {
    app: Arc<App>,
}

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl InvitesApi {
    /// The open invitations
    #[oai(path = "/staff/invites", method = "get", operation_id = "listInvitations")]
    async fn list(
        &self,
        _admin: Admin,
        /// 1 to 100; 20 when left out.
        limit: Query<Option<String>>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<InvitationsOut>, InviteError> {
        let slice = slice(&self.app, "invitations", limit.0, cursor.0).map_err(ApiError::from)?;
        let (page, total) = invitations::list(&self.app, slice).await.map_err(InviteError::from)?;
        let next_cursor = next_cursor(&self.app, "invitations", &page, |doc| doc.id.bytes());
        let invitations = page.items.into_iter().map(InvitationOut::from).collect();
        Ok(Json(InvitationsOut { invitations, total, next_cursor }))
    }

    /// Invite somebody to the staff
    ///
    /// A mail tells them. An open invitation to the same address is replaced.
    #[oai(path = "/staff/invites", method = "post", operation_id = "inviteStaff")]
    async fn invite(&self, admin: Admin, body: Body<InviteIn>) -> ApiResult<Invited, InviteError> {
        let email = body.0.email.map(|line| line.0).filter(|text| !text.is_empty());
        let email = email.ok_or_else(|| ApiError::from(InvalidField::required("email")))?;
        let invitation = invitations::invite(&self.app, &admin.author, &email).await?.into();
        let message = "invitation sent successfully".to_owned();
        Ok(Invited::Created(Json(InvitedOut { message, invitation })))
    }

    /// Take an open invitation back
    #[oai(path = "/staff/invites/:id", method = "delete", operation_id = "withdrawInvitation")]
    async fn withdraw(&self, admin: Admin, id: Path<PathId<InvitationId>>) -> ApiResult<Json<MessageOut>, InviteError> {
        invitations::withdraw(&self.app, &admin.author, id.0.or(InviteError::NotFound)?).await?;
        Ok(Json(MessageOut::new("invitation withdrawn successfully")))
    }
}

impl InvitesApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

impl Refusal for InviteError {
    const CODES: &'static [ErrorCode] =
        &[ErrorCode::InvalidInput, ErrorCode::InvitationNotFound, ErrorCode::TooManyRequests];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::NotFound => ApiError::new(ErrorCode::InvitationNotFound, text),
            Self::Limited(error) => error.into(),
            Self::Store(error) => error.into(),
        }
    }
}

/// Who is invited.
#[derive(Object, Deserialize)]
#[oai(rename = "Invite", example)]
struct InviteIn {
    email: Option<Line>,
}

impl Example for InviteIn {
    fn example() -> Self {
        Self { email: Some(Line("asha@example.com".to_owned())) }
    }
}

/// An invitation.
#[derive(Object)]
#[oai(rename = "Invitation", example)]
struct InvitationOut {
    #[oai(rename = "_id")]
    id: InvitationId,
    email: String,
    /// The admin's account.
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
            email: "asha@example.com".to_owned(),
            invited_by: UserId::from(*b"\x67\x41\xf0\xa2\xc3\xb4\xd5\xe6\xf7\xa8\xb9\xc0"),
            created_at: Timestamp::from_millis(1_732_374_690_000),
            expires_at: Timestamp::from_millis(1_732_979_490_000),
        }
    }
}

/// A page of invitations.
#[derive(Object)]
#[oai(rename = "Invitations", example)]
struct InvitationsOut {
    invitations: Vec<InvitationOut>,
    /// Of all pages together.
    total: u64,
    next_cursor: Option<String>,
}

impl Example for InvitationsOut {
    fn example() -> Self {
        Self { invitations: vec![InvitationOut::example()], total: 1, next_cursor: None }
    }
}

/// An invitation that was made.
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
    /// It was made
    #[oai(status = 201)]
    Created(Json<InvitedOut>),
}
