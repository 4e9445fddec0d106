//! The floors: minimal handlers that do only the work that a scenario can't avoid.
//!
//! They use the same framework and the same database driver as the server, but no middleware. They run in a separate
//! process, so that they are measured in the same way as the server.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bson::{DateTime, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use hmac::{Hmac, KeyInit, Mac};
use mongodb::{Client, Collection, options::ClientOptions};
use poem::{Request, Route, Server, http::StatusCode, listener::TcpListener};
use poem_openapi::{
    Object, OpenApi, OpenApiService,
    param::{Path, Query},
    payload::{Binary, Json},
};
use serde::Deserialize;
use sha2::Sha256;

/// The key that signs the access tokens of the floors.
const KEY: &[u8] = b"the key of the floor";

/// Returns an access token for the floors with the claims of a token of the server.
pub fn token(of_server: &str) -> String {
    let parts: Vec<&str> = of_server.split('.').collect();
    let signed = format!("{}.{}", parts[0], parts[1]);
    let tag = mac(signed.as_bytes()).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn mac(signed: &[u8]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(KEY).expect("any key will do");
    mac.update(signed);
    mac
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    sid: String,
    exp: i64,
}

fn signed_in(request: &Request) -> poem::Result<(ObjectId, ObjectId)> {
    let refused = || poem::Error::from_status(StatusCode::UNAUTHORIZED);
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(refused)?;
    let (signed, tag) = token.rsplit_once('.').ok_or_else(refused)?;
    let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| refused())?;
    mac(signed.as_bytes()).verify_slice(&tag).map_err(|_| refused())?;
    let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.').ok_or_else(refused)?.1).map_err(|_| refused())?;
    let claims: Claims = serde_json::from_slice(&claims).map_err(|_| refused())?;
    if claims.exp * 1000 < DateTime::now().timestamp_millis() {
        return Err(refused());
    }
    let id = |text: &str| ObjectId::parse_str(text).map_err(|_| refused());
    Ok((id(&claims.sub)?, id(&claims.sid)?))
}

struct Floor {
    products: Collection<Product>,
    users: Collection<WithCart>,
    bodies: Vec<bytes::Bytes>,
}

#[derive(Deserialize)]
struct Product {
    #[serde(rename = "_id")]
    id: ObjectId,
    parent_id: ObjectId,
    own_code: String,
    code: String,
    name: String,
    description: String,
    image_url: String,
    price: i64,
    stock: i64,
    is_active: bool,
    created_at: DateTime,
}

#[derive(Object)]
struct ProductOut {
    _id: String,
    category_id: String,
    product_name: String,
    product_code: String,
    code: String,
    description: String,
    price: f64,
    stock: i64,
    image_url: String,
    created_at: i64,
    reviews: Vec<String>,
    is_active: bool,
}

#[derive(Deserialize)]
struct WithCart {
    cart: Cart,
}

#[derive(Deserialize)]
struct Cart {
    _id: ObjectId,
    items: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    product_id: ObjectId,
    quantity: i64,
    added_at: DateTime,
    unit_price_at_add: i64,
}

#[derive(Object)]
struct CartOut {
    _id: String,
    items: Vec<LineOut>,
}

#[derive(Object)]
struct LineOut {
    product_id: String,
    quantity: i64,
    added_at: i64,
    unit_price: f64,
}

#[derive(Deserialize)]
struct Stock {
    stock: i64,
}

#[OpenApi]
impl Floor {
    /// Returns a fixed body. `kind` is the index of its size in the arguments of the process.
    #[oai(path = "/static/:kind", method = "get")]
    async fn fixed(&self, kind: Path<usize>) -> Binary<bytes::Bytes> {
        Binary(self.bodies[kind.0].clone())
    }

    /// Returns the product with a code.
    #[oai(path = "/product/:code", method = "get")]
    async fn product(&self, code: Path<String>) -> poem::Result<Json<ProductOut>> {
        let found = self.products.find_one(doc! { "code": code.0, "is_active": true }).await.map_err(failed)?;
        let product = found.ok_or_else(|| poem::Error::from_status(StatusCode::NOT_FOUND))?;
        Ok(Json(product_out(product)))
    }

    /// Returns the first page of the products whose field begins with a text.
    #[oai(path = "/search/:field", method = "get")]
    async fn search(&self, field: Path<String>, q: Query<String>) -> poem::Result<Json<Vec<ProductOut>>> {
        let (sort, start) = match field.0.as_str() {
            "code" => (doc! { "code": 1 }, q.0),
            _ => (doc! { "name_key": 1, "_id": 1 }, q.0.to_lowercase()),
        };
        let last = format!("{start}{}", char::MAX);
        let filter = doc! { "$and": [{ field.0: { "$gte": start, "$lt": last } }], "is_active": true };
        let found = self.products.find(filter).sort(sort).limit(21);
        let found: Vec<Product> = found.await.map_err(failed)?.try_collect().await.map_err(failed)?;
        Ok(Json(found.into_iter().map(product_out).collect()))
    }

