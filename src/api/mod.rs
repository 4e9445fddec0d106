//! The HTTP API: one file or folder for each group of URLs.
//!
//! | URL | file |
//! |---|---|
//! | `/api/auth/` | `auth/` |
//! | `/api/accounts/` | `accounts/` |
//! | `/api/request/` | `request/` |
//! | `/api/client/{user_id}/cart/` | `client/cart.rs` |
//! | `/api/client/{user_id}/address/` | `client/address.rs` |
//! | `/api/utils/` | `catalogue/` |
//! | `/api/utils/shop/` | `shop.rs` |
//! | `/api/admin/` | `admin/`, one file for each kind of call |

pub mod access;
mod accounts;
mod address;
mod admin;
mod auth;
mod body;
pub mod catalogue;
mod catalogue_out;
/// `/api/client/{user_id}/`: what belongs to one customer.
mod client {
    pub mod address;
    pub mod cart;
    pub(super) mod cart_out;
}
pub mod error;
pub mod etag;
mod examples;
mod fast_json;
mod fields;
mod filters;
mod message;
mod paging;
mod request;
mod scalars;
mod shop;
mod upload;
mod user_out;

use std::{collections::HashMap, sync::Arc};

use poem::{endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi, Tags,
    registry::{MetaApi, Registry},
};

use crate::app::App;

/// The tags of the OpenAPI description, one for each group of URLs.
#[derive(Tags)]
enum Group {
    /// Sign-up, sign-in, sign-out and sessions.
    ///
    /// A sign-in answers with a short-lived access token, which a client keeps in memory and sends as
    /// `Authorization: Bearer`, and sets the refresh token as an HttpOnly cookie. When the access token has expired
    /// (`expires_in` tells in how many seconds), `refresh/` gives a new one and replaces the cookie. Only one call at a
    /// time should do that. If `refresh/` answers 401, the person has to sign in again.
    ///
    /// A sign-up by code needs two calls: `register/send-otp/`, then `register/verify-otp/` with the code of the text
    /// message. A forgotten password needs three: send, verify, reset.
    Auth,
    /// The caller's own account: profile, picture, password, export and deletion.
    Accounts,
    /// Proofs of phone numbers and e-mail addresses, and password resets by links in mails.
    ///
    /// A request is a link that works once and expires. `GET` tells whether a link is still good and uses nothing up.
    Request,
    /// Cart and postal address of a customer.
    ///
    /// `user_id` is the `_id` of the account that is signed in; that of anybody else is answered with 403. Prices are
    /// computed at every read. `price_changed` tells that a price is another one than when the line was added.
    Client,
    /// The public catalogue: brands, their models, categories of parts, and products.
    ///
    /// Lists come in pages. Send the `next_cursor` of a page as `cursor` to get the next one; it is null on the last
    /// page. All answers have an `ETag`; with `If-None-Match`, an answer that is still current is 304 without a body.
    Utils,
    /// Administration of the catalogue and the accounts, for staff and admins.
    ///
    /// To change something that somebody else may change too, read it, send its `ETag` as `If-Match`, and read again if
    /// the answer is 412. Every change leaves an entry in the audits. Unknown query parameters are refused, so that a
    /// misspelt filter doesn't show or change everything.
    Admin,
}

/// Lists the groups of handlers, each a tuple struct over the app. Pairs are nested, because poem-openapi takes 16 in a
/// row.
macro_rules! groups {
    (@type $group:path) => { $group };
    (@type $group:path, $($rest:path),+) => { ($group, groups!(@type $($rest),+)) };
    (@make $app:ident, $group:path) => { $group(Arc::clone($app)) };
    (@make $app:ident, $group:path, $($rest:path),+) => {
        ($group(Arc::clone($app)), groups!(@make $app, $($rest),+))
    };
    ($($group:path),+ $(,)?) => {
        type Groups = groups!(@type $($group),+);

        /// Returns the handlers of all groups.
        pub fn all(app: &Arc<App>) -> impl OpenApi + use<> {
            groups!(@make app, $($group),+)
        }
    };
}

groups!(
    auth::AuthApi,
    auth::otp::OtpApi,
    accounts::AccountsApi,
    request::number::NumberApi,
    request::links::LinksApi,
    client::cart::CartApi,
    client::address::AddressApi,
    catalogue::BranchesApi,
    catalogue::ProductsApi,
    catalogue::SearchApi,
    shop::ShopApi,
    admin::insert::InsertApi,
    admin::update::UpdateApi,
    admin::product_images::ProductImagesApi,
    admin::delete::DeleteApi,
    admin::bulk::BulkApi,
    admin::transfer::TransferApi,
    admin::audits::AuditsApi,
    admin::invites::InvitesApi,
    admin::users::UsersApi,
    admin::stats::StatsApi,
    admin::branch_lists::BranchListsApi,
    admin::product_lists::ProductListsApi,
);

/// The description of the API that [`all`] serves. It needs no [`App`] and adds no routes.
pub struct ApiDescription;

impl OpenApi for ApiDescription {
    fn meta() -> Vec<MetaApi> {
        Groups::meta()
    }

    fn register(registry: &mut Registry) {
        Groups::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}
