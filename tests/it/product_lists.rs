//! The list of all products for staff.

use std::cmp::Ordering;

use bson::{DateTime, Document, doc};
use serde_json::{Value, json};

use crate::support::{
    Caller, TestApp,
    catalogue_file::{self, import},
    id_of,
};

const LIST: &str = "/api/admin/products/";
/// Names of products, and the texts by which people sort them.
const NAMES: [(&str, &str); 7] = [
    ("Étrier avant", "etrier avant"),
    ("etrier AVANT", "etrier avant"),
    ("Zylinder", "zylinder"),
    ("Ölfilter", "olfilter"),
    ("İç Lamba", "ic lamba"),
    ("Brake pad", "brake pad"),
    ("ब्रेक पैड", "ब्रेक पैड"),
];

/// Imports 56 products below two brands, which have every value of every condition in several combinations.
async fn filled(app: &TestApp) -> Caller {
    let staff = app.staff().await;
    let at = "https://images.example.com/a.webp";
    let row = |n: usize| {
        let (brand, model, category) = (["TATA", "KIA"][n % 2], ["NEXON", "EV"][n / 2 % 2], ["BRK", "FLT"][n / 7 % 2]);
        let (name, price, stock) = (NAMES[n % NAMES.len()].0, n / 3 * 5 % 40, [0, 3, 3, 12, 900][n % 5]);
        let offer = if n.is_multiple_of(3) { "10,5,6,Sale" } else { ",,," };
        format!(
            "{brand},Brand {brand},{at},{model},Model {model},{at},{category},Category {category},{at},P-{n},{name},x,\
             {price}.50,{stock},{at},{offer},{}",
            n % 4 != 1
        )
    };
    let rows: Vec<String> = (0..56).map(row).collect();
    let file = format!("{}\n{}\n", catalogue_file::HEADER, rows.join("\n"));
    assert_eq!(import(&staff, "text/csv", &file).await.expect(200)["inserted"], 56);
    for n in 0..56 {
        let at = DateTime::from_millis(1_700_000_000_000 + n / 6 * 86_400_000);
        let changed = doc! { "$set": { "updated_at": at } };
        app.products().update_one(doc! { "own_code": format!("P-{n}") }, changed).await.expect("an update");
    }
    staff
}

