//! An answer, with the checks that tests make on it.

use std::ops::Index;

use reqwest::{RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;

/// An answer read to its end.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as it came.
    pub text: String,
    /// Its body as JSON; null when it is none.
    pub json: Value,
}

impl Reply {
    /// Sends a request.
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, headers, text, json }
    }

    /// Checks the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Checks the whole body.
    #[track_caller]
    pub fn json_is(&self, expected: &Value) {
        assert_eq!(self.json, *expected);
    }

    /// Checks status and text of a refusal, and that it is a whole envelope.
    #[track_caller]
    pub fn refused(self, status: u16, error: &str) -> Self {
        let reply = self.expect(status);
        assert_eq!(reply["error"], error);
        reply.is_envelope();
        reply
    }

    /// Checks that the answer is the error envelope, complete and consistent.
    #[track_caller]
    pub fn is_envelope(&self) {
        let text = |name: &str| self[name].as_str().unwrap_or_default().to_owned();
        assert!(!text("error").is_empty(), "no error text: {}", self.text);
        assert_eq!(text("error"), text("detail"));
        assert!(text("code").bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && !text("code").is_empty());
        assert_eq!(text("request_id"), self.header("x-request-id"));
        assert!(self.header("content-type").starts_with("application/json"), "{:?}", self.headers);
    }

    /// Checks that the answer says that its bearer is no good, and is kept by nobody.
    #[track_caller]
    pub fn tells_of_bad_bearer(self) -> Self {
        assert_eq!(self.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        assert_eq!(self.header("cache-control"), "no-store");
        self
    }

    /// A header's text; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The `Set-Cookie` of the refresh token.
    pub fn set_cookie(&self) -> Option<cookie::Cookie<'static>> {
        let line = self.headers.get("set-cookie")?.to_str().ok()?;
        let cookie = cookie::Cookie::parse(line.to_owned()).ok()?;
        (cookie.name() == "refresh_token").then_some(cookie)
    }

    /// The challenge that the answer sets, to sign up or to get back in.
    pub fn challenge_cookie(&self) -> Option<String> {
        let line = self.headers.get("set-cookie")?.to_str().ok()?;
        let cookie = cookie::Cookie::parse(line.to_owned()).ok()?;
        let value = ["otp_challenge", "reset_challenge"].contains(&cookie.name()).then(|| cookie.value().to_owned());
        assert!(value.is_none() || self["challenge"] == *value.as_ref().expect("a challenge"));
        value
    }

    /// The refresh token that the answer sets.
    pub fn refresh_cookie(&self) -> Option<String> {
        self.set_cookie().map(|cookie| cookie.value().to_owned()).filter(|value| !value.is_empty())
    }
}

impl Index<&str> for Reply {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.json[name]
    }
}
