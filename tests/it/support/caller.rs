//! A caller who behaves like a frontend: it keeps its access token in memory and its refresh token in a cookie.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use super::Reply;

/// A client of the API with the tokens of one person.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    /// The base URL of the server.
    pub url: String,
    /// The id of the account after a sign-in.
    pub user_id: String,
    /// The access token after a sign-in.
    pub access: Option<String>,
    /// The refresh token of the cookie after a sign-in.
    pub refresh: Option<String>,
    /// The challenge cookie of the newest code that this caller asked for.
    pub challenge: Option<String>,
}

impl Caller {
    /// Creates a caller who is not signed in.
    pub fn new(url: &str) -> Self {
        // Callers use plain HTTP. But their HTTP client has TLS, because the server needs it in the same build.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().user_agent("tests/1").tls_certs_only([]).build().expect("a client");
        Self { client, url: url.to_owned(), user_id: String::new(), access: None, refresh: None, challenge: None }
    }

    /// Keeps the account id and the tokens of a response to a sign-in or sign-up.
    pub fn sign_in(&mut self, reply: &Reply) {
        self.user_id = reply["user"]["_id"].as_str().expect("a user").to_owned();
        self.take_tokens(reply);
    }

    /// Keeps the tokens of a response.
    pub fn take_tokens(&mut self, reply: &Reply) {
        self.access = Some(reply["access"].as_str().expect("an access token").to_owned());
        self.refresh = Some(reply.refresh_cookie().expect("a refresh cookie"));
    }

    /// Returns the same caller for another server.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// Builds a request with the access token and, below `/api/auth/`, with the cookies.
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

    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    /// Sends a POST request with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::POST, path).json(body)).await
    }

    /// Sends a POST request without a body.
    pub async fn post_empty(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::POST, path)).await
    }

    /// Sends a PUT request with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::PUT, path).json(body)).await
    }

    /// Sends a PATCH request with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::PATCH, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::DELETE, path)).await
    }

    /// Returns the path of this caller's cart.
    pub fn cart(&self) -> String {
        format!("/api/client/{}/cart/", self.user_id)
    }

    /// Adds pieces of a product to this caller's cart.
    pub async fn add(&self, product: &Value, quantity: u32) -> Reply {
        let id = product["_id"].as_str().expect("a product");
        self.post(&format!("{}add/{id}/", self.cart()), &serde_json::json!({ "quantity": quantity })).await
    }

    /// Sets the quantity of a product in this caller's cart.
    pub async fn set(&self, product: &Value, quantity: u32) -> Reply {
        let id = product["_id"].as_str().expect("a product");
        self.put(&format!("{}items/{id}/", self.cart()), &serde_json::json!({ "quantity": quantity })).await
    }

    /// Removes pieces of a product from this caller's cart.
    pub async fn remove(&self, product: &Value, quantity: u32) -> Reply {
        let id = product["_id"].as_str().expect("a product");
        self.delete(&format!("{}remove/{id}/?quantity={quantity}", self.cart())).await
    }

    /// Asks for new tokens with only the refresh cookie.
    pub async fn refresh(&self) -> Reply {
        let cookie = format!("refresh_token={}", self.refresh.clone().unwrap_or_default());
        Reply::of(self.client.post(format!("{}/api/auth/refresh/", self.url)).header("cookie", cookie)).await
    }
}
