//! The cookies of a call.

use poem::http::{HeaderMap, header};

/// The cookie that carries the refresh token.
pub const REFRESH_COOKIE: &str = "refresh_token";
/// The cookie that binds a browser to the code that it asked for to sign up.
pub const SIGN_UP_CHALLENGE_COOKIE: &str = "otp_challenge";
/// The cookie that binds a browser to the code that it asked for to get back in.
pub const RESET_CHALLENGE_COOKIE: &str = "reset_challenge";
/// The cookie by which a browser is known as one that was signed in to an account, also after it has signed out.
pub const KNOWN_BROWSER_COOKIE: &str = "known_browser";
/// Cookies of one name that are looked at. A browser sends two after a change of `COOKIE_DOMAIN`; a page of a sister domain
/// can set many, which must not hide the real one.
const MAX_COOKIES: usize = 64;

/// The refresh tokens of all cookies of the name, not checked yet.
pub(super) fn refresh_cookies(headers: &HeaderMap) -> Vec<String> {
    cookies(headers, REFRESH_COOKIE).collect()
}

/// The values of all cookies of a name.
pub(super) fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let lines = headers.get_all(header::COOKIE).into_iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    // Other cookies may hold any bytes: they must not take ours along.
    let cookies = lines.flat_map(|line| cookie::Cookie::split_parse(line.into_owned()).collect::<Vec<_>>());
    let ours = cookies.filter_map(Result::ok).filter(move |cookie| cookie.name() == name);
    ours.map(|cookie| cookie.value().to_owned()).filter(|value| !value.is_empty()).take(MAX_COOKIES)
}
