//! `Set-Cookie` lines for the refresh token, for challenges of codes, and for known browsers.

use cookie::{Cookie, CookieBuilder, time::Duration};

use crate::{
    accounts::{sessions::SignedIn, tokens::sealed::seal_known_browser},
    api::access::{KNOWN_BROWSER_COOKIE, REFRESH_COOKIE, RESET_CHALLENGE_COOKIE, SIGN_UP_CHALLENGE_COOKIE},
    app::App,
    values::ids::UserId,
};

/// One year in seconds.
const YEAR: u64 = 365 * 24 * 60 * 60;

/// Returns the `Set-Cookie` line with a refresh token. The cookie expires when the session ends without a refresh.
pub fn set(app: &App, signed_in: &SignedIn) -> String {
    timed(app, REFRESH_COOKIE, signed_in.refresh.expose(), signed_in.refresh_expires_in)
}

/// Returns the `Set-Cookie` line that deletes the refresh token.
pub fn clear(app: &App) -> String {
    timed(app, REFRESH_COOKIE, "", 0)
}

/// Returns the `Set-Cookie` line by which a browser stays known to the account for a year, also after a sign-out.
pub fn known_browser(app: &App, user: UserId) -> String {
    timed(app, KNOWN_BROWSER_COOKIE, &seal_known_browser(&app.keys.otp[0], user), YEAR)
}

/// Returns the `Set-Cookie` line that binds a sign-up code to the browser. The cookie expires with the code.
pub fn set_sign_up_challenge(app: &App, challenge: &str) -> String {
    timed(app, SIGN_UP_CHALLENGE_COOKIE, challenge, app.config.lifetimes.otp.as_secs())
}

/// Returns the `Set-Cookie` line that binds a code for a password reset to the browser. The cookie expires with the
/// code.
pub fn set_reset_challenge(app: &App, challenge: &str) -> String {
    timed(app, RESET_CHALLENGE_COOKIE, challenge, app.config.lifetimes.otp.as_secs())
}

fn timed(app: &App, name: &'static str, value: &str, seconds: u64) -> String {
    let max_age = Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
    with_policy(app, name, value).max_age(max_age).build().to_string()
}

fn with_policy<'a>(app: &'a App, name: &'static str, value: &'a str) -> CookieBuilder<'a> {
    let policy = &app.config.cookie;
    let cookie = Cookie::build((name, value)).path("/api/auth/").http_only(true).same_site(policy.same_site);
    let cookie = cookie.secure(policy.secure).partitioned(policy.partitioned);
    match &policy.domain {
        Some(domain) => cookie.domain(domain),
        None => cookie,
    }
}
