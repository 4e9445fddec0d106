//! Codes by SMS: Twilio Verify, or files for those who have no account there.

mod twilio;

use std::{io, io::Write, path::PathBuf, sync::Arc};

pub use self::twilio::Twilio;
use super::rules::otp::OtpCode;
use crate::values::{ids::ChallengeId, phone::E164};

/// Sends codes, and compares those that it made itself.
pub enum SmsSender {
    /// Twilio sends the codes: ours where the account allows it, else its own, which it compares.
    Twilio(Arc<Twilio>),
    /// We make and compare the codes; their texts are files in this folder.
    Local(PathBuf),
}

/// Who knows the code that was sent.
#[derive(Debug)]
pub enum Sent {
    /// We do.
    Ours(OtpCode),
    /// The service does.
    Theirs,
}

/// Why no code was sent or compared.
#[derive(Debug, thiserror::Error)]
pub enum SmsError {
    /// The number gets no SMS, as the service says.
    #[error("invalid phone number: no SMS can be sent to it")]
    Number,
    /// The service has sent or compared too many for this number.
    #[error("too many OTPs for this number, try again later")]
    TooMany,
    /// The service can't be reached, or doesn't do what it should.
    #[error("SMS can't be sent at the moment, try again soon")]
    Unavailable,
}

impl SmsSender {
    /// Sends a code to a number.
    pub async fn send(&self, to: &E164, challenge: ChallengeId) -> Result<Sent, SmsError> {
        let code = OtpCode::random().map_err(|_| SmsError::Unavailable)?;
        match self {
            Self::Twilio(twilio) => twilio.send(to, code).await,
            Self::Local(folder) => {
                let file = folder.join(format!("{challenge}.txt"));
                let text = format!("To: {to}\nYour code is {}. Give it to nobody.\n", code.expose());
                write_text(&file, &text).map_err(|error| {
                    tracing::error!(%error, file = %file.display(), "an SMS can't be written");
                    SmsError::Unavailable
                })?;
                tracing::info!(file = %file.display(), "an SMS was written");
                Ok(Sent::Ours(code))
            }
        }
    }

    /// Has the service compare a code that it made; true when it is the right one.
    pub async fn check(&self, to: &E164, code: &OtpCode) -> Result<bool, SmsError> {
        match self {
            Self::Twilio(twilio) => twilio.check(to, code).await,
            // A code of a service that has since been switched off.
            Self::Local(_) => Ok(false),
        }
    }
}

impl SmsSender {
    /// Whether the service compares codes that it made itself.
    pub fn compares_codes(&self) -> bool {
        matches!(self, Self::Twilio(twilio) if twilio.compares_codes())
    }

    /// Takes as long as a comparison by the service.
    pub async fn check_nothing(&self) {
        if let Self::Twilio(twilio) = self {
            twilio.check_nothing().await;
        }
    }

    /// Tells the service that a code of ours was right, so that the next one begins anew. What becomes of that changes
    /// nothing for the person who gave the code, who doesn't wait for it.
    pub fn report_approved(&self, to: &E164) -> impl Future<Output = ()> + Send + use<> {
        let twilio = match self {
            Self::Twilio(twilio) => Some(Arc::clone(twilio)),
            Self::Local(_) => None,
        };
        let to = to.clone();
        async move {
            if let Some(twilio) = twilio {
                twilio.report_approved(&to).await;
            }
        }
    }
}

/// Readable by its owner only: the text holds a code.
fn write_text(file: &std::path::Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(text.as_bytes())
}
