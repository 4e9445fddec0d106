//! The list of all products for staff, in 200,000 products: each condition in each order and both directions, on the
//! first page and on one in the middle.

use std::time::Instant;

use bson::{Document, doc};
use serde_json::{Value, json};

use super::{Bench, servers::seed, transfer::Staff};

/// The number of products in the catalogue.
const PRODUCTS: usize = 200_000;
/// How often each page is read.
const READS: usize = 20;
/// The number of pages of 100 products before the one in the middle.
const PAGES: usize = 20;
/// The upper limit for the 99th percentile of the response times, in milliseconds.
const GOAL: f64 = 50.0;
const CONDITIONS: [&str; 16] = [
    "",
    "brand=TATA",
    "model=NEXON",
    "category=BRK",
    "is_active=true",
    "is_active=false",
    "in_stock=true",
    "in_stock=false",
    "stock_max=5",
    "stock_max=40",
    "has_offer=true",
    "has_offer=false",
    "updated_from=2020-01-01",
    "updated_from=2024-06-28",
    "q=front",
    "q=TATA-NEXON",
];

/// Seeds a new catalogue whose products differ in all conditions, and measures each condition.
pub async fn measure(bench: &Bench) -> Value {
    bench.clear().await;
    seed(bench.folder.path(), bench.mongod.uri(), PRODUCTS, 1);
    spread(bench).await;
    let server = bench.server(&[]);
    let staff = Staff::sign_in(bench.folder.path(), bench.mongod.uri(), &server).await;
    let mut rows = Vec::new();
    println!("\nlists of {PRODUCTS} products {:>22} {:>9} {:>9}", "total", "p50 ms", "p99 ms");
    for condition in CONDITIONS {
        let (mut times, mut total) = (Vec::new(), Value::Null);
        for order in ["code", "name", "price", "stock", "updated_at"] {
            for direction in ["", "-"] {
                let list = format!("/api/admin/products/?{condition}&sort={direction}{order}");
                total = staff.get(&list).await["total"].clone();
                let middle = format!("{list}&cursor={}", middle(&staff, &list).await);
                for path in [&list, &middle] {
                    times.extend(read(&staff, path).await);
                }
            }
        }
        times.sort_by(f64::total_cmp);
        let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        let verdict = if p99 < GOAL { "ok" } else { "ABOVE" };
        println!("{condition:<40} {total:>8} {p50:>9.1} {p99:>9.1} {verdict}");
        rows.push(json!({ "condition": condition, "total": total, "p50_ms": p50, "p99_ms": p99 }));
    }
    json!(rows)
}

/// Hides one product of twenty, sells one of fifty out, gives one of seven an offer, and spreads the changes over 2024.
async fn spread(bench: &Bench) {
    let products = bench.database.collection::<Document>("products");
    let number = doc! { "$floor": { "$multiply": [{ "$rand": {} }, 1000] } };
    let offer = doc! { "discount": 1000, "from": 1_i64, "to": 2_000_000_000_i64, "description": "Sale" };
    let day = doc! { "$dateAdd": { "startDate": bson::DateTime::from_millis(1_704_067_200_000), "unit": "day",
    "amount": { "$toInt": { "$mod": ["$n", 181] } } } };
    let is_nth = |n: i32| doc! { "$eq": [{ "$mod": ["$n", n] }, 0] };
    let values = doc! {
        "is_active": { "$not": [is_nth(20)] },
        "has_offer": is_nth(7),
        "offer": { "$cond": [is_nth(7), offer, "$$REMOVE"] },
        "stock": { "$toLong": { "$mod": [{ "$floor": { "$divide": ["$n", 3] } }, 50] } },
        "updated_at": day,
    };
    let update = vec![doc! { "$set": { "n": number } }, doc! { "$set": values }, doc! { "$unset": "n" }];
    products.update_many(doc! {}, update).await.expect("an update");
}

/// Returns the cursor of a page in the middle of a list; an empty text if the list has one page.
async fn middle(staff: &Staff, list: &str) -> String {
    let mut cursor = String::new();
    for _ in 0..PAGES {
        match staff.get(&format!("{list}&limit=100&cursor={cursor}")).await["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    cursor
}

/// Reads a page several times and returns the times in milliseconds.
async fn read(staff: &Staff, path: &str) -> Vec<f64> {
    let mut times = Vec::with_capacity(READS);
    for _ in 0..READS {
        let started = Instant::now();
        staff.get(path).await;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times
}
