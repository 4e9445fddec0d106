//! The names that shops give to brands, models, categories and products.

use bson::{Document, doc, oid::ObjectId};
use serde_json::{Value, json};

use crate::support::{
    Caller, TestApp,
    catalogue_file::{HEADER, export, import, line, report},
};

const BRANDS: &str = "/api/admin/brands/";
const IMAGE: &str = "https://images.example.com/a.webp";
/// The path of each level below [`BRANDS`], its name in fields, and a code that `TestApp::product` has not inserted.
const LEVELS: [(&str, &str, &str); 4] = [
    ("", "brand", "NEW1"),
    ("TATA/models/", "model", "NEW2"),
    ("TATA/models/NEXON/categories/", "category", "NEW3"),
    ("TATA/models/NEXON/categories/BRK/products/", "product", "NEW4"),
];

/// Returns the body that inserts an entry of a level.
fn entry(level: &str, code: &str, name: &str) -> Value {
    json!({ format!("{level}_name"): name, format!("{level}_code"): code, "description": "x", "price": 1, "stock": 1,
        "image_url": IMAGE })
}

/// Starts a server with an entry on each level.
async fn shop() -> (TestApp, Caller) {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    let staff = app.staff().await;
    for (path, level, code) in LEVELS {
        staff.post(&format!("{BRANDS}{path}insert/"), &entry(level, code, "Plain")).await.expect(201);
    }
    (app, staff)
}

/// Renames the entry of a level and returns the name that everybody sees then.
async fn renamed(app: &TestApp, staff: &Caller, (path, level, code): (&str, &str, &str), name: &str) -> Value {
    let change = json!({ format!("{level}_name"): name });
    staff.put(&format!("{BRANDS}{path}update/{code}/"), &change).await.expect(200);
    let shown = app.anonymous().get(&format!("/api/utils/brands/{path}{code}/")).await.expect(200);
    shown[level][format!("{level}_name")].clone()
}

#[tokio::test]
async fn what_shops_print_is_taken_on_each_level_and_comes_back_as_it_was() {
    let (app, staff) = shop().await;
    let longest = "é".repeat(120);
    for name in [
        "Wheel Rim 18\"",
        "Oil Filter #5",
        "Temp Sensor 85°C",
        "Bolt M8×25",
        "Brake Pad – Front",
        "Bosch® Pad™",
        "A set of two ventilated front brake discs, 57 characters.",
        "तऱ्\u{200d}हा पॅड",
        "র\u{200d}্যাক",
        "Kit = 2 × ½ @ 12V; [50%] {a|b} ~ $9 * € `^`",
        "刹车片【前】・ブレーキ",
        &longest,
    ] {
        for level in LEVELS {
            assert_eq!(renamed(&app, &staff, level, name).await, name, "{level:?}");
        }
    }
}

#[tokio::test]
async fn spaces_of_every_kind_become_one_and_letters_are_composed() {
    let (app, staff) = shop().await;
    for (typed, shown) in [
        ("Oil\u{a0}Filter", "Oil Filter"),
        ("\u{2003}Oil \u{202f}\u{3000} Filter\u{a0}", "Oil Filter"),
        ("Oil\u{2028}Filter", "Oil Filter"),
        ("Citroe\u{308}n\u{2009}C3", "Citroën C3"),
    ] {
        for level in LEVELS {
            assert_eq!(renamed(&app, &staff, level, typed).await, shown, "{typed:?}");
        }
    }
}

#[tokio::test]
async fn lengths_and_characters_have_sentences_of_their_own() {
    let (_app, staff) = shop().await;
    for (name, is_of_length) in [
        ("a<b".to_owned(), false),
        ("a>b".to_owned(), false),
        ("Pad\u{200b}s".to_owned(), false),
        ("Pad\u{202e}s".to_owned(), false),
        ("Pad\u{200d}s".to_owned(), false),
        ("Pad\u{e000}".to_owned(), false),
        ("A".to_owned(), true),
        ("a".repeat(121), true),
        ("\u{a0}A\u{3000}".to_owned(), true),
        ("<".repeat(5_000), true),
    ] {
        for (path, level, code) in LEVELS {
            let field = format!("{level}_name");
            let why = if is_of_length { format!("{field} too long/short") } else { "invalid characters".to_owned() };
            let error = format!("invalid {field}: {why}");
            let reply = staff.post(&format!("{BRANDS}{path}insert/"), &entry(level, "OTHER", &name)).await;
            assert_eq!(reply.refused(400, &error)["fields"][&field], error.as_str());
            let change = json!({ &field: name });
            staff.put(&format!("{BRANDS}{path}update/{code}/"), &change).await.refused(400, &error);
        }
    }
}

