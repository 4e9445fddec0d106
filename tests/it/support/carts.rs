//! Helpers that read and change stored carts and stocks, for tests of the stock worker.

use bson::{Bson, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Caller, TestApp, eventually};

/// Returns the database id of a product.
pub fn id_of(product: &Value) -> ObjectId {
    ObjectId::parse_str(product["_id"].as_str().expect("an id")).expect("an id")
}

impl TestApp {
    /// Signs up one customer for each quantity, who adds this many pieces of a product to the cart.
    pub async fn carts_with(&self, product: &Value, quantities: &[u32]) -> Vec<Caller> {
        let mut customers = Vec::new();
        for quantity in quantities {
            let customer = self.customer().await;
            customer.add(product, *quantity).await.expect(200);
            customers.push(customer);
        }
        customers
    }

    /// Sets the stock directly in the database, as another program might. Does not wait until the server hears of it.
    pub async fn set_stock(&self, product: &Value, stock: i64) {
        let update = doc! { "$set": { "stock": stock } };
        let changed = self.products().update_one(doc! { "_id": id_of(product) }, update).await.expect("an update");
        assert_eq!(changed.matched_count, 1);
    }

    /// Waits until the carts of the customers show these quantities of a product. A database in trouble may put a read
    /// off.
    pub async fn until_held(&self, customers: &[Caller], product: &Value, quantities: &[i64]) {
        let held = || async {
            let mut held = Vec::new();
            for customer in customers {
                held.push(customer.pieces_unless_put_off(product).await);
            }
            held.iter().copied().eq(quantities.iter().copied().map(Some))
        };
        eventually(&format!("carts hold {quantities:?}"), held).await;
    }

    /// Waits until all redistributions have ended.
    pub async fn until_no_plan(&self) {
        let plans = self.db.collection::<Document>("plans");
        let none = || async { plans.count_documents(doc! {}).await.expect("a count") == 0 };
        eventually("all plans are carried out", none).await;
    }

    /// Returns the audit entries of all redistributions, the oldest first.
    pub async fn redistributions(&self) -> Vec<Document> {
        let audits = self.db.collection::<Document>("audits");
        let found = audits.find(doc! { "operation": "stock_redistribution" }).sort(doc! { "_id": 1 });
        found.await.expect("found").try_collect().await.expect("audits")
    }

    /// Inserts `count` more products like `product` into the database, visible or hidden, and returns them.
    pub async fn products_like(&self, product: &Value, count: usize, is_active: bool) -> Vec<Value> {
        let stored = self.products().find_one(doc! { "_id": id_of(product) }).await.expect("asked").expect("a product");
        let copies: Vec<Document> = (0..count).map(|_| copy_of(&stored, is_active)).collect();
        if !copies.is_empty() {
            self.products().insert_many(&copies).await.expect("products");
        }
        let shown = |copy: &Document| json!({ "_id": copy.get_object_id("_id").expect("an id").to_hex() });
        copies.iter().map(shown).collect()
    }

