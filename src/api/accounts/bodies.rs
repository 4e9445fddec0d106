//! Bodies of the requests to `/api/accounts/`.

use poem_openapi::{Object, types::Example};
use serde::Deserialize;

use crate::{accounts::rules::password::Password, api::fields::PasswordIn};

/// A new password, and the current one.
#[derive(Object, Deserialize)]
#[oai(rename = "PasswordChange", example)]
pub(super) struct PasswordChangeIn {
    pub(super) current_password: Option<PasswordIn>,
    /// 8 to 72 bytes with an upper-case and a lower-case letter, a digit and a special character, and not easy to
    /// guess.
    pub(super) new_password: Option<PasswordIn>,
}

impl Example for PasswordChangeIn {
    fn example() -> Self {
        let password = |text: &str| Some(PasswordIn(Password::new(text.to_owned())));
        Self { current_password: password("Br4ke-pads!"), new_password: password("Cl0sed-loop!") }
    }
}

/// The confirmation that an account may be deleted.
#[derive(Object, Deserialize)]
#[oai(rename = "DeleteAccount", example)]
pub(super) struct DeleteIn {
    pub(super) current_password: Option<PasswordIn>,
}

impl Example for DeleteIn {
    fn example() -> Self {
        Self { current_password: Some(PasswordIn(Password::new("Br4ke-pads!".to_owned()))) }
    }
}
