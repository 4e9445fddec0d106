//! Many simultaneous calls on one cart.

use std::time::{Duration, Instant};

use bson::{doc, oid::ObjectId};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    cart_history::{Answer, Call, Done, Lines, explain},
    support::{Caller, Reply, TestApp, id_of, quantity},
};

#[tokio::test]
async fn fifty_adds_at_once_of_ten_pieces_are_ten_successes() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 10).await;
    let caller = app.customer().await;
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let (caller, product) = (caller.clone(), product.clone());
            tokio::spawn(async move { caller.add(&product, 1).await })
        })
        .collect();
    let (mut done, mut refused) = (0, 0);
    for call in calls {
        let reply = call.await.expect("a reply");
        match reply.status.as_u16() {
            200 => done += 1,
            _ => {
                reply.refused(409, "only 10 items available in stock");
                refused += 1;
            }
        }
    }
    assert_eq!((done, refused), (10, 40));
    assert_eq!(caller.get(&caller.cart()).await.expect(200)["cart"]["items"][0]["quantity"], 10);
}

#[tokio::test]
async fn adds_that_race_with_a_falling_stock_end_with_what_is_left() {
    let app = TestApp::start().await;
    let workers = app.start_workers();
    for _ in 0..10 {
        let (product, caller) = (app.product(10.0, 24).await, app.customer().await);
        let clients: Vec<_> = (0..8).map(|_| tokio::spawn(add_three_times(caller.clone(), product.clone()))).collect();
        app.set_stock(&product, 3).await;
        let fell = Instant::now();
        let mut told = Vec::new();
        for client in clients {
            for (began, reply) in client.await.expect("replies") {
                if reply.status == StatusCode::OK {
                    let pieces = reply["cart"]["items"][0]["quantity"].as_i64().expect("a quantity");
                    assert!(pieces <= 3 || began < fell, "{pieces} pieces, told by a call that began after the fall");
                    told.push(pieces);
                } else {
                    reply.refused(409, "only 3 items available in stock");
                }
            }
        }
        // An add or the redistribution that finds more than three pieces leaves three. So the first three adds stay.
        told.sort_unstable();
        assert!(told.starts_with(&[1, 2, 3]), "{told:?}");
        app.until_held(&[caller], &product, &[3]).await;
    }
    workers.stop().await;
}

/// Adds one piece three times. Returns each response with the time at which its call began.
async fn add_three_times(caller: Caller, product: Value) -> Vec<(Instant, Reply)> {
    let mut replies = Vec::new();
    for _ in 0..3 {
        replies.push((Instant::now(), caller.add(&product, 1).await));
    }
    replies
}

#[tokio::test]
async fn a_call_that_the_stock_falls_behind_of_is_undone() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 10).await;
    let caller = app.customer().await;
    let overtaken = Overtaken { app: &app, caller: &caller, product: &product };
    let only_three = "only 3 items available in stock";
    overtaken.by_stock(3, caller.set(&product, 4)).await.refused(409, only_three);
    assert_eq!(overtaken.held().await, [0; 0]);
    caller.add(&product, 2).await.expect(200);
    overtaken.by_stock(3, caller.add(&product, 5)).await.refused(409, only_three);
    overtaken.by_stock(3, caller.set(&product, 5)).await.refused(409, only_three);
    assert_eq!(overtaken.held().await, [2]);
    overtaken.by_stock(3, caller.set(&product, 3)).await.expect(200);
    caller.set(&product, 8).await.expect(200);
    // Six pieces are fewer than before, but still more than the stock.
    overtaken.by_stock(3, caller.set(&product, 6)).await.refused(409, only_three);
    assert_eq!(overtaken.held().await, [3]);
    overtaken.by_stock(0, caller.set(&product, 2)).await.refused(409, "product is out of stock");
    assert_eq!(overtaken.held().await, [0; 0]);
}

/// Calls that read the stock before it falls and write the cart after it has fallen.
struct Overtaken<'a> {
    app: &'a TestApp,
    caller: &'a Caller,
    product: &'a Value,
}

