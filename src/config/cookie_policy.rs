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
    pub(super) fn read(r: &mut Reader, app_env: AppEnv) -> Self {
        Self {
            secure: r.switch("COOKIE_SECURE", app_env == AppEnv::Production),
            same_site: r.parsed("COOKIE_SAMESITE", cookie::SameSite::Strict, "strict, lax or none", same_site),
            partitioned: r.switch("COOKIE_PARTITIONED", false),
            domain: r
                .parsed("COOKIE_DOMAIN", None, "a domain such as example.com", |text| cookie_domain(text).map(Some)),
        }
    }

    /// Reports combinations of attributes with which browsers don't send the cookie.
    pub(super) fn check(&self, r: &mut Reader) {
        if self.same_site == cookie::SameSite::None && !self.secure {
            r.problem("COOKIE_SAMESITE", "none needs COOKIE_SECURE=true: browsers drop such a cookie otherwise");
        }
        if self.partitioned && self.same_site != cookie::SameSite::None {
            r.problem(
                "COOKIE_PARTITIONED",
                "needs COOKIE_SAMESITE=none: other cookies are never sent from other sites",
            );
        }
    }
}

fn same_site(text: &str) -> Option<cookie::SameSite> {
    match text.to_lowercase().as_str() {
        "strict" => Some(cookie::SameSite::Strict),
        "lax" => Some(cookie::SameSite::Lax),
        "none" => Some(cookie::SameSite::None),
        _ => None,
    }
}

fn cookie_domain(text: &str) -> Option<String> {
    let domain = text.strip_prefix('.').unwrap_or(text);
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let named = domain.contains('.') && domain.split('.').all(label) && domain.parse::<IpAddr>().is_err();
    named.then(|| domain.to_owned())
}
