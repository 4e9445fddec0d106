//! E-mail addresses, kept in lower case.

use std::fmt;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

/// An address in lower case, at most 254 characters (RFC 5321, section 4.5.3.1.3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

/// The text is no address of the form `name@domain.tld`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an address like name@example.com")]
pub struct InvalidEmail;

impl Email {
    /// Checks a trimmed text; quoted names, comments and bare or literal domains are refused.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
        let plain = text.len() <= 254 && !text.contains(['"', '(', ')']) && !text.chars().any(char::is_whitespace);
        if !plain {
            return Err(InvalidEmail);
        }
        let address = EmailAddress::parse_with_options(text, options).map_err(|_| InvalidEmail)?;
        Ok(Self(address.as_str().to_lowercase()))
    }

    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Email> for bson::Bson {
    fn from(email: &Email) -> Self {
        email.0.as_str().into()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_kept_in_lower_case() {
        assert_eq!(
            Email::parse("John.Doe+parts@Example.COM").map(|e| e.0),
            Ok("john.doe+parts@example.com".to_owned())
        );
    }

    #[test]
    fn refuses_what_no_mail_server_takes() {
        let long = format!("{}@example.com", "a".repeat(250));
        for bad in [
            "",
            "john",
            "john@",
            "@example.com",
            "john@localhost",
            "a b@example.com",
            "John <j@example.com>",
            "j@[1.2.3.4]",
            "\"j\"@example.com",
            long.as_str(),
        ] {
            assert_eq!(Email::parse(bad), Err(InvalidEmail), "{bad}");
        }
    }
}
