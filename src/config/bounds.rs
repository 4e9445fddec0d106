//! What the server holds for its callers at once, and for how long it waits for them. Each of these is what a stranger
//! could otherwise make the server spend without end.

use std::time::Duration;

use super::{AppEnv, reader::Reader};

/// Bounds of connections, requests and bodies.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at once. Each takes a file descriptor, so the process takes fewer where its `ulimit -n` is small.
    pub connections: usize,
    /// Connections of one address at once: an office behind one address has some, an attack has many.
    pub connections_of_address: usize,
    /// Requests at once, with those whose caller has left and which go on to their end. A quarter is kept for callers who
    /// are signed in.
    pub requests: usize,
    /// Requests of one address at once, behind a trusted proxy too.
    pub requests_of_address: usize,
    /// Bytes of bodies in memory at once; one address may have a quarter of it.
    pub body_bytes: usize,
    /// Requests at once on one HTTP/2 connection. hyper by itself sets no bound.
    pub streams: u32,
    /// Bytes of the head of a request.
    pub header_bytes: u32,
    /// From the opening of a connection to its first byte, and from the first byte of a head to its end.
    pub header_time: Duration,
    /// For which a connection may stay open between two requests.
    pub idle_time: Duration,
    /// For which a caller may keep the server waiting for a body, and then for the answer to be taken, beyond the time
    /// that its bytes take at the least rate.
    pub patience: Patience,
    /// For which everything is still served after the order to stop, so that a balancer can look elsewhere.
    pub drain_time: Duration,
}

/// How long the other side may stall.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// In a row, or in all while it is slower than the rate.
    pub limit: Duration,
    /// Bytes a second; who moves fewer is stalling.
    pub rate: u32,
}

impl Bounds {
    pub(super) fn read(r: &mut Reader, app_env: AppEnv) -> Self {
        let drain_time = if app_env == AppEnv::Production { Duration::from_secs(5) } else { Duration::ZERO };
        Self {
            connections: count(r, "MAX_CONNECTIONS", 2048),
            connections_of_address: count(r, "MAX_CONNECTIONS_ADDRESS", 256),
            requests: count(r, "MAX_REQUESTS", 1024),
            requests_of_address: count(r, "MAX_REQUESTS_ADDRESS", 256),
            body_bytes: 1024 * 1024 * count(r, "MAX_BODIES_MB", 48),
            streams: r.parsed("MAX_STREAMS", 100, "a number from 1 to 1000", |text| {
                text.parse().ok().filter(|streams| (1..=1000).contains(streams))
            }),
            header_bytes: r.parsed("MAX_HEADER_BYTES", 32 * 1024, "a number from 8192 to 1048576", |text| {
                text.parse().ok().filter(|bytes| (8192..=1024 * 1024).contains(bytes))
            }),
            header_time: r.span("HEADER_TIME", Duration::from_secs(10)),
            idle_time: r.span("IDLE_TIME", Duration::from_secs(75)),
            patience: Patience {
                limit: r.span("STALL_TIME", Duration::from_secs(20)),
                rate: r.parsed("MIN_RATE", 1024, "a number of bytes a second from 1", |text| {
                    text.parse().ok().filter(|rate| *rate > 0)
                }),
            },
            drain_time: r.span_or_none("DRAIN_TIME", drain_time),
        }
    }
}

fn count(r: &mut Reader, name: &'static str, default: usize) -> usize {
    r.parsed(name, default, "a number from 1 to 1000000", |text| {
        text.parse().ok().filter(|count| (1..=1_000_000).contains(count))
    })
}
