//! Sending mails by SMTP, or writing them to a folder if no mail server is set.

use std::{fs, io, io::Write, path::PathBuf, time::Duration};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::extension::ClientId,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    private_files,
    values::{email::Email, ids::MailId},
};

/// The longest time for one step of a delivery, such as opening the connection.
const STEP_LIMIT: Duration = Duration::from_secs(10);
/// The longest time for a whole delivery.
pub const DELIVERY_LIMIT: Duration = Duration::from_secs(20);

/// Sender of mails.
#[derive(Debug)]
pub struct Mailer {
    from: Mailbox,
    transport: Transport,
}

#[derive(Debug)]
enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

/// A mail with its text. It has no `Debug`, because links in the text are secrets.
pub struct Letter {
    /// Id of the mail, which its `Message-ID` contains. It stays the same when sending is tried again, so that mail
    /// servers can recognise a second copy.
    pub id: MailId,
    /// Address of the recipient.
    pub to: Email,
    /// Subject of the mail.
    pub subject: &'static str,
    /// The text for mail programs that show plain text.
    pub text: String,
    /// The same text as HTML.
    pub html: String,
}

/// Why a mail was not sent. The server's message may contain the recipient's address, so only its code is kept.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The address or the text can't be written as a mail. Trying again has no use.
    #[error("the mail can't be written")]
    Unsendable,
    /// The server answered with this SMTP code.
    #[error("the mail server answered {0}")]
    Refused(u16),
    /// The address has characters beyond ASCII, and the server accepts no such addresses. Trying again has no use.
    #[error("the mail server takes no addresses beyond ASCII: it lacks SMTPUTF8 (RFC 6531)")]
    NeedsSmtpUtf8,
    /// The server can't be reached, or it closed the connection.
    #[error("the mail server can't be reached")]
    Unreachable,
    /// The server took too long.
    #[error("the mail server took too long")]
    TimedOut,
    /// The mail can't be written to the folder.
    #[error("the folder for mails: {0}")]
    Folder(#[from] io::Error),
}

impl Mailer {
    /// Creates a sender that uses the mail server at `url`, without connecting to it. Fails if `url` is invalid.
    pub fn smtp(url: &SecretString, from: Mailbox) -> Result<Self, MailError> {
        let parsed = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret());
        let server = parsed.map_err(|_| MailError::Unreachable)?.timeout(Some(STEP_LIMIT));
        let named = server.hello_name(ClientId::Domain(from.email.domain().to_owned()));
        Ok(Self { from, transport: Transport::Smtp(named.build()) })
    }

    /// Creates a sender that writes mails to a folder. The folder is created with the first mail.
    pub fn folder(folder: PathBuf, from: Mailbox) -> Self {
        Self { from, transport: Transport::Folder(folder) }
    }

    /// Sends a mail and waits until the server has accepted it, for at most [`DELIVERY_LIMIT`]. To a folder, writes the
    /// file `<id>.eml`; sending the same mail again replaces it.
    pub async fn send(&self, letter: Letter) -> Result<(), MailError> {
        let (id, needs_smtputf8) = (letter.id, letter.to.needs_smtputf8());
        let message = self.message(letter).ok_or(MailError::Unsendable)?;
        match &self.transport {
            Transport::Folder(folder) => write_file(folder.join(format!("{id}.eml")), &message.formatted()),
            Transport::Smtp(server) => {
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
        let auto_submitted = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .subject(letter.subject)
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            // Tells mail programs not to answer, for example with an out-of-office reply (RFC 3834, section 5).
            .raw_header(HeaderValue::new(auto_submitted, "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(letter.text, letter.html))
            .ok()
    }
}

/// Writes a mail to a file that only its owner may read, because links in it are as powerful as passwords. The write
/// blocks, which is acceptable because a mail is small.
fn write_file(file: PathBuf, text: &[u8]) -> Result<(), MailError> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    private_files::create(&file)?.write_all(text)?;
    tracing::info!(file = %file.display(), "no SMTP_URL is set: a mail was written to a file");
    Ok(())
}
