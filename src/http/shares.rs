//! Limited amounts that all callers share: connections, requests and bytes of bodies.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnet::Ipv6Net;
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

/// The unit by which shares are counted: an IPv4 address, or an IPv6 /64, which one household has (RFC 6177).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Household(IpAddr);

impl Household {
    /// Returns the household of an address. An IPv4 address in IPv6 form counts as IPv4.
    pub fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V6(ip) => Self(Ipv6Net::new_assert(ip, 64).network().into()),
            ip => Self(ip),
        }
    }
}

/// A limited amount, and how much of it is in use.
pub struct Shares {
    total: usize,
    /// When this much is in use, strangers get no more. Known callers do, up to the total.
    limit_for_strangers: usize,
    /// The maximum for one household.
    limit_per_household: usize,
    usage: Mutex<Usage>,
    gauges: ShareGauges,
}

/// The metrics of a limited amount.
#[derive(Debug, Default)]
pub struct ShareGauges {
    /// The amount in use.
    pub in_use: Gauge,
    /// The number of refusals.
    pub refused: Counter,
}

#[derive(Default)]
struct Usage {
    total: usize,
    by_household: HashMap<Household, usize>,
}

/// A part of a limited amount. It is in use until this value is dropped.
pub struct Share {
    shares: Arc<Shares>,
    household: Option<Household>,
    amount: usize,
}

/// The error when too little is left, at least for this caller.
#[derive(Debug, thiserror::Error)]
#[error("too much is asked for at the moment")]
pub struct NothingLeft;

impl Shares {
    /// Creates an amount of `total`. Strangers can't use the last `kept_from_strangers` of it, and one household can
    /// use `limit_per_household` at most.
    pub fn new(total: usize, kept_from_strangers: usize, limit_per_household: usize, gauges: ShareGauges) -> Arc<Self> {
        let limit_for_strangers = total.saturating_sub(kept_from_strangers);
        Arc::new(Self { total, limit_for_strangers, limit_per_household, usage: Mutex::default(), gauges })
    }

    /// Takes a part for a household. A caller without a household counts only in the total. `is_known` tells whether
    /// the caller is signed in. It is called only when a stranger would be refused.
    pub fn take(
        self: &Arc<Self>,
        household: Option<Household>,
        amount: usize,
        is_known: impl FnOnce() -> bool,
    ) -> Result<Share, NothingLeft> {
        let mut share = self.empty_share(household);
        share.grow(amount, is_known)?;
        Ok(share)
    }

    /// Returns an empty share that can grow later.
    pub fn empty_share(self: &Arc<Self>, household: Option<Household>) -> Share {
        Share { shares: Arc::clone(self), household, amount: 0 }
    }

    fn lock_usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Adds `amount` to the share. If too little is left, the share stays as it is and the refusal is counted.
    pub fn grow(&mut self, amount: usize, is_known: impl FnOnce() -> bool) -> Result<(), NothingLeft> {
        self.try_grow(amount, is_known).inspect_err(|_| {
            self.shares.gauges.refused.inc();
        })
    }

    fn try_grow(&mut self, amount: usize, is_known: impl FnOnce() -> bool) -> Result<(), NothingLeft> {
        if amount == 0 {
            return Ok(());
        }
        let mut usage = self.shares.lock_usage();
        let total = usage.total.saturating_add(amount);
        if total > self.shares.limit_for_strangers && (total > self.shares.total || !is_known()) {
            return Err(NothingLeft);
        }
        if let Some(household) = self.household {
            let own = usage.by_household.entry(household).or_default();
            if own.saturating_add(amount) > self.shares.limit_per_household {
                // The entry may have been created only for this check. An empty entry must not stay in the map.
                if *own == 0 {
                    usage.by_household.remove(&household);
                }
                return Err(NothingLeft);
            }
            *own += amount;
        }
        usage.total = total;
        self.shares.gauges.in_use.set(i64::try_from(total).unwrap_or(i64::MAX));
        self.amount += amount;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.amount == 0 {
            return;
        }
        let mut usage = self.shares.lock_usage();
        usage.total -= self.amount;
        self.shares.gauges.in_use.set(i64::try_from(usage.total).unwrap_or(i64::MAX));
        let Some(household) = self.household else { return };
        if let Some(own) = usage.by_household.get_mut(&household) {
            *own -= self.amount;
            if *own == 0 {
                usage.by_household.remove(&household);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Shares {
        fn is_unused(&self) -> bool {
            let usage = self.lock_usage();
            usage.total == 0 && usage.by_household.is_empty()
        }
    }

    fn household(text: &str) -> Option<Household> {
        Some(Household::of(text.parse().expect("an address")))
    }

    #[test]
    fn a_household_gets_its_part_and_not_more() {
        let shares = Shares::new(10, 0, 4, ShareGauges::default());
        let one = shares.take(household("2001:db8::1"), 3, || false).expect("a share");
        assert!(shares.take(household("2001:db8::2"), 2, || true).is_err(), "the same /64");
        let other = shares.take(household("2001:db8:0:1::1"), 4, || false).expect("a share");
        let mut nobody = shares.take(None, 3, || false).expect("a share");
        assert!(nobody.grow(1, || true).is_err(), "all is in use");
        drop((one, other));
        nobody.grow(5, || false).expect("room again");
        drop(nobody);
        assert!(shares.is_unused());
    }

    #[test]
    fn what_is_refused_leaves_nothing_behind() {
        let shares = Shares::new(10, 0, 1, ShareGauges::default());
        assert!(shares.take(household("192.0.2.1"), 2, || false).is_err());
        drop(shares.take(household("192.0.2.1"), 0, || false));
        assert!(shares.is_unused());
    }

    #[test]
    fn strangers_leave_a_part_to_those_who_are_known() {
        let shares = Shares::new(4, 1, 4, ShareGauges::default());
        let _strangers = shares.take(household("192.0.2.1"), 3, || unreachable!("not asked")).expect("a share");
        assert!(shares.take(household("192.0.2.2"), 1, || false).is_err());
        let _known = shares.take(household("192.0.2.2"), 1, || true).expect("a share");
        assert!(shares.take(household("192.0.2.2"), 1, || true).is_err());
    }
}
