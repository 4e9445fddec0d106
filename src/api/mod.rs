//! The API, one file a group of URLs:
//!
//! | URL | file |
//! |---|---|
//! | `/api/auth/` | `auth/` |
//! | `/api/accounts/` | `accounts/` |
//! | `/api/request/` | `request/` |
//! | `/api/client/{user_id}/cart/` | `client/cart.rs` |
//! | `/api/client/{user_id}/address/` | `client/address.rs` |
//! | `/api/utils/` | `utils/` |
//! | `/api/admin/` | `admin/`, one file a kind of call |

pub mod access;
mod accounts;
mod address;
mod admin;
mod auth;
mod body;
pub mod catalogue;
mod catalogue_out;
mod client;
pub mod error;
mod etag;
mod fields;
mod message;
mod paging;
mod request;
mod scalars;
mod upload;
mod user_out;
mod written;

use std::{collections::HashMap, sync::Arc};

use poem::{endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi, Tags,
    registry::{MetaApi, Registry},
};

use crate::app::App;

/// The groups of the spec.
#[derive(Tags)]
enum Group {
    /// Signing up, in and out.
    Auth,
    /// One's own account.
    Accounts,
    /// What a token or a code proves.
    Request,
    /// Cart and address.
    Client,
    /// The public catalogue.
    Utils,
    /// Running the catalogue and the accounts.
    Admin,
}

type Groups = (
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
    AdminGroups,
);

/// poem-openapi takes 16 at once.
type AdminGroups = (
    admin::insert::InsertApi,
    admin::update::UpdateApi,
    admin::delete::DeleteApi,
    admin::transfer::TransferApi,
    admin::audits::AuditsApi,
    admin::invites::InvitesApi,
    admin::users::UsersApi,
    admin::stats::StatsApi,
);

/// The handlers of all groups.
pub fn all(app: &Arc<App>) -> Groups {
    (
        auth::AuthApi::new(app),
        auth::otp::OtpApi::new(app),
        accounts::AccountsApi::new(app),
        request::number::NumberApi::new(app),
        request::links::LinksApi::new(app),
        client::cart::CartApi::new(app),
        client::address::AddressApi::new(app),
        catalogue::BranchesApi::new(app),
        catalogue::ProductsApi::new(app),
        catalogue::SearchApi::new(app),
        admin(app),
    )
}

fn admin(app: &Arc<App>) -> AdminGroups {
    (
        admin::insert::InsertApi::new(app),
        admin::update::UpdateApi::new(app),
        admin::delete::DeleteApi::new(app),
        admin::transfer::TransferApi::new(app),
        admin::audits::AuditsApi::new(app),
        admin::invites::InvitesApi::new(app),
        admin::users::UsersApi::new(app),
        admin::stats::StatsApi::new(app),
    )
}

/// What [`all`] is to the spec, without the app that its handlers need.
pub struct Description;

impl OpenApi for Description {
    fn meta() -> Vec<MetaApi> {
        Groups::meta()
    }

    fn register(registry: &mut Registry) {
        Groups::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}
