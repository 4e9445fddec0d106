//! Twilio Verify v2 over HTTPS: <https://www.twilio.com/docs/verify/api>.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Sent, SmsError};
use crate::{
    accounts::rules::otp::OtpCode,
    config::TwilioAccount,
    values::{phone::E164, tls::install_tls},
};

/// How long a call may take: a person waits for it.
const CALL_LIMIT: Duration = Duration::from_secs(5);
/// How long a connection may take, so that a second try still fits.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// How long a comparison is taken to last before there was one, in milliseconds.
const FIRST_CHECK: u64 = 200;
/// Twilio's codes for "too many checks" and "too many sends" of one verification.
const TOO_MANY: [u32; 2] = [60_202, 60_203];
/// Twilio's code for an account that may not send codes of its own.
const NO_CUSTOM_CODE: u32 = 60_204;
/// Twilio's codes that put the blame on the number: no valid one, a landline, blocked, unsubscribed, or in a country or
/// range that the account sends nothing to.
const WRONG_NUMBER: [u32; 13] =
    [21_211, 21_214, 21_217, 21_408, 21_421, 21_610, 21_612, 21_614, 60_033, 60_200, 60_205, 60_410, 60_605];

/// A client of one Verify service.
pub struct Twilio {
    client: Client,
    service: String,
    account_sid: String,
    auth_token: SecretString,
    /// Whether the account has refused a code of ours.
    custom_code_is_refused: AtomicBool,
    /// How long the last comparison took, in milliseconds.
    last_check: AtomicU64,
}

#[derive(Deserialize)]
struct Verification {
    status: String,
}

#[derive(Deserialize)]
struct Problem {
    code: Option<u32>,
}

impl Twilio {
    /// A client for an account.
    pub fn new(account: &TwilioAccount) -> reqwest::Result<Self> {
        install_tls();
        let client = Client::builder().timeout(CALL_LIMIT).connect_timeout(CONNECT_LIMIT).build()?;
        Ok(Self {
            client,
            service: format!("{}/v2/Services/{}", account.base_url.trim_end_matches('/'), account.verify_sid),
            account_sid: account.account_sid.clone(),
            auth_token: account.auth_token.clone(),
            custom_code_is_refused: AtomicBool::new(false),
            last_check: AtomicU64::new(FIRST_CHECK),
        })
    }

    /// Sends our code where the account allows `CustomCode`; then only we compare it, and nobody else can use up the tries.
    /// Otherwise Twilio sends its own, the same one again within ten minutes.
    pub async fn send(&self, to: &E164, code: OtpCode) -> Result<Sent, SmsError> {
        let form = [("To", to.as_str()), ("Channel", "sms"), ("CustomCode", code.expose())];
        if !self.custom_code_is_refused.load(Ordering::Relaxed) {
            match self.start(&form).await {
                Err(Refused::CustomCode) => self.custom_code_is_refused.store(true, Ordering::Relaxed),
                started => return started.map(|()| Sent::Ours(code)).map_err(SmsError::from),
            }
        }
        Ok(self.start(&form[..2]).await.map(|()| Sent::Theirs)?)
    }

    async fn start(&self, form: &[(&str, &str)]) -> Result<(), Refused> {
        let answer = self.post("Verifications", "", form).await?;
        match self.read(answer).await?.as_deref() {
            Some("pending") => Ok(()),
            _ => Err(SmsError::Unavailable.into()),
        }
    }

    /// Ends a verification whose code we have compared.
    pub async fn report_approved(&self, to: &E164) {
        if self.custom_code_is_refused.load(Ordering::Relaxed) {
            return;
        }
        let number = format!("/{}", to.as_str().replace('+', "%2B"));
        let reported = match self.post("Verifications", &number, &[("Status", "approved")]).await {
            Ok(answer) => self.read(answer).await.map(drop),
            Err(error) => Err(error.into()),
        };
        if reported.is_err() {
            tracing::info!("Twilio was not told that a code was right; the verification ends by itself");
        }
    }

    /// Whether Twilio compares codes, as far as is known.
    pub fn compares_codes(&self) -> bool {
        self.custom_code_is_refused.load(Ordering::Relaxed)
    }

    /// Takes as long as the last comparison did.
    pub async fn check_nothing(&self) {
        tokio::time::sleep(Duration::from_millis(self.last_check.load(Ordering::Relaxed))).await;
    }

    /// Has a code compared; one that Twilio has forgotten is as wrong as any other.
    pub async fn check(&self, to: &E164, code: &OtpCode) -> Result<bool, SmsError> {
        let started = Instant::now();
        let answer = self.post("VerificationCheck", "", &[("To", to.as_str()), ("Code", code.expose())]).await?;
        self.last_check.store(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        match self.read(answer).await.map_err(SmsError::from) {
            Ok(Some(status)) if status == "approved" => Ok(true),
            Ok(Some(status)) if status == "pending" => Ok(false),
            // A code of another length than the service's is an invalid parameter to it.
            Err(SmsError::Number) => Ok(false),
            Ok(_) => Err(SmsError::Unavailable),
            Err(error) => Err(error),
        }
    }

    /// Repeated only when the connection itself failed: a repeated call could send twice, or spend an approved check.
    /// What stands `below` the resource may be a number, which is not logged.
    async fn post(&self, resource: &str, below: &str, form: &[(&str, &str)]) -> Result<Response, SmsError> {
        let url = format!("{}/{resource}{below}", self.service);
        let call = || {
            let request = self.client.post(&url).basic_auth(&self.account_sid, Some(self.auth_token.expose_secret()));
            request.form(form).send()
        };
        let answer = match call().await {
            Err(error) if error.is_connect() => call().await,
            answer => answer,
        };
        answer.map_err(|error| {
            // Without its URL: it names the account.
            tracing::warn!(error = %error.without_url(), resource, "Twilio can't be reached");
            SmsError::Unavailable
        })
    }

    /// The status of a verification.
    async fn read(&self, answer: Response) -> Result<Option<String>, Refused> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.json::<Verification>().await.ok().map(|verification| verification.status));
        }
        let code = answer.json::<Problem>().await.ok().and_then(|problem| problem.code);
        if code == Some(NO_CUSTOM_CODE) {
            tracing::info!("the Twilio account sends no codes of ours: it makes and compares its own");
            return Err(Refused::CustomCode);
        }
        tracing::warn!(status = status.as_u16(), code, "Twilio refused");
        if status == StatusCode::TOO_MANY_REQUESTS || code.is_some_and(|code| TOO_MANY.contains(&code)) {
            return Err(SmsError::TooMany.into());
        }
        let is_wrong_number = code.is_some_and(|code| WRONG_NUMBER.contains(&code));
        Err(if is_wrong_number { SmsError::Number } else { SmsError::Unavailable }.into())
    }
}

/// Why Twilio did not do what it was asked.
enum Refused {
    /// The account may not send a code of ours.
    CustomCode,
    /// Anything else.
    Sms(SmsError),
}

impl From<SmsError> for Refused {
    fn from(error: SmsError) -> Self {
        Self::Sms(error)
    }
}

impl From<Refused> for SmsError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::CustomCode => Self::Unavailable,
            Refused::Sms(error) => error,
        }
    }
}
