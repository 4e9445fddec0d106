//! The access log: one line for each request. Writing the line also counts the request and ends its span.

use std::{borrow::Cow, net::IpAddr, sync::Arc, time::Instant};

use percent_encoding::percent_decode_str;
use poem::{
    PathPattern, Request, Response,
    http::{Method, StatusCode, Uri},
};

use crate::{metrics::Calls, traces::CallSpan, values::mask};

/// The data of one request. Dropping it writes the line of the access log.
///
/// The query string is not logged because it may contain anything. If the caller disconnects before there is an answer,
/// the request is dropped and logged with status 499, as nginx does.
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

/// The status that nginx logs when the caller disconnects before the answer.
const CALLER_LEFT: u16 = 499;

/// Paths that are followed by the token of a link. Such a token is as good as a password, so only the pattern of the
/// path is logged.
const LINK_PATHS: [&[&str]; 2] = [&["api", "request", "activate-staff"], &["api", "request", "reset", "check"]];
/// The maximum length in bytes of a path segment that is logged for an unknown path. A longer one could be a token.
const LONGEST_SEGMENT: usize = 24;

impl LogLine {
    /// Starts the line of a request that has just arrived.
    pub fn begin(
        request: &Request,
        client: IpAddr,
        request_id: &Arc<str>,
        calls: &Calls,
        span: Option<CallSpan>,
    ) -> Self {
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

    /// Takes the status and the route from the answer, and writes the line.
    pub fn finish(mut self, response: &Response) {
        self.status = response.status().as_u16();
        self.route = response.data::<PathPattern>().map(|pattern| Arc::clone(&pattern.0));
    }
}

impl Drop for LogLine {
    fn drop(&mut self) {
        let Self { method, uri, client, request_id, started, status, route, calls, span } = self;
        let duration = started.elapsed();
        if let Some(span) = span.take() {
            span.end(method.as_str(), route.as_deref(), *status);
        }
        calls.record_answer(method.as_str(), route.take(), *status, duration);
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let (path, client) = (loggable_path(uri.path(), *status), mask::ip(*client));
        let (method, path, client, request_id) = (method.as_str(), &*path, client.as_str(), &**request_id);
        tracing::info!(target: "access", method, path, status, micros, client, request_id, "request");
    }
}

/// Returns the path as it is logged, without tokens.
///
/// Extra slashes, upper case and percent-encoding do not hide the path of a link. A path with extra slashes reaches the
/// same handler. The other spellings reach no handler, but the token in them is still valid. In a path that got 404 or
/// 405, long segments are replaced with `…`.
fn loggable_path(path: &str, status: u16) -> Cow<'_, str> {
    if let Some(link) = link_in(path) {
        return format!("/{}/{{uid}}/{{token}}/", link.join("/")).into();
    }
    let may_be_unknown = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].iter().any(|code| *code == status);
    if !may_be_unknown || path.split('/').all(|part| part.len() <= LONGEST_SEGMENT) {
        return path.into();
    }
    let masked = path.split('/').map(|part| if part.len() > LONGEST_SEGMENT { "…" } else { part });
    masked.collect::<Vec<_>>().join("/").into()
}

/// Returns the entry of [`LINK_PATHS`] that the path begins with, if something follows it.
///
/// Almost no path is one of a link, so a cheap test comes before the decoding.
fn link_in(path: &str) -> Option<&'static [&'static str]> {
    let link_word = b"request";
    let has_link_word = |text: &[u8]| text.windows(link_word.len()).any(|part| part.eq_ignore_ascii_case(link_word));
    if !path.contains('%') && !has_link_word(path.as_bytes()) {
        return None;
    }
    let decoded = percent_decode_str(path).decode_utf8_lossy().to_lowercase();
    let parts: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
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
            assert_eq!(loggable_path(path, 404), "/api/request/reset/check/{uid}/{token}/", "{path}");
        }
        assert_eq!(
            loggable_path("/api/request/activate-staff/uid/token", 200),
            "/api/request/activate-staff/{uid}/{token}/"
        );
        assert_eq!(loggable_path("/api/utils/brands/", 200), "/api/utils/brands/");
    }

    #[test]
    fn long_parts_of_unknown_paths_are_left_out() {
        let token = "awnNmIyx5fsPLyG17tLURKmX5FtPm0T7CGglMUdg4GyFA0Fq";
        assert_eq!(
            loggable_path(&format!("/reset/6741f0a2c3b4d5e6f7a8b9c0/{token}/"), 404),
            "/reset/6741f0a2c3b4d5e6f7a8b9c0/…/"
        );
        let known = format!("/media/{token}.webp");
        assert_eq!(loggable_path(&known, 200), known);
    }
}
