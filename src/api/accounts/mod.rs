//! `/api/accounts/`: the caller's own account.

pub(super) mod account_out;
mod bodies;
mod export;
mod photo;
mod update;

use std::sync::Arc;

use poem_openapi::{OpenApi, payload::Json};

use self::{
    account_out::AccountOut,
    bodies::{DeleteIn, PasswordChangeIn},
    export::Exported,
    update::UpdateIn,
};
use super::{
    Group,
    access::{AnyOrigin, Customer},
    auth::NotConfirmed,
    body::Body,
    error::{ApiResult, refusals},
    fields::required_password,
    message::MessageOut,
    upload::ImageUpload,
};
use crate::{
    accounts::{
        Account,
        hashing::HashError,
        own::{self, AccountError},
        photo::{self as pictures, PhotoError},
        profile::{self, ProfileError},
        sessions::ClientContext,
    },
    app::App,
    db::StoreError,
    privacy,
    values::invalid::InvalidField,
};

/// Handlers of `/api/accounts/`.
pub struct AccountsApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/accounts", tag = "Group::Accounts")]
impl AccountsApi {
    /// Returns the caller's account
    #[oai(path = "/me", method = "get", operation_id = "readAccount")]
    async fn me(&self, caller: Customer) -> ApiResult<Json<AccountOut>> {
        Ok(self.shown(caller.account))
    }

    /// Exports the caller's data
    ///
    /// Returns account, sessions and cart as one file.
    #[oai(path = "/export", method = "get", operation_id = "exportAccount")]
    async fn export(&self, caller: Customer) -> ApiResult<Exported, AccountError> {
        let privacy::Export { account } = privacy::export(&self.0, caller.session).await?;
        Ok(Exported::new(account, caller.session.session, self.0.clock.now(), &self.0.config.shop.public_url))
    }

    /// Deletes the caller's account
    ///
    /// Removes the account with everything in it. Other accounts can then use its username, phone number and e-mail
    /// address. The account of an admin can't be deleted.
    #[oai(path = "/me", method = "delete", operation_id = "deleteAccount")]
    async fn delete(
        &self,
        caller: Customer,
        origin: AnyOrigin,
        body: Body<DeleteIn>,
    ) -> ApiResult<Json<MessageOut>, AccountError> {
        let current = required_password("current_password", body.0.current_password)?;
        privacy::delete(&self.0, caller.session, current, &origin.0).await?;
        Ok(Json(MessageOut::new("account deleted successfully")))
    }

    /// Changes the given fields
    ///
    /// A change of the e-mail address needs `current_password` or a sign-in less than 10 minutes old. `PATCH` does the
    /// same.
    #[oai(path = "/update", method = "put", operation_id = "updateAccount")]
    async fn update(
        &self,
        caller: Customer,
        origin: AnyOrigin,
        body: Body<UpdateIn>,
    ) -> ApiResult<Json<AccountOut>, ProfileError> {
        self.change(caller, &origin.0, body.0).await
    }

    /// Changes the given fields
    ///
    /// Does the same as `PUT`.
    #[oai(path = "/update", method = "patch", operation_id = "patchAccount")]
    async fn patch(
        &self,
        caller: Customer,
        origin: AnyOrigin,
        body: Body<UpdateIn>,
    ) -> ApiResult<Json<AccountOut>, ProfileError> {
        self.change(caller, &origin.0, body.0).await
    }

    /// Sets the account's picture
    ///
    /// The picture is stored upright, at most 512 pixels wide and high, and without the metadata of the file.
    #[oai(path = "/photo", method = "post", operation_id = "uploadPhoto")]
    async fn upload_photo(&self, caller: Customer, image: ImageUpload) -> ApiResult<Json<AccountOut>, PhotoError> {
        Ok(self.shown(pictures::set(&self.0, caller.session, image.0).await?))
    }

    /// Removes the account's picture
    #[oai(path = "/photo", method = "delete", operation_id = "removePhoto")]
    async fn remove_photo(&self, caller: Customer) -> ApiResult<Json<AccountOut>, PhotoError> {
        Ok(self.shown(pictures::remove(&self.0, caller.session).await?))
    }

    /// Changes the password
    ///
    /// Ends every other session of the account. Its open links and codes become invalid.
    #[oai(path = "/password", method = "post", operation_id = "changePassword")]
    async fn password(
        &self,
        caller: Customer,
        origin: AnyOrigin,
        body: Body<PasswordChangeIn>,
    ) -> ApiResult<Json<MessageOut>, AccountError> {
        let current = required_password("current_password", body.0.current_password)?;
        let new = required_password("new_password", body.0.new_password)?;
        own::change_password(&self.0, caller.session, current, new, &origin.0).await?;
        Ok(Json(MessageOut::new("password changed successfully")))
    }
}

impl AccountsApi {
    fn shown(&self, account: Account) -> Json<AccountOut> {
        Json(AccountOut::new(account, self.0.clock.now(), &self.0.config.shop.public_url))
    }

    async fn change(
        &self,
        caller: Customer,
        origin: &ClientContext,
        body: UpdateIn,
    ) -> ApiResult<Json<AccountOut>, ProfileError> {
        let current = body.current_password();
        let change = body.check(&caller.account, &self.0.config).map_err(ProfileError::from)?;
        let account = profile::update(&self.0, caller.account, caller.session, change, current, origin).await?;
        Ok(self.shown(account))
    }
}

refusals! {
    AccountError {
        codes { SessionNotFound => SessionNotFound, Admin => AdminAccount, SignedOut => InvalidAccessToken }
        causes {
            Invalid: InvalidField,
            NotConfirmed: SignInError as NotConfirmed,
            Hashing: HashError,
            Store: StoreError,
        }
    }
}
