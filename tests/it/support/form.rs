//! A form with texts and files, as a browser sends it (RFC 7578).

use reqwest::{Method, RequestBuilder};

use super::Caller;

const BOUNDARY: &str = "boundary-of-the-tests";

/// A form that is being filled in.
#[derive(Clone, Default)]
pub struct Form {
    parts: Vec<u8>,
}

impl Form {
    /// With one more line of text.
    pub fn text(mut self, name: &str, value: &str) -> Self {
        let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        self.parts.extend(part.into_bytes());
        self
    }

    /// With one more file, whose name and type say nothing of what it holds.
    pub fn file(mut self, name: &str, bytes: &[u8]) -> Self {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"../a.svg\"\r\n\
             Content-Type: image/svg+xml\r\n\r\n"
        );
        self.parts.extend(head.into_bytes());
        self.parts.extend(bytes);
        self.parts.extend(b"\r\n");
        self
    }

    /// The request that sends it.
    pub fn request(self, caller: &Caller, method: Method, path: &str) -> RequestBuilder {
        let body = [self.parts, format!("--{BOUNDARY}--\r\n").into_bytes()].concat();
        let request = caller.request(method, path);
        request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}")).body(body)
    }
}
