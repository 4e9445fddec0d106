//! Passwords for subcommands. They come from an argument or from a prompt.

use std::io::{IsTerminal, stdin};

use super::Failure;
use crate::accounts::rules::password::Password;

/// Returns the password that was given, or asks for it twice at the terminal. Fails if there is no terminal or if the
/// two passwords differ.
pub fn given_or_prompted(given: Option<String>) -> Result<Password, Failure> {
    given.map_or_else(prompt_twice, Ok).map(Password::new)
}

fn prompt_twice() -> Result<String, Failure> {
    if !stdin().is_terminal() {
        return Err("--password is needed where there is no terminal to ask for it".into());
    }
    let password = rpassword::prompt_password("Password: ")?;
    if rpassword::prompt_password("Once more: ")? != password {
        return Err("the two passwords differ".into());
    }
    Ok(password)
}
