//! Tests of the cache with many readers and writers at the same time.
//!
//! Readers use several views of the same products. Some writers use the API, and others change the database directly.
//! Meanwhile the change stream is cut again and again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use bson::{Bson, Document, doc};
use futures_util::{TryStreamExt, future::join_all};
use mongodb::Client;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp, eventually, shared_mongod_uri};

const PRODUCTS: &str = "/api/utils/brands/TATA/models/NEXON/categories/BRK/products/";
const WATCHED: usize = 6;

/// The shop that all readers and writers use.
///
/// The stock of a product serves as its version number. The stock and the price only increase.
struct Shop {
    app: TestApp,
    codes: Vec<String>,
    staff: Caller,
    /// The number of products whose insertion the API has acknowledged.
    inserted: AtomicI64,
    over: AtomicBool,
}

impl Shop {
    async fn open() -> Arc<Self> {
        let app = TestApp::start().await;
        let codes: Vec<String> = (0..WATCHED).map(|n| format!("W{n}")).collect();
        let named: Vec<(&str, &str, &str)> = codes.iter().map(|code| (code.as_str(), "Watched", "x")).collect();
        let staff = app.products_named(&named).await;
        app.cache_is_in_use().await;
        Arc::new(Self { app, codes, staff, inserted: AtomicI64::new(0), over: AtomicBool::new(false) })
    }

    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::SeqCst)
    }

    /// Changes a product directly in the database.
    async fn write_into_the_database(&self, n: usize) {
        while self.goes_on() {
            let raise = doc! { "$inc": { "stock": 1_i64, "price": 100_i64 } };
            let written = self.app.products().update_one(doc! { "own_code": &self.codes[n] }, raise).await;
            written.expect("a write");
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }

    /// Inserts products through the API. Each read that starts after the acknowledgement must see the product.
    async fn insert(&self) {
        for n in 0..60 {
            let body = json!({ "product_name": "Inserted", "product_code": format!("I{n}"), "description": "x",
                "price": 1, "stock": 1, "image_url": "https://images.example.com/a.png" });
            let path = format!("{}insert/", PRODUCTS.replace("utils", "admin"));
            self.staff.post(&path, &body).await.expect(201);
            self.inserted.store(n + 1, Ordering::SeqCst);
            self.app.anonymous().get(&format!("{PRODUCTS}I{n}/")).await.expect(200);
            if !self.goes_on() {
                break;
            }
        }
    }

    /// Changes and deletes products through the API. The next read must show the change, because no other writer uses
    /// these products.
    async fn change(&self) {
        let (own, admin) = (self.codes.last().expect("a code"), PRODUCTS.replace("utils", "admin"));
        let one = format!("{PRODUCTS}{own}/");
        while self.goes_on() {
            let raise = self.staff.request(Method::PUT, &format!("{admin}update/{own}/"));
            let raised = Reply::of(raise.json(&json!({ "stock_delta": 1 }))).await.expect(200);
            let shown = self.app.anonymous().get(&one).await.expect(200);
            assert_eq!(shown["product"]["stock"], raised["product"]["stock"]);
            let body = json!({ "product_name": "Brief", "product_code": "BRIEF", "description": "x", "price": 1,
                "stock": 1, "image_url": "https://images.example.com/a.png" });
            self.staff.post(&format!("{admin}insert/"), &body).await.expect(201);
            self.app.anonymous().get(&format!("{PRODUCTS}BRIEF/")).await.expect(200);
            self.staff.delete(&format!("{admin}delete/BRIEF/")).await.expect(200);
            self.app.anonymous().get(&format!("{PRODUCTS}BRIEF/")).await.expect(404);
        }
    }

    async fn read(&self, n: usize) -> usize {
        match n % 3 {
            0 => self.read_one(n).await,
            1 => self.read_cart(n).await,
            _ => self.read_list(100 - n).await,
        }
    }

    /// Reads one product again and again. Its version must never decrease.
    ///
    /// This holds only if each view has one reader. With several readers, one of them may read a newer version from the
    /// database while the cache still holds the older one.
    async fn read_one(&self, n: usize) -> usize {
        let (path, mut newest, mut reads) = (format!("{PRODUCTS}{}/", self.codes[n]), 0, 0);
        while self.goes_on() {
            let version = version(&self.app.anonymous().get(&path).await.expect(200)["product"]);
            assert!(version >= newest, "{path} went back from {newest} to {version}");
            (newest, reads) = (version, reads + 1);
        }
        reads
    }

    /// Reads a list again and again. No version may decrease, and no acknowledged product may be missing.
    async fn read_list(&self, limit: usize) -> usize {
        let (mut newest, mut reads) = (vec![0; WATCHED], 0);
        while self.goes_on() {
            let acknowledged = self.inserted.load(Ordering::SeqCst);
            let list = self.app.anonymous().get(&format!("{PRODUCTS}?limit={limit}")).await.expect(200);
            let products = list["products"].as_array().expect("products");
            let inserted = products.iter().filter(|product| product["product_name"] == "Inserted").count();
            assert!(inserted as i64 >= acknowledged, "{inserted} of {acknowledged} are listed");
            for (code, newest) in self.codes.iter().zip(&mut newest) {
                let product = products.iter().find(|product| product["product_code"] == **code).expect("a product");
                assert!(version(product) >= *newest, "{code} went back in the list");
                *newest = version(product);
            }
            reads += 1;
        }
        reads
    }

    /// Reads a cart again and again. Its price must never fall.
    async fn read_cart(&self, n: usize) -> usize {
        let buyer = self.app.customer().await;
        let product = self.app.anonymous().get(&format!("{PRODUCTS}{}/", self.codes[n])).await.expect(200);
        buyer.add(&product["product"], 1).await.expect(200);
        let (mut newest, mut reads) = (0, 0);
        while self.goes_on() {
            let cart = buyer.get(&buyer.cart()).await.expect(200);
            let price = cart["cart"]["items"][0]["price"].as_i64().expect("a price");
            assert!(price >= newest, "the price in the cart went back from {newest} to {price}");
            (newest, reads) = (price, reads + 1);
        }
        reads
    }

    /// Cuts the change stream again and again by killing its cursor in the database. Returns the number of cuts.
    async fn cut(&self) -> usize {
        let client = Client::with_uri_str(shared_mongod_uri()).await.expect("a client");
        let mut cuts = 0;
        while self.goes_on() {
            tokio::time::sleep(Duration::from_millis(400)).await;
            cuts += kill_streams(&client, &self.app).await;
        }
        cuts
    }

    /// Returns whether customers see exactly what the database holds.
    async fn is_settled(&self) -> bool {
        let mut paths: Vec<String> = self.codes.iter().map(|code| format!("{PRODUCTS}{code}/")).collect();
        paths.extend([
            format!("{PRODUCTS}?limit=95"),
            format!("{PRODUCTS}?limit=98"),
            format!("{PRODUCTS}search/?q=watched"),
        ]);
        for path in paths {
            // Reads by staff always go to the database.
            let (shown, stored) = (self.app.anonymous().get(&path).await, self.staff.get(&path).await);
            if shown.expect(200).text != stored.expect(200).text {
                return false;
            }
        }
        true
    }
}

