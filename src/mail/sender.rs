//! Mail: by SMTP, or written to a folder where no mail server is set.

use std::{fs, io, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf, time::Duration};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::extension::ClientId,
};
use secrecy::{ExposeSecret, SecretString};

use crate::values::{email::Email, ids::MailId};

/// How long one step of a delivery may take.
const STEP_LIMIT: Duration = Duration::from_secs(10);
/// How long a whole delivery may take.
pub const DELIVERY_LIMIT: Duration = Duration::from_secs(20);

/// Sends mails.
#[derive(Debug)]
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

/// A mail in words. Links in it are secrets, so it has no `Debug`.
pub struct Letter {
    /// Its id: the same one when sending is tried again, so that a receiver can tell.
    pub id: MailId,
    /// Who receives it.
    pub to: Email,
    /// The subject.
    pub subject: &'static str,
    /// For readers of plain text.
    pub text: String,
    /// For everybody else.
    pub html: String,
}

/// Why a mail was not sent. What the server says may name the recipient, so only its code is kept.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The address or the text can't be written as a mail; trying again is no use.
    #[error("the mail can't be written")]
    Unsendable,
    /// The server said no.
    #[error("the mail server answered {0}")]
    Refused(u16),
    /// The address goes beyond ASCII, and the server doesn't take such addresses.
    #[error("the mail server takes no addresses beyond ASCII: it lacks SMTPUTF8 (RFC 6531)")]
    NeedsSmtpUtf8,
    /// The server can't be reached, or hung up.
    #[error("the mail server can't be reached")]
    Unreachable,
    /// The server took too long.
    #[error("the mail server took too long")]
    TimedOut,
    /// The folder.
    #[error("the folder for mails: {0}")]
    Folder(#[from] io::Error),
}

impl Mailer {
    /// Sends by the server at `url`.
    pub fn smtp(url: &SecretString, from: Mailbox) -> Result<Self, MailError> {
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret());
        let server = server.map_err(|_| MailError::Unreachable)?.timeout(Some(STEP_LIMIT));
        let named = server.hello_name(ClientId::Domain(from.email.domain().to_owned()));
        Ok(Self { from, way: Way::Smtp(named.build()) })
    }

    /// Writes mails to a folder, which is made with the first of them.
    pub fn folder(folder: PathBuf, from: Mailbox) -> Self {
        Self { from, way: Way::Folder(folder) }
    }

    /// Sends a mail.
    pub async fn send(&self, letter: Letter) -> Result<(), MailError> {
        let (id, needs_smtputf8) = (letter.id, letter.to.needs_smtputf8());
        let message = self.message(letter).ok_or(MailError::Unsendable)?;
        match &self.way {
            Way::Folder(folder) => write(folder.join(format!("{id}.eml")), &message.formatted()),
            Way::Smtp(server) => {
                let delivery = tokio::time::timeout(DELIVERY_LIMIT, server.send(message));
                let delivered = delivery.await.map_err(|_| MailError::TimedOut)?;
                delivered.map(drop).map_err(|error| match error.status() {
                    Some(code) => MailError::Refused(u16::from(code)),
                    None if error.is_timeout() => MailError::TimedOut,
                    None if error.is_client() && needs_smtputf8 => MailError::NeedsSmtpUtf8,
                    None => MailError::Unreachable,
                })
            }
        }
    }

    fn message(&self, letter: Letter) -> Option<Message> {
        let to: Address = letter.to.as_str().parse().ok()?;
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .subject(letter.subject)
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            // Keeps out-of-office replies away (RFC 3834, section 5).
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(letter.text, letter.html))
            .ok()
    }
}

/// Readable by its owner only: links in it are as good as passwords. A mail is small, so nobody waits for the disk.
fn write(file: PathBuf, text: &[u8]) -> Result<(), MailError> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&file)?.write_all(text)?;
    tracing::info!(file = %file.display(), "no SMTP_URL is set: a mail was written to a file");
    Ok(())
}