impl Overtaken<'_> {
    /// Makes a call and sets the stock to `stock` before the call can write the cart.
    ///
    /// A transaction locks the account meanwhile, so that the update of the call has to wait. Afterwards the stock is
    /// 10 again.
    async fn by_stock(&self, stock: i64, call: impl Future<Output = Reply>) -> Reply {
        let account = doc! { "_id": ObjectId::parse_str(&self.caller.user_id).expect("an id") };
        let mut session = self.app.db.client().start_session().await.expect("a session");
        session.start_transaction().await.expect("a transaction");
        let touch = doc! { "$set": { "touched": ObjectId::new() } };
        self.app.users().update_one(account, touch).session(&mut session).await.expect("the account is held");
        let fall = async {
            while !self.is_waiting().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            self.app.change_product(self.product, doc! { "$set": { "stock": stock } }).await;
            session.commit_transaction().await.expect("the account is free again");
        };
        let both = async { tokio::join!(call, fall) };
        let (reply, ()) =
            tokio::time::timeout(Duration::from_secs(60), both).await.expect("the update waits, then goes on");
        self.app.change_product(self.product, doc! { "$set": { "stock": 10_i64 } }).await;
        reply
    }

    async fn is_waiting(&self) -> bool {
        let namespace = format!("{}.users", self.app.db.name());
        // Only the update of the call uses the accounts at this time.
        let running = doc! { "currentOp": 1, "ns": namespace, "active": true };
        let found = self.app.db.client().database("admin").run_command(running).await.expect("the running operations");
        !found.get_array("inprog").expect("a list").is_empty()
    }

    async fn held(&self) -> Vec<u64> {
        let cart = self.caller.get(&self.caller.cart()).await.expect(200);
        items(&cart).map(|line| line["quantity"].as_u64().expect("a quantity")).collect()
    }
}

#[tokio::test]
async fn twenty_adds_at_once_of_different_products_are_all_in_the_cart() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let mut calls = Vec::new();
    for product in products(&app, 20, 5).await {
        let caller = caller.clone();
        calls.push(tokio::spawn(async move { (product["_id"].clone(), caller.add(&product, 2).await.expect(200)) }));
    }
    let mut added = Vec::new();
    for call in calls {
        let (id, reply) = call.await.expect("a reply");
        assert!(items(&reply).any(|line| line["product_id"] == id));
        added.push((id, json!(2)));
    }
    let read = caller.get(&caller.cart()).await.expect(200);
    let mut lines: Vec<_> = items(&read).map(|line| (line["product_id"].clone(), line["quantity"].clone())).collect();
    let by_id = |line: &(Value, Value)| line.0.to_string();
    lines.sort_by_key(by_id);
    added.sort_by_key(by_id);
    assert_eq!(lines, added);
}

#[tokio::test]
async fn some_order_of_the_calls_of_eight_clients_explains_every_answer() {
    let race = Race::prepare().await;
    for round in 0..4 {
        race.run(round, 12).await;
    }
}

#[tokio::test]
#[ignore = "slow"]
async fn some_order_of_very_many_calls_of_eight_clients_explains_every_answer() {
    let race = Race::prepare().await;
    for round in 1_000..1_040 {
        race.run(round, 60).await;
    }
}

/// The stock of each product in a race. It is small, so that some calls are refused.
const STOCK: u32 = 4;

/// Two instances of the shop and the products that eight clients of one account add and remove.
struct Race {
    instances: [TestApp; 2],
    products: Vec<Value>,
    began: Instant,
}

impl Race {
    async fn prepare() -> Self {
        let app = TestApp::start().await;
        let products = products(&app, 3, STOCK).await;
        Self { instances: [app.another_instance().await, app], products, began: Instant::now() }
    }

