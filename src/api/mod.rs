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
    /// Sign-up, sign-in and sign-out.
    Auth,
    /// The caller's own account.
    Accounts,
    /// Proofs of phone numbers and e-mail addresses, and password resets by links in mails.
    Request,
    /// Cart and postal address of a customer.
    Client,
    /// The public catalogue.
    Utils,
    /// Administration of the catalogue and the accounts.
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
