//! The filled shop that is measured, with its products and signed-in customers.

use bson::{Document, doc};
use futures_util::TryStreamExt;
use mongodb::Database;
use serde_json::{Value, json};

use super::{floor, load::Ask, servers::Served};

/// The number of customers who are signed in.
const SIGNED_IN: usize = 64;
/// The password of all accounts in the sample data.
pub const PASSWORD: &str = "Sample-2024";

/// A signed-in customer and the products in their cart.
pub struct Customer {
    /// The id of the account.
    pub id: String,
    /// The access token from the server.
    pub access: String,
    /// An access token for the floors with the same claims.
    pub floor_access: String,
    /// The ids of the products in the cart.
    pub products: Vec<String>,
}

/// The products and customers that the requests use.
pub struct Shop {
    /// The full codes of all products.
    pub codes: Vec<String>,
    /// The signed-in customers.
    pub customers: Vec<Customer>,
}

impl Shop {
    /// Reads the codes of all products, gives every product a large stock, and signs some customers in.
    pub async fn open(database: &Database, server: &Served) -> Self {
        let products = database.collection::<Document>("products");
        let plenty = doc! { "$set": { "stock": 1_000_000_i64 } };
        products.update_many(doc! {}, plenty).await.expect("an update");
        let found = products.find(doc! {}).projection(doc! { "code": 1 }).sort(doc! { "code": 1 }).await;
        let found: Vec<Document> = found.expect("products").try_collect().await.expect("products");
        let codes = found.iter().map(|product| product.get_str("code").expect("a code").to_owned()).collect();
        let client = reqwest::Client::builder().tls_certs_only([]).build().expect("a client");
        let mut customers = Vec::new();
        for n in 0..SIGNED_IN {
            customers.push(Customer::sign_in(&client, server, database, n).await);
        }
        Self { codes, customers }
    }

    /// Returns one GET request for each product.
    pub fn products(&self) -> Vec<Ask> {
        self.codes.iter().map(|code| Ask::get(product_path(code))).collect()
    }
}

/// Returns the path of a product with its brand, model and category.
pub fn product_path(code: &str) -> String {
    let parts: Vec<&str> = code.split('-').collect();
    let [brand, model, category, product] = parts.as_slice() else { panic!("{code} is no full code") };
    format!("/api/utils/brands/{brand}/models/{model}/categories/{category}/products/{product}/")
}

/// Returns the phone number of the `n`-th sample customer.
pub fn phone(n: usize) -> String {
    format!("{}", 9_800_000_000 + n)
}

impl Customer {
    async fn sign_in(client: &reqwest::Client, server: &Served, database: &Database, n: usize) -> Self {
        let body = json!({ "phone_number": phone(n), "password": PASSWORD });
        let request = client.post(format!("{}/api/auth/login/", server.url)).json(&body);
        let reply: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no sign-in: {reply}")).to_owned();
        let (id, access) = (text(&reply["user"]["_id"]), text(&reply["access"]));
        let users = database.collection::<Document>("users");
        let user = bson::oid::ObjectId::parse_str(&id).expect("an id");
        let account = users.find_one(doc! { "_id": user }).await.expect("a query").expect("an account");
        let items = account.get_document("cart").and_then(|cart| cart.get_array("items")).expect("a cart");
        let product = |line: &bson::Bson| line.as_document()?.get_object_id("product_id").ok().map(|id| id.to_hex());
        let products = items.iter().filter_map(product).collect();
        Self { id, floor_access: floor::token(&access), access, products }
    }
}

/// Fills all carts with `lines` lines each.
pub async fn fill_carts(database: &Database, lines: i64) {
    let products = database.collection::<Document>("products");
    let found = products.find(doc! {}).projection(doc! { "price": 1 }).limit(lines).await.expect("products");
    let found: Vec<Document> = found.try_collect().await.expect("products");
    let line = |product: &Document| {
        doc! { "product_id": product.get_object_id("_id").expect("an id"), "quantity": 1_i64, "added_at": bson::DateTime::now(),
        "unit_price_at_add": product.get_i64("price").expect("a price"), "rev": bson::oid::ObjectId::new() }
    };
    let items: Vec<Document> = found.iter().map(line).collect();
    let users = database.collection::<Document>("users");
    users.update_many(doc! {}, doc! { "$set": { "cart.items": items } }).await.expect("an update");
}
