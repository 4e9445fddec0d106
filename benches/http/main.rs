//! Benchmarks of the server over HTTP. `make bench` runs them.
//!
//! Each scenario is compared with its floor. A floor is a minimal handler in the same framework that does only the work
//! that the call can't avoid (see `floor.rs`). The scenario and its floor run alternately, so a disturbance of the
//! machine affects both of them. The result is the median of the ratios. wrk generates the load. A second part measures
//! how the numbers change with the size of the catalogue, the number of connections and the length of the carts.
//!
//! The speed of a shared machine can change by a factor of two from one second to the next. Therefore there are many
//! short turns. `BENCH_ROUNDS` (default 11) sets their number and `BENCH_SECONDS` (default 1) sets their length.
//! `BENCH_ONLY` selects the scenarios whose name contains a text. The results are also written to
//! `target/bench/http.json`.
#![allow(clippy::print_stdout, reason = "it prints a table")]
#![allow(clippy::disallowed_methods, reason = "it fills the database and has settings of its own")]

mod fall;
mod floor;
mod growth;
mod lists;
mod load;
mod report;
mod scenarios;
mod search;
mod servers;
mod shop;
mod transfer;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use bson::doc;
use mongodb::{Client, Database};
use myspares::embedded::PrivateMongod;
use serde_json::json;

use self::{
    load::{Ask, Load},
    report::{Measured, Turn},
    scenarios::Scenario,
    servers::{Served, myspares, seed},
    shop::Shop,
};

const DATABASE: &str = "MySpares_db";
/// The number of connections that wrk keeps open.
const CONNECTIONS: u32 = 32;

/// The environment of the measurements: a mongod with a filled shop, and a folder for files.
struct Bench {
    folder: tempfile::TempDir,
    mongod: PrivateMongod,
    database: Database,
    rounds: usize,
    seconds: u32,
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg == "floor") {
        let sizes: Vec<usize> =
            args[at + 2].split(',').filter(|size| !size.is_empty()).map(|size| size.parse().expect("a size")).collect();
        let uri = args[at + 1].clone();
        tokio::task::spawn_blocking(move || floor::serve(&uri, DATABASE, &sizes)).await.expect("it serves");
        return;
    }
    // `cargo test --benches` runs every benchmark with this argument to check that it starts.
    if args.iter().any(|arg| arg == "--test") {
        return;
    }
    // The clients use plain HTTP. But they have TLS, because the server needs it in the same build.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let bench = Bench::start().await;
    let seeded = seed(bench.folder.path(), bench.mongod.uri(), 20_000, 1_000);
    println!("seeding 20,000 products and 1,000 users: {:.1} s (goal: under 60)\n", seeded.as_secs_f64());
    let mut measured = bench.scenarios().await;
    measured["seed_seconds"] = json!(seeded.as_secs_f64());
    if picked("search") {
        measured["search"] = search::measure(&bench).await;
    }
    if picked("lists") {
        measured["lists"] = lists::measure(&bench).await;
    }
    if picked("import") {
        measured["import"] = transfer::measure(&bench).await;
    }
    if std::env::var_os("BENCH_ONLY").is_none() {
        measured["growth"] = growth::measure(&bench).await;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench/http.json");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(&file, serde_json::to_string_pretty(&measured).expect("JSON")).expect("a file");
    println!("\nwritten to {}", file.display());
    bench.mongod.stop().await;
}

