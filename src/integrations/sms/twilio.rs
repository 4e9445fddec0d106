//! Twilio Verify v2 over HTTPS: <https://www.twilio.com/docs/verify/api>.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::SmsError;
use crate::{
    config::TwilioAccount,
    domain::{otp::OtpCode, phone::E164},
    integrations::install_tls,
};

/// How long a call may take: a person waits for it.
const CALL_LIMIT: Duration = Duration::from_secs(5);
/// How long a connection may take, so that a second try still fits.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// Twilio's codes for "too many checks" and "too many sends" of one verification.
const TOO_MANY: [u32; 2] = [60_202, 60_203];

/// A client of one Verify service.
pub struct Twilio {
    client: Client,
    service: String,
    account_sid: String,
    auth_token: SecretString,
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
        })
    }

    /// Has a code sent; within ten minutes Twilio sends the same one again.
    pub async fn send(&self, to: &E164) -> Result<(), SmsError> {
        let answer = self.post("Verifications", &[("To", to.as_str()), ("Channel", "sms")]).await?;
        match self.read(answer).await?.as_deref() {
            Some("pending") => Ok(()),
            _ => Err(SmsError::Unavailable),
        }
    }

    /// Has a code compared; one that Twilio has forgotten is as wrong as any other.
    pub async fn check(&self, to: &E164, code: &OtpCode) -> Result<bool, SmsError> {
        let answer = self.post("VerificationCheck", &[("To", to.as_str()), ("Code", code.expose())]).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        match self.read(answer).await?.as_deref() {
            Some("approved") => Ok(true),
            Some("pending") => Ok(false),
            _ => Err(SmsError::Unavailable),
        }
    }

    /// Repeated only when the connection itself failed: a repeated call could send twice, or spend an approved check.
    async fn post(&self, resource: &str, form: &[(&str, &str)]) -> Result<Response, SmsError> {
        let url = format!("{}/{resource}", self.service);
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
    async fn read(&self, answer: Response) -> Result<Option<String>, SmsError> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.json::<Verification>().await.ok().map(|verification| verification.status));
        }
        let code = answer.json::<Problem>().await.ok().and_then(|problem| problem.code);
        tracing::warn!(status = status.as_u16(), code, "Twilio refused");
        if status == StatusCode::TOO_MANY_REQUESTS || code.is_some_and(|code| TOO_MANY.contains(&code)) {
            return Err(SmsError::TooMany);
        }
        Err(SmsError::Unavailable)
    }
}
