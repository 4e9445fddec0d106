//! An S3 of the tests' own that takes and removes objects.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use poem::{
    Body, EndpointExt, Request, Response, Route, handler,
    http::{Method, StatusCode},
    web::Data,
};

use super::fake::serve_fake;

/// What was sent with an object, and the object.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its type.
    pub content_type: String,
    /// For how long it may be kept by others.
    pub cache_control: String,
    /// The object.
    pub bytes: Vec<u8>,
}

#[derive(Default)]
struct State {
    /// Refuses everything with this status.
    refusing: Option<u16>,
    objects: BTreeMap<String, Object>,
}

/// A running service.
#[derive(Clone)]
pub struct FakeS3 {
    /// Where it is.
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl FakeS3 {
    /// Starts one that keeps what it gets.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let routes = Route::new().at("/*path", object).data(Arc::clone(&state));
        Self { url: serve_fake(routes).await, state }
    }

    /// The settings of a server that uses it.
    pub fn settings(&self) -> [(&str, &str); 6] {
        [
            ("IMAGE_STORE_URL", "s3://bucket/of/images"),
            ("IMAGE_PUBLIC_URL", "https://images.example.com/shop/"),
            ("AWS_ENDPOINT", &self.url),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_ACCESS_KEY_ID", "AKIDTEST"),
            ("AWS_SECRET_ACCESS_KEY", "the secret"),
        ]
    }

    /// Refuses everything from now on, or nothing any more.
    pub fn refuse(&self, status: Option<u16>) {
        self.state.lock().expect("the state").refusing = status;
    }

    /// What it keeps, by path.
    pub fn objects(&self) -> BTreeMap<String, Object> {
        self.state.lock().expect("the state").objects.clone()
    }
}

#[handler]
async fn object(state: Data<&Arc<Mutex<State>>>, request: &Request, body: Body) -> Response {
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    // Whose key it is, in the form of signature version 4; the signature itself is the business of the library.
    assert!(
        header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=AKIDTEST/"),
        "{}",
        header("authorization")
    );
    let bytes = body.into_vec().await.expect("a body");
    let mut state = state.0.lock().expect("the state");
    if let Some(status) = state.refusing {
        return Response::builder().status(StatusCode::from_u16(status).expect("a status")).body("<Error/>");
    }
    let path = request.uri().path().to_owned();
    match *request.method() {
        Method::PUT => {
            let (content_type, cache_control) = (header("content-type"), header("cache-control"));
            state.objects.insert(path, Object { content_type, cache_control, bytes });
            Response::builder().header("etag", "\"e\"").body(())
        }
        Method::DELETE => {
            state.objects.remove(&path);
            StatusCode::NO_CONTENT.into()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into(),
    }
}
