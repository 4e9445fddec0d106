//! Addresses of callers, behind proxies or not.

use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv6Net};

/// Whom a call comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The address: the caller's, or that of the last proxy whose caller is unknown.
    pub ip: IpAddr,
    /// Whether the address is the caller's. Callers whose proxy doesn't say who they are share one address, so they are
    /// not counted by it.
    pub is_known: bool,
}

/// An address, or a network around it, as calls are counted: so many times the rate that one address has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Net {
    /// The address or network as text.
    pub name: String,
    /// Factor by which the rate of one address is multiplied.
    pub width: u32,
}

impl Client {
    /// Returns the address a call comes from: the peer's or, when the peer is one of our proxies, the right-most hop of
    /// `X-Forwarded-For` that isn't. What stands further left was written by the caller and proves nothing.
    pub fn behind(peer: IpAddr, forwarded_for: &str, trusted: &[IpNet]) -> Self {
        let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
        let mut ip = peer.to_canonical();
        for hop in forwarded_for.rsplit(',').map(str::trim).filter(|hop| !hop.is_empty()) {
            if !is_trusted(&ip) {
                break;
            }
            let Some(before) = hop_address(hop) else { return Self { ip, is_known: false } };
            ip = before;
        }
        Self { ip, is_known: true }
    }

    /// Returns the networks that a call of this caller counts for. An IPv4 address stands for itself. A household has an
    /// IPv6 /64, some have a /56, and a site has a /48 (RFC 6177): each may do four times as much as the one inside it.
    pub fn nets(self) -> Vec<Net> {
        match self.ip {
            _ if !self.is_known => Vec::new(),
            IpAddr::V4(ip) => vec![Net { name: ip.to_string(), width: 1 }],
            IpAddr::V6(ip) => [(64, 1), (56, 4), (48, 16)]
                .map(|(prefix, width)| Net { name: Ipv6Net::new_assert(ip, prefix).trunc().to_string(), width })
                .to_vec(),
        }
    }
}

/// One hop of `X-Forwarded-For`. Some proxies add the port, write IPv6 in brackets, or quote both (RFC 7239, section 6).
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim_matches('"');
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let without_zone = bare.split_once('%').map_or(bare, |(address, _)| address);
    let with_port = || hop.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    without_zone.parse().ok().or_else(with_port).map(|ip: IpAddr| ip.to_canonical())
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

    fn behind(peer: &str, forwarded: &str) -> (String, bool) {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().expect("a net"), "2001:db8:f::/48".parse().expect("a net")];
        let client = Client::behind(ip(peer), forwarded, &trusted);
        (client.ip.to_string(), client.is_known)
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        for (peer, forwarded, client) in [
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1,, ", "198.51.100.1"),
            ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("203.0.113.9", "junk", "203.0.113.9"),
        ] {
            assert_eq!(behind(peer, forwarded), (client.to_owned(), true), "{peer} {forwarded}");
        }
    }

    #[test]
    fn hops_are_read_as_proxies_write_them() {
        for (hop, client) in [
            ("203.0.113.5:51234", "203.0.113.5"),
            ("[2001:db8::7]:443", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("\"203.0.113.5:51234\"", "203.0.113.5"),
            ("\"[2001:db8::7]:443\"", "2001:db8::7"),
            ("fe80::1%eth0", "fe80::1"),
            ("::ffff:203.0.113.5", "203.0.113.5"),
        ] {
            assert_eq!(behind("10.0.0.1", hop), (client.to_owned(), true), "{hop}");
        }
    }

    #[test]
    fn callers_whose_proxy_hides_them_are_not_counted_as_one() {
        for hop in ["unknown", "_hidden", "1.2.3", "203.0.113.5:99999", "1.1.1.1, junk"] {
            assert_eq!(behind("10.0.0.1", hop), ("10.0.0.1".to_owned(), false), "{hop}");
        }
        assert!(Client { ip: ip("10.0.0.1"), is_known: false }.nets().is_empty());
    }

    #[test]
    fn a_household_and_its_provider_are_counted() {
        let nets = |text: &str| Client { ip: ip(text), is_known: true }.nets();
        let of = |text: &str, at: usize| nets(text)[at].name.clone();
        assert_eq!(of("2001:db8:1:2:3:4:5:6", 0), of("2001:db8:1:2::9", 0));
        assert_ne!(of("2001:db8:1:3::1", 0), of("2001:db8:1:2::1", 0));
        assert_eq!(of("2001:db8:1:3::1", 1), of("2001:db8:1:2::1", 1));
        assert_ne!(of("2001:db8:1:103::1", 1), of("2001:db8:1:3::1", 1));
        assert_eq!(of("2001:db8:1:103::1", 2), of("2001:db8:1:3::1", 2));
        assert_eq!(nets("2001:db8::1").iter().map(|net| net.width).collect::<Vec<_>>(), [1, 4, 16]);
        assert_eq!(nets("203.0.113.9"), [Net { name: "203.0.113.9".to_owned(), width: 1 }]);
    }
}
