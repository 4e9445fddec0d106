//! The trusted origins and proxies.

use std::net::IpAddr;

use ipnet::IpNet;

use super::reader::Reader;
use crate::values::net;

const EXPECTED_ORIGINS: &str = "origins such as https://shop.example.com, separated by commas (no *, no path)";

/// Reads the origins whose pages may read answers and send the cookie.
pub(super) fn read(reader: &mut Reader) -> Vec<String> {
    reader.parsed("CORS_ALLOWED_ORIGINS", default_origins(), EXPECTED_ORIGINS, parse_origins)
}

/// Reads the proxies whose `X-Forwarded-For` is trusted.
pub(super) fn read_proxies(reader: &mut Reader) -> Vec<IpNet> {
    let expected = "addresses or networks such as 10.0.0.0/8, separated by commas";
    reader.parsed("TRUSTED_PROXIES", Vec::new(), expected, |text| {
        text.split(',').map(|net| parse_network(net.trim())).collect()
    })
}

fn default_origins() -> Vec<String> {
    ["http://localhost:3000", "http://127.0.0.1:3000", "http://localhost:5173", "http://127.0.0.1:5173"]
        .map(str::to_owned)
        .to_vec()
}

fn parse_origins(text: &str) -> Option<Vec<String>> {
    text.split(',').map(|origin| parse_origin(origin.trim())).collect()
}

/// Returns `scheme://host[:port]` in the form that browsers send: in lower case and without a default port (RFC 6454,
/// section 6.2). Returns `None` if the text is not an origin.
fn parse_origin(text: &str) -> Option<String> {
    let lower_case = text.to_lowercase();
    let (scheme, authority) = lower_case.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http"))?;
    let parsed: poem::http::uri::Authority = authority.parse().ok()?;
    let is_bracketed = parsed.host().starts_with('[') || !parsed.host().contains(':');
    let port = authority.strip_prefix(parsed.host())?;
    let port_fits = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    let is_origin = !parsed.host().is_empty() && is_bracketed && port_fits && !authority.contains('*');
    is_origin.then(|| format!("{scheme}://{}", net::without_default_port(scheme, authority)))
}

fn parse_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_kept_as_browsers_write_them() {
        assert_eq!(parse_origin("HTTPS://Shop.Example:443"), Some("https://shop.example".to_owned()));
        assert_eq!(parse_origin("http://[::1]:3000"), Some("http://[::1]:3000".to_owned()));
        for bad in [
            "*",
            "https://*",
            "shop.example",
            "https://a.com:99999",
            "https://::",
            "https://a/b",
            "https://u@a.com",
            "ftp://a.com",
            "https://",
        ] {
            assert_eq!(parse_origin(bad), None, "{bad}");
        }
    }
}
