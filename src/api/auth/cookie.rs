//! The `Set-Cookie` of the refresh token, and of the challenges of codes.

use cookie::{Cookie, CookieBuilder, time::Duration};

use crate::{
    accounts::{sessions::SignedIn, tokens::sealed::seal_known_browser},
    api::access::{KNOWN_BROWSER_COOKIE, REFRESH_COOKIE, RESET_CHALLENGE_COOKIE, SIGN_UP_CHALLENGE_COOKIE},
    app::App,
    values::ids::UserId,
};

/// Seconds of a year.
const YEAR: u64 = 365 * 24 * 60 * 60;

/// Sets the cookie for as long as the session lives without a refresh.
pub fn set(app: &App, signed_in: &SignedIn) -> String {
    timed(app, REFRESH_COOKIE, signed_in.refresh.expose(), signed_in.refresh_expires_in)
}

/// Takes the cookie away.
pub fn clear(app: &App) -> String {
    timed(app, REFRESH_COOKIE, "", 0)
}

/// Makes a browser known as one that was signed in to the account, for a year.
pub fn known_browser(app: &App, user: UserId) -> String {
    timed(app, KNOWN_BROWSER_COOKIE, &seal_known_browser(&app.keys.otp[0], user), YEAR)
}

/// Binds a browser to the code that it asked for to sign up, for as long as the code is good.
pub fn set_sign_up_challenge(app: &App, challenge: &str) -> String {
    timed(app, SIGN_UP_CHALLENGE_COOKIE, challenge, app.config.lifetimes.otp.as_secs())
}

/// The same for a code that it asked for to get back in.
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
