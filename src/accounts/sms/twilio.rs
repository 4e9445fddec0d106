//! Twilio Verify v2 over HTTPS: <https://www.twilio.com/docs/verify/api>.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{CodeMaker, SmsError};
use crate::{
    accounts::rules::otp::OtpCode,
    config::TwilioAccount,
    values::{phone::E164, tls::install_tls},
};

/// The time limit of a call. It is short because a person waits.
const CALL_LIMIT: Duration = Duration::from_secs(5);
/// The time limit of connecting. It is short because a failed connection is tried a second time.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// The assumed time of a comparison, in milliseconds, until the first one was measured.
const ASSUMED_CHECK_MILLIS: u64 = 200;
/// The error codes of Twilio for too many checks and too many messages of one verification.
const TOO_MANY_TRIES: [u32; 2] = [60_202, 60_203];
/// The error code of Twilio for an account that may not choose the code (`CustomCode`).
const NO_CUSTOM_CODE: u32 = 60_204;
/// The error codes of Twilio for a number that can't get the message. It is not valid, a landline, blocked or
/// unsubscribed, or the account may not send to its country or range.
const WRONG_NUMBER: [u32; 13] =
    [21_211, 21_214, 21_217, 21_408, 21_421, 21_610, 21_612, 21_614, 60_033, 60_200, 60_205, 60_410, 60_605];

/// A client of one Twilio Verify service.
pub struct Twilio {
    client: Client,
    service: String,
    account_sid: String,
    auth_token: SecretString,
    /// Whether Twilio has refused a code that the shop made. Set once, until the server restarts.
    custom_code_is_refused: AtomicBool,
    /// The time that the last comparison took, in milliseconds.
    last_check_millis: AtomicU64,
}

#[derive(Deserialize)]
struct Verification {
    status: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    code: Option<u32>,
}

impl Twilio {
    /// Makes a client for a Twilio account. Nothing is sent.
    pub fn new(account: &TwilioAccount) -> reqwest::Result<Self> {
        install_tls();
        let client = Client::builder().timeout(CALL_LIMIT).connect_timeout(CONNECT_LIMIT).build()?;
        Ok(Self {
            client,
            service: format!("{}/v2/Services/{}", account.base_url.trim_end_matches('/'), account.verify_sid),
            account_sid: account.account_sid.clone(),
            auth_token: account.auth_token.clone(),
            custom_code_is_refused: AtomicBool::new(false),
            last_check_millis: AtomicU64::new(ASSUMED_CHECK_MILLIS),
        })
    }

    /// Sends a code. If the Twilio account allows `CustomCode`, this is `code`, and the shop compares it: strangers
    /// can't use up the tries at Twilio. Otherwise Twilio makes the code, and sends the same one again within ten
    /// minutes.
    pub async fn send(&self, to: &E164, code: OtpCode) -> Result<CodeMaker, SmsError> {
        let form = [("To", to.as_str()), ("Channel", "sms"), ("CustomCode", code.expose())];
        if !self.custom_code_is_refused.load(Ordering::Relaxed) {
            match self.start_verification(&form).await {
                Err(Refusal::CustomCode) => self.custom_code_is_refused.store(true, Ordering::Relaxed),
                started => return started.map(|()| CodeMaker::Shop(code)).map_err(SmsError::from),
            }
        }
        Ok(self.start_verification(&form[..2]).await.map(|()| CodeMaker::Service)?)
    }

    /// Asks Twilio to send a code.
    async fn start_verification(&self, form: &[(&str, &str)]) -> Result<(), Refusal> {
        let answer = self.post("Verifications", "", form).await?;
        match self.read_status(answer).await?.as_deref() {
            Some("pending") => Ok(()),
            _ => Err(SmsError::Unavailable.into()),
        }
    }

