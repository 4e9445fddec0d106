//! A response and the checks that tests make on it.

use std::ops::Index;

use reqwest::{RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;

/// A response that is read completely.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON, or null if it is not JSON.
    pub json: Value,
}

impl Reply {
    /// Sends a request and reads the response.
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, headers, text, json }
    }

    /// Checks the status and returns the response.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Checks that the body is exactly this JSON.
    #[track_caller]
    pub fn json_is(&self, expected: &Value) {
        assert_eq!(self.json, *expected);
    }

    /// Checks the status and the error text of a refusal, and that the body is a complete error envelope.
    #[track_caller]
    pub fn refused(self, status: u16, error: &str) -> Self {
        let reply = self.expect(status);
        assert_eq!(reply["error"], error);
        reply.is_envelope();
        reply
    }

    /// Checks that the body is a complete and consistent error envelope.
    #[track_caller]
    pub fn is_envelope(&self) {
        let text = |name: &str| self[name].as_str().unwrap_or_default().to_owned();
        assert!(!text("error").is_empty(), "no error text: {}", self.text);
        assert_eq!(text("error"), text("detail"));
        assert!(text("code").bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && !text("code").is_empty());
        assert_eq!(text("request_id"), self.header("x-request-id"));
        assert!(self.header("content-type").starts_with("application/json"), "{:?}", self.headers);
    }

    /// Checks that the response reports an invalid bearer token and that caches may not store it.
    #[track_caller]
    pub fn tells_of_bad_bearer(self) -> Self {
        assert_eq!(self.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        assert_eq!(self.header("cache-control"), "no-store");
        self
    }

    /// Returns the text of a header, or an empty text if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the cookie of the refresh token if the response sets it.
    pub fn set_cookie(&self) -> Option<cookie::Cookie<'static>> {
        let line = self.headers.get("set-cookie")?.to_str().ok()?;
        let cookie = cookie::Cookie::parse(line.to_owned()).ok()?;
        (cookie.name() == "refresh_token").then_some(cookie)
    }

    /// Returns the challenge cookie if the response sets one. Checks that the body has the same challenge.
    pub fn challenge_cookie(&self) -> Option<String> {
        let line = self.headers.get("set-cookie")?.to_str().ok()?;
        let cookie = cookie::Cookie::parse(line.to_owned()).ok()?;
        let value = ["otp_challenge", "reset_challenge"].contains(&cookie.name()).then(|| cookie.value().to_owned());
        assert!(value.is_none() || self["challenge"] == *value.as_ref().expect("a challenge"));
        value
    }

    /// Returns the refresh token that the response sets. A cookie that is cleared counts as none.
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
