//! A fake S3 that stores and deletes objects.

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

/// A stored object with the headers that came with it.
#[derive(Debug, Clone)]
pub struct Object {
    pub content_type: String,
    /// The `Cache-Control` header.
    pub cache_control: String,
    /// The content.
    pub bytes: Vec<u8>,
}

#[derive(Default)]
struct State {
    /// The status with which all requests are refused, if they are refused.
    refusing: Option<u16>,
    objects: BTreeMap<String, Object>,
}

/// A running fake service.
#[derive(Clone)]
pub struct FakeS3 {
    /// The base URL.
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl FakeS3 {
    /// Starts a service that works normally.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let routes = Route::new().at("/*path", object).data(Arc::clone(&state));
        Self { url: serve_fake(routes).await, state }
    }

    /// Returns the settings for a server that uses this service.
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

    /// Makes the service refuse all requests with this status, or accept them again.
    pub fn refuse(&self, status: Option<u16>) {
        self.state.lock().expect("the state").refusing = status;
    }

    /// Returns the stored objects by path.
    pub fn objects(&self) -> BTreeMap<String, Object> {
        self.state.lock().expect("the state").objects.clone()
    }
}

#[handler]
async fn object(state: Data<&Arc<Mutex<State>>>, request: &Request, body: Body) -> Response {
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    // The header must name the access key in the format of signature version 4. The signature itself is not checked,
    // because the library of the server computes it.
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
