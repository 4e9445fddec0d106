//! A stock that falls while customers change the carts that hold the product.
//!
//! The test reads every change of the cart lines in the order of the database and checks that each change is correct.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use bson::{DateTime, Document, doc, oid::ObjectId};
use futures_util::future::join_all;
use mongodb::{
    change_stream::ChangeStream,
    options::{FullDocumentBeforeChangeType, FullDocumentType},
};
use serde_json::{Value, json};

use crate::support::{Caller, TestApp, id_of, quantity};

const CUSTOMERS: usize = 4;
/// The stock before it falls.
const FULL: i64 = 40;

/// A call of a customer. `done` says whether the server acknowledged it.
#[derive(Debug, Clone, Copy)]
struct Call {
    /// The number of pieces to add, or to remove if it is negative.
    pieces: i64,
    done: bool,
}

/// A change of a cart line.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    /// A customer added this number of pieces, or removed pieces if it is negative.
    By(i64),
    /// An add found too little stock afterwards. It reduced its line to the stock or undid itself.
    ///
    /// If the result equals the share of a plan, the change is recorded as `Share`.
    Cut,
    /// A plan set the line to its share.
    Share,
}

/// The state of a cart line.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    pieces: i64,
    rev: Option<ObjectId>,
    /// The time of the last change of the cart by its customer.
    cart_changed_at: DateTime,
}

/// All changes since the beginning. A change stream reports them with the documents before and after each change.
struct History {
    stream: ChangeStream<Document>,
    product: ObjectId,
    /// The planned changes that are not carried out yet, as old and new quantity. The key is the revision of the line.
    planned: HashMap<ObjectId, (i64, i64)>,
    /// The changes of each customer's line, in their order.
    changes: HashMap<ObjectId, VecDeque<Change>>,
    held: HashMap<ObjectId, i64>,
    stock: i64,
    /// The pieces that each customer has added since the last change of the stock, without those that an add undid.
    added_since: HashMap<ObjectId, i64>,
    shared_out: usize,
}

impl History {
    async fn begin(app: &TestApp, product: &Value) -> Self {
        let images = doc! { "collMod": "users", "changeStreamPreAndPostImages": { "enabled": true } };
        app.db.run_command(images).await.expect("images");
        let wanted = doc! { "$match": { "ns.coll": { "$in": ["users", "products", "plans", "marks"] } } };
        let watch = app.db.watch().pipeline([wanted]).full_document(FullDocumentType::WhenAvailable);
        let stream = watch.full_document_before_change(FullDocumentBeforeChangeType::WhenAvailable).await;
        Self {
            stream: stream.expect("a stream").with_type(),
            product: id_of(product),
            planned: HashMap::new(),
            changes: HashMap::new(),
            held: HashMap::new(),
            stock: FULL,
            added_since: HashMap::new(),
            shared_out: 0,
        }
    }

    /// Reads all changes up to now.
    async fn read(&mut self, app: &TestApp) {
        let mark = ObjectId::new();
        app.db.collection::<Document>("marks").insert_one(doc! { "_id": mark }).await.expect("a mark");
        loop {
            let Some(event) = self.stream.next_if_any().await.expect("an event") else { continue };
            let collection = event.get_document("ns").expect("a namespace").get_str("coll").expect("a collection");
            let key = event.get_document("documentKey").expect("a key").get_object_id("_id").ok();
            match collection {
                "marks" if key == Some(mark) => return,
                "plans" => self.read_plan(&event),
                "products" => self.read_stock(&event),
                "users" => self.read_cart(key.expect("a user"), &event),
                _ => {}
            }
        }
    }

    fn read_plan(&mut self, event: &Document) {
        let Ok(plan) = event.get_document("fullDocument") else { return };
        for line in plan.get_array("lines").expect("lines").iter().map(|line| line.as_document().expect("a line")) {
            let (asked, share) = (line.get_i64("asked").expect("asked"), line.get_i64("share").expect("a share"));
            self.planned.insert(line.get_object_id("rev").expect("a rev"), (asked, share));
        }
    }

    fn read_stock(&mut self, event: &Document) {
        let changed = event.get_document("updateDescription").and_then(|d| d.get_document("updatedFields"));
        if let Ok(stock) = changed.and_then(|fields| fields.get_i64("stock")) {
            (self.stock, self.added_since) = (stock, HashMap::new());
        }
    }

    fn read_cart(&mut self, user: ObjectId, event: &Document) {
        let (Ok(before), Ok(after)) =
            (event.get_document("fullDocumentBeforeChange"), event.get_document("fullDocument"))
        else {
            return;
        };
        let (before, after) = (line_of(before, self.product), line_of(after, self.product));
        if before == after {
            return;
        }
        let change = after.pieces - before.pieces;
        self.held.insert(user, after.pieces);
        // Two changes within one millisecond have the same time. But an increase that no plan contains comes from a
        // customer.
        let is_planned = before.rev.is_some_and(|rev| self.planned.contains_key(&rev));
        if before.cart_changed_at != after.cart_changed_at || (change > 0 && !is_planned) {
            *self.added_since.entry(user).or_default() += change.max(0);
            self.changes.entry(user).or_default().push_back(Change::By(change));
            return;
        }
        // The change does not come from a customer's call. Either a plan contains it for exactly this state of the
        // line, or an add has reduced its own line.
        let plan = before.rev.and_then(|rev| self.planned.remove(&rev));
        if plan == Some((before.pieces, after.pieces)) {
            self.shared_out += 1;
            self.changes.entry(user).or_default().push_back(Change::Share);
            return;
        }
        assert!(change < 0 && before.pieces > self.stock, "{before:?} became {after:?}, planned was {plan:?}");
        // The removed pieces may have been added before the stock fell. `added` does not count those, so it stops at 0.
        let added = self.added_since.entry(user).or_default();
        *added = (*added + change).max(0);
        self.changes.entry(user).or_default().push_back(Change::Cut);
    }

