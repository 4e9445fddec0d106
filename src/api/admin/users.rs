//! `/api/admin/users/`: the accounts, for those who run the shop.

use std::sync::Arc;

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::users_out::{UserChangeIn, UserChangedOut, UserDetailsOut, UserFoundOut, UserListOut, UserRowOut};
use crate::{
    accounts::administration::{self, UsersError},
    api::{
        Group,
        access::{Admin, Staff},
        body::Body,
        error::{ApiError, ApiResult, ErrorCode, Refusal},
        message::MessageOut,
        paging::{next_cursor, slice},
        scalars::PathId,
    },
    app::App,
    values::ids::UserId,
};

const LIST: &str = "users";

/// The handlers.
pub struct UsersApi {
    app: Arc<App>,
}

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl UsersApi {
    /// The accounts, the newest first
    ///
    /// Admins see them whole; staff see numbers and addresses of others masked.
    #[oai(path = "/users", method = "get", operation_id = "listUsers")]
    async fn list(
        &self,
        staff: Staff,
        /// Plain text in any case, at most 100 characters: a part of a username, or a number or e-mail address. Admins
        /// find parts of those, too.
        q: Query<Option<String>>,
        /// 1 to 100; 20 when left out.
        limit: Query<Option<String>>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<UserListOut>, UsersError> {
        let slice = slice(&self.app, LIST, limit.0, cursor.0).map_err(ApiError::from)?;
        let (page, total) = administration::list(&self.app, staff.role, q.0, slice).await?;
        let next_cursor = next_cursor(&self.app, LIST, &page, |record| record.account.id.bytes());
        let users = page.items.into_iter().map(|record| UserRowOut::shown_to(&staff, &record)).collect();
        Ok(Json(UserListOut { users, total, next_cursor }))
    }

    /// One account
    ///
    /// Admins see it whole; staff see numbers and addresses of others masked, and neither postal address nor picture.
    #[oai(path = "/users/:id", method = "get", operation_id = "readUser")]
    async fn read(&self, staff: Staff, id: Path<PathId<UserId>>) -> ApiResult<Json<UserFoundOut>, UsersError> {
        let state = administration::read(&self.app, id.0.or(UsersError::NotFound)?).await?;
        Ok(Json(UserFoundOut { user: UserDetailsOut::shown_to(&staff, state) }))
    }

    /// Change what an account may do
    ///
    /// At once and everywhere. Who is disabled is signed out. There is always an active admin left: a change that would
    /// leave none is refused, even when two admins demote each other at the same moment.
    #[oai(path = "/users/:id", method = "patch", operation_id = "changeUser")]
    async fn change(
        &self,
        admin: Admin,
        id: Path<PathId<UserId>>,
        body: Body<UserChangeIn>,
    ) -> ApiResult<Json<UserChangedOut>, UsersError> {
        let (user, change) = (id.0.or(UsersError::NotFound)?, body.0.check()?);
        let state = administration::change(&self.app, &admin.author, user, change).await?;
        Ok(Json(UserChangedOut::new(state)))
    }

    /// Sign somebody out everywhere
    ///
    /// Every session of the account ends at once.
    #[oai(path = "/users/:id/logout", method = "post", operation_id = "logoutUser")]
    async fn sign_out(&self, admin: Admin, id: Path<PathId<UserId>>) -> ApiResult<Json<MessageOut>, UsersError> {
        administration::sign_out(&self.app, &admin.author, id.0.or(UsersError::NotFound)?).await?;
        Ok(Json(MessageOut::new("user logged out everywhere successfully")))
    }

    /// Let somebody sign in again
    ///
    /// Forgets the failed sign-ins that have closed the account.
    #[oai(path = "/users/:id/unlock", method = "post", operation_id = "unlockUser")]
    async fn unlock(&self, admin: Admin, id: Path<PathId<UserId>>) -> ApiResult<Json<MessageOut>, UsersError> {
        administration::unlock(&self.app, &admin.author, id.0.or(UsersError::NotFound)?).await?;
        Ok(Json(MessageOut::new("user unlocked successfully")))
    }
}

impl UsersApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

impl Refusal for UsersError {
    const CODES: &'static [ErrorCode] =
        &[ErrorCode::InvalidInput, ErrorCode::UserNotFound, ErrorCode::RoleRequired, ErrorCode::LastAdmin];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::NothingGiven => ApiError::new(ErrorCode::InvalidInput, text),
            Self::NotFound => ApiError::new(ErrorCode::UserNotFound, text),
            Self::NotByAdmin => ApiError::new(ErrorCode::RoleRequired, text),
            Self::LastAdmin => ApiError::new(ErrorCode::LastAdmin, text),
            Self::Store(error) => error.into(),
        }
    }
}
