//! Forms with texts and files, in the format that browsers send (RFC 7578).

use reqwest::{Method, RequestBuilder};

use super::Caller;

const BOUNDARY: &str = "boundary-of-the-tests";

/// A form whose parts are added one after the other.
#[derive(Clone, Default)]
pub struct Form {
    parts: Vec<u8>,
}

impl Form {
    /// Adds a text field.
    pub fn text(mut self, name: &str, value: &str) -> Self {
        let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        self.parts.extend(part.into_bytes());
        self
    }

    /// Adds a file. Its file name and content type are deliberately wrong.
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

    /// Builds a request with this form as its body.
    pub fn request(self, caller: &Caller, method: Method, path: &str) -> RequestBuilder {
        let body = [self.parts, format!("--{BOUNDARY}--\r\n").into_bytes()].concat();
        let request = caller.request(method, path);
        request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}")).body(body)
    }
}
