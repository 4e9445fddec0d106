//! Network addresses of callers, who may be behind proxies.

use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv6Net};

/// The network address from which a call comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The caller's address. If a trusted proxy names no readable address for its caller, the address of that proxy.
    pub ip: IpAddr,
    /// Whether the address is the caller's. False if it is the address of a proxy, which several callers share; they
    /// are then not counted by address.
    pub is_known: bool,
}

/// An address, or a network around an address, for which calls are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Net {
    /// The address or network as text.
    pub name: String,
    /// Factor by which the rate of a single address is multiplied.
    pub width: u32,
}

impl Client {
    /// Finds the address from which a call comes. `peer` is the other end of the connection, and `trusted` lists our
    /// own proxies.
    ///
    /// If the peer is one of our proxies, the caller is the right-most address in `X-Forwarded-For` that isn't one.
    /// Everything further left was sent by the caller and proves nothing. For example, with `10.0.0.0/8` trusted:
    ///
    /// | Peer | `X-Forwarded-For` | Caller |
    /// |---|---|---|
    /// | `203.0.113.9` | `198.51.100.1` | `203.0.113.9`, since the peer isn't trusted |
    /// | `10.0.0.1` | `1.1.1.1, 198.51.100.1, 10.9.9.9` | `198.51.100.1` |
    /// | `10.0.0.1` | `unknown` | unknown; the address is that of the proxy, `10.0.0.1` |
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

    /// Returns the networks for which a call of this caller is counted; none if the caller is unknown. An IPv4 address
    /// is counted alone. An IPv6 address is counted for its /64, which is one household, its /56, which some households
    /// have, and its /48, which is a site (RFC 6177). Each of these networks has four times the rate of the one inside
    /// it.
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

/// Reads one address of `X-Forwarded-For`; `None` if it isn't an address. Some proxies add the port, write IPv6 in
/// brackets, or put quotes around both (RFC 7239, section 6).
fn hop_address(hop: &str) -> Option<IpAddr> {
    let unquoted = hop.trim_matches('"');
    let without_brackets = unquoted.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(unquoted);
    let without_zone = without_brackets.split_once('%').map_or(without_brackets, |(address, _)| address);
    let with_port = || unquoted.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    without_zone.parse().ok().or_else(with_port).map(|ip: IpAddr| ip.to_canonical())
}

/// Removes the scheme's default port from an authority: over `https`, `shop.example:443` becomes `shop.example` (RFC
/// 6454, section 6.2).
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
