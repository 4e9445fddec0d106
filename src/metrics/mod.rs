//! Numbers for operators, as Prometheus reads them. Names, labels and what they say of a shop's health are described in
//! `docs/operations.md`, and `docs/monitoring/` has a dashboard and alerts made of them.

mod calls;
mod format;
mod process;

use std::fmt;

use prometheus_client::{
    encoding::text::encode_registry,
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};

use self::process::Process;
pub use self::{calls::Calls, format::Format};

/// Things that have one name each.
type Named<M> = Family<[(&'static str, &'static str); 1], M>;

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    /// What Prometheus calls the same for every program.
    common: Registry,
    /// Passwords hashed or compared: what a sign-in costs.
    pub bcrypt_jobs: Counter,
    /// Where the catalogue was read.
    pub catalogue_reads: CacheReads,
    /// Answers, by what was called and how long it took.
    pub calls: Calls,
    /// What is held for callers at this moment.
    pub held: Held,
    /// Calls that were refused because there was too much to do.
    pub refused: Refused,
    /// State that is looked at when somebody asks for the numbers.
    pub state: State,
    limits: Named<Counter>,
    rounds: Named<Gauge>,
}

/// Reads that could have been answered from memory.
#[derive(Debug, Clone)]
pub struct CacheReads {
    /// Were.
    pub hits: Counter,
    /// Went to the database, and were kept if there was something to keep.
    pub misses: Counter,
    /// Were answered with an old copy, because the database was away.
    pub stale: Counter,
    /// Went to the database, because the cache is off or may not be trusted at the moment.
    pub bypassed: Counter,
}

/// What is held for callers.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// Connections that are open.
    pub connections: Gauge,
    /// Requests under way, abandoned ones included.
    pub requests: Gauge,
    /// Bytes of bodies in memory.
    pub body_bytes: Gauge,
}

/// Calls that were refused, by what there was too little of.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Places for connections.
    pub connections: Counter,
    /// Places for requests.
    pub requests: Counter,
    /// Room for bodies.
    pub bodies: Counter,
    /// Connections to the database.
    pub database: Counter,
    /// Time of the hashing threads.
    pub hashing: Counter,
}

/// State that others keep.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Connections to the database in use.
    pub pool_in_use: Gauge,
    /// Calls that wait for one.
    pub pool_waiting: Gauge,
    /// Jobs before the hashing threads.
    pub hashing_jobs: Gauge,
    /// Copies of the catalogue in memory.
    pub cache_entries: Gauge,
    /// Mails that wait, as far as the database told.
    pub outbox_waiting: Gauge,
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let mut all = Registry::with_prefix("myspares");
        let bcrypt_jobs = Counter::default();
        all.register("bcrypt_jobs", "Passwords hashed or compared", bcrypt_jobs.clone());
        all.register("build", "The version that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let (limits, rounds) = (Named::default(), Named::default());
        all.register("limits_reached", "Calls refused because something was done too often", limits.clone());
        let last = "When a worker of this process last had nothing left to do or had done a part, in Unix seconds";
        all.register("worker_last_round_timestamp_seconds", last, rounds.clone());
        let mut common = Registry::default();
        common.register_collector(Box::new(Process));
        Self {
            catalogue_reads: CacheReads::registered(&mut all),
            calls: Calls::registered(&mut all),
            held: Held::registered(&mut all),
            refused: Refused::registered(&mut all),
            state: State::registered(&mut all),
            registry: all,
            common,
            bcrypt_jobs,
            limits,
            rounds,
        }
    }

    /// A limit was reached.
    pub fn limit_reached(&self, name: &'static str) {
        self.limits.get_or_create(&[("limit", name)]).inc();
    }

    /// A worker has done a round, at this Unix time in seconds.
    pub fn worked(&self, worker: &'static str, at: i64) {
        self.rounds.get_or_create(&[("worker", worker)]).set(at);
    }

    /// The numbers as text.
    pub fn text(&self, format: Format) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &self.common)?;
        format.finish(text)
    }
}

impl CacheReads {
    /// Counters at zero, shown by `registry`.
    pub fn registered(registry: &mut Registry) -> Self {
        let reads = Named::<Counter>::default();
        registry.register("catalogue_reads", "Reads of the catalogue, by what its cache did for them", reads.clone());
        let count = |outcome| reads.get_or_create(&[("cache", outcome)]).clone();
        Self { hits: count("hit"), misses: count("miss"), stale: count("stale"), bypassed: count("bypass") }
    }
}

impl Held {
    fn registered(registry: &mut Registry) -> Self {
        let held = Self::default();
        registry.register("connections_open", "Connections of callers", held.connections.clone());
        registry.register("requests_in_flight", "Requests under way, abandoned ones included", held.requests.clone());
        registry.register("request_body_bytes", "Bytes of bodies in memory", held.body_bytes.clone());
        held
    }
}

impl Refused {
    fn registered(registry: &mut Registry) -> Self {
        let refused = Named::<Counter>::default();
        registry.register("refused", "Calls and connections refused, by what there was too little of", refused.clone());
        let count = |what| refused.get_or_create(&[("bound", what)]).clone();
        Self {
            connections: count("connections"),
            requests: count("requests"),
            bodies: count("bodies"),
            database: count("database"),
            hashing: count("hashing"),
        }
    }
}

impl State {
    fn registered(registry: &mut Registry) -> Self {
        let state = Self::default();
        let mut show = |name: &str, help: &str, gauge: &Gauge| registry.register(name, help, gauge.clone());
        show("database_connections_in_use", "Connections to the database in use", &state.pool_in_use);
        show("database_calls_waiting", "Calls that wait for a connection to the database", &state.pool_waiting);
        show("hashing_jobs", "Passwords that wait for a hashing thread or are at one", &state.hashing_jobs);
        show("catalogue_cache_entries", "Copies of the catalogue in memory", &state.cache_entries);
        show("outbox_mails", "Mails that wait to be sent", &state.outbox_waiting);
        state
    }
}
