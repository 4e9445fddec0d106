//! Paths in the form in which routes are written: with single slashes, and none at the end.
//!
//! poem has a layer that does the same, but in an `async fn`, and every layer around it would copy that large future.

use bytes::Bytes;
use poem::{
    Endpoint, Middleware, Request, Result,
    http::{Uri, uri::PathAndQuery},
};

/// The layer that tidies paths.
pub struct Slashes;

impl<E: Endpoint> Middleware<E> for Slashes {
    type Output = SlashesEndpoint<E>;

    fn transform(&self, inner: E) -> SlashesEndpoint<E> {
        SlashesEndpoint(inner)
    }
}

/// The endpoint behind [`Slashes`]. It sees only tidy paths.
pub struct SlashesEndpoint<E>(E);

impl<E: Endpoint> Endpoint for SlashesEndpoint<E> {
    type Output = E::Output;

    fn call(&self, mut request: Request) -> impl Future<Output = Result<E::Output>> + Send {
        if let Some(uri) = tidy_uri(request.uri()) {
            *request.uri_mut() = uri;
        }
        self.0.call(request)
    }
}

/// Returns the URI with a tidy path, or `None` if the path is already tidy.
fn tidy_uri(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let is_tidy = path == "/" || !path.ends_with('/') && !path.contains("//");
    if is_tidy {
        return None;
    }
    let mut bytes = Vec::with_capacity(path.len() + uri.query().map_or(0, |query| query.len() + 1));
    for part in path.split('/').filter(|part| !part.is_empty()) {
        bytes.push(b'/');
        bytes.extend_from_slice(part.as_bytes());
    }
    if bytes.is_empty() {
        bytes.push(b'/');
    }
    if let Some(query) = uri.query() {
        bytes.push(b'?');
        bytes.extend_from_slice(query.as_bytes());
    }
    let path_and_query = PathAndQuery::from_maybe_shared(Bytes::from(bytes)).ok()?;
    if uri.authority().is_none() {
        return Some(path_and_query.into());
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_too_many_are_left_out() {
        for (path, expected) in [
            ("/a/b/", "/a/b"),
            ("//a///b//", "/a/b"),
            ("/a//b?x=//&y=/", "/a/b?x=//&y=/"),
            ("/a/?", "/a?"),
            ("//", "/"),
            ("http://shop.example.com:80/a/?q=1", "http://shop.example.com:80/a?q=1"),
        ] {
            let uri: Uri = path.parse().expect("a URI");
            assert_eq!(tidy_uri(&uri).map(|uri| uri.to_string()).as_deref(), Some(expected), "{path}");
        }
        for path in ["/", "/a/b", "/a?q=/", "*"] {
            assert_eq!(tidy_uri(&path.parse().expect("a URI")), None, "{path}");
        }
    }
}
