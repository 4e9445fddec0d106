//! One-time codes sent by SMS.

use std::fmt;

/// A code. Those that the shop makes have 6 digits, those of Twilio 4 to 10. `Debug` hides the digits.
#[derive(Clone, PartialEq, Eq)]
pub struct OtpCode(String);

impl OtpCode {
    /// Returns a code of 6 digits from the random bytes of the system. All million codes are equally likely.
    pub fn random() -> Result<Self, getrandom::Error> {
        /// The largest multiple of a million that fits. With the numbers above it, small codes would be more likely.
        const FAIR: u32 = u32::MAX - u32::MAX % 1_000_000;
        loop {
            let number = getrandom::u32()?;
            if number < FAIR {
                return Ok(Self(format!("{:06}", number % 1_000_000)));
            }
        }
    }

    /// Reads a code as somebody typed it. Returns `None` unless it has 4 to 10 ASCII digits, as the codes of Twilio do.
    pub fn parse(text: &str) -> Option<Self> {
        let is_code = (4..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_code.then(|| Self(text.to_owned()))
    }

    /// Returns the digits. Use them only to send and to compare the code.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OtpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OtpCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_six_digits_and_differ() {
        let codes: std::collections::HashSet<String> =
            (0..200).map(|_| OtpCode::random().expect("randomness").0).collect();
        assert!(codes.len() > 190 && codes.iter().all(|code| code.len() == 6 && OtpCode::parse(code).is_some()));
    }

    #[test]
    fn only_ascii_digits_are_a_code() {
        for bad in ["", "123", "12345678901", "12 345", "１２３４５６", "12345\n", "abcdef"] {
            assert!(OtpCode::parse(bad).is_none(), "{bad:?}");
        }
    }
}
