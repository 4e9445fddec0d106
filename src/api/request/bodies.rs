//! Bodies of the requests and answers of `/api/request/`.

use poem_openapi::{Object, types::Example};
use serde::Deserialize;

use crate::{
    accounts::{Account, LinkDoc, Recoverable, rules::password::Password},
    api::examples,
    api::{
        fields::{Digits, Line, PasswordIn, TokenIn},
        user_out::UserOut,
    },
    values::{email::Email, mask, time::Timestamp},
};

/// The e-mail address that is to be proven.
#[derive(Object, Deserialize)]
#[oai(rename = "StaffRequest", example)]
pub(super) struct StaffIn {
    /// The account's own address if left out.
    pub(super) email: Option<Line>,
    /// Required for an address other than the account's, unless the sign-in is less than 10 minutes old.
    pub(super) current_password: Option<PasswordIn>,
}

impl Example for StaffIn {
    fn example() -> Self {
        Self { email: Some(examples::line(examples::EMAIL)), current_password: None }
    }
}

/// The answer to a call that asks for a mail.
#[derive(Object)]
#[oai(rename = "Mailed", example)]
pub(super) struct MailedOut {
    message: String,
    /// Masked e-mail address to which the mail goes; null if the account has none.
    email: Option<String>,
}

impl MailedOut {
    pub(super) fn new(message: &str, email: Option<&Email>) -> Self {
        Self { message: message.to_owned(), email: email.map(|email| mask::email(email.as_str())) }
    }
}

impl Example for MailedOut {
    fn example() -> Self {
        Self { message: "a verification link was sent".to_owned(), email: Some("a***@example.com".to_owned()) }
    }
}

/// A valid link that proves an e-mail address.
#[derive(Object)]
#[oai(rename = "Activation", example)]
pub(super) struct ActivationOut {
    valid: bool,
    /// Masked e-mail address that the link proves.
    email: String,
    expires_at: Timestamp,
    /// Whether the caller must be signed in to the account that asked for the link.
    account_required: bool,
}

impl ActivationOut {
    pub(super) fn new(link: &LinkDoc, account_required: bool) -> Self {
        let email = mask::email(link.email.as_str());
        Self { valid: true, email, expires_at: link.expires_at, account_required }
    }
}

impl Example for ActivationOut {
    fn example() -> Self {
        let email = "a***@example.com".to_owned();
        Self { valid: true, email, expires_at: examples::NOW, account_required: true }
    }
}

/// An account whose e-mail address was proven.
#[derive(Object)]
#[oai(rename = "Activated", example)]
pub(super) struct ActivatedOut {
    message: String,
    user: UserOut,
}

impl ActivatedOut {
    pub(super) fn new(account: &Account) -> Self {
        Self { message: "email verified successfully".to_owned(), user: account.into() }
    }
}

impl Example for ActivatedOut {
    fn example() -> Self {
        Self { message: "email verified successfully".to_owned(), user: UserOut::example() }
    }
}

/// The account whose password was forgotten.
#[derive(Object, Deserialize)]
#[oai(rename = "Identifier", example)]
pub(super) struct IdentifierIn {
    /// A username, an e-mail address or a phone number.
    identifier: Option<Digits>,
    /// Another name of `identifier`.
    email: Option<Digits>,
    /// Another name of `identifier`.
    username: Option<Digits>,
    /// Another name of `identifier`.
    phone_number: Option<Digits>,
}

impl IdentifierIn {
    /// Returns the first identifier that is given and not empty.
    pub(super) fn given(self) -> Option<Digits> {
        let names = [self.identifier, self.email, self.username, self.phone_number];
        names.into_iter().flatten().find(|text| !text.0.is_empty())
    }
}

impl Example for IdentifierIn {
    fn example() -> Self {
        let identifier = Some(Digits(examples::USERNAME.to_owned()));
        Self { identifier, email: None, username: None, phone_number: None }
    }
}

/// The account whose password was forgotten.
#[derive(Object)]
#[oai(rename = "Forgotten", example)]
pub(super) struct ForgottenOut {
    username: String,
    /// Masked e-mail address of the account; null if it has none.
    email: Option<String>,
    /// Time of the last password reset by a link or a code; null if there was none.
    last_reset: Option<Timestamp>,
}

impl ForgottenOut {
    pub(super) fn new(found: Recoverable, now: Timestamp) -> Self {
        Self {
            username: found.account.username.to_string(),
            email: found.account.mail_address(now).map(|email| mask::email(email.as_str())),
            last_reset: found.last_reset_at,
        }
    }
}

impl Example for ForgottenOut {
    fn example() -> Self {
        Self { username: examples::USERNAME.to_owned(), email: Some("a***@example.com".to_owned()), last_reset: None }
    }
}

/// A valid link.
#[derive(Object)]
#[oai(rename = "Link", example)]
pub(super) struct LinkOut {
    pub(super) valid: bool,
    pub(super) expires_at: Timestamp,
}

impl Example for LinkOut {
    fn example() -> Self {
        Self { valid: true, expires_at: examples::NOW }
    }
}

/// A new password, and the two parts of the link that allows it.
#[derive(Object, Deserialize)]
#[oai(rename = "Reset", example)]
pub(super) struct ResetByLinkIn {
    pub(super) uid: Option<TokenIn>,
    pub(super) token: Option<TokenIn>,
    /// 8 to 72 bytes with an upper-case and a lower-case letter, a digit and a special character, and not easy to
    /// guess.
    pub(super) new_password: Option<PasswordIn>,
    /// Another name of `new_password`.
    pub(super) password: Option<PasswordIn>,
}

impl Example for ResetByLinkIn {
    fn example() -> Self {
        let token = |text: &str| Some(TokenIn(text.to_owned()));
        Self {
            uid: token("Njc0MWYwYTJjM2I0ZDVlNmY3YThiOWMw"),
            token: token("dGhlIDMyIGJ5dGVzIHRoYXQgdGhlIG1haWwgaGVsZC4"),
            new_password: Some(PasswordIn(Password::new("Cl0sed-loop!".to_owned()))),
            password: None,
        }
    }
}
