//! Addresses of callers, behind proxies or not.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};

/// The address a call comes from: the peer's or, when the peer is one of our proxies, the right-most hop of
/// `X-Forwarded-For` that isn't. What stands further left was written by the caller and proves nothing.
pub fn client(peer: IpAddr, forwarded_for: &str, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let mut client = peer.to_canonical();
    for hop in forwarded_for.rsplit(',').map(str::trim) {
        if !is_trusted(&client) {
            break;
        }
        let Ok(before) = hop.parse::<IpAddr>() else { break };
        client = before.to_canonical();
    }
    client
}

/// Whom an address stands for when calls are counted: one IPv4 address, or the /64 that an IPv6 household has.
pub fn counted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => Ipv6Net::new_assert(ip, 64).trunc().to_string(),
    }
}

/// `shop.example:443` is `shop.example` over https (RFC 6454, section 6.2).
pub fn without_default_port<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let default = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(default).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().expect("a net"), "2001:db8::/32".parse().expect("a net")];
        let from = |peer, forwarded| client(ip(peer), forwarded, &trusted).to_string();
        assert_eq!(from("203.0.113.9", "198.51.100.1"), "203.0.113.9");
        assert_eq!(from("10.0.0.1", "198.51.100.1"), "198.51.100.1");
        assert_eq!(from("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.9.9.9"), "198.51.100.1");
        assert_eq!(from("10.0.0.1", "1.1.1.1, junk"), "10.0.0.1");
        assert_eq!(from("10.0.0.1", ""), "10.0.0.1");
        assert_eq!(from("::ffff:10.0.0.1", "198.51.100.1"), "198.51.100.1");
    }

    #[test]
    fn a_household_is_counted_once() {
        assert_eq!(counted(ip("2001:db8:1:2:3:4:5:6")), counted(ip("2001:db8:1:2::9")));
        assert_ne!(counted(ip("2001:db8:1:3::1")), counted(ip("2001:db8:1:2::1")));
        assert_eq!(counted(ip("203.0.113.9")), "203.0.113.9");
    }
}
