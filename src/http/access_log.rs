//! One line a request for operators, its place in the metrics, and the end of its span.

use std::{borrow::Cow, net::IpAddr, sync::Arc, time::Instant};

use percent_encoding::percent_decode_str;
use poem::{
    PathPattern, Request, Response,
    http::{Method, StatusCode, Uri},
};

use crate::{metrics::Calls, traces::CallSpan, values::mask};

/// What is told of a request. Queries may hold anything, so they stay out. A request whose caller hangs up is dropped
/// before it is answered, and told with the status that nginx uses for it.
pub struct LogLine {
    method: Method,
    uri: Uri,
    client: IpAddr,
    request_id: Arc<str>,
    started: Instant,
    status: u16,
    route: Option<Arc<str>>,
    calls: Calls,
    span: Option<CallSpan>,
}

const CALLER_LEFT: u16 = 499;

/// Paths that go on with the token of a link: as good as a password, so only their patterns are logged.
const LINK_PATHS: [&[&str]; 2] = [&["api", "request", "activate-staff"], &["api", "request", "reset", "check"]];
/// A part of a path that is longer could be a token, where nothing is known of the path.
const LONGEST_PART: usize = 24;

impl LogLine {
    /// A request that comes at this moment.
    pub fn of(request: &Request, client: IpAddr, request_id: &Arc<str>, calls: &Calls, span: Option<CallSpan>) -> Self {
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            client,
            request_id: Arc::clone(request_id),
            started: Instant::now(),
            status: CALLER_LEFT,
            route: None,
            calls: calls.clone(),
            span,
        }
    }

    /// The request has its answer.
    pub fn answered(mut self, response: &Response) {
        self.status = response.status().as_u16();
        self.route = response.data::<PathPattern>().map(|pattern| Arc::clone(&pattern.0));
    }
}

impl Drop for LogLine {
    fn drop(&mut self) {
        let Self { method, uri, client, request_id, started, status, route, calls, span } = self;
        let took = started.elapsed();
        if let Some(span) = span.take() {
            span.end(method.as_str(), route.as_deref(), *status);
        }
        calls.answered(method.as_str(), route.take(), *status, took);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let (path, client) = (logged(uri.path(), *status), mask::ip(*client));
        let (method, path, client, request_id) = (method.as_str(), &*path, client.as_str(), &**request_id);
        tracing::info!(target: "access", method, path, status, micros, client, request_id, "request");
    }
}

/// A path as it is logged. Slashes too many reach the same handler, and other spellings of a path with a token none, which
/// makes the token no less of one: neither counts in the comparison.
fn logged(path: &str, status: u16) -> Cow<'_, str> {
    if let Some(link) = link_in(path) {
        return format!("/{}/{{uid}}/{{token}}/", link.join("/")).into();
    }
    let may_be_unknown = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].iter().any(|known| *known == status);
    if !may_be_unknown || path.split('/').all(|part| part.len() <= LONGEST_PART) {
        return path.into();
    }
    let masked = path.split('/').map(|part| if part.len() > LONGEST_PART { "…" } else { part });
    masked.collect::<Vec<_>>().join("/").into()
}

/// The path of a link that this one goes on from. Almost none does, so that is looked at before anything is spelled out.
fn link_in(path: &str) -> Option<&'static [&'static str]> {
    let word = b"request";
    if !path.contains('%') && !path.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)) {
        return None;
    }
    let plain = percent_decode_str(path).decode_utf8_lossy().to_lowercase();
    let parts: Vec<&str> = plain.split('/').filter(|part| !part.is_empty()).collect();
    LINK_PATHS.into_iter().find(|link| parts.len() > link.len() && parts.starts_with(link))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_paths_are_not_logged() {
        for path in [
            "/api/request/reset/check/uid/token/",
            "//api/request//reset/check/uid/token",
            "/api/request/reset/check/token",
            "/API/Request/Reset/CHECK/uid/token",
            "/api/%72equest/reset/check/uid/token",
            "/api/request%2Freset/check/uid/token",
        ] {
            assert_eq!(logged(path, 404), "/api/request/reset/check/{uid}/{token}/", "{path}");
        }
        assert_eq!(logged("/api/request/activate-staff/uid/token", 200), "/api/request/activate-staff/{uid}/{token}/");
        assert_eq!(logged("/api/utils/brands/", 200), "/api/utils/brands/");
    }

    #[test]
    fn long_parts_of_unknown_paths_are_left_out() {
        let token = "awnNmIyx5fsPLyG17tLURKmX5FtPm0T7CGglMUdg4GyFA0Fq";
        assert_eq!(
            logged(&format!("/reset/6741f0a2c3b4d5e6f7a8b9c0/{token}/"), 404),
            "/reset/6741f0a2c3b4d5e6f7a8b9c0/…/"
        );
        let known = format!("/media/{token}.webp");
        assert_eq!(logged(&known, 200), known);
    }
}