fn version(product: &Value) -> i64 {
    product["stock"].as_i64().expect("a stock")
}

/// Kills the cursors of all change streams on the database of the app and returns how many there were.
async fn kill_streams(client: &Client, app: &TestApp) -> usize {
    let ns = format!("{}.$cmd.aggregate", app.db.name());
    let ops = [
        doc! { "$currentOp": { "idleCursors": true, "allUsers": true } },
        doc! { "$match": { "ns": ns, "cursor.cursorId": { "$exists": true } } },
    ];
    let found = client.database("admin").aggregate(ops).await.expect("operations");
    let found: Vec<Document> = found.try_collect().await.expect("operations");
    let cursors: Vec<Bson> =
        found.iter().filter_map(|op| op.get_document("cursor").ok()?.get("cursorId").cloned()).collect();
    let killed = cursors.len();
    if killed > 0 {
        let kill = doc! { "killCursors": "$cmd.aggregate", "cursors": cursors };
        app.db.run_command(kill).await.expect("an answer");
    }
    killed
}

async fn run(span: Duration) {
    let shop = Shop::open().await;
    let writers: Vec<_> = (1..WATCHED)
        .map(|n| spawn(&shop, move |shop| async move { shop.write_into_the_database(n - 1).await }))
        .collect();
    let inserts = spawn(&shop, |shop| async move { shop.insert().await });
    let readers: Vec<_> = (0..WATCHED).map(|n| spawn(&shop, move |shop| async move { shop.read(n).await })).collect();
    let changes = spawn(&shop, |shop| async move { shop.change().await });
    let cuts = spawn(&shop, |shop| async move { shop.cut().await });
    let end = Instant::now() + span;
    while Instant::now() < end && readers.iter().all(|reader| !reader.is_finished()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shop.over.store(true, Ordering::SeqCst);
    join_all(writers).await.into_iter().for_each(|written| written.expect("a writer"));
    inserts.await.expect("the inserts");
    changes.await.expect("the changes");
    let reads: usize = join_all(readers).await.into_iter().map(|read| read.expect("a reader")).sum();
    let cuts = cuts.await.expect("the cuts");
    eventually("all reads equal the database", || shop.is_settled()).await;
    let [hits, misses, _] = shop.app.cache_reads().await;
    assert!(
        reads > 20 && cuts > 0 && hits > 0 && misses > 0,
        "{reads} reads, {cuts} cuts, {hits} hits, {misses} misses"
    );
}

fn spawn<T, F>(shop: &Arc<Shop>, work: impl FnOnce(Arc<Shop>) -> F) -> tokio::task::JoinHandle<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    tokio::spawn(work(Arc::clone(shop)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_is_older_than_what_was_heard_of() {
    run(Duration::from_secs(3)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow"]
async fn no_read_is_older_than_what_was_heard_of_for_long() {
    for _ in 0..5 {
        run(Duration::from_secs(20)).await;
    }
}