    /// Replaces the stored cart of a caller by one piece of each product.
    pub async fn fill_cart<'a>(&self, caller: &Caller, products: impl IntoIterator<Item = &'a Value>) {
        let line = |product: &Value| {
            doc! { "product_id": id_of(product), "quantity": 1, "added_at": bson::DateTime::now(),
            "unit_price_at_add": 1_000_i64, "rev": ObjectId::new() }
        };
        let lines: Vec<Document> = products.into_iter().map(line).collect();
        let user = doc! { "_id": ObjectId::parse_str(&caller.user_id).expect("an id") };
        self.users().update_one(user, doc! { "$set": { "cart.items": lines } }).await.expect("a filled cart");
    }

    /// Returns the number of lines in the stored cart of a caller.
    pub async fn stored_lines(&self, caller: &Caller) -> usize {
        let user = doc! { "_id": ObjectId::parse_str(&caller.user_id).expect("an id") };
        let user = self.users().find_one(user).await.expect("asked").expect("an account");
        user.get_document("cart").and_then(|cart| cart.get_array("items")).expect("a cart").len()
    }

    /// Inserts `count` accounts whose carts hold a product. Nobody can sign in to them.
    pub async fn many_carts(&self, product: &Value, count: u32, quantity: i64) {
        let account = |_| {
            let (id, now) = (ObjectId::new(), bson::DateTime::now());
            let line = doc! { "product_id": id_of(product), "quantity": quantity, "added_at": now,
            "unit_price_at_add": 1_000_i64, "rev": ObjectId::new() };
            let cart = doc! { "_id": ObjectId::new(), "items": [line], "created_at": now, "updated_at": now };
            doc! { "_id": id, "username": id.to_hex(), "username_key": id.to_hex(), "password_hash": "",
            "role": "customer", "is_active": true, "cart": cart, "sessions": [], "created_at": now, "updated_at": now }
        };
        self.users().insert_many((0..count).map(account)).await.expect("accounts");
    }

    /// Returns the stored document of a worker with its lease. It is empty before the first lease.
    pub async fn worker(&self, name: &str) -> Document {
        let workers = self.db.collection::<Document>("workers");
        workers.find_one(doc! { "_id": name }).await.expect("asked").unwrap_or_default()
    }

    /// Returns the number of pieces of a product in all stored carts.
    pub async fn held(&self, product: &Value) -> i64 {
        self.lines(product).await.iter().map(quantity).sum()
    }

    /// Returns the stored cart lines of a product, each with the id of its owner.
    pub async fn lines(&self, product: &Value) -> Vec<Document> {
        let wanted = doc! { "$match": { "cart.items.product_id": id_of(product) } };
        let merged = doc! { "$mergeObjects": ["$cart.items", { "user": "$_id" }] };
        let stages = [wanted.clone(), doc! { "$unwind": "$cart.items" }, wanted, doc! { "$replaceWith": merged }];
        self.users().aggregate(stages).await.expect("found").try_collect().await.expect("lines")
    }
}

/// Returns a copy of a stored product with an id and a code of its own.
fn copy_of(stored: &Document, is_active: bool) -> Document {
    let id = ObjectId::new();
    let (parent, own_code) = (stored.get_str("parent").expect("a parent"), id.to_hex()[14..].to_uppercase());
    let mut copy = stored.clone();
    copy.extend(doc! { "_id": id, "code": format!("{parent}-{own_code}"), "own_code": own_code,
    "is_active": is_active });
    copy
}

impl Caller {
    /// Returns the quantity of a product in this caller's cart as the API shows it.
    pub async fn pieces(&self, product: &Value) -> i64 {
        self.pieces_unless_put_off(product).await.expect("the cart is read")
    }

    /// Returns the same as [`Caller::pieces`]; `None` if the read is put off with 503.
    async fn pieces_unless_put_off(&self, product: &Value) -> Option<i64> {
        let reply = self.get(&self.cart()).await;
        if reply.status == StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        let cart = reply.expect(200);
        let lines = cart["cart"]["items"].as_array().expect("lines");
        let line = lines.iter().find(|line| line["product_id"] == product["_id"]);
        Some(line.map_or(0, |line| line["quantity"].as_i64().expect("a number")))
    }
}

/// Returns the number of pieces in all carts before the first redistribution and after each one.
///
/// Each redistribution reduces the carts to its stock, so the next one must start from this number. Panics if an audit
/// entry is missing or exists twice.
pub fn chain_of(redistributions: &[Document]) -> Vec<i64> {
    let changes = redistributions.iter().map(|entry| entry.get_document("update_description").expect("changes"));
    let number = |changes: &Document, name: &str| changes.get_i64(name).expect("a number");
    let mut steps: Vec<(i64, i64)> = changes.map(|c| (number(c, "asked"), number(c, "stock"))).collect();
    // Ids that several processes create within the same second have no order, so the entries are sorted by quantity.
    steps.sort_by_key(|(asked, _)| std::cmp::Reverse(*asked));
    let mut chain: Vec<i64> = steps.first().iter().map(|(asked, _)| *asked).collect();
    for (asked, stock) in steps {
        assert_eq!(chain.last(), Some(&asked), "after {chain:?} comes a redistribution from {asked} to {stock}");
        chain.push(stock);
    }
    chain
}

/// Returns the quantity of a stored line. It may be a 32-bit or a 64-bit number.
pub fn quantity(line: &Document) -> i64 {
    match line.get("quantity") {
        Some(Bson::Int32(pieces)) => i64::from(*pieces),
        Some(Bson::Int64(pieces)) => *pieces,
        other => panic!("{other:?} pieces"),
    }
}
