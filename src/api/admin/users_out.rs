//! Accounts as the dashboard shows them, and what admins send to change them.

use poem_openapi::{Object, types::Example};
use serde::Deserialize;

use crate::{
    accounts::{
        administration::{UserState, UsersError},
        store::{UserChange, UserRecord},
    },
    api::{
        access::Staff,
        accounts::account_out::AccountOut,
        fields::{Flag, Line},
        user_out::UserOut,
    },
    values::{role::Role, time::Timestamp},
};

const EXAMPLE_TIME: Timestamp = Timestamp::from_millis(1_732_374_690_000);

/// What is said of an account that runs the shop and has no proven contact.
const UNRECOVERABLE: &str =
    "no phone number or e-mail of this account is proven: its owner can't reset a forgotten password";

/// One account of the list.
#[derive(Debug, Object)]
#[oai(rename = "UserRow", example)]
pub(super) struct UserRowOut {
    #[oai(flatten)]
    user: UserOut,
    /// Whether its owner may sign in.
    is_active: bool,
    /// Null before the first sign-in.
    last_sign_in_at: Option<Timestamp>,
}

/// A page of accounts.
#[derive(Debug, Object)]
#[oai(rename = "UserList", example)]
pub(super) struct UserListOut {
    /// The newest first.
    pub(super) users: Vec<UserRowOut>,
    /// Of all pages together.
    pub(super) total: u64,
    pub(super) next_cursor: Option<String>,
}

/// One account with everything that its reader may see.
#[derive(Debug, Object)]
#[oai(rename = "UserDetails", example)]
pub(super) struct UserDetailsOut {
    #[oai(flatten)]
    account: AccountOut,
    /// Null before the first sign-in.
    last_sign_in_at: Option<Timestamp>,
    /// How many browsers and apps are signed in.
    sessions: usize,
    /// Whether failed sign-ins have closed it, to one address at least.
    locked: bool,
}

/// One account.
#[derive(Debug, Object)]
#[oai(rename = "UserFound", example)]
pub(super) struct UserFoundOut {
    pub(super) user: UserDetailsOut,
}

/// An account that was changed.
#[derive(Debug, Object)]
#[oai(rename = "UserChanged", example)]
pub(super) struct UserChangedOut {
    message: String,
    user: UserDetailsOut,
    /// What to see to after the change; null when there is nothing.
    warning: Option<String>,
}

/// What is to be different; what is left out stays as it is.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "UserChange", example)]
pub(super) struct UserChangeIn {
    /// `customer`, `staff` or `admin`.
    role: Option<Line>,
    /// Whether its owner may sign in.
    is_active: Option<Flag>,
}

impl UserChangeIn {
    pub(super) fn check(self) -> Result<UserChange, UsersError> {
        let role = self.role.map(|role| role.0.parse::<Role>()).transpose()?;
        Ok(UserChange { role, is_active: self.is_active.map(|flag| flag.0) })
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
    pub(super) fn shown_to(reader: &Staff, state: UserState) -> Self {
        let is_shown = reader.may_see(state.record.account.id);
        let whole = Self::from(state);
        if is_shown { whole } else { Self { account: whole.account.masked(), ..whole } }
    }
}

impl From<UserState> for UserDetailsOut {
    fn from(state: UserState) -> Self {
        Self {
            last_sign_in_at: state.record.last_sign_in_at(),
            account: AccountOut::new(state.record.account, state.now),
            sessions: state.sessions,
            locked: state.is_locked,
        }
    }
}

impl UserChangedOut {
    /// To an admin.
    pub(super) fn new(state: UserState) -> Self {
        let warning = state.is_unrecoverable.then(|| UNRECOVERABLE.to_owned());
        Self { message: "user updated successfully".to_owned(), user: state.into(), warning }
    }
}

impl Example for UserRowOut {
    fn example() -> Self {
        Self { user: UserOut::example(), is_active: true, last_sign_in_at: Some(EXAMPLE_TIME) }
    }
}

impl Example for UserListOut {
    fn example() -> Self {
        Self { users: vec![UserRowOut::example()], total: 1, next_cursor: None }
    }
}

impl Example for UserDetailsOut {
    fn example() -> Self {
        Self { account: AccountOut::example(), last_sign_in_at: Some(EXAMPLE_TIME), sessions: 2, locked: false }
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
