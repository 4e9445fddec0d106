//! The cookies of a call.

use poem::http::{HeaderMap, header};

/// The name of the cookie with the refresh token.
pub const REFRESH_COOKIE: &str = "refresh_token";
/// The name of the cookie that binds a sign-up code to the browser that asked for it.
pub const SIGN_UP_CHALLENGE_COOKIE: &str = "otp_challenge";
/// The name of the cookie that binds a code for a password reset to the browser that asked for it.
pub const RESET_CHALLENGE_COOKIE: &str = "reset_challenge";
/// The name of the cookie that says which account was signed in on a browser. It stays after a sign-out.
pub const KNOWN_BROWSER_COOKIE: &str = "known_browser";
/// The number of cookies of one name that are read. A browser sends two after a change of `COOKIE_DOMAIN`. A page of a
/// sister domain can set many cookies, and they must not hide the real one.
const MAX_COOKIES: usize = 64;

/// Returns the refresh tokens of all cookies named [`REFRESH_COOKIE`]. They are not checked yet.
pub(super) fn refresh_cookies(headers: &HeaderMap) -> Vec<String> {
    cookies(headers, REFRESH_COOKIE).collect()
}

/// Returns the values of all cookies with a name, without empty ones.
pub(super) fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let lines = headers.get_all(header::COOKIE).into_iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    // Another cookie in the same line may hold bytes that are not UTF-8. It must not make ours unreadable.
    let cookies = lines.flat_map(|line| cookie::Cookie::split_parse(line.into_owned()).collect::<Vec<_>>());
    let ours = cookies.filter_map(Result::ok).filter(move |cookie| cookie.name() == name);
    ours.map(|cookie| cookie.value().to_owned()).filter(|value| !value.is_empty()).take(MAX_COOKIES)
}
