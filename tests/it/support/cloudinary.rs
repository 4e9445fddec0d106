//! A fake Cloudinary. The real client of the server calls it over HTTP, and it verifies the signatures.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use poem::{
    EndpointExt, Response, Route, handler,
    http::StatusCode,
    post,
    web::{Data, Multipart},
};
use sha1::{Digest, Sha1};

use super::{Mood, fake::serve_fake};

#[derive(Default)]
struct State {
    mood: Mood,
    /// Whether names have no folders, as in newer Cloudinary accounts.
    flat: bool,
    kept: BTreeMap<String, Vec<u8>>,
}

/// A running fake service.
#[derive(Clone)]
pub struct FakeCloudinary {
    /// The base URL.
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl FakeCloudinary {
    /// Starts a service that works normally.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let routes = Route::new()
            .at("/v1_1/shop/image/upload", post(upload))
            .at("/v1_1/shop/image/destroy", post(destroy))
            .data(Arc::clone(&state));
        Self { url: serve_fake(routes).await, state }
    }

    /// Returns the settings for a server that uses this service.
    pub fn settings(&self) -> [(&str, &str); 2] {
        [("CLOUDINARY_URL", "cloudinary://key:the_secret@shop"), ("CLOUDINARY_BASE_URL", &self.url)]
    }

    /// Changes how the service answers.
    pub fn becomes(&self, mood: Mood) {
        self.state.lock().expect("the state").mood = mood;
    }

    /// Makes the service return names without folders.
    pub fn flatten(&self) {
        self.state.lock().expect("the state").flat = true;
    }

    /// Returns the stored images by name.
    pub fn kept(&self) -> BTreeMap<String, Vec<u8>> {
        self.state.lock().expect("the state").kept.clone()
    }
}

/// Reads the parts of a form and checks its signature.
async fn signed(mut form: Multipart) -> BTreeMap<String, Vec<u8>> {
    let mut parts = BTreeMap::new();
    while let Some(part) = form.next_field().await.expect("a form") {
        let name = part.name().expect("a name").to_owned();
        parts.insert(name, part.bytes().await.expect("a part"));
    }
    let text = |name: &str| String::from_utf8_lossy(&parts[name]).into_owned();
    let names = parts.keys().filter(|name| !["file", "api_key", "signature"].contains(&name.as_str()));
    let signed: Vec<String> = names.map(|name| format!("{name}={}", text(name))).collect();
    let digest = Sha1::digest(format!("{}the_secret", signed.join("&")));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((text("signature"), text("api_key")), (hex, "key".to_owned()));
    assert!(text("timestamp").parse::<i64>().is_ok());
    parts
}

async fn answer(state: &Mutex<State>, good: impl FnOnce(&mut State) -> String) -> Response {
    let mood = state.lock().expect("the state").mood;
    match mood {
        Mood::Good => {
            let body = good(&mut state.lock().expect("the state"));
            return Response::builder().content_type("application/json").body(body);
        }
        Mood::Slow => tokio::time::sleep(Duration::from_secs(60)).await,
        Mood::Rubbish => return Response::builder().body("<html>"),
        Mood::Status(_) | Mood::Problem(_) => {}
    }
    let status = if let Mood::Status(status) = mood { status } else { 500 };
    Response::builder().status(StatusCode::from_u16(status).expect("a status")).body("{\"error\":{}}")
}

#[handler]
async fn upload(state: Data<&Arc<Mutex<State>>>, form: Multipart) -> Response {
    let mut parts = signed(form).await;
    let text = |name: &str| String::from_utf8_lossy(&parts[name]).into_owned();
    let (folder, id) = (text("folder"), text("public_id"));
    let file = parts.remove("file").expect("a file");
    let take = |state: &mut State| {
        let name = if state.flat { id } else { format!("{folder}/{id}") };
        state.kept.insert(name.clone(), file);
        let url = format!("https://res.example.com/shop/image/upload/v17/{name}.jpg");
        format!("{{\"public_id\":\"{name}\",\"secure_url\":\"{url}\"}}")
    };
    answer(state.0, take).await
}

#[handler]
async fn destroy(state: Data<&Arc<Mutex<State>>>, form: Multipart) -> Response {
    let parts = signed(form).await;
    let id = String::from_utf8_lossy(&parts["public_id"]).into_owned();
    let remove = |state: &mut State| {
        let result = if state.kept.remove(&id).is_some() { "ok" } else { "not found" };
        format!("{{\"result\":\"{result}\"}}")
    };
    answer(state.0, remove).await
}