#[tokio::test]
async fn files_take_the_same_names() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let name = "Rim 18\"\" – M8×25 #5 85°C\u{a0}तऱ्\u{200d}हा";
    let row = |code: &str, name: &str| line("TATA", code, "1.00").replace("Brake pad", &format!("\"{name}\""));
    let file = [HEADER, &row("P1", name), &row("P2", "a<b"), &row("P3", &"x".repeat(121))].join("\n");
    let reply = import(&staff, "text/csv", &file).await.expect(200);
    assert_eq!(reply["inserted"], 1, "{}", reply.text);
    let errors: Vec<&Value> = reply["failed"].as_array().expect("failed").iter().map(|row| &row["error"]).collect();
    let expected = ["invalid product_name: invalid characters", "invalid product_name: product_name too long/short"];
    assert_eq!(errors, expected);
    let product = app.anonymous().get("/api/utils/products/TATA-NEXON-BRK-P1/").await.expect(200);
    assert_eq!(product["product"]["product_name"], "Rim 18\" – M8×25 #5 85°C तऱ्\u{200d}हा");
    for (format, content_type) in [("csv", "text/csv"), ("jsonl", "application/x-ndjson")] {
        let file = export(&staff, format).await;
        import(&staff, content_type, &file).await.expect(200).json_is(&report(0, 0, 1));
    }
}

/// Stores a product below the category of `TestApp::product`, as a version before this one did.
async fn stored_before(app: &TestApp, own: &str, name: &str, description: &str) {
    let now = bson::DateTime::now();
    let product = doc! { "_id": ObjectId::new(), "parent_id": ObjectId::new(), "parent": "TATA-NEXON-BRK",
    "own_code": own, "code": format!("TATA-NEXON-BRK-{own}"), "name": name, "description": description,
    "image_url": IMAGE, "price": 100_i64, "stock": 5_i64, "is_active": true, "name_key": name.to_lowercase(),
    "words": name.to_lowercase().split(' ').collect::<Vec<_>>(), "created_at": now, "updated_at": now };
    app.products().insert_one(product).await.expect("a product");
}

#[tokio::test]
async fn what_was_stored_before_stays_and_is_found_without_accents_after_a_start() {
    let first = TestApp::start().await;
    first.product(10.0, 1).await;
    let old_pattern = "^[A-Z0-9]{2,10}(-[A-Z0-9]{2,10}){2}-[A-Z0-9]{1,20}$";
    let old = doc! { "$jsonSchema": { "properties": { "code": { "bsonType": "string", "pattern": old_pattern } } } };
    first.db.run_command(doc! { "collMod": "products", "validator": old }).await.expect("a validator");
    for level in ["brands", "models", "categories"] {
        let without = doc! { "$set": { "name": "Citroën  old" }, "$unset": { "search_text": "", "search_form": "" } };
        first.db.collection::<Document>(level).update_many(doc! {}, without).await.expect("an update");
    }
    stored_before(&first, "OLD1", "Phare  avant Citroën", "Qualité é\u{301}levée").await;
    let app = first.another_instance().await;
    let products = "brands/TATA/models/NEXON/categories/BRK/products/";
    for path in ["brands/", "brands/TATA/models/", "brands/TATA/models/NEXON/categories/", products] {
        let found = app.anonymous().get(&format!("/api/utils/{path}search/?q=citroen")).await.expect(200);
        assert_eq!(found["results"].as_array().map(Vec::len), Some(1), "{path}");
    }
    let shown = app.anonymous().get(&format!("/api/utils/{products}search/?q=elevee")).await.expect(200);
    assert_eq!(shown["results"][0]["product_name"], "Phare  avant Citroën");
    let staff = app.staff().await;
    let file = export(&staff, "csv").await;
    import(&staff, "text/csv", &file).await.expect(200).json_is(&report(0, 0, 2));
    // The validator of the older version knew no signs inside codes.
    let new = entry("product", "NEW-1.A", "New");
    staff.post(&format!("/api/admin/{products}insert/"), &new).await.expect(201);
}
