//! Limits for what the server holds for its callers, and for how long it waits for them. Without these limits, a
//! stranger could use up all memory, connections or file descriptors.

use std::time::Duration;

use super::{AppEnv, reader::Reader};

/// Limits for connections, requests and bodies. An address is an IPv4 address or an IPv6 /64.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The maximum number of open connections. Each takes a file descriptor, so a small `ulimit -n` allows fewer.
    pub connections: usize,
    /// The maximum number of open connections of one address. Connections of trusted proxies are not counted here.
    pub connections_of_address: usize,
    /// The maximum number of requests in progress, including those that continue after their caller has left. A quarter
    /// is reserved for callers who are signed in.
    pub requests: usize,
    /// The maximum number of requests in progress of one address. Requests through a trusted proxy are counted too.
    pub requests_of_address: usize,
    /// The maximum number of bytes of bodies in memory. A quarter is reserved for callers who are signed in. One
    /// address may use half.
    pub body_bytes: usize,
    /// The maximum number of concurrent requests on one HTTP/2 connection. hyper sets no limit by itself.
    pub streams: u32,
    /// The maximum size of the head of a request in bytes.
    pub header_bytes: u32,
    /// The maximum time from the opening of a connection to its first byte, and then from the first byte of a head to
    /// its end.
    pub header_time: Duration,
    /// The maximum time for which a connection stays open between two requests.
    pub idle_time: Duration,
    /// The time for which a caller may stall while it sends a body, and again while it receives the answer.
    pub patience: Patience,
    /// The time for which everything is still served after the server is told to stop, so that a load balancer can send
    /// callers elsewhere.
    pub drain_time: Duration,
}

/// The time for which the other side may stall.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The maximum time of a stall. A transfer that is slower than the rate uses it up too.
    pub limit: Duration,
    /// The minimum rate in bytes per second.
    pub rate: u32,
}

impl Bounds {
    pub(super) fn read(reader: &mut Reader, app_env: AppEnv) -> Self {
        let default_drain_time = if app_env == AppEnv::Production { Duration::from_secs(5) } else { Duration::ZERO };
        Self {
            connections: count(reader, "MAX_CONNECTIONS", 2048),
            connections_of_address: count(reader, "MAX_CONNECTIONS_ADDRESS", 256),
            requests: count(reader, "MAX_REQUESTS", 1024),
            requests_of_address: count(reader, "MAX_REQUESTS_ADDRESS", 256),
            body_bytes: 1024 * 1024 * count(reader, "MAX_BODIES_MB", 48),
            streams: reader.number("MAX_STREAMS", 100, "number", 1..=1000),
            header_bytes: reader.number("MAX_HEADER_BYTES", 32 * 1024, "number", 8192..=1024 * 1024),
            header_time: reader.duration("HEADER_TIME", Duration::from_secs(10)),
            idle_time: reader.duration("IDLE_TIME", Duration::from_secs(75)),
            patience: Patience {
                limit: reader.duration("STALL_TIME", Duration::from_secs(20)),
                rate: reader.parsed("MIN_RATE", 1024, "a number of bytes a second from 1", |text| {
                    text.parse().ok().filter(|rate| *rate > 0)
                }),
            },
            drain_time: reader.duration_or_zero("DRAIN_TIME", default_drain_time),
        }
    }
}

fn count(reader: &mut Reader, name: &'static str, default: usize) -> usize {
    reader.number(name, default, "number", 1..=1_000_000)
}
