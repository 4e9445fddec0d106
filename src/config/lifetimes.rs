//! The lifetimes of tokens, sessions and codes.

use std::time::Duration;

use super::reader::Reader;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// The lifetimes of tokens, sessions and codes.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// The lifetime of an access token.
    pub access: Duration,
    /// The lifetime of a session that is not refreshed.
    pub refresh: Duration,
    /// The time after a rotation in which the old refresh token still gets its successor.
    pub grace: Duration,
    /// The maximum lifetime of a session, no matter how often it is refreshed.
    pub session: Duration,
    /// The lifetime of a code sent by SMS, and of a registration that waits for its code.
    pub otp: Duration,
    /// The lifetime of a link that proves an e-mail address.
    pub link: Duration,
    /// The lifetime of the permission to set a new password, by code or by link.
    pub reset: Duration,
}

impl Lifetimes {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            access: reader.duration("ACCESS_TTL", Duration::from_secs(15 * MINUTE)),
            refresh: reader.duration("REFRESH_TTL", Duration::from_secs(7 * DAY)),
            grace: reader.duration("REFRESH_GRACE", Duration::from_secs(30)),
            session: reader.duration("SESSION_TTL", Duration::from_secs(30 * DAY)),
            otp: reader.duration("OTP_TTL", Duration::from_secs(10 * MINUTE)),
            link: reader.duration("LINK_TTL", Duration::from_secs(60 * MINUTE)),
            reset: reader.duration("RESET_TTL", Duration::from_secs(15 * MINUTE)),
        }
    }

    /// Reports lifetimes that are too short or don't fit together.
    pub(super) fn check(&self, reader: &mut Reader) {
        if self.access < Duration::from_secs(1) {
            reader.problem("ACCESS_TTL", "must be a second or more: tokens know no shorter time");
        }
        if self.access > self.session {
            reader.problem("ACCESS_TTL", "must not be longer than SESSION_TTL");
        }
        if self.grace >= self.refresh {
            reader.problem("REFRESH_GRACE", "must be shorter than REFRESH_TTL");
        }
    }
}
