//! The scenarios and their floors.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    Bench, CONNECTIONS,
    load::{self, Ask},
    report::median,
    servers::Served,
    shop::{PASSWORD, Shop, phone, product_path},
};

/// The length of a turn of sign-ins in seconds.
///
/// Sign-ins that are not finished at the end of a turn do not count, so the turn must be long.
const SIGN_IN_SECONDS: u32 = 20;
/// The number of seconds for which reads are measured during a storm of sign-ins.
const STORM_SECONDS: u32 = 2;
/// The bcrypt cost of the measured server.
const COST: u32 = 10;

/// A kind of call and its floor.
pub struct Scenario {
    /// A short description of the scenario.
    pub name: &'static str,
    /// A short description of the floor.
    pub floor: &'static str,
    /// The goal for the ratio of the two throughputs, server to floor.
    pub at_least: f64,
    /// The number of simultaneous connections.
    pub connections: u32,
    /// Whether the cache of the catalogue is off.
    pub uncached: bool,
    /// The requests to the server.
    pub asks: Vec<Ask>,
    /// The requests to the floor.
    pub floor_asks: Vec<Ask>,
}

/// Returns all scenarios, and the sizes of the fixed bodies that the floors need.
pub async fn all(shop: &Shop, server: &Served) -> (Vec<Scenario>, Vec<usize>) {
    let hot = product_path(&shop.codes[shop.codes.len() / 2]);
    let category = hot.rsplitn(3, '/').last().expect("a list").to_owned() + "/";
    let (mut scenarios, mut sizes) = (Vec::new(), Vec::new());
    let reads = [
        ("product, all 20,000", shop.products(), hot.clone()),
        ("product, one", vec![Ask::get(hot.clone())], hot.clone()),
        ("products of a category (20)", vec![Ask::get(category.clone())], category),
        ("brands", vec![Ask::get("/api/utils/brands/")], "/api/utils/brands/".to_owned()),
    ];
    for (name, asks, sample) in reads {
        let (size, _) = look(server, &sample).await;
        let floor_asks = vec![Ask::get(format!("/static/{}", sizes.len()))];
        sizes.push(size);
        let floor = "static answer of that size";
        scenarios.push(Scenario {
            name,
            floor,
            at_least: 0.50,
            connections: CONNECTIONS,
            uncached: false,
            asks,
            floor_asks,
        });
    }
    let (_, tag) = look(server, &hot).await;
    scenarios.push(Scenario {
        name: "product, known already (304)",
        floor: "static answer of its size",
        at_least: 0.55,
        connections: CONNECTIONS,
        uncached: false,
        asks: vec![Ask { if_none_match: tag, ..Ask::get(hot) }],
        floor_asks: vec![Ask::get("/static/1")],
    });
    scenarios.push(Scenario {
        name: "product, cache off",
        floor: "find by code, typed JSON",
        at_least: 0.80,
        connections: CONNECTIONS,
        uncached: true,
        asks: shop.products(),
        floor_asks: shop.codes.iter().map(|code| Ask::get(format!("/product/{code}"))).collect(),
    });
    scenarios.extend(carts(shop));
    (scenarios, sizes)
}

fn carts(shop: &Shop) -> [Scenario; 2] {
    let read = shop.customers.iter().map(|customer| {
        let ask = Ask::get(format!("/api/client/{}/cart/", customer.id)).with_bearer(&customer.access);
        (ask, Ask::get("/cart").with_bearer(&customer.floor_access))
    });
    let add = shop.customers.iter().flat_map(|customer| {
        customer.products.iter().map(|product| {
            let path = format!("/api/client/{}/cart/add/{product}/", customer.id);
            let ask = Ask { method: "POST", body: "{\"quantity\":1}".to_owned(), ..Ask::get(path) };
            let floor = Ask { method: "POST", ..Ask::get(format!("/add/{product}")) };
            (ask.with_bearer(&customer.access), floor.with_bearer(&customer.floor_access))
        })
    });
    let (read, floor_read) = read.unzip();
    let (add, floor_add) = add.unzip();
    let scenario = |name, floor, asks, floor_asks| Scenario {
        name,
        floor,
        at_least: 0.80,
        connections: CONNECTIONS,
        uncached: false,
        asks,
        floor_asks,
    };
    [
        scenario("cart of 5 lines", "token, find, typed JSON", read, floor_read),
        scenario("cart/add", "token, update, find", add, floor_add),
    ]
}

