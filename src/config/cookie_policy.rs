//! The attributes of the cookies.

use std::net::IpAddr;

use super::{AppEnv, reader::Reader};

/// The attributes of the refresh cookie (RFC 6265bis).
#[derive(Debug, Clone)]
pub struct CookiePolicy {
    /// Whether browsers send the cookie only over HTTPS.
    pub secure: bool,
    /// Whether browsers send the cookie with requests from pages of other sites.
    pub same_site: cookie::SameSite,
    /// Whether browsers keep a separate cookie for each site that embeds the shop (CHIPS).
    pub partitioned: bool,
    /// The domain of the cookie. Without one, the cookie belongs only to the host that sets it.
    pub domain: Option<String>,
}

impl CookiePolicy {
    pub(super) fn read(reader: &mut Reader, app_env: AppEnv) -> Self {
        Self {
            secure: reader.switch("COOKIE_SECURE", app_env == AppEnv::Production),
            same_site: reader.parsed(
                "COOKIE_SAMESITE",
                cookie::SameSite::Strict,
                "strict, lax or none",
                parse_same_site,
            ),
            partitioned: reader.switch("COOKIE_PARTITIONED", false),
            domain: reader
                .parsed("COOKIE_DOMAIN", None, "a domain such as example.com", |text| parse_domain(text).map(Some)),
        }
    }

    /// Reports combinations of attributes with which browsers don't send the cookie.
    pub(super) fn check(&self, reader: &mut Reader) {
        if self.same_site == cookie::SameSite::None && !self.secure {
            reader.problem("COOKIE_SAMESITE", "none needs COOKIE_SECURE=true: browsers drop such a cookie otherwise");
        }
        if self.partitioned && self.same_site != cookie::SameSite::None {
            reader.problem(
                "COOKIE_PARTITIONED",
                "needs COOKIE_SAMESITE=none: other cookies are never sent from other sites",
            );
        }
    }
}

fn parse_same_site(text: &str) -> Option<cookie::SameSite> {
    match text.to_lowercase().as_str() {
        "strict" => Some(cookie::SameSite::Strict),
        "lax" => Some(cookie::SameSite::Lax),
        "none" => Some(cookie::SameSite::None),
        _ => None,
    }
}

fn parse_domain(text: &str) -> Option<String> {
    let domain = text.strip_prefix('.').unwrap_or(text);
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_domain_name = domain.contains('.') && domain.split('.').all(is_label) && domain.parse::<IpAddr>().is_err();
    is_domain_name.then(|| domain.to_owned())
}
