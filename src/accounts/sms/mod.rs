//! Codes by SMS: through Twilio Verify or, without an account there, as files.

mod twilio;

use std::{io, io::Write, path::PathBuf, sync::Arc};

pub use self::twilio::Twilio;
use super::rules::otp::OtpCode;
use crate::values::{ids::ChallengeId, phone::E164};

/// The way in which codes are sent.
pub enum SmsSender {
    /// Twilio sends the codes. If the Twilio account allows it, they are made and compared by the shop, otherwise by
    /// Twilio.
    Twilio(Arc<Twilio>),
    /// The shop makes and compares the codes, and writes each message to a file in this folder.
    Local(PathBuf),
}

/// The maker of a code that was sent, who will also compare it.
#[derive(Debug)]
pub enum CodeMaker {
    /// The shop, which made this code.
    Shop(OtpCode),
    /// The SMS service.
    Service,
}

/// The reason why no code was sent or compared.
#[derive(Debug, thiserror::Error)]
pub enum SmsError {
    /// The SMS service says that it can't send to this number.
    #[error("invalid phone number: no SMS can be sent to it")]
    Number,
    /// The SMS service has sent or compared too many codes for this number.
    #[error("too many OTPs for this number, try again later")]
    TooMany,
    /// The SMS service can't be reached, or gave an unexpected answer.
    #[error("SMS can't be sent at the moment, try again soon")]
    Unavailable,
}

impl SmsSender {
    /// Sends a code to a number. Waits until the service has taken the message.
    pub async fn send(&self, to: &E164, challenge: ChallengeId) -> Result<CodeMaker, SmsError> {
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
                Ok(CodeMaker::Shop(code))
            }
        }
    }

    /// Asks the SMS service whether a code that it made is right.
    pub async fn check(&self, to: &E164, code: &OtpCode) -> Result<bool, SmsError> {
        match self {
            Self::Twilio(twilio) => twilio.check(to, code).await,
            // The code was made by a service that is not configured any more.
            Self::Local(_) => Ok(false),
        }
    }

    /// Returns whether the SMS service makes and compares the codes.
    pub fn compares_codes(&self) -> bool {
        matches!(self, Self::Twilio(twilio) if twilio.compares_codes())
    }

    /// Waits as long as a comparison by the SMS service takes. Returns at once if there is no service.
    pub async fn wait_like_check(&self) {
        if let Self::Twilio(twilio) = self {
            twilio.wait_like_check().await;
        }
    }

    /// Tells the SMS service that a code of the shop was right, so that it counts the next code as a new verification.
    /// Run the returned future in the background: errors are only logged, and the person who gave the code need not
    /// wait.
    pub fn report_approved(&self, to: &E164) -> impl Future<Output = ()> + Send + use<> {
        let twilio = match self {
            Self::Twilio(twilio) => Some(Arc::clone(twilio)),
            Self::Local(_) => None,
        };
        let number = to.clone();
        async move {
            if let Some(twilio) = twilio {
                twilio.report_approved(&number).await;
            }
        }
    }
}

/// Writes a message to a new file. Only the user that runs the server may read it, because it holds a code.
fn write_text(file: &std::path::Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = crate::private_files::create_new(file)?;
    file.write_all(text.as_bytes())
}
