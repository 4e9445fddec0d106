//! Masks for personal data in log lines, and in answers to callers who may not see the data itself.

use std::net::IpAddr;

/// Masks a phone number: `+919876540010` becomes `+91******0010`. The rest is enough to distinguish two log lines, but
/// not to call the number. Numbers of up to seven characters are masked whole.
pub fn phone(number: &str) -> String {
    let kept_head: String = number.chars().take(3).collect();
    let length = number.chars().count();
    if length <= 7 {
        return "*".repeat(length);
    }
    let kept_tail: String = number.chars().skip(length - 4).collect();
    format!("{kept_head}******{kept_tail}")
}

/// Masks an e-mail address: `john@example.com` becomes `j***@example.com`, by which its owner still recognises it.
pub fn email(address: &str) -> String {
    let (name, domain) = address.split_once('@').unwrap_or((address, ""));
    format!("{}***@{domain}", name.chars().next().unwrap_or('*'))
}

/// Masks a name: `asha` becomes `a***`.
pub fn name(name: &str) -> String {
    format!("{}***", name.chars().next().unwrap_or('*'))
}

/// Masks a network address: `203.0.113.57` becomes `203.0.113.x`. An IPv6 address keeps its first three groups, which
/// name a site, not a household.
pub fn ip(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.x")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:x")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_too_little_to_reach_anybody() {
        assert_eq!(phone("+919876540010"), "+91******0010");
        assert_eq!(phone("12345"), "*****");
        assert_eq!(email("john@example.com"), "j***@example.com");
        assert_eq!(name("Asha"), "A***");
        let masked = |text: &str| ip(text.parse().expect("an address"));
        assert_eq!(masked("203.0.113.57"), "203.0.113.x");
        assert_eq!(masked("::ffff:203.0.113.57"), "203.0.113.x");
        assert_eq!(masked("2001:db8::57"), "2001:db8:0:x");
        assert_eq!(masked("::1"), "0:0:0:x");
    }
}