/// Reads all pages of a list, and checks that each tells the same total.
async fn pages(staff: &Caller, query: &str) -> Vec<Value> {
    let (mut rows, mut cursor, mut total) = (Vec::new(), String::new(), Value::Null);
    loop {
        let page = staff.get(&format!("{LIST}?{query}&cursor={cursor}")).await.expect(200);
        rows.extend(page["products"].as_array().expect("products").clone());
        assert_eq!(page["total_is_capped"], false);
        assert!(cursor.is_empty() || total == page["total"], "{query}");
        total = page["total"].clone();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(total, rows.len(), "{query}");
    rows
}

/// The queries of one condition each, and whether a row meets it.
type Condition = (&'static str, fn(&Value) -> bool);

const CONDITIONS: &[Condition] = &[
    ("", |_| true),
    ("brand=kia", |row| row["brand_name"] == "Brand KIA"),
    ("model=EV", |row| row["model_name"] == "Model EV"),
    ("category=Brk", |row| row["category_name"] == "Category BRK"),
    ("is_active=true", |row| row["is_active"] == true),
    ("is_active=false", |row| row["is_active"] == false),
    ("in_stock=true", |row| row["stock"] != 0),
    ("in_stock=false", |row| row["stock"] == 0),
    ("stock_max=3", |row| row["stock"].as_i64() <= Some(3)),
    ("stock_max=0", |row| row["stock"] == 0),
    ("has_offer=true", |row| row["offers"] != json!({})),
    ("has_offer=false", |row| row["offers"] == json!({})),
    ("updated_from=2023-11-19", |row| row["updated_at"].as_str() >= Some("2023-11-19")),
    ("q=etrier", |row| plain_name(row).starts_with("etrier")),
    ("q=KIA-ev-", |row| row["code"].as_str().expect("a code").starts_with("KIA-EV-")),
    ("q=p-1", |row| row["product_code"].as_str().expect("a code").starts_with("P-1")),
    ("q=pad%20bra", |row| row["product_name"] == "Brake pad"),
    ("q=%E0%A4%AA%E0%A5%88%E0%A4%A1", |row| row["product_name"] == "ब्रेक पैड"),
    ("q=!!", |_| false),
    ("brand=TATA&model=EV&category=FLT", |row| row["code"].as_str().expect("a code").starts_with("TATA-EV-FLT")),
    ("brand=tata&category=FLT&in_stock=true&stock_max=12&is_active=true&has_offer=false", |row| {
        let code = row["code"].as_str().expect("a code");
        let in_stock = (1..=12).contains(&row["stock"].as_i64().expect("a number"));
        code.starts_with("TATA-")
            && code.contains("-FLT-")
            && in_stock
            && row["is_active"] == true
            && row["offers"] == json!({})
    }),
    ("in_stock=false&is_active=true&updated_from=1700300000", |row| {
        row["stock"] == 0 && row["is_active"] == true && row["updated_at"].as_str() >= Some("2023-11-18T09:33")
    }),
];

fn plain_name(row: &Value) -> &'static str {
    NAMES.iter().find(|(name, _)| row["product_name"] == *name).expect("a name").1
}

/// Compares two rows by the field of an order and then by their ids.
fn compare(by: &str, a: &Value, b: &Value) -> Ordering {
    let text = |row: &Value, field: &str| row[field].as_str().expect("a text").to_owned();
    let number = |row: &Value| (row[by].as_f64().expect("a number") * 100.0).round() as i64;
    let by_value = match by {
        "name" => plain_name(a).cmp(plain_name(b)),
        "price" | "stock" => number(a).cmp(&number(b)),
        _ => text(a, by).cmp(&text(b, by)),
    };
    by_value.then_with(|| text(a, "_id").cmp(&text(b, "_id")))
}

#[tokio::test]
async fn each_condition_and_order_shows_exactly_what_it_says() {
    let app = TestApp::start().await;
    let staff = filled(&app).await;
    let all = pages(&staff, "limit=100").await;
    assert_eq!(all.len(), 56);
    for (condition, is_met) in CONDITIONS {
        let met: Vec<Value> = all.iter().filter(|row| is_met(row)).cloned().collect();
        assert!(!met.is_empty() && met.len() < 56 || ["", "q=!!"].contains(condition), "{condition}: {}", met.len());
        for by in ["code", "name", "price", "stock", "updated_at"] {
            let mut expected = met.clone();
            expected.sort_by(|a, b| compare(by, a, b));
            assert_eq!(pages(&staff, &format!("{condition}&sort={by}&limit=100")).await, expected, "{condition} {by}");
            expected.reverse();
            let shown = pages(&staff, &format!("{condition}&sort=-{by}&limit=9")).await;
            assert_eq!(shown, expected, "{condition} -{by}");
        }
    }
}

#[tokio::test]
async fn a_row_has_everything_that_staff_need() {
    let app = TestApp::start().await;
    let product = app.product(12.5, 7).await;
    let staff = app.staff().await;
    let change = json!({ "is_active": false, "product_name": "Hidden pad" });
    let path = format!("/api/admin/brands/TATA/models/NEXON/categories/BRK/products/update/{}/", text(&product));
    app.advance(std::time::Duration::from_secs(60));
    let updated = staff.put(&path, &change).await.expect(200)["product"].clone();
    assert!(updated["updated_at"].as_str() > product["updated_at"].as_str(), "{updated}");
    let mut row = updated.clone();
    for (field, name) in [("brand_name", "Tata Motors"), ("model_name", "Nexon"), ("category_name", "Brakes")] {
        row[field] = name.into();
    }
    let only = json!({ "products": [row], "total": 1, "total_is_capped": false, "next_cursor": null });
    let nested = "/api/admin/brands/TATA/models/NEXON/categories/BRK/products/";
    for path in [LIST, &format!("{LIST}?brand=TATA&limit=1"), nested, &format!("{nested}?limit=1")] {
        staff.get(path).await.expect(200).json_is(&only);
    }
    // Some program may delete a branch and leave its products.
    app.db.collection::<Document>("models").delete_many(doc! {}).await.expect("a deletion");
    assert_eq!(staff.get(LIST).await.expect(200)["products"][0]["model_name"], Value::Null);
}

fn text(product: &Value) -> &str {
    product["product_code"].as_str().expect("a code")
}

#[tokio::test]
async fn a_change_counts_at_once_whoever_makes_it() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    let staff = app.staff().await;
    let total = async |query: &str| staff.get(&format!("{LIST}?{query}")).await.expect(200)["total"].clone();
    let stored = doc! { "_id": id_of(&product) };
    app.products().update_one(stored, doc! { "$set": { "stock": -1 } }).await.expect("an update");
    assert_eq!([total("in_stock=false").await, total("in_stock=true").await], [1, 0]);
    let path = format!("/api/admin/brands/TATA/models/NEXON/categories/BRK/products/update/{}/", text(&product));
    let offers = json!({ "discount": 10, "validity": { "from": 5, "to": 6 }, "description": "Sale" });
    for (change, with) in [(json!({ "offers": offers }), 1), (json!({ "offers": {} }), 0)] {
        staff.put(&path, &change).await.expect(200);
        assert_eq!([total("has_offer=true").await, total("has_offer=false").await], [with, 1 - with]);
    }
    staff.put(&path, &json!({ "product_name": "Ätherisch" })).await.expect(200);
    assert_eq!([total("q=atherisch").await, total("q=%C3%84TH").await, total("q=brake").await], [1, 1, 0]);
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_query_is_told_at_once() {
    let app = TestApp::start().await;
    let staff = filled(&app).await;
    let query = "q=%20&brand=T&model=A-B&category=&is_active=1&in_stock=no&stock_max=-1&has_offer=x&updated_from=soon\
        &sort=newest&limit=0";
    let reply = staff.get(&format!("{LIST}?{query}")).await;
    let reply = reply.refused(400, "brand must be a code of 2 to 10 letters and digits");
    let named: Vec<&String> = reply["fields"].as_object().expect("fields").keys().collect();
    let expected =
        ["brand", "has_offer", "in_stock", "is_active", "limit", "model", "sort", "stock_max", "updated_from"];
    assert_eq!(named, expected);
    for (query, error) in [
        ("brnad=TATA", "unknown query parameter: brnad"),
        ("brand=TATA&brand=KIA", "brand is there twice"),
        ("sort=-", "sort must be code, name, price, stock or updated_at, with - in front for descending order"),
        ("stock_max=1000001", "stock_max must be a whole number from 0 to 1000000"),
        ("updated_from=2024-13-01", "updated_from must be RFC 3339, YYYY-MM-DD or Unix seconds"),
    ] {
        staff.get(&format!("{LIST}?{query}")).await.refused(400, error);
    }
    for query in ["updated_from=2001-02-03T04:05:06+05:30", "updated_from=2001-02-03&limit=", "limit=100&q="] {
        assert_eq!(staff.get(&format!("{LIST}?{query}")).await.expect(200)["total"], 56, "{query}");
    }
    let long = format!("{LIST}?q={}", "x".repeat(101));
    staff.get(&long).await.refused(400, "q must be 1 to 100 characters");
    assert_eq!(
        staff.get(&format!("{LIST}?limit=1000")).await.expect(200)["products"].as_array().map(Vec::len),
        Some(56)
    );
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list() {
    let app = TestApp::start().await;
    let staff = filled(&app).await;
    let first = staff.get(&format!("{LIST}?sort=price&limit=5&brand=TATA")).await.expect(200);
    let cursor = first["next_cursor"].as_str().expect("a cursor");
    let refused = "cursor must come from next_cursor of the same list";
    for query in ["sort=-price&brand=TATA", "sort=price", "sort=price&brand=KIA", "sort=name&brand=TATA", ""] {
        staff.get(&format!("{LIST}?{query}&cursor={cursor}")).await.refused(400, refused);
    }
    let in_code = "/api/admin/brands/TATA/models/NEXON/categories/BRK/products/";
    staff.get(&format!("{in_code}?cursor={cursor}")).await.refused(400, refused);
    // Entries that come or go between two pages move no other entry across the place.
    let last = first["products"][4].clone();
    app.products().delete_one(doc! { "_id": id_of(&last) }).await.expect("a deletion");
    let again = staff.get(&format!("{LIST}?sort=price&brand=tata&limit=100&cursor={cursor}")).await.expect(200);
    assert_eq!((again["products"].as_array().map(Vec::len), &again["total"]), (Some(23), &json!(27)));
}

#[tokio::test]
async fn fields_that_another_program_left_wrong_are_mended_by_a_change_and_by_a_start() {
    let app = TestApp::start().await;
    let (one, other) = (app.product(10.0, 5).await, app.product(20.0, 5).await);
    let staff = app.staff().await;
    let offer = doc! { "discount": 500_i32, "from": 1_i64, "to": 2_i64, "description": "Over" };
    let wrong = doc! { "offer": offer, "has_offer": false, "branches": ["brand:KIA"], "name_order": "zzz" };
    app.products().update_one(doc! { "_id": id_of(&one) }, doc! { "$set": wrong }).await.expect("an update");
    let codes = async |staff: &Caller, query: &str| {
        let rows = pages(staff, query).await;
        rows.iter().map(|row| text(row).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&staff, "brand=TATA&limit=50").await, [text(&other)]);
    let path = format!("/api/admin/brands/TATA/models/NEXON/categories/BRK/products/update/{}/", text(&one));
    staff.put(&path, &json!({ "price": 11 })).await.expect(200);
    assert_eq!(codes(&staff, "brand=TATA&has_offer=true&limit=50").await, [text(&one)]);
    let stored = app.products().find_one(doc! { "_id": id_of(&one) }).await.expect("found").expect("a product");
    assert_ne!(stored.get_str("name_order").ok(), Some("zzz"));
    // An offer comes and another one goes, and nobody sets has_offer.
    let comes = doc! { "$set": { "offer": stored.get_document("offer").expect("an offer") } };
    app.products().update_one(doc! { "_id": id_of(&other) }, comes).await.expect("an update");
    app.products()
        .update_one(doc! { "_id": id_of(&one) }, doc! { "$unset": { "offer": "" } })
        .await
        .expect("an update");
    assert_eq!(codes(&staff, "has_offer=true&limit=50").await, [text(&one)]);
    let again = app.another_instance().await;
    assert_eq!(codes(&staff.at(&again.url), "has_offer=true&limit=50").await, [text(&other)]);
}

#[tokio::test]
async fn products_of_an_older_version_are_listed_after_a_start() {
    let first = TestApp::start().await;
    let staff = filled(&first).await;
    let expected = pages(&staff, "brand=TATA&has_offer=true&sort=name&limit=100").await;
    let fields = doc! { "branches": "", "has_offer": "", "name_order": "" };
    let older = doc! { "$unset": fields, "$set": { "search_form": 1 } };
    first.products().update_many(doc! {}, older).await.expect("an update");
    let rows = pages(&staff, "limit=100").await;
    assert_eq!(rows.len(), 56, "until then they are in the lists without conditions");
    for index in ["list_name_order", "below_price", "sold_out_code", "updated_at"] {
        first.products().drop_index(index).await.expect("no index");
    }
    let app = first.another_instance().await;
    let staff = staff.at(&app.anonymous().url);
    assert_eq!(pages(&staff, "brand=TATA&has_offer=true&sort=name&limit=100").await, expected);
    assert_eq!(pages(&staff, "sort=-price&model=ev&limit=7").await.len(), 28);
}
