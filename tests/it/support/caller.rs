//! A frontend: keeps its access token in memory and its refresh token in a cookie, as a browser would.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use super::Reply;

/// Somebody who calls the API.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    /// Where the server is.
    pub url: String,
    /// The account, once signed in.
    pub user_id: String,
    /// The access token, once signed in.
    pub access: Option<String>,
    /// The refresh token of the cookie, once signed in.
    pub refresh: Option<String>,
    /// The cookie of the code that was asked for last.
    pub challenge: Option<String>,
}

impl Caller {
    /// Somebody without an account.
    pub fn new(url: &str) -> Self {
        // Callers speak plain HTTP, but their client is built with TLS since the server's is.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().user_agent("tests/1").tls_certs_only([]).build().expect("a client");
        Self { client, url: url.to_owned(), user_id: String::new(), access: None, refresh: None, challenge: None }
    }

    /// Takes over what an answer to a sign-in or sign-up brought.
    pub fn sign_in(&mut self, reply: &Reply) {
        self.user_id = reply["user"]["_id"].as_str().expect("a user").to_owned();
        self.take_tokens(reply);
    }

    /// Takes over the tokens of an answer.
    pub fn take_tokens(&mut self, reply: &Reply) {
        self.access = Some(reply["access"].as_str().expect("an access token").to_owned());
        self.refresh = Some(reply.refresh_cookie().expect("a refresh cookie"));
    }

    /// The same person at another server.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// A request with what a frontend sends along; the cookie only travels to `/api/auth/`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(access) = &self.access {
            request = request.bearer_auth(access);
        }
        let challenges = [("otp_challenge", &self.challenge), ("reset_challenge", &self.challenge)];
        let jar = [("refresh_token", &self.refresh)].into_iter().chain(challenges);
        let cookies = jar.filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        if path.starts_with("/api/auth/") && !cookies.is_empty() {
            request = request.header("cookie", cookies);
        }
        request
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::POST, path).json(body)).await
    }

    /// POST without a body.
    pub async fn post_empty(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::POST, path)).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::PUT, path).json(body)).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::PATCH, path).json(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::DELETE, path)).await
    }

    /// The path of this caller's cart.
    pub fn cart(&self) -> String {
        format!("/api/client/{}/cart/", self.user_id)
    }

    /// Adds to this caller's cart.
    pub async fn add(&self, product: &Value, quantity: u32) -> Reply {
        let id = product["_id"].as_str().expect("a product");
        self.post(&format!("{}add/{id}/", self.cart()), &serde_json::json!({ "quantity": quantity })).await
    }

    /// Sets how many of a product this caller's cart holds.
    pub async fn set(&self, product: &Value, quantity: u32) -> Reply {
        let id = product["_id"].as_str().expect("a product");
        self.put(&format!("{}items/{id}/", self.cart()), &serde_json::json!({ "quantity": quantity })).await
    }

    /// Takes some of a product out of this caller's cart.
    pub async fn remove(&self, product: &Value, quantity: u32) -> Reply {
        let id = product["_id"].as_str().expect("a product");
        self.delete(&format!("{}remove/{id}/?quantity={quantity}", self.cart())).await
    }

    /// Asks for new tokens with the cookie alone.
    pub async fn refresh(&self) -> Reply {
        let cookie = format!("refresh_token={}", self.refresh.clone().unwrap_or_default());
        Reply::of(self.client.post(format!("{}/api/auth/refresh/", self.url)).header("cookie", cookie)).await
    }
}
