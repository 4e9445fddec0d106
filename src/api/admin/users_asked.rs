//! Which accounts a caller asks for.

use crate::{
    accounts::{UserOrder, UserPlace, UserQuery, administration},
    api::{
        error::ApiError,
        filters::{ListParameters, Text},
        paging::{entries, place},
    },
    app::App,
    values::{paging::Slice, role::Role},
};

/// The query parameters of the list of accounts, as they were sent.
pub(super) struct AskedUsers {
    pub(super) q: Text,
    pub(super) role: Text,
    pub(super) is_active: Text,
    pub(super) sort: Text,
    pub(super) limit: Text,
    pub(super) cursor: Text,
}

impl AskedUsers {
    /// Checks the parameters. `reader` is the role of the caller.
    pub(super) fn check(self, app: &App, reader: Role) -> Result<(UserQuery, Slice<UserPlace>), ApiError> {
        let mut faults = ListParameters::default();
        let text = faults.search_text(self.q);
        let role = faults.read("role", self.role, "customer, staff or admin", |text| text.parse().ok());
        let is_active = faults.read("is_active", self.is_active, "true or false", |text| text.parse().ok());
        let order = faults.read("sort", self.sort, "username or created_at, perhaps after a -", order);
        let order = order.unwrap_or_default();
        let limit = faults.keep(entries(self.limit.0));
        let after = faults.keep(place(app, Self::list(order), self.cursor.0).transpose());
        faults.check()?;
        let text = text.map(|text| administration::search_text(app, reader, text));
        let slice = Slice { limit: limit.unwrap_or_default(), after: after.flatten() };
        Ok((UserQuery { text, role, is_active, order }, slice))
    }

    /// Returns the name of the list, for its cursors.
    pub(super) fn list(order: UserOrder) -> &'static str {
        match order {
            UserOrder::Newest => "users",
            UserOrder::Oldest => "users, oldest first",
            UserOrder::Name => "users by name",
            UserOrder::NameDescending => "users by name, last first",
        }
    }
}

fn order(sort: &str) -> Option<UserOrder> {
    match sort {
        "-created_at" => Some(UserOrder::Newest),
        "created_at" => Some(UserOrder::Oldest),
        "username" => Some(UserOrder::Name),
        "-username" => Some(UserOrder::NameDescending),
        _ => None,
    }
}