fn setting(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

impl Bench {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let named = std::env::var_os("MONGOD_BIN").filter(|name| !name.is_empty()).map(PathBuf::from);
        let mongod = PrivateMongod::start(&folder.path().join("db"), named.as_deref()).await.expect("a mongod");
        let database = Client::with_uri_str(mongod.uri()).await.expect("a client").database(DATABASE);
        let (rounds, seconds) = (setting("BENCH_ROUNDS", 11) as usize, setting("BENCH_SECONDS", 1));
        Self { folder, mongod, database, rounds, seconds }
    }

    fn server(&self, vars: &[(&str, &str)]) -> Served {
        let mut command = myspares(self.folder.path(), self.mongod.uri());
        command.envs(vars.iter().copied());
        Served::start(command)
    }

    fn floor(&self, sizes: &[usize]) -> Served {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        command.args(["floor", self.mongod.uri(), &sizes.join(",")]);
        Served::start(command)
    }

    async fn scenarios(&self) -> serde_json::Value {
        let (server, uncached) = (self.server(&[]), self.server(&[("CATALOG_CACHE_MB", "0")]));
        let shop = Shop::open(&self.database, &server).await;
        let (scenarios, sizes) = scenarios::all(&shop, &server).await;
        let floor = self.floor(&sizes);
        println!("{}", Measured::head());
        let mut all = Vec::new();
        for scenario in scenarios.into_iter().filter(|scenario| picked(scenario.name)) {
            let own = if scenario.uncached { &uncached } else { &server };
            let measured = self.alternate(scenario, own, &floor);
            println!("{}", measured.line());
            all.push(measured.json());
        }
        drop((uncached, floor));
        let logins = if picked("login") { scenarios::logins(self, &server) } else { json!(null) };
        let storm = if picked("storm") { scenarios::storm(self, &server, &shop) } else { json!(null) };
        let fall = if picked("fall") { fall::measure(self, &server, &shop).await } else { json!(null) };
        self.run(&server, &shop.products(), CONNECTIONS);
        let resident = server.resident();
        println!("\nresident after all of it: {:.0} MB (goal: under 130)", resident as f64 / 1e6);
        json!({ "scenarios": all, "login": logins, "storm": storm, "fall": fall, "resident_bytes": resident })
    }

    /// Measures a scenario and its floor alternately. The scenario goes first in one round and the floor in the next.
    fn alternate(&self, scenario: Scenario, server: &Served, floor: &Served) -> Measured {
        let Scenario { name, floor: floor_name, at_least, connections, asks, floor_asks, .. } = scenario;
        self.warm_up(server, &asks, connections);
        self.warm_up(floor, &floor_asks, connections);
        let mut turns = Vec::new();
        for round in 0..self.rounds {
            if round % 2 == 0 {
                let own = self.run(server, &asks, connections);
                turns.push((own, self.run(floor, &floor_asks, connections)));
            } else {
                let floor = self.run(floor, &floor_asks, connections);
                turns.push((self.run(server, &asks, connections), floor));
            }
        }
        Measured { name, floor: floor_name, at_least, turns }
    }

    /// Sends at least as many requests as there are in `asks`, to fill the cache and the connection pools.
    ///
    /// The cost of a cold start is not measured.
    fn warm_up(&self, served: &Served, asks: &[Ask], connections: u32) {
        let mut asked = 0.0;
        while asked < asks.len() as f64 {
            asked += load::run(self.folder.path(), &served.url, asks, connections, 1).requests;
        }
    }

    /// Returns the number of rounds for measurements that take longer than a turn.
    fn long_rounds(&self) -> usize {
        self.rounds.div_ceil(2)
    }

    /// Measures one turn of the usual length.
    fn run(&self, served: &Served, asks: &[Ask], connections: u32) -> Turn {
        self.run_for(served, asks, connections, self.seconds)
    }

    fn run_for(&self, served: &Served, asks: &[Ask], connections: u32, seconds: u32) -> Turn {
        let before = served.cpu();
        let load: Load = load::run(self.folder.path(), &served.url, asks, connections, seconds);
        let cpu_micros = (served.cpu() - before).as_secs_f64() * 1e6 / load.requests.max(1.0);
        Turn { load, cpu_micros, resident: served.resident() }
    }

    /// Deletes all documents of the database.
    async fn clear(&self) {
        for collection in self.database.list_collection_names().await.expect("names") {
            self.database.collection::<bson::Document>(&collection).delete_many(doc! {}).await.expect("a deletion");
        }
    }
}

fn picked(name: &str) -> bool {
    std::env::var("BENCH_ONLY").map_or(true, |only| name.contains(&only))
}
