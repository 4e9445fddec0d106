//! E-mail addresses. Each is kept in one form: in lower case, and with the domain written as A-labels.

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::{
    text::{is_invisible, is_longer_than_names},
    text_value::text_values,
};

/// An e-mail address of at most 254 bytes (RFC 5321, section 4.5.3.1.3). It has one form for each mailbox: the local
/// part is in NFC and lower case, and domain labels beyond ASCII are written as A-labels (RFC 5890). For example,
/// `Asha@BÜCHER.example` is kept as `asha@xn--bcher-kva.example`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct Email(String);

text_values!(Email);

/// Older versions stored the domain as it was typed. Such an address is changed to the present form when it is read.
impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_ascii() {
            return Ok(Self(text));
        }
        Ok(Self::parse(&text).unwrap_or(Self(text)))
    }
}

/// The error for a text that isn't an address of the form `name@domain.tld`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an address like name@example.com")]
pub struct InvalidEmail;

impl Email {
    /// Checks a trimmed text and returns it in the form of this type. Refuses quoted names (`"j"@…`), comments, encoded
    /// words (`=?utf-8?…`), IP addresses (`j@[1.2.3.4]`), and domains without a dot or with a numeric last label.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let is_hidden = |c: char| c.is_whitespace() || c.is_control() || is_invisible(c);
        if is_longer_than_names(text) || text.contains(['"', '(', ')']) || text.contains(is_hidden) {
            return Err(InvalidEmail);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        // Lower case can split a letter and its mark again, so NFC is applied once more.
        let local: String = local.nfc().collect::<String>().to_lowercase().nfc().collect();
        let address = format!("{local}@{}", domain_of_mailbox(domain).ok_or(InvalidEmail)?);
        let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
        let is_sound = address.len() <= 254 && !local.contains("=?");
        if !is_sound || EmailAddress::parse_with_options(&address, options).is_err() {
            return Err(InvalidEmail);
        }
        Ok(Self(address))
    }

    /// Returns the form in which older versions stored the address; `None` if its domain has no labels beyond ASCII.
    fn older_form(&self) -> Option<String> {
        let (local, domain) = self.0.rsplit_once('@').filter(|(_, domain)| domain.contains("xn--"))?;
        let (domain, readable) = idna::domain_to_unicode(domain);
        readable.is_ok().then(|| format!("{local}@{domain}"))
    }

    /// Returns the value that a query compares a stored address with. If the domain goes beyond ASCII, it matches the
    /// present form and the one that older versions stored.
    pub fn as_stored(&self) -> bson::Bson {
        match self.older_form() {
            None => self.into(),
            Some(older) => bson::doc! { "$in": [self.0.as_str(), older] }.into(),
        }
    }

    /// Returns whether a mail server needs SMTPUTF8 (RFC 6531) for the address, because its local part goes beyond
    /// ASCII.
    pub fn needs_smtputf8(&self) -> bool {
        !self.0.is_ascii()
    }
}

/// Returns a domain as A-labels; `None` if it can't be the domain of a mailbox.
fn domain_of_mailbox(domain: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii_strict(domain).ok()?;
    let last = ascii.rsplit_once('.')?.1;
    let is_name = !last.is_empty() && !last.bytes().all(|byte| byte.is_ascii_digit());
    is_name.then_some(ascii)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<String, InvalidEmail> {
        Email::parse(text).map(|email| email.0)
    }

    #[test]
    fn one_mailbox_has_one_form() {
        for (text, kept) in [
            ("John.Doe+parts@Example.COM", "john.doe+parts@example.com"),
            ("asha@bücher.example", "asha@xn--bcher-kva.example"),
            ("asha@BÜCHER.example", "asha@xn--bcher-kva.example"),
            ("asha@bu\u{308}cher.example", "asha@xn--bcher-kva.example"),
            ("asha@XN--BCHER-KVA.example", "asha@xn--bcher-kva.example"),
            ("asha@भारत.example", "asha@xn--h2brj9c.example"),
            ("asha@ｅｘａｍｐｌｅ.com", "asha@example.com"),
            ("rene\u{301}@example.com", "ren\u{e9}@example.com"),
            ("REN\u{c9}@example.com", "ren\u{e9}@example.com"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(kept), "{text}");
        }
        assert!(Email::parse("ren\u{e9}@example.com").expect("an address").needs_smtputf8());
        assert!(!Email::parse("rene@bücher.example").expect("an address").needs_smtputf8());
    }

    #[test]
    fn refuses_what_no_mail_server_takes() {
        let long = format!("{}@example.com", "a".repeat(250));
        let huge = "\u{fdfa}".repeat(300);
        for bad in [
            "",
            "john",
            "john@",
            "@example.com",
            "john@localhost",
            "a b@example.com",
            "John <j@example.com>",
            "j@[1.2.3.4]",
            "j@[IPv6:2001:db8::1]",
            "j@1.2.3.4",
            "j@example.123",
            "j@example.com.",
            "j@example..com",
            "j@-example.com",
            "j@exa_mple.com",
            "j@xn--a.com",
            "\"j\"@example.com",
            "=?utf-8?q?j?=@example.com",
            "j\u{200b}@example.com",
            "j\u{ad}@example.com",
            "a..b@example.com",
            long.as_str(),
            huge.as_str(),
        ] {
            assert_eq!(parse(bad), Err(InvalidEmail), "{bad}");
        }
    }

    #[test]
    fn what_older_versions_stored_is_read_and_found() {
        let old: Email = bson::deserialize_from_bson("asha@bücher.example".into()).expect("an address");
        assert_eq!(old.as_str(), "asha@xn--bcher-kva.example");
        let forms = bson::doc! { "$in": ["asha@xn--bcher-kva.example", "asha@bücher.example"] };
        assert_eq!(old.as_stored(), forms.into());
        assert_eq!(Email::parse("a@example.com").expect("an address").as_stored(), "a@example.com".into());
    }

    proptest! {
        #[test]
        fn what_is_kept_is_kept_as_it_is(text in "\\PC{1,20}@\\PC{1,20}\\.(com|example|भारत)") {
            if let Ok(kept) = parse(&text) {
                prop_assert_eq!(parse(&kept), Ok(kept));
            }
        }
    }
}
