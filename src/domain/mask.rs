//! Personal data as it may stand in a log line.

/// `+919876540010` becomes `+91******0010`: what is left tells two lines apart, not whom they are about.
pub fn phone(number: &str) -> String {
    let kept_head: String = number.chars().take(3).collect();
    let length = number.chars().count();
    if length <= 7 {
        return "*".repeat(length);
    }
    let kept_tail: String = number.chars().skip(length - 4).collect();
    format!("{kept_head}******{kept_tail}")
}

/// `203.0.113.57` becomes `203.0.113.x`, and of an IPv6 address the first four groups are left.
pub fn ip(address: &str) -> String {
    if let Some((network, _)) = address.rsplit_once('.') {
        return format!("{network}.x");
    }
    let groups: Vec<&str> = address.split(':').take(4).collect();
    if address.is_empty() { String::new() } else { format!("{}:x", groups.join(":")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_too_little_to_reach_anybody() {
        assert_eq!(phone("+919876540010"), "+91******0010");
        assert_eq!(phone("12345"), "*****");
        assert_eq!(ip("203.0.113.57"), "203.0.113.x");
        assert_eq!(ip("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2:x");
    }
}
