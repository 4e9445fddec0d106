//! How long tokens, sessions and codes live.

use std::time::Duration;

use super::reader::Reader;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// How long tokens, sessions and codes live.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// Of an access token.
    pub access: Duration,
    /// Of a session without a refresh.
    pub refresh: Duration,
    /// In which a rotated refresh token still gets its successor.
    pub grace: Duration,
    /// Of a session, however often it is refreshed.
    pub session: Duration,
    /// Of a code sent by SMS, and of what waits for it.
    pub otp: Duration,
    /// Of a link that proves an address.
    pub link: Duration,
    /// Of the permission to set a new password, by a code or by a link.
    pub reset: Duration,
}

impl Lifetimes {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self {
            access: r.span("ACCESS_TTL", Duration::from_secs(15 * MINUTE)),
            refresh: r.span("REFRESH_TTL", Duration::from_secs(7 * DAY)),
            grace: r.span("REFRESH_GRACE", Duration::from_secs(30)),
            session: r.span("SESSION_TTL", Duration::from_secs(30 * DAY)),
            otp: r.span("OTP_TTL", Duration::from_secs(10 * MINUTE)),
            link: r.span("LINK_TTL", Duration::from_secs(60 * MINUTE)),
            reset: r.span("RESET_TTL", Duration::from_secs(15 * MINUTE)),
        }
    }

    /// What the spans can't know of each other.
    pub(super) fn check(&self, r: &mut Reader) {
        if self.access < Duration::from_secs(1) {
            r.problem("ACCESS_TTL", "must be a second or more: tokens know no shorter time");
        }
        if self.access > self.session {
            r.problem("ACCESS_TTL", "must not be longer than SESSION_TTL");
        }
        if self.grace >= self.refresh {
            r.problem("REFRESH_GRACE", "must be shorter than REFRESH_TTL");
        }
    }
}
