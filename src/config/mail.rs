//! The settings for mails.

use lettre::{AsyncSmtpTransport, Tokio1Executor, message::Mailbox};
use secrecy::SecretString;

use super::reader::Reader;

/// The settings for mails.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The URL of the mail server with its credentials. Without one, mails are written to a folder.
    pub smtp_url: Option<SecretString>,
    /// The sender of the mails.
    pub from: Mailbox,
    /// The beginning of the links in mails, without a final slash.
    pub frontend_url: String,
}

impl Mail {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            smtp_url: smtp_url(reader),
            from: reader.value("MAIL_FROM", default_sender(), "an address such as myspares <no-reply@example.com>"),
            frontend_url: reader.parsed(
                "FRONTEND_URL",
                "http://localhost:3000".to_owned(),
                "a URL such as https://shop.example.com",
                frontend_url,
            ),
        }
    }

    /// Reports a missing mail server. In production, customers would never see mails that are written to a folder.
    pub(super) fn check_production(&self, reader: &mut Reader) {
        if self.smtp_url.is_none() {
            reader.problem("SMTP_URL", "is required in production: smtps://user:password@host:465 for instance");
        }
    }
}

/// Reads the URL of the mail server. The problem that it reports doesn't repeat the URL, which may contain a password.
fn smtp_url(reader: &mut Reader) -> Option<SecretString> {
    let url = reader.text("SMTP_URL")?;
    if AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).is_err() {
        reader.problem("SMTP_URL", "is no URL such as smtps://user:password@host:465 or smtp://host:587?tls=required");
    }
    Some(url.into())
}

fn default_sender() -> Mailbox {
    "myspares <no-reply@localhost>".parse().expect("an address")
}

/// Returns a URL without its final slash, or `None` if it has characters that would have to be escaped in a mail.
fn frontend_url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let has_plain_characters = rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&b));
    (has_plain_characters && !rest.is_empty() && !rest.starts_with('/')).then(|| text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_start_with_a_plain_url() {
        for (text, url) in [
            ("https://shop.example.com/", Some("https://shop.example.com")),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("https://example.com/shop", Some("https://example.com/shop")),
            ("shop.example.com", None),
            ("https://", None),
            ("https://example.com/?a=b", None),
            ("https://example.com/\"onclick", None),
            ("javascript:alert(1)", None),
        ] {
            assert_eq!(frontend_url(text).as_deref(), url, "{text}");
        }
    }
}
