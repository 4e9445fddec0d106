//! The actions that are limited, how often each may be done, and the message for callers who do it more often.

use std::{str::FromStr, time::Duration};

/// A rate: at most `count` times in any span of time as long as `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How often the action may be done.
    pub count: u32,
    /// Length of the span. The span is a sliding one: each action counts for this long after it was done.
    pub window: Duration,
}

/// The error for a text that is neither a count and a span, such as `20/1h`, nor a count per hour, such as `20`. A
/// count must be between 1 and 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a count and a span such as 20/1h, or a count an hour")]
pub struct InvalidRate;

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (count, window) = text.split_once('/').unwrap_or((text, "1h"));
        let count = count.trim().parse().ok().filter(|count| (1..=10_000).contains(count)).ok_or(InvalidRate)?;
        let window = humantime::parse_duration(window.trim()).map_err(|_| InvalidRate)?;
        if window.is_zero() { Err(InvalidRate) } else { Ok(Self { count, window }) }
    }
}

impl Rate {
    /// Returns the rate with its count multiplied by `width`, for a network that stands for many callers.
    pub fn widened(self, width: u32) -> Self {
        Self { count: self.count.saturating_mul(width), ..self }
    }

    /// Returns the rate with its count multiplied by `scale` and rounded up; `None` if `scale` is 0 or less, which
    /// switches limits off.
    pub fn scaled(self, scale: f64) -> Option<Self> {
        if scale <= 0.0 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float's cast saturates")]
        let count = (f64::from(self.count) * scale).ceil().max(1.0) as u32;
        Some(Self { count, ..self })
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $variable:literal, $count:literal / $seconds:literal, $message:literal;)+) => {
        /// An action that is limited.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action { $($(#[$doc])* $name),+ }

        impl Action {
            /// All actions.
            pub const ALL: &'static [Action] = &[$(Self::$name),+];

            /// Returns the name of the environment variable that sets the rate.
            pub const fn variable(self) -> &'static str {
                match self { $(Self::$name => $variable),+ }
            }

            /// Returns the rate that applies if the variable isn't set.
            pub const fn default_rate(self) -> Rate {
                match self { $(Self::$name => Rate { count: $count, window: Duration::from_secs($seconds) }),+ }
            }

            /// Returns the message for callers who exceed the rate.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message),+ }
            }
        }
    };
}

actions! {
    /// Sign-ups from one address.
    Register = "LIMIT_REGISTER", 20 / 3600, "too many sign-ups from here, try again later";
    /// Failed sign-ins to one account from one address.
    SignIn = "LIMIT_SIGN_IN", 10 / 900, "too many failed sign-ins, try again later";
    /// Failed sign-ins from one address.
    SignInAddress = "LIMIT_SIGN_IN_ADDRESS", 50 / 900, "too many failed sign-ins from here, try again later";
    /// Failed sign-ins to one account from anywhere.
    SignInAccount = "LIMIT_SIGN_IN_ACCOUNT", 100 / 900, "too many failed sign-ins to this account, try again later";
    /// Wrong passwords when one session confirms an action with the account's password.
    Confirm = "LIMIT_CONFIRM", 10 / 900, "too many wrong passwords, try again later";
    /// New passwords that are checked and hashed for one account.
    SetPassword = "LIMIT_SET_PASSWORD", 20 / 3600, "too many new passwords, try again later";
    /// Names and e-mail addresses that one account asks for and that belong to another account already.
    Taken = "LIMIT_TAKEN", 20 / 3600, "too many tries, try again later";
    /// Pause between two codes that one address asks for, to one number for one purpose.
    OtpPause = "LIMIT_OTP_PAUSE", 1 / 30, "an OTP was sent a moment ago, wait before asking for another";
    /// Codes that one address asks for, to one number for one purpose.
    OtpNumber = "LIMIT_OTP_NUMBER", 5 / 3600, "too many OTPs for this number, try again later";
    /// Codes to one number for one purpose, from all addresses together.
    OtpNumberTotal = "LIMIT_OTP_NUMBER_TOTAL", 20 / 3600, "too many OTPs for this number, try again later";
    /// Codes asked for from one address.
    OtpAddress = "LIMIT_OTP_ADDRESS", 20 / 3600, "too many OTPs from here, try again later";
    /// Codes that the whole shop sends. This bounds what an attack can add to its SMS bill.
    OtpShop = "SMS_HOURLY_CAP", 500 / 3600, "no OTP can be sent at the moment, try again later";
    /// Wrong codes from one address.
    OtpCheck = "LIMIT_OTP_CHECK", 50 / 900, "too many wrong OTPs from here, try again later";
    /// Searches of the whole catalogue from one address. A search whose answer is in the cache isn't counted.
    Search = "LIMIT_SEARCH", 120 / 60, "too many searches from here, try again in a moment";
    /// Pictures uploaded for one account.
    Photo = "LIMIT_PHOTO", 20 / 3600, "too many pictures, try again later";
    /// Mails per minute that one caller asks for; see the functions `take_…slots` in `mail`.
    MailMinute = "LIMIT_MAIL_MINUTE", 1 / 60, "a mail was sent a moment ago, wait a minute";
    /// Mails per hour that one caller asks for, counted like [`Action::MailMinute`].
    MailHour = "LIMIT_MAIL_HOUR", 5 / 3600, "too many mails, try again later";
    /// Mails to one recipient, and mails to get back into one account, from all callers together.
    MailTotal = "LIMIT_MAIL_TOTAL", 20 / 3600, "too many mails, try again later";
    /// Notices to an e-mail address that its account has never proven. It may belong to somebody else.
    MailNotice = "LIMIT_MAIL_NOTICE", 5 / 3600, "too many mails, try again later";
    /// Searches for an account from one address, by callers who can't sign in, per minute.
    ForgotMinute = "LIMIT_FORGOT_MINUTE", 5 / 60, "too many tries from here, wait a minute";
    /// Searches for an account from one address, by callers who can't sign in, per day.
    ForgotDay = "LIMIT_FORGOT_DAY", 30 / 86_400, "too many tries from here today";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_scaled() {
        let hourly = Rate { count: 20, window: Duration::from_secs(3600) };
        assert_eq!("20/1h".parse(), Ok(hourly));
        assert_eq!("20".parse(), Ok(hourly));
        assert_eq!(hourly.scaled(0.5).map(|rate| rate.count), Some(10));
        assert_eq!(hourly.scaled(0.001).map(|rate| rate.count), Some(1));
        assert_eq!(hourly.scaled(0.0), None);
        for bad in ["", "0/1h", "20/0s", "x/1h", "20/soon", "99999/1h"] {
            assert_eq!(bad.parse::<Rate>(), Err(InvalidRate), "{bad}");
        }
    }
}
