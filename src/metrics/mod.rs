//! Metrics for operators, in the formats of Prometheus.
//!
//! `docs/operations.md` describes their names and labels. `docs/monitoring/` has a dashboard and alerts.

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
pub use self::{calls::Calls, format::MetricsFormat};

/// A metric with one label.
type LabelledMetric<M> = Family<[(&'static str, &'static str); 1], M>;

/// All metrics.
pub struct Metrics {
    registry: Registry,
    /// The metrics that have the same names in every program, without the prefix `myspares`.
    common: Registry,
    /// Passwords that were hashed or compared.
    pub bcrypt_jobs: Counter,
    /// Reads of the catalogue.
    pub catalogue_reads: CacheReads,
    /// Answers, by route and duration.
    pub calls: Calls,
    /// What is held for callers at this moment.
    pub held: HeldGauges,
    /// Calls and connections that were refused because the server was too busy.
    pub refused: RefusalCounters,
    /// Gauges that are updated when somebody asks for the metrics.
    pub state: State,
    limits: LabelledMetric<Counter>,
    rounds: LabelledMetric<Gauge>,
}

/// Reads of the catalogue, by what its cache did.
#[derive(Debug, Clone)]
pub struct CacheReads {
    /// Reads answered from memory.
    pub hits: Counter,
    /// Reads that asked the database and filled the cache.
    pub misses: Counter,
    /// Reads answered with an old copy, because the database was unavailable.
    pub stale: Counter,
    /// Reads that asked the database, because the cache is off or can't be trusted at the moment.
    pub bypassed: Counter,
}

/// What is held for callers.
#[derive(Debug, Clone, Default)]
pub struct HeldGauges {
    /// Open connections.
    pub connections: Gauge,
    /// Requests in progress, including those whose callers have left.
    pub requests: Gauge,
    /// Bytes of request bodies in memory.
    pub body_bytes: Gauge,
}

/// Calls and connections that were refused, by the limit that was reached.
#[derive(Debug, Clone)]
pub struct RefusalCounters {
    /// Too many open connections.
    pub connections: Counter,
    /// Too many requests in progress.
    pub requests: Counter,
    /// Too little memory for request bodies.
    pub bodies: Counter,
    /// Too long a wait for a connection to the database.
    pub database: Counter,
    /// Too long a wait for a hashing thread.
    pub hashing: Counter,
}

/// State of other parts of the app, which is copied here when somebody asks for the metrics.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Connections to the database in use.
    pub pool_in_use: Gauge,
    /// Calls that wait for a connection to the database.
    pub pool_waiting: Gauge,
    /// Jobs that wait for a hashing thread or run in one.
    pub hashing_jobs: Gauge,
    /// Copies of the catalogue in memory.
    pub cache_entries: Gauge,
    /// Mails that wait to be sent, at the last time when the database answered.
    pub outbox_waiting: Gauge,
}

impl Metrics {
    /// Creates the metrics with all counters at zero.
    pub fn new() -> Self {
        let mut all = Registry::with_prefix("myspares");
        let bcrypt_jobs = Counter::default();
        all.register("bcrypt_jobs", "Passwords hashed or compared", bcrypt_jobs.clone());
        all.register("build", "The version that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let (limits, rounds) = (LabelledMetric::default(), LabelledMetric::default());
        all.register("limits_reached", "Calls refused because something was done too often", limits.clone());
        let rounds_help =
            "When a worker of this process last had nothing left to do or had done a part, in Unix seconds";
        all.register("worker_last_round_timestamp_seconds", rounds_help, rounds.clone());
        let mut common = Registry::default();
        common.register_collector(Box::new(Process));
        Self {
            catalogue_reads: CacheReads::registered(&mut all),
            calls: Calls::registered(&mut all),
            held: HeldGauges::registered(&mut all),
            refused: RefusalCounters::registered(&mut all),
            state: State::registered(&mut all),
            registry: all,
            common,
            bcrypt_jobs,
            limits,
            rounds,
        }
    }

    /// Counts a call that was refused by the rate limit `name`.
    pub fn limit_reached(&self, name: &'static str) {
        self.limits.get_or_create(&[("limit", name)]).inc();
    }

    /// Notes that a worker has finished a round at the Unix time `at`, in seconds.
    pub fn record_round(&self, worker: &'static str, at: i64) {
        self.rounds.get_or_create(&[("worker", worker)]).set(at);
    }

    /// Returns all metrics as text.
    pub fn text(&self, format: MetricsFormat) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &self.common)?;
        format.finish(text)
    }
}

impl CacheReads {
    /// Creates counters at zero and adds them to `registry`.
    pub fn registered(registry: &mut Registry) -> Self {
        let reads = LabelledMetric::<Counter>::default();
        registry.register("catalogue_reads", "Reads of the catalogue, by what its cache did for them", reads.clone());
        let count = |outcome| reads.get_or_create(&[("cache", outcome)]).clone();
        Self { hits: count("hit"), misses: count("miss"), stale: count("stale"), bypassed: count("bypass") }
    }
}

impl HeldGauges {
    fn registered(registry: &mut Registry) -> Self {
        let held = Self::default();
        registry.register("connections_open", "Connections of callers", held.connections.clone());
        registry.register("requests_in_flight", "Requests under way, abandoned ones included", held.requests.clone());
        registry.register("request_body_bytes", "Bytes of bodies in memory", held.body_bytes.clone());
        held
    }
}

impl RefusalCounters {
    fn registered(registry: &mut Registry) -> Self {
        let refused = LabelledMetric::<Counter>::default();
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
        let mut register = |name: &str, help: &str, gauge: &Gauge| registry.register(name, help, gauge.clone());
        register("database_connections_in_use", "Connections to the database in use", &state.pool_in_use);
        register("database_calls_waiting", "Calls that wait for a connection to the database", &state.pool_waiting);
        register("hashing_jobs", "Passwords that wait for a hashing thread or are at one", &state.hashing_jobs);
        register("catalogue_cache_entries", "Copies of the catalogue in memory", &state.cache_entries);
        register("outbox_mails", "Mails that wait to be sent", &state.outbox_waiting);
        state
    }
}
