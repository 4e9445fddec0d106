//! The `Set-Cookie` of the refresh token, and of the challenge of a code.

use cookie::{Cookie, CookieBuilder, time::Duration};

use crate::{
    access::{CHALLENGE_COOKIE, REFRESH_COOKIE},
    app::App,
    domain::tokens::refresh::RefreshToken,
};

/// Sets the cookie for as long as the session lives without a refresh.
pub fn set(app: &App, token: &RefreshToken) -> String {
    let max_age = i64::try_from(app.config.lifetimes.refresh.as_secs()).unwrap_or(i64::MAX);
    with_policy(app, REFRESH_COOKIE, token.expose()).max_age(Duration::seconds(max_age)).build().to_string()
}

/// Takes the cookie away.
pub fn clear(app: &App) -> String {
    with_policy(app, REFRESH_COOKIE, "").max_age(Duration::ZERO).build().to_string()
}

/// Binds a browser to the code it asked for, for as long as the code is good.
pub fn set_challenge(app: &App, challenge: &str) -> String {
    let max_age = i64::try_from(app.config.lifetimes.otp.as_secs()).unwrap_or(i64::MAX);
    with_policy(app, CHALLENGE_COOKIE, challenge).max_age(Duration::seconds(max_age)).build().to_string()
}

fn with_policy<'a>(app: &'a App, name: &'static str, value: &'a str) -> CookieBuilder<'a> {
    let policy = &app.config.cookie;
    let cookie = Cookie::build((name, value)).path("/api/auth/").http_only(true).same_site(policy.same_site);
    let cookie = cookie.secure(policy.secure);
    match &policy.domain {
        Some(domain) => cookie.domain(domain),
        None => cookie,
    }
}