    /// Tells Twilio that the code of a verification was right, which ends it. Errors are only logged.
    pub async fn report_approved(&self, to: &E164) {
        if self.custom_code_is_refused.load(Ordering::Relaxed) {
            return;
        }
        let subpath = format!("/{}", to.as_str().replace('+', "%2B"));
        let reported = match self.post("Verifications", &subpath, &[("Status", "approved")]).await {
            Ok(answer) => self.read_status(answer).await.map(drop),
            Err(error) => Err(error.into()),
        };
        if reported.is_err() {
            tracing::info!("Twilio was not told that a code was right; the verification ends by itself");
        }
    }

    /// Returns whether Twilio makes and compares the codes. This is known only after it has refused a code of the shop.
    pub fn compares_codes(&self) -> bool {
        self.custom_code_is_refused.load(Ordering::Relaxed)
    }

    /// Waits as long as the last comparison took.
    pub async fn wait_like_check(&self) {
        tokio::time::sleep(Duration::from_millis(self.last_check_millis.load(Ordering::Relaxed))).await;
    }

    /// Asks Twilio whether a code is right. If Twilio does not know the verification any more, the code counts as
    /// wrong.
    pub async fn check(&self, to: &E164, code: &OtpCode) -> Result<bool, SmsError> {
        let started = Instant::now();
        let answer = self.post("VerificationCheck", "", &[("To", to.as_str()), ("Code", code.expose())]).await?;
        self.last_check_millis
            .store(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        match self.read_status(answer).await.map_err(SmsError::from) {
            Ok(Some(status)) if status == "approved" => Ok(true),
            Ok(Some(status)) if status == "pending" => Ok(false),
            // Twilio answers with an invalid parameter if the code does not have the length that it uses.
            Err(SmsError::Number) => Ok(false),
            Ok(_) => Err(SmsError::Unavailable),
            Err(error) => Err(error),
        }
    }

    /// Sends a request to `resource`, followed by the path `subpath`. `subpath` may hold a phone number, so it is not
    /// logged.
    ///
    /// The request is repeated only if connecting failed. Otherwise Twilio may have received it, and would send a
    /// second message or use up a second check.
    async fn post(&self, resource: &str, subpath: &str, form: &[(&str, &str)]) -> Result<Response, SmsError> {
        let url = format!("{}/{resource}{subpath}", self.service);
        let call = || {
            let request = self.client.post(&url).basic_auth(&self.account_sid, Some(self.auth_token.expose_secret()));
            request.form(form).send()
        };
        let answer = match call().await {
            Err(error) if error.is_connect() => call().await,
            answer => answer,
        };
        answer.map_err(|error| {
            // The URL is not logged, because it names the Verify service and may hold a number.
            tracing::warn!(error = %error.without_url(), resource, "Twilio can't be reached");
            SmsError::Unavailable
        })
    }

    /// Reads the status of a verification from an answer; `None` if the answer holds none.
    async fn read_status(&self, answer: Response) -> Result<Option<String>, Refusal> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.json::<Verification>().await.ok().map(|verification| verification.status));
        }
        let code = answer.json::<ErrorBody>().await.ok().and_then(|body| body.code);
        if code == Some(NO_CUSTOM_CODE) {
            tracing::info!("the Twilio account sends no codes of ours: it makes and compares its own");
            return Err(Refusal::CustomCode);
        }
        tracing::warn!(status = status.as_u16(), code, "Twilio refused");
        if status == StatusCode::TOO_MANY_REQUESTS || code.is_some_and(|code| TOO_MANY_TRIES.contains(&code)) {
            return Err(SmsError::TooMany.into());
        }
        let is_wrong_number = code.is_some_and(|code| WRONG_NUMBER.contains(&code));
        Err(if is_wrong_number { SmsError::Number } else { SmsError::Unavailable }.into())
    }
}

/// The reason why Twilio refused a request.
enum Refusal {
    /// The Twilio account may not send a code that the shop made.
    CustomCode,
    /// Any other reason.
    Sms(SmsError),
}

impl From<SmsError> for Refusal {
    fn from(error: SmsError) -> Self {
        Self::Sms(error)
    }
}

impl From<Refusal> for SmsError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::CustomCode => Self::Unavailable,
            Refusal::Sms(error) => error,
        }
    }
}
