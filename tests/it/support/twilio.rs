//! A fake Twilio. The real client of the server calls it over HTTP.
//!
//! Like Twilio, it compares at most five codes of a verification, no matter which caller sent them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use poem::{
    EndpointExt, Response, Route, handler,
    http::StatusCode,
    post,
    web::{Data, Form, Path},
};
use serde::Deserialize;

use super::fake::serve_fake;

/// The code that the service sends. It is always the same, as with Twilio within ten minutes.
pub const CODE: &str = "135790";

/// The number of codes that the service compares. It counts all numbers together, because each test uses only one.
const CHECKS: usize = 5;

/// The way in which a fake service answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// The service works normally.
    #[default]
    Good,
    /// It answers with this status and a body that is not JSON.
    Status(u16),
    /// It answers with status 400 and this Twilio error code.
    Problem(u32),
    /// It answers with status 200 and a body that is not JSON.
    Rubbish,
    /// It answers too late.
    Slow,
}

#[derive(Debug, Default)]
struct State {
    mood: Mood,
    takes_custom_codes: bool,
    sent_to: Vec<String>,
    custom_codes: Vec<String>,
    approved: Vec<String>,
    checks: usize,
    compared: usize,
}

/// A running fake service.
#[derive(Clone)]
pub struct FakeTwilio {
    /// The base URL.
    pub url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Deserialize)]
struct Call {
    #[serde(rename = "To")]
    to: String,
    #[serde(rename = "Channel")]
    channel: Option<String>,
    #[serde(rename = "Code")]
    code: Option<String>,
    #[serde(rename = "CustomCode")]
    custom_code: Option<String>,
}

#[derive(Deserialize)]
struct Report {
    #[serde(rename = "Status")]
    status: String,
}

impl FakeTwilio {
    /// Starts a service that works normally.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::<State>::default());
        let routes = Route::new()
            .at("/v2/Services/VA1/Verifications", post(send))
            .at("/v2/Services/VA1/Verifications/:number", post(report))
            .at("/v2/Services/VA1/VerificationCheck", post(check))
            .data(Arc::clone(&state));
        Self { url: serve_fake(routes).await, state }
    }

    /// Returns the settings for a server that uses this service.
    pub fn settings(&self) -> [(&str, &str); 4] {
        [
            ("TWILIO_ACCOUNT_SID", "AC1"),
            ("TWILIO_AUTH_TOKEN", "auth token"),
            ("TWILIO_VERIFY_SID", "VA1"),
            ("TWILIO_BASE_URL", &self.url),
        ]
    }

    /// Changes how the service answers.
    pub fn becomes(&self, mood: Mood) {
        self.state.lock().expect("the state").mood = mood;
    }

    /// Makes the service accept codes that the server chooses. Before, it refuses them.
    pub fn takes_custom_codes(&self) {
        self.state.lock().expect("the state").takes_custom_codes = true;
    }

    /// Returns the codes that the server chose, the newest last.
    pub fn custom_codes(&self) -> Vec<String> {
        self.state.lock().expect("the state").custom_codes.clone()
    }

    /// Returns the numbers whose verification the server reported as approved.
    pub fn approved(&self) -> Vec<String> {
        self.state.lock().expect("the state").approved.clone()
    }

    /// Returns the numbers to which codes were sent.
    pub fn sent_to(&self) -> Vec<String> {
        self.state.lock().expect("the state").sent_to.clone()
    }

    /// Returns how often the server asked whether a code is right.
    pub fn checks(&self) -> usize {
        self.state.lock().expect("the state").checks
    }
}

async fn trouble(state: &Mutex<State>) -> Option<Response> {
    let mood = state.lock().expect("the state").mood;
    let rubbish = |status| Response::builder().status(status).body("<html>");
    match mood {
        Mood::Good => None,
        Mood::Status(status) => Some(rubbish(StatusCode::from_u16(status).expect("a status"))),
        Mood::Problem(code) => Some(problem(code)),
        Mood::Rubbish => Some(rubbish(StatusCode::OK)),
        Mood::Slow => {
            tokio::time::sleep(Duration::from_secs(10)).await;
            None
        }
    }
}

fn problem(code: u32) -> Response {
    let body = format!("{{\"code\":{code},\"message\":\"no\",\"status\":400}}");
    Response::builder().status(StatusCode::BAD_REQUEST).content_type("application/json").body(body)
}

fn status(status: &str) -> Response {
    Response::builder().content_type("application/json").body(format!("{{\"status\":\"{status}\"}}"))
}

#[handler]
async fn send(state: Data<&Arc<Mutex<State>>>, headers: &poem::http::HeaderMap, call: Form<Call>) -> Response {
    // The value is the account and its token in the format of RFC 7617.
    assert_eq!(headers["authorization"], "Basic QUMxOmF1dGggdG9rZW4=");
    assert_eq!(call.channel.as_deref(), Some("sms"));
    if let Some(trouble) = trouble(state.0).await {
        return trouble;
    }
    let mut state = state.lock().expect("the state");
    if let Some(code) = &call.custom_code {
        if !state.takes_custom_codes {
            return problem(60_204);
        }
        state.custom_codes.push(code.clone());
    }
    state.sent_to.push(call.to.clone());
    status("pending")
}

#[handler]
async fn report(state: Data<&Arc<Mutex<State>>>, number: Path<String>, report: Form<Report>) -> Response {
    assert_eq!(report.status, "approved");
    state.lock().expect("the state").approved.push(number.0);
    status("approved")
}

#[handler]
async fn check(state: Data<&Arc<Mutex<State>>>, call: Form<Call>) -> Response {
    state.lock().expect("the state").checks += 1;
    if let Some(trouble) = trouble(state.0).await {
        return trouble;
    }
    let mut state = state.lock().expect("the state");
    if !state.sent_to.contains(&call.to) {
        return Response::builder().status(StatusCode::NOT_FOUND).body("{}");
    }
    state.compared += 1;
    if state.compared > CHECKS {
        return problem(60_202);
    }
    status(if call.code.as_deref() == Some(CODE) { "approved" } else { "pending" })
}
