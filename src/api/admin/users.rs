//! `/api/admin/users/`: the accounts, as staff and admins see and manage them.

use std::sync::Arc;

use poem_openapi::{OpenApi, param::Path, payload::Json};

use super::users_asked::AskedUsers;
use super::users_out::{UserChangeIn, UserChangedOut, UserDetailsOut, UserFoundOut, UserListOut, UserRowOut};
use crate::{
    accounts::administration::{self, UsersError},
    api::{
        Group,
        access::{Admin, Staff},
        body::Unchecked,
        client::cart_out::CartReply,
        error::{ApiResult, refusals},
        fast_json::FastJson,
        filters::Text,
        message::MessageOut,
        paging::next_cursor,
        scalars::PathId,
    },
    app::App,
    carts,
    db::StoreError,
    values::{ids::UserId, invalid::InvalidField},
};

/// Handlers of `/api/admin/users/`.
pub struct UsersApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl UsersApi {
    /// Lists the accounts
    ///
    /// The newest come first. Accounts must meet all conditions that are given. Staff see phone numbers and e-mail
    /// addresses of other accounts masked; admins see them whole.
    #[oai(path = "/users", method = "get", operation_id = "listUsers")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list(
        &self,
        staff: Staff,
        /// Plain text of at most 100 characters, in any case: a part of a username, or a whole phone number or e-mail
        /// address. Admins may also search for a part of a phone number or e-mail address.
        q: Text,
        /// Only accounts with this role: `customer`, `staff` or `admin`.
        role: Text,
        /// `true` for accounts whose owner may sign in, `false` for disabled ones.
        is_active: Text,
        /// `username` or `created_at`, in descending order with `-` before it; `-created_at` if left out.
        sort: Text,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
    ) -> ApiResult<Json<UserListOut>, UsersError> {
        let asked = AskedUsers { q, role, is_active, sort, limit, cursor };
        let (wanted, slice) = asked.check(&self.0, staff.role)?;
        let (page, total) = administration::list(&self.0, &wanted, slice).await?;
        let list = AskedUsers::list(wanted.order);
        let next_cursor = next_cursor(&self.0, list, &page, |record| record.place(wanted.order));
        let users = page.items.into_iter().map(|record| UserRowOut::shown_to(&staff, &record)).collect();
        Ok(Json(UserListOut { users, total: total.entries, total_is_capped: total.is_capped, next_cursor }))
    }

    /// Returns an account
    ///
    /// Staff see phone numbers and e-mail addresses of other accounts masked, and neither postal address nor picture.
    /// Admins see everything.
    #[oai(path = "/users/:id", method = "get", operation_id = "readUser")]
    async fn read(&self, staff: Staff, id: Path<PathId<UserId>>) -> ApiResult<Json<UserFoundOut>, UsersError> {
        let state = administration::read(&self.0, id.0.or(UsersError::NotFound)?).await?;
        Ok(Json(UserFoundOut { user: UserDetailsOut::shown_to(&staff, state, &self.0.config.shop.public_url) }))
    }

    /// Returns the cart of an account
    ///
    /// The answer is the one that the owner gets.
    #[oai(path = "/users/:id/cart", method = "get", operation_id = "readUserCart")]
    async fn cart(&self, _staff: Staff, id: Path<PathId<UserId>>) -> ApiResult<FastJson<CartReply>, UsersError> {
        let cart = carts::of_account(&self.0, id.0.or(UsersError::NotFound)?).await.map_err(UsersError::from)?;
        Ok(FastJson(CartReply::new(cart.ok_or(UsersError::NotFound)?, &self.0.config)))
    }

    /// Changes what an account may do
    ///
    /// The change takes effect at once in all sessions of the account. A disabled account is signed out. A change that
    /// would leave the shop without an active admin is refused, even if two admins demote each other at the same
    /// moment.
    #[oai(path = "/users/:id", method = "patch", operation_id = "changeUser")]
    async fn change(
        &self,
        admin: Admin,
        id: Path<PathId<UserId>>,
        body: Unchecked<UserChangeIn>,
    ) -> ApiResult<Json<UserChangedOut>, UsersError> {
        let (user, change) = (id.0.or(UsersError::NotFound)?, body.check(UserChangeIn::check)?);
        let state = administration::change(&self.0, &admin.author, user, change).await?;
        Ok(Json(UserChangedOut::new(state, &self.0.config.shop.public_url)))
    }

    /// Signs an account out everywhere
    ///
    /// Ends every session of the account at once.
    #[oai(path = "/users/:id/logout", method = "post", operation_id = "logoutUser")]
    async fn sign_out(&self, admin: Admin, id: Path<PathId<UserId>>) -> ApiResult<Json<MessageOut>, UsersError> {
        administration::sign_out(&self.0, &admin.author, id.0.or(UsersError::NotFound)?).await?;
        Ok(Json(MessageOut::new("user logged out everywhere successfully")))
    }

    /// Unlocks an account
    ///
    /// Forgets the failed sign-ins that have locked the account.
    #[oai(path = "/users/:id/unlock", method = "post", operation_id = "unlockUser")]
    async fn unlock(&self, admin: Admin, id: Path<PathId<UserId>>) -> ApiResult<Json<MessageOut>, UsersError> {
        administration::unlock(&self.0, &admin.author, id.0.or(UsersError::NotFound)?).await?;
        Ok(Json(MessageOut::new("user unlocked successfully")))
    }
}

refusals! {
    UsersError {
        codes { NothingGiven => InvalidInput, NotFound => UserNotFound, NotByAdmin => RoleRequired, LastAdmin => LastAdmin }
        causes { Invalid: InvalidField, Store: StoreError }
    }
}