    /// Returns whether the carts fit the stock.
    ///
    /// No line may hold more than the stock. All lines together may hold the stock plus the pieces that were added
    /// since the stock changed.
    fn is_settled(&self) -> bool {
        let (held, added): (i64, i64) = (self.held.values().sum(), self.added_since.values().sum());
        self.held.values().all(|pieces| *pieces <= self.stock) && held <= self.stock + added
    }

    /// Checks that the changes of a customer's line match the calls.
    ///
    /// Each acknowledged call must have been carried out completely and in order. There must be no other changes.
    fn explains(&mut self, customer: &Caller, calls: &[Call]) {
        let user = ObjectId::parse_str(&customer.user_id).expect("an id");
        let mut changes = self.changes.remove(&user).unwrap_or_default();
        for call in calls {
            skip(&mut changes, Change::Share);
            if call.done {
                let change = changes.pop_front();
                let Some(Change::By(by)) = change else { panic!("{call:?} became {change:?}") };
                // A removal takes fewer pieces if the line holds fewer.
                assert!(by == call.pieces || (call.pieces < 0 && (call.pieces..0).contains(&by)), "{call:?} by {by}");
            } else if call.pieces > 0 && changes.front() == Some(&Change::By(call.pieces)) {
                assert!(matches!(changes.get(1), Some(Change::Cut | Change::Share)), "{call:?} was refused but kept");
                changes.pop_front();
            }
            if call.pieces > 0 {
                skip(&mut changes, Change::Share);
                skip(&mut changes, Change::Cut);
            }
        }
        skip(&mut changes, Change::Share);
        assert!(changes.is_empty(), "changes that nobody asked for: {changes:?}");
    }
}

fn skip(changes: &mut VecDeque<Change>, what: Change) {
    while changes.front() == Some(&what) {
        changes.pop_front();
    }
}

fn line_of(user: &Document, product: ObjectId) -> Line {
    let cart = user.get_document("cart").expect("a cart");
    let lines = cart.get_array("items").expect("lines").iter().map(|line| line.as_document().expect("a line"));
    let line = lines.into_iter().find(|line| line.get_object_id("product_id").ok() == Some(product));
    Line {
        pieces: line.map_or(0, quantity),
        rev: line.and_then(|line| line.get_object_id("rev").ok()),
        cart_changed_at: *cart.get_datetime("updated_at").expect("a time"),
    }
}

/// Adds pieces, or removes them if `pieces` is negative.
async fn call(customer: &Caller, product: &Value, pieces: i64) -> Call {
    let count = u32::try_from(pieces.abs()).expect("a few");
    let reply = if pieces > 0 {
        customer.add(product, count).await
    } else {
        let id = product["_id"].as_str().expect("an id");
        customer.delete(&format!("{}remove/{id}/?quantity={count}", customer.cart())).await
    };
    let status = reply.status.as_u16();
    assert!([200, 404, 409].contains(&status), "{}", reply.text);
    // The times tell which changes come from customers, so two changes of one cart must not fall into one millisecond.
    tokio::time::sleep(Duration::from_millis(2)).await;
    Call { pieces, done: status == 200 }
}

/// Makes three calls as one customer in round `round`. They are the same in every run.
async fn change_cart(customer: &Caller, product: &Value, round: i64, number: i64) -> Vec<Call> {
    let mut calls = Vec::new();
    for step in 0..3 {
        let pieces = [3, -2, 4, -5, 1, -1, 7][usize::try_from((round * 5 + number * 3 + step) % 7).expect("an index")];
        calls.push(call(customer, product, pieces).await);
    }
    calls
}

async fn race(rounds: i64) {
    let app = TestApp::start().await;
    let workers = app.start_workers();
    let product = app.product(10.0, FULL).await;
    let customers = join_all((0..CUSTOMERS).map(|_| app.customer())).await;
    let mut history = History::begin(&app, &product).await;
    let mut calls: Vec<Vec<Call>> = vec![Vec::new(); CUSTOMERS];
    for round in 0..rounds {
        app.set_stock(&product, FULL).await;
        for (customer, calls) in customers.iter().zip(&mut calls) {
            calls.push(call(customer, &product, 6 + round % 4).await);
        }
        let changing = (0..).zip(&customers).map(|(number, customer)| change_cart(customer, &product, round, number));
        let (changed, ()) = tokio::join!(join_all(changing), async {
            tokio::time::sleep(Duration::from_millis(u64::try_from(round * 7 % 20).expect("small"))).await;
            app.set_stock(&product, 1 + round * 11 % 17).await;
        });
        calls.iter_mut().zip(changed).for_each(|(calls, changed)| calls.extend(changed));
        let started = Instant::now();
        history.read(&app).await;
        while !history.is_settled() {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "round {round}: {:?} of {}",
                history.held,
                history.stock
            );
            history.read(&app).await;
        }
        for (customer, calls) in customers.iter().zip(&mut calls) {
            history.explains(customer, calls);
            calls.clear();
        }
    }
    assert!(history.shared_out > 0, "{}", json!({ "rounds": rounds }));
    workers.stop().await;
}

#[tokio::test]
async fn customers_and_a_falling_stock_never_overwrite_each_other() {
    race(12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow"]
async fn customers_and_a_falling_stock_never_overwrite_each_other_in_200_rounds() {
    race(200).await;
}
