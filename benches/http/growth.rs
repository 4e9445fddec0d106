//! Measurements for several sizes of the catalogue, numbers of connections and lengths of carts.

use serde_json::{Value, json};

use super::{
    Bench, CONNECTIONS,
    load::Ask,
    report::Turn,
    servers::{Served, seed},
    shop::{Customer, Shop, fill_carts},
};

/// The numbers of products in the catalogue.
const PRODUCTS: [usize; 3] = [1_000, 20_000, 200_000];
/// The numbers of simultaneous connections.
const AT_ONCE: [u32; 4] = [1, 8, 64, 256];
/// The numbers of lines in a cart.
const LINES: [i64; 3] = [1, 10, 100];

/// Measures all sizes. Each size of the catalogue is seeded separately.
pub async fn measure(bench: &Bench) -> Value {
    let mut rows = Vec::new();
    println!("\n{:<44} {:>9} {:>9} {:>9} {:>9}", "growth", "req/s", "p50 us", "p99 us", "MB");
    for products in PRODUCTS {
        bench.clear().await;
        seed(bench.folder.path(), bench.mongod.uri(), products, 100);
        let server = bench.server(&[]);
        let shop = Shop::open(&bench.database, &server).await;
        bench.warm_up(&server, &shop.products(), CONNECTIONS);
        rows.push(row(&format!("{products} products: one by one"), bench.run(&server, &shop.products(), CONNECTIONS)));
        rows.push(row(&format!("{products} products: cart"), bench.run(&server, &carts(&shop.customers), CONNECTIONS)));
        if products == 20_000 {
            rows.extend(connections(bench, &server, &shop));
            rows.extend(lines(bench, &server, &shop).await);
        }
    }
    json!(rows)
}

fn connections(bench: &Bench, server: &Served, shop: &Shop) -> Vec<Value> {
    let mut rows = Vec::new();
    for connections in AT_ONCE {
        let products = bench.run(server, &shop.products(), connections);
        rows.push(row(&format!("{connections} connections: products"), products));
        rows.push(row(
            &format!("{connections} connections: cart"),
            bench.run(server, &carts(&shop.customers), connections),
        ));
    }
    rows
}

async fn lines(bench: &Bench, server: &Served, shop: &Shop) -> Vec<Value> {
    let mut rows = Vec::new();
    for lines in LINES {
        fill_carts(&bench.database, lines).await;
        let turn = bench.run(server, &carts(&shop.customers), CONNECTIONS);
        rows.push(row(&format!("cart of {lines} lines"), turn));
    }
    rows
}

fn carts(customers: &[Customer]) -> Vec<Ask> {
    let ask =
        |customer: &Customer| Ask::get(format!("/api/client/{}/cart/", customer.id)).with_bearer(&customer.access);
    customers.iter().map(ask).collect()
}

fn row(name: &str, turn: Turn) -> Value {
    let (load, megabytes) = (turn.load, turn.resident as f64 / 1e6);
    println!("{name:<44} {:>9.0} {:>9.0} {:>9.0} {megabytes:>9.0}", load.per_second, load.p50, load.p99);
    json!({ "what": name, "requests_per_second": load.per_second, "p50_us": load.p50, "p99_us": load.p99,
        "resident_bytes": turn.resident, "errors": load.errors })
}
