//! Changes of many products, and many products to change.

use bson::{Bson, Document, doc, oid::ObjectId};
use reqwest::Method;
use serde_json::Value;

use super::{Caller, Reply, TestApp};

const BULK: &str = "/api/admin/products/bulk/";

impl Caller {
    /// Sends a change of many products with a key.
    pub async fn bulk(&self, key: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::POST, BULK).header("idempotency-key", key).json(body)).await
    }

    /// Sends the same change until it is done, as a frontend does. A change waits for others of the same products, and
    /// for the first request with the same key.
    pub async fn bulk_until_done(&self, key: &str, body: &Value) -> Reply {
        loop {
            let reply = self.bulk(key, body).await;
            if ![409, 503].contains(&reply.status.as_u16()) {
                return reply.expect(200);
            }
            assert_ne!(reply["code"], "idempotency_key_reused", "{}", reply.text);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

impl TestApp {
    /// Stores products like `TATA-NEXON-BRK-P00000` with this price, directly in the database.
    pub async fn many_products(&self, count: usize, price: f64) {
        self.product(price, 5).await;
        let template = self.products().find_one_and_delete(doc! {}).await.expect("found").expect("a product");
        let copy = |n: usize| -> Document {
            let mut copy = template.clone();
            let own_code = format!("P{n:05}");
            copy.insert("_id", ObjectId::new());
            copy.insert("code", format!("TATA-NEXON-BRK-{own_code}"));
            copy.insert("own_code", own_code);
            copy
        };
        let copies: Vec<Document> = (0..count).map(copy).collect();
        self.products().insert_many(copies).await.expect("inserted");
    }

    /// Returns the different prices of all products, in minor units.
    pub async fn prices(&self) -> Vec<i64> {
        let prices = self.products().distinct("price", doc! {}).await.expect("prices");
        prices.iter().filter_map(Bson::as_i64).collect()
    }

    /// Returns how many documents of a collection match.
    pub async fn count(&self, collection: &str, filter: Document) -> u64 {
        self.db.collection::<Document>(collection).count_documents(filter).await.expect("a count")
    }
}
