//! File descriptors. Each connection takes one, and the process needs some for other purposes.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The number of descriptors that are kept for the database, files, mails and calls to other services.
const RESERVED: u64 = 96;

/// Returns how many of the `wanted` connections the process may open, at least 1. First raises the limit of the process
/// (`ulimit -n`) as far as needed and as far as the system allows. Logs a warning if some connections don't fit.
pub fn room_for(wanted: usize) -> usize {
    let Some(allowed) = raise_limit(wanted as u64 + RESERVED) else { return wanted };
    let left = usize::try_from(allowed.saturating_sub(RESERVED)).unwrap_or(usize::MAX).max(1);
    if left < wanted {
        tracing::warn!(connections = left, wanted, "fewer connections than MAX_CONNECTIONS: ulimit -n is small");
    }
    left.min(wanted)
}

/// Raises the limit to `needed` if it is lower. Returns the number of descriptors that the process may have, or `None`
/// if there is no limit.
fn raise_limit(needed: u64) -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current?;
    let target = needed.min(maximum.unwrap_or(u64::MAX));
    if target <= current {
        return Some(current);
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(target), maximum }) {
        Ok(()) => Some(target),
        Err(error) => {
            tracing::debug!(%error, "the limit of file descriptors can't be raised");
            Some(current)
        }
    }
}
