//! Accounts as the dashboard shows them, and the bodies with which admins change them.

use poem_openapi::{Object, types::Example};
use serde::Deserialize;

use crate::{
    accounts::{UserChange, UserRecord, administration::UserState},
    api::{
        access::Staff,
        accounts::account_out::AccountOut,
        examples,
        fields::{Flag, Line, not_null},
        user_out::UserOut,
    },
    values::{
        invalid::{Faults, InvalidField},
        role::Role,
        time::Timestamp,
        url::PublicUrl,
    },
};

/// The warning about an account of staff or an admin that has no proven contact.
const UNRECOVERABLE: &str =
    "no phone number or e-mail of this account is proven: its owner can't reset a forgotten password";

/// An account in a list.
#[derive(Debug, Object)]
#[oai(rename = "UserRow", example)]
pub(super) struct UserRowOut {
    #[oai(flatten)]
    user: UserOut,
    /// Whether the owner may sign in.
    is_active: bool,
    /// Time of the last sign-in; null before the first one.
    last_sign_in_at: Option<Timestamp>,
}

/// A page of accounts.
#[derive(Debug, Object)]
#[oai(rename = "UserList", example)]
pub(super) struct UserListOut {
    /// Accounts in the order that was asked for.
    pub(super) users: Vec<UserRowOut>,
    /// Number of entries on all pages together, at most 10,000.
    pub(super) total: u64,
    /// Whether there are more than 10,000 entries.
    pub(super) total_is_capped: bool,
    pub(super) next_cursor: Option<String>,
}

/// An account with everything that the reader may see.
#[derive(Debug, Object)]
#[oai(rename = "UserDetails", example)]
pub(super) struct UserDetailsOut {
    #[oai(flatten)]
    account: AccountOut,
    /// Time of the last sign-in; null before the first one.
    last_sign_in_at: Option<Timestamp>,
    /// Number of browsers and apps that are signed in.
    sessions: usize,
    /// Whether failed sign-ins have locked the account, at least for one network address.
    locked: bool,
}

/// The answer with one account.
#[derive(Debug, Object)]
#[oai(rename = "UserFound", example)]
pub(super) struct UserFoundOut {
    pub(super) user: UserDetailsOut,
}

/// The answer to a change of an account.
#[derive(Debug, Object)]
#[oai(rename = "UserChanged", example)]
pub(super) struct UserChangedOut {
    message: String,
    user: UserDetailsOut,
    /// A problem that an admin should solve after the change; null if there is none.
    warning: Option<String>,
}

/// Changes of an account. Fields that are left out stay as they are.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "UserChange", example)]
pub(super) struct UserChangeIn {
    /// `customer`, `staff` or `admin`.
    #[serde(default, deserialize_with = "not_null")]
    role: Option<Line>,
    /// Whether the owner may sign in.
    #[serde(default, deserialize_with = "not_null")]
    is_active: Option<Flag>,
}

impl UserChangeIn {
    pub(super) fn check(self, faults: &mut Faults) -> Option<UserChange> {
        let unknown = |why| InvalidField::because("role", "role", why);
        let role = faults.optional("role", self.role, |role| role.0.parse::<Role>().map_err(unknown));
        let is_active = faults.optional("is_active", self.is_active, |flag| Ok(flag.0));
        Some(UserChange { role, is_active })
    }
}

impl UserRowOut {
    pub(super) fn shown_to(reader: &Staff, record: &UserRecord) -> Self {
        let user = UserOut::from(&record.account);
        Self {
            user: if reader.may_see(record.account.id) { user } else { user.masked() },
            is_active: record.account.is_active,
            last_sign_in_at: record.last_sign_in_at(),
        }
    }
}

impl UserDetailsOut {
    pub(super) fn shown_to(reader: &Staff, state: UserState, public_url: &PublicUrl) -> Self {
        let is_shown = reader.may_see(state.record.account.id);
        let whole = Self::new(state, public_url);
        if is_shown { whole } else { Self { account: whole.account.masked(), ..whole } }
    }

    fn new(state: UserState, public_url: &PublicUrl) -> Self {
        Self {
            last_sign_in_at: state.record.last_sign_in_at(),
            account: AccountOut::new(state.record.account, state.now, public_url),
            sessions: state.sessions,
            locked: state.is_locked,
        }
    }
}

impl UserChangedOut {
    /// Creates the answer, which only admins get.
    pub(super) fn new(state: UserState, public_url: &PublicUrl) -> Self {
        let warning = state.is_unrecoverable.then(|| UNRECOVERABLE.to_owned());
        Self { message: "user updated successfully".to_owned(), user: UserDetailsOut::new(state, public_url), warning }
    }
}

impl Example for UserRowOut {
    fn example() -> Self {
        Self { user: UserOut::example(), is_active: true, last_sign_in_at: Some(examples::NOW) }
    }
}

impl Example for UserListOut {
    fn example() -> Self {
        Self { users: vec![UserRowOut::example()], total: 1, total_is_capped: false, next_cursor: None }
    }
}

impl Example for UserDetailsOut {
    fn example() -> Self {
        Self { account: AccountOut::example(), last_sign_in_at: Some(examples::NOW), sessions: 2, locked: false }
    }
}

impl Example for UserFoundOut {
    fn example() -> Self {
        Self { user: UserDetailsOut::example() }
    }
}

impl Example for UserChangedOut {
    fn example() -> Self {
        let message = "user updated successfully".to_owned();
        Self { message, user: UserDetailsOut::example(), warning: None }
    }
}

impl Example for UserChangeIn {
    fn example() -> Self {
        Self { role: Some(Line("staff".to_owned())), is_active: Some(Flag(true)) }
    }
}