    /// Lets eight clients make calls at once, then reads the cart and checks that some order of the calls explains all
    /// answers.
    async fn run(&self, round: u64, calls: usize) {
        let customer = self.instances[0].customer().await;
        let clients = (0..8).map(|client| {
            let caller = customer.at(&self.instances[client % 2].url);
            let mut chance = Chance(round << 8 | client as u64);
            async move {
                let mut history = Vec::new();
                for _ in 0..calls {
                    history.push(self.make(&caller, chance.call()).await);
                }
                history
            }
        });
        let mut clients = futures_util::future::join_all(clients).await;
        clients.push(vec![self.make(&customer, Call::Read).await]);
        if let Err(unexplained) = explain(&clients, STOCK) {
            panic!("round {round}: {unexplained}");
        }
    }

    async fn make(&self, caller: &Caller, call: Call) -> Done {
        let began = self.began.elapsed().as_nanos();
        let reply = match call {
            Call::Add(product, n) => caller.add(&self.products[product], n).await,
            Call::Remove(product, n) => caller.remove(&self.products[product], n).await,
            Call::Set(product, n) => caller.set(&self.products[product], n).await,
            Call::Clear => caller.delete(&caller.cart()).await,
            Call::Read => caller.get(&caller.cart()).await,
        };
        Done { call, answer: self.answer(&reply), began, ended: self.began.elapsed().as_nanos() }
    }

    fn answer(&self, reply: &Reply) -> Answer {
        if reply.status != StatusCode::OK {
            return Answer::Refused(reply["code"].as_str().expect("a code").to_owned());
        }
        let number = |line: &Value| self.products.iter().position(|product| product["_id"] == line["product_id"]);
        let pieces = |line: &Value| line["quantity"].as_u64().and_then(|pieces| u32::try_from(pieces).ok());
        let lines: Option<Lines> = items(reply).map(|line| Some((number(line)?, pieces(line)?))).collect();
        Answer::Cart(lines.expect("lines of known products"))
    }
}

/// A generator of pseudo-random numbers that are the same in every run (SplitMix64; Steele, Lea and Flood, 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn call(&mut self) -> Call {
        let product = self.below(3) as usize;
        let pieces = self.below(3) as u32 + 1;
        match self.below(12) {
            0..=3 => Call::Add(product, pieces),
            4..=6 => Call::Remove(product, pieces),
            7..=9 => Call::Set(product, self.below(6) as u32),
            10 => Call::Clear,
            _ => Call::Read,
        }
    }
}

async fn products(app: &TestApp, count: usize, stock: u32) -> Vec<Value> {
    let mut products = Vec::new();
    for _ in 0..count {
        products.push(app.product(10.0, i64::from(stock)).await);
    }
    products
}

fn items(reply: &Reply) -> impl Iterator<Item = &Value> {
    reply["cart"]["items"].as_array().expect("lines").iter()
}

#[tokio::test]
async fn what_this_server_has_not_heard_of_yet_is_seen_before_the_answer() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    app.cache_is_in_use().await;
    let customer = app.customer().await;
    let (id, user) = (doc! { "_id": id_of(&product) }, ObjectId::parse_str(&customer.user_id).expect("an id"));
    let held = async || {
        let user = app.users().find_one(doc! { "_id": user }).await.expect("an answer").expect("an account");
        let items = user.get_document("cart").and_then(|cart| cart.get_array("items")).expect("a cart");
        let line = items.first().and_then(bson::Bson::as_document);
        line.map_or(0, quantity)
    };
    customer.add(&product, 2).await.expect(200);
    for (change, status, expected) in [
        (doc! { "stock": 1_i64 }, 409, 2),
        (doc! { "stock": 50_i64 }, 200, 11),
        (doc! { "stock": 12_i64 }, 409, 11),
        (doc! { "stock": 50_i64, "is_active": false }, 404, 11),
    ] {
        app.products().update_one(id.clone(), doc! { "$set": &change }).await.expect("an update");
        // There is no pause here. So the cached copy of the product may still be out of date when the call begins.
        customer.add(&product, 9).await.expect(status);
        assert_eq!(held().await, expected, "{change}");
    }
    app.products().delete_one(id).await.expect("a deletion");
    customer.add(&product, 1).await.refused(404, "product not found");
}
