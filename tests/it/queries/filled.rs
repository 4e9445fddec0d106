//! A filled database, in which a query without an index has to read many documents.

use bson::{DateTime, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;

use crate::support::{TempFolder, TestApp, myspares, shared_mongod_uri};

/// The number of documents in each collection except those of the catalogue.
const MANY: i64 = 400;
/// The number of lines in each cart.
const LINES: usize = 5;

/// A function that builds the document with a given number.
type Nth = fn(i64) -> Document;

/// Fills all collections except `plans`, whose documents are removed soon, and `locks` and `workers`, which have only a
/// few documents.
pub async fn fill(app: &TestApp) {
    catalogue(app.db.name());
    let products: Vec<Document> =
        app.products().find(doc! {}).await.expect("found").try_collect().await.expect("products");
    assert_eq!(products.len(), 2_000);
    let ids: Vec<ObjectId> = products.iter().map(|product| product.get_object_id("_id").expect("an id")).collect();
    let users: Vec<Document> = (0..MANY).map(|n| account(n, &ids)).collect();
    app.users().insert_many(users).await.expect("accounts");
    for &(name, document) in REST {
        let documents: Vec<Document> = (0..MANY).map(document).collect();
        app.db.collection::<Document>(name).insert_many(documents).await.expect(name);
    }
}

/// Inserts 4 brands with 5 models each, 5 categories in each model and 20 products in each category.
fn catalogue(database: &str) {
    let folder = TempFolder::new().expect("a folder");
    let vars = [("MONGO_URI", shared_mongod_uri()), ("MONGO_DB_NAME", database)];
    let sizes = ["--brands", "4", "--models", "5", "--categories", "5", "--products", "20", "--users", "0"];
    let seeded = myspares(folder.path(), &vars, &[&["seed"], &sizes[..]].concat());
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
}

/// Returns the time in `minutes` minutes.
fn after(minutes: i64) -> DateTime {
    DateTime::from_millis(DateTime::now().timestamp_millis() + minutes * 60_000)
}

fn number(n: i64) -> String {
    format!("+9170{n:08}")
}

/// Builds an account. Its cart holds other products than the cart of the previous account.
fn account(n: i64, products: &[ObjectId]) -> Document {
    let (id, now) = (ObjectId::new(), DateTime::now());
    let start = usize::try_from(n).expect("a count") * LINES % products.len();
    let line = |product: &ObjectId| {
        doc! { "product_id": product, "quantity": 1_i64, "added_at": now, "unit_price_at_add": 1_000_i64,
        "rev": ObjectId::new() }
    };
    let items: Vec<Document> = products[start..start + LINES].iter().map(line).collect();
    let session = |_| {
        doc! { "_id": ObjectId::new(), "counter": 1_i64, "device": "filled", "ip": "::1", "created_at": now,
        "signed_in_at": now, "last_used_at": now, "expires_at": after(60) }
    };
    let sessions: Vec<Document> = (0..3).map(session).collect();
    let email = format!("filled{n}@example.com");
    doc! {
        "_id": id, "username": id.to_hex(), "username_key": id.to_hex(), "phone_number": number(n), "email": &email,
        "password_hash": "", "role": "customer", "is_active": true,
        "verification": { "email": { "value": &email, "verified_at": now } },
        "cart": { "_id": ObjectId::new(), "items": items, "created_at": now, "updated_at": now },
        "sessions": sessions, "created_at": now, "updated_at": now,
    }
}

/// The other collections and their documents. Nothing in them is due, so no worker processes it.
const REST: &[(&str, Nth)] = &[
    ("audits", |n| {
        let (user, now) = (ObjectId::new(), after(-n));
        doc! { "collection": "products", "operation": "update", "document_key": { "_id": ObjectId::new() },
        "code": format!("FIL{n:03}"), "codes": [format!("FIL{n:03}")], "full_document": null, "update_description": null,
        "actor": { "user_id": user, "username": "filled" }, "request_id": null, "timestamp": now,
        "expires_at": after(60), "search": format!("products\nupdate\nfil{n:03}\nfilled\n{user}") }
    }),
    ("otp_codes", |n| {
        doc! { "purpose": "register", "number": number(n), "user": ObjectId::new(), "code_hash": null,
        "attempts": 0_i64, "created_at": DateTime::now(), "expires_at": after(60) }
    }),
    ("pending_registrations", |n| doc! { "number": number(n), "expires_at": after(60) }),
    ("verification_requests", |n| {
        doc! { "type": 0, "user": ObjectId::new(), "email": "filled@example.com", "token_hash": format!("filled {n}"),
        "expires_at": after(60) }
    }),
    ("outbox", |_| {
        doc! { "user": ObjectId::new(), "kind": "verify_email", "to": "filled@example.com", "due_at": after(60),
        "attempts": 0, "created_at": DateTime::now(), "expires_at": after(120) }
    }),
    ("invitations", |n| {
        let (email, now) = (format!("filled{n}@example.com"), DateTime::now());
        let mut invitation =
            doc! { "email": email, "invited_by": ObjectId::new(), "created_at": now, "expires_at": after(60) };
        // Only a few invitations are open at the same time.
        if n % 40 != 0 {
            invitation.insert("used_at", now);
        }
        invitation
    }),
    ("image_trash", |n| doc! { "_id": format!("filled{n}"), "due_at": after(60), "attempts": 0 }),
    ("image_files", |n| doc! { "_id": format!("filled{n}"), "rev": 1_i64 }),
    ("rate_limits", |n| doc! { "_id": format!("LIMIT_SIGN_IN:{n:024x}"), "hits": [], "expires_at": after(60) }),
    ("purges", |n| doc! { "_id": format!("FIL{n:03}"), "touched_at": after(60) }),
];
