//! Searches in 200,000 products by code and by name. The cache is off, and each search reads the first page.

use bson::{Document, doc};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use super::{
    Bench,
    load::Ask,
    report::{Measured, median},
    scenarios::Scenario,
    servers::seed,
};

/// The number of products in the catalogue.
const PRODUCTS: usize = 200_000;
/// The number of products that are searched for.
const LOOKED_FOR: usize = 10_000;
/// The number of simultaneous connections. The server runs this many searches at the same time.
const CONNECTIONS: u32 = 8;
/// The upper limit for the 99th percentile of the response times, in microseconds.
const GOAL: f64 = 20_000.0;

/// Seeds a new catalogue and measures both kinds of search.
pub async fn measure(bench: &Bench) -> Value {
    bench.clear().await;
    seed(bench.folder.path(), bench.mongod.uri(), PRODUCTS, 1);
    let (server, floor) = (bench.server(&[("CATALOG_CACHE_MB", "0")]), bench.floor(&[]));
    let mut measured = Vec::new();
    println!("\n{PRODUCTS} products\n{}", Measured::head());
    for (name, stored, field) in [("search by code", "code", "code"), ("search by name", "name", "name_key")] {
        let texts = texts(bench, stored).await;
        let scenario = Scenario {
            name,
            floor: "the same query, typed JSON",
            at_least: 0.80,
            connections: CONNECTIONS,
            uncached: true,
            asks: texts.iter().map(|text| Ask::get(format!("/api/utils/search/?q={text}"))).collect(),
            floor_asks: texts.iter().map(|text| Ask::get(format!("/search/{field}?q={text}"))).collect(),
        };
        let result = bench.alternate(scenario, &server, &floor);
        let p99 = median(result.turns.iter().map(|(own, _)| own.load.p99));
        println!("{}  p99 goal: under 20 ms {}", result.line(), if p99 < GOAL { "ok" } else { "ABOVE" });
        measured.push(result.json());
    }
    json!(measured)
}

/// Returns the values of a field of products from all parts of the catalogue, encoded for a query.
async fn texts(bench: &Bench, field: &str) -> Vec<String> {
    let products = bench.database.collection::<Document>("products");
    let found = products.find(doc! {}).projection(doc! { field: 1 }).sort(doc! { "_id": 1 }).await.expect("products");
    let found: Vec<Document> = found.try_collect().await.expect("products");
    let found = found.iter().step_by(PRODUCTS / LOOKED_FOR).map(|product| product.get_str(field).expect("a text"));
    found.map(|text| text.replace(' ', "%20").replace(',', "%2C")).collect()
}
