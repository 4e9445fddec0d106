//! A Twilio of the tests' own: the real client talks to it over HTTP. It counts as Twilio does: five checks of a
//! verification and five sends to a number, whoever asks.

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

/// The code that it sends, always the same one, as Twilio does within ten minutes.
pub const CODE: &str = "135790";

/// How often it compares, for all numbers together; tests ask about one.
const CHECKS: usize = 5;

/// How it answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    #[default]
    Good,
    /// With a status and a body that is no JSON.
    Status(u16),
    /// With 400 and a code of Twilio's own.
    Problem(u32),
    /// With 200 and rubbish.
    Rubbish,
    /// After ten seconds.
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

/// A running service.
#[derive(Clone)]
pub struct FakeTwilio {
    /// Where it is.
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
    /// Starts one that answers as it should.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::<State>::default());
        let routes = Route::new()
            .at("/v2/Services/VA1/Verifications", post(send))
            .at("/v2/Services/VA1/Verifications/:number", post(report))
            .at("/v2/Services/VA1/VerificationCheck", post(check))
            .data(Arc::clone(&state));
        Self { url: serve_fake(routes).await, state }
    }

    /// The settings of a server that uses it.
    pub fn settings(&self) -> [(&str, &str); 4] {
        [
            ("TWILIO_ACCOUNT_SID", "AC1"),
            ("TWILIO_AUTH_TOKEN", "auth token"),
            ("TWILIO_VERIFY_SID", "VA1"),
            ("TWILIO_BASE_URL", &self.url),
        ]
    }

    /// Answers differently from now on.
    pub fn becomes(&self, mood: Mood) {
        self.state.lock().expect("the state").mood = mood;
    }

    /// Sends codes that it is given from now on.
    pub fn takes_custom_codes(&self) {
        self.state.lock().expect("the state").takes_custom_codes = true;
    }

    /// The codes that it was given, the newest last.
    pub fn custom_codes(&self) -> Vec<String> {
        self.state.lock().expect("the state").custom_codes.clone()
    }

    /// The numbers whose verification was reported as approved.
    pub fn approved(&self) -> Vec<String> {
        self.state.lock().expect("the state").approved.clone()
    }

    /// The numbers that codes were sent to.
    pub fn sent_to(&self) -> Vec<String> {
        self.state.lock().expect("the state").sent_to.clone()
    }

    /// How often it was asked whether a code is right.
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
    // The account and its secret, as RFC 7617 writes them.
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