    /// Returns the cart of the signed-in caller.
    #[oai(path = "/cart", method = "get")]
    async fn cart(&self, request: &Request) -> poem::Result<Json<CartOut>> {
        let (user, session) = signed_in(request)?;
        let filter = doc! { "_id": user, "is_active": true, "sessions._id": session };
        let found = self.users.find_one(filter).projection(doc! { "cart": 1 }).await.map_err(failed)?;
        Ok(Json(cart_out(found.ok_or_else(|| poem::Error::from_status(StatusCode::UNAUTHORIZED))?.cart)))
    }

    /// Adds one piece of a product to the cart and then reads the stock of the product.
    #[oai(path = "/add/:product", method = "post")]
    async fn add(&self, request: &Request, product: Path<String>) -> poem::Result<Json<CartOut>> {
        let (user, session) = signed_in(request)?;
        let product = ObjectId::parse_str(&product.0).map_err(|_| poem::Error::from_status(StatusCode::NOT_FOUND))?;
        let filter = doc! { "_id": user, "is_active": true, "sessions._id": session };
        let before = self.users.find_one_and_update(filter, add_pipeline(product)).projection(doc! { "cart": 1 });
        let before = before.await.map_err(failed)?.ok_or_else(|| poem::Error::from_status(StatusCode::UNAUTHORIZED))?;
        let stocks = self.products.clone_with_type::<Stock>();
        let stock = stocks.find_one(doc! { "_id": product }).projection(doc! { "stock": 1 }).await.map_err(failed)?;
        if stock.is_none_or(|product| product.stock < 1) {
            return Err(poem::Error::from_status(StatusCode::CONFLICT));
        }
        Ok(Json(cart_out(before.cart)))
    }
}

/// Returns the same update that the server uses to add to a cart.
fn add_pipeline(product: ObjectId) -> Vec<Document> {
    let (now, rev) = (DateTime::now(), ObjectId::new());
    let is_line = doc! { "$eq": ["$$i.product_id", product] };
    let own = doc! { "$filter": { "input": "$cart.items", "as": "i", "cond": is_line.clone() } };
    let held = doc! { "$sum": { "$map": { "input": own, "as": "i", "in": "$$i.quantity" } } };
    let more = doc! { "$mergeObjects": ["$$i", { "quantity": { "$add": ["$$i.quantity", 1_i64] }, "rev": rev }] };
    let raised = doc! { "$map": { "input": "$cart.items", "as": "i", "in": { "$cond": [is_line, more, "$$i"] } } };
    let line =
        doc! { "product_id": product, "quantity": 1_i64, "added_at": now, "unit_price_at_add": 1_i64, "rev": rev };
    let appended = doc! { "$concatArrays": ["$cart.items", [line]] };
    let items = doc! { "$cond": [{ "$gt": ["$_h", 0] }, raised, appended] };
    let full = doc! { "$and": [{ "$eq": ["$_h", 0] }, { "$gte": [{ "$size": "$cart.items" }, 100] }] };
    let refused = doc! { "$or": [{ "$gt": [{ "$add": ["$_h", 1] }, 1_000_000] }, full] };
    let changed = doc! { "$mergeObjects": ["$cart", { "updated_at": now, "items": items }] };
    vec![
        doc! { "$set": { "_h": held } },
        doc! { "$set": { "cart": { "$cond": [refused, "$cart", changed] } } },
        doc! { "$unset": "_h" },
    ]
}

fn product_out(product: Product) -> ProductOut {
    ProductOut {
        _id: product.id.to_hex(),
        category_id: product.parent_id.to_hex(),
        product_name: product.name,
        product_code: product.own_code,
        code: product.code,
        description: product.description,
        price: money(product.price),
        stock: product.stock,
        image_url: product.image_url,
        created_at: product.created_at.timestamp_millis(),
        reviews: Vec::new(),
        is_active: product.is_active,
    }
}

fn cart_out(cart: Cart) -> CartOut {
    let line = |line: Line| LineOut {
        product_id: line.product_id.to_hex(),
        quantity: line.quantity,
        added_at: line.added_at.timestamp_millis(),
        unit_price: money(line.unit_price_at_add),
    };
    CartOut { _id: cart._id.to_hex(), items: cart.items.into_iter().map(line).collect() }
}

#[allow(clippy::cast_precision_loss, reason = "amounts stay far below 2^53")]
fn money(minor: i64) -> f64 {
    minor as f64 / 100.0
}

fn failed(_: mongodb::error::Error) -> poem::Error {
    poem::Error::from_status(StatusCode::SERVICE_UNAVAILABLE)
}

/// Serves the floors until the process is killed. `sizes` has the sizes of the fixed bodies in bytes.
pub fn serve(mongo_uri: &str, database: &str, sizes: &[usize]) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut options = ClientOptions::parse(mongo_uri).await.expect("a URI");
        options.max_pool_size = Some(16);
        let database = Client::with_options(options).expect("a client").database(database);
        let floor = Floor {
            products: database.collection("products"),
            users: database.collection("users"),
            bodies: sizes.iter().map(|size| vec![b'x'; *size].into()).collect(),
        };
        let routes = Route::new().nest("/", OpenApiService::new(floor, "floor", "1"));
        let port = std::env::var("PORT").expect("a port");
        let server = Server::new(TcpListener::bind(format!("127.0.0.1:{port}")));
        server.run(routes).await.expect("it serves");
    });
}