/// Returns the size of a response's body and its entity tag.
async fn look(server: &Served, path: &str) -> (usize, String) {
    let client = reqwest::Client::builder().tls_certs_only([]).build().expect("a client");
    let answer = client.get(format!("{}{path}", server.url)).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    let tag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
    (answer.bytes().await.expect("a body").len(), tag)
}

/// Measures sign-ins. The floor only compares hashes of the same cost on all cores.
pub fn logins(bench: &Bench, server: &Served) -> Value {
    let body = |n: usize| json!({ "phone_number": phone(n), "password": PASSWORD }).to_string();
    let asks: Vec<Ask> =
        (0..200).map(|n| Ask { method: "POST", body: body(n), ..Ask::get("/api/auth/login/") }).collect();
    let mut ratios = Vec::new();
    let mut rates = Vec::new();
    for _ in 0..bench.long_rounds() {
        let own = bench.run_for(server, &asks, 16, SIGN_IN_SECONDS).load;
        assert!(own.errors == 0.0, "sign-ins failed");
        let floor = hashes_per_second(Duration::from_secs(SIGN_IN_SECONDS.into()));
        ratios.push(own.per_second / floor);
        rates.push((own.per_second, floor));
    }
    let (ratio, own) = (median(ratios), median(rates.iter().map(|rate| rate.0)));
    let verdict = if ratio >= 0.95 { "ok" } else { "BELOW" };
    println!("\nlogin (bcrypt {COST}): {own:.1}/s, {ratio:.2} of bare bcrypt on all cores (goal: 0.95) {verdict}");
    json!({ "ratio": ratio, "goal": 0.95, "per_second": own })
}

fn hashes_per_second(span: Duration) -> f64 {
    let hash = bcrypt::hash(PASSWORD, COST).expect("a hash");
    let started = Instant::now();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let count: u32 = thread::scope(|scope| {
        let one = || {
            let mut count = 0;
            while started.elapsed() < span {
                assert!(bcrypt::verify(PASSWORD, &hash).expect("a hash"));
                count += 1;
            }
            count
        };
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().expect("a count")).sum()
    });
    f64::from(count) / started.elapsed().as_secs_f64()
}

/// Measures cached reads while 64 connections sign in without a pause, and compares them with the same reads alone.
pub fn storm(bench: &Bench, server: &Served, shop: &Shop) -> Value {
    let reads = vec![Ask::get(product_path(&shop.codes[0]))];
    let body = |n: usize| json!({ "phone_number": phone(n), "password": PASSWORD }).to_string();
    let logins: Vec<Ask> =
        (0..200).map(|n| Ask { method: "POST", body: body(n), ..Ask::get("/api/auth/login/") }).collect();
    let mut ratios = Vec::new();
    for round in 0..bench.long_rounds() {
        let quiet = bench.run_for(server, &reads, 8, STORM_SECONDS).load.p99;
        let folder = bench.folder.path().join(format!("storm-{round}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let stormy = thread::scope(|scope| {
            let storm = scope.spawn(|| load::run(&folder, &server.url, &logins, 64, STORM_SECONDS + 2));
            thread::sleep(Duration::from_secs(1));
            let stormy = bench.run_for(server, &reads, 8, STORM_SECONDS).load.p99;
            storm.join().expect("the storm");
            stormy
        });
        ratios.push(stormy / quiet);
    }
    let ratio = median(ratios);
    let verdict = if ratio < 4.0 { "ok" } else { "ABOVE" };
    println!("p99 of cached reads in a login storm: {ratio:.1} times the quiet one (goal: under 4) {verdict}");
    json!({ "p99_ratio": ratio, "goal": 4.0 })
}
