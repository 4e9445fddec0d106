//! A Twilio of the tests' own: the real client talks to it over HTTP.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use poem::{
    EndpointExt, Response, Route, Server, handler,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
    post,
    web::{Data, Form},
};
use serde::Deserialize;

/// The code that it sends, always the same one, as Twilio does within ten minutes.
pub const CODE: &str = "135790";

/// How it answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    #[default]
    Good,
    /// With a status and a body that is no JSON.
    Status(u16),
    /// With 200 and rubbish.
    Rubbish,
    /// After ten seconds.
    Slow,
}

#[derive(Debug)]
struct State {
    mood: Mood,
    sent_to: Vec<String>,
    checks: usize,
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
}

impl FakeTwilio {
    /// Starts one that answers as it should.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State { mood: Mood::Good, sent_to: Vec::new(), checks: 0 }));
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("a free port");
        let address = acceptor.local_addr()[0].to_string().replace("socket://", "");
        let routes = Route::new()
            .at("/v2/Services/VA1/Verifications", post(send))
            .at("/v2/Services/VA1/VerificationCheck", post(check))
            .data(Arc::clone(&state));
        tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
        Self { url: format!("http://{address}"), state }
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
        Mood::Rubbish => Some(rubbish(StatusCode::OK)),
        Mood::Slow => {
            tokio::time::sleep(Duration::from_secs(10)).await;
            None
        }
    }
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
    state.lock().expect("the state").sent_to.push(call.to.clone());
    status("pending")
}

#[handler]
async fn check(state: Data<&Arc<Mutex<State>>>, call: Form<Call>) -> Response {
    state.lock().expect("the state").checks += 1;
    if let Some(trouble) = trouble(state.0).await {
        return trouble;
    }
    if !state.lock().expect("the state").sent_to.contains(&call.to) {
        return Response::builder().status(StatusCode::NOT_FOUND).body("{}");
    }
    status(if call.code.as_deref() == Some(CODE) { "approved" } else { "pending" })
}
