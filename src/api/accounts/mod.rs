//! `/api/accounts/`: one's own account.

mod account_out;
mod bodies;

use std::sync::Arc;

use poem_openapi::{OpenApi, payload::Json};

use self::{
    account_out::AccountOut,
    bodies::{DeleteIn, PasswordChangeIn},
};
use super::{Group, body::Body, fields::required_password, message::MessageOut};
use crate::{
    access::{AnyOrigin, Customer},
    app::App,
    error::{ApiError, ApiResult, ErrorCode, Refusal},
    services::{
        accounts::{self, AccountError},
        sign_in::SignInError,
    },
};

/// The handlers.
pub struct AccountsApi {
    app: Arc<App>,
}

#[OpenApi(prefix_path = "/api/accounts", tag = "Group::Accounts")]
impl AccountsApi {
    /// One's own account
    #[oai(path = "/me", method = "get", operation_id = "readAccount")]
    async fn me(&self, caller: Customer) -> ApiResult<Json<AccountOut>> {
        Ok(Json(caller.account.into()))
    }

    /// Leave
    ///
    /// Removes the account with everything in it. Its name, number and address are free again.
    #[oai(path = "/me", method = "delete", operation_id = "deleteAccount")]
    async fn delete(
        &self,
        caller: Customer,
        origin: AnyOrigin,
        body: Body<DeleteIn>,
    ) -> ApiResult<Json<MessageOut>, AccountError> {
        let current = required_password("current_password", body.0.current_password)?;
        accounts::delete(&self.app, &caller.account, current, &origin.0).await?;
        Ok(Json(MessageOut::new("account deleted successfully")))
    }

    /// Change the password
    ///
    /// Every other session ends.
    #[oai(path = "/password", method = "post", operation_id = "changePassword")]
    async fn password(
        &self,
        caller: Customer,
        origin: AnyOrigin,
        body: Body<PasswordChangeIn>,
    ) -> ApiResult<Json<MessageOut>, AccountError> {
        let current = required_password("current_password", body.0.current_password)?;
        let new = required_password("new_password", body.0.new_password)?;
        accounts::change_password(&self.app, caller.session, current, new, &origin.0).await?;
        Ok(Json(MessageOut::new("password changed successfully")))
    }
}

impl AccountsApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

impl Refusal for AccountError {
    const CODES: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::WrongPassword,
        ErrorCode::SessionNotFound,
        ErrorCode::AdminAccount,
        ErrorCode::TooManyRequests,
        ErrorCode::TooBusy,
    ];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::NotConfirmed(SignInError::WrongCredentials) => {
                ApiError::new(ErrorCode::WrongPassword, "current password is incorrect").with_field("current_password")
            }
            Self::NotConfirmed(refusal) => refusal.into_error(),
            Self::SessionNotFound => ApiError::new(ErrorCode::SessionNotFound, text),
            Self::Admin => ApiError::new(ErrorCode::AdminAccount, text),
            Self::SignedOut => ApiError::new(ErrorCode::InvalidAccessToken, text),
            Self::Hashing(error) => error.into(),
            Self::Store(error) => error.into(),
        }
    }
}
