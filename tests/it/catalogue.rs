//! Reading the public catalogue.

use bson::doc;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{TestApp, stable};

const BRANDS: &str = "/api/utils/brands/";

#[tokio::test]
async fn each_level_is_listed_and_fetched() {
    let app = TestApp::start().await;
    let product = app.product(2499.5, 40).await;
    let anyone = app.anonymous();
    let levels = [
        (BRANDS.to_owned(), "brands", "brand", "TATA"),
        (format!("{BRANDS}TATA/models/"), "models", "model", "NEXON"),
        (format!("{BRANDS}TATA/models/NEXON/categories/"), "categories", "category", "BRK"),
        (
            format!("{BRANDS}TATA/models/NEXON/categories/BRK/products/"),
            "products",
            "product",
            product["product_code"].as_str().expect("a code"),
        ),
    ];
    for (path, list, one, code) in levels {
        let listed = anyone.get(&path).await.expect(200);
        let fetched = anyone.get(&format!("{path}{code}/")).await.expect(200);
        assert_eq!(listed[list], json!([fetched[one]]), "{path}");
        assert_eq!(listed["next_cursor"], Value::Null);
        assert_eq!(fetched[one][format!("{one}_code")], code);
    }
}

#[tokio::test]
async fn a_product_shows_exact_money_and_all_its_fields() {
    let app = TestApp::start().await;
    let product = app.product(19.99, 7).await;
    assert_json_snapshot!(stable(&product), @r#"
    {
      "_id": "[id]",
      "category_id": "[id]",
      "code": "TATA-NEXON-BRK-[code]",
      "created_at": "[time]",
      "description": "A pad",
      "discount": 0,
      "image_url": "https://images.example.com/a.webp",
      "image_variants": {
        "w320": "https://images.example.com/a.webp",
        "w800": "https://images.example.com/a.webp"
      },
      "images": [
        {
          "_id": "[id]",
          "alt": "Front brake pad",
          "position": 0,
          "url": "https://images.example.com/a.webp",
          "variants": {
            "w320": "https://images.example.com/a.webp",
            "w800": "https://images.example.com/a.webp"
          }
        }
      ],
      "is_active": true,
      "offers": {},
      "price": 19.99,
      "price_until": null,
      "product_code": "[code]",
      "product_name": "Front brake pad",
      "reviews": [],
      "stock": 7,
      "unit_price": 19.99,
      "updated_at": "[time]"
    }
    "#);
    assert_eq!(product["code"], format!("TATA-NEXON-BRK-{}", product["product_code"].as_str().expect("a code")));
}

#[tokio::test]
async fn not_found_names_the_first_missing_level() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    let cases = [
        ("NONE/", "brand not found"),
        ("NONE/models/", "brand not found"),
        ("NONE/models/NEXON/categories/BRK/products/X/", "brand not found"),
        ("TATA/models/NONE/", "model not found"),
        ("TATA/models/NONE/categories/", "model not found"),
        ("TATA/models/NONE/categories/BRK/products/X/", "model not found"),
        ("TATA/models/NEXON/categories/NONE/", "category not found"),
        ("TATA/models/NEXON/categories/NONE/products/", "category not found"),
        ("TATA/models/NEXON/categories/BRK/products/NONE/", "product not found"),
        ("TATA-NEXON/models/BRK/", "brand not found"),
        ("tata-nexon/", "brand not found"),
        ("%00/", "brand not found"),
        ("%24ne/models/", "brand not found"),
    ];
    for (path, error) in cases {
        app.anonymous().get(&format!("{BRANDS}{path}")).await.refused(404, error);
    }
}

#[tokio::test]
async fn hidden_products_are_nowhere() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    app.change_product(&product, doc! { "$set": { "is_active": false } }).await;
    let list = format!("{BRANDS}TATA/models/NEXON/categories/BRK/products/");
    assert_eq!(app.anonymous().get(&list).await.expect(200)["products"], json!([]));
    let one = format!("{list}{}/", product["product_code"].as_str().expect("a code"));
    app.anonymous().get(&one).await.refused(404, "product not found");
}

#[tokio::test]
async fn paging_shows_each_entry_once_and_in_order() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    for n in 0..45 {
        let brand = json!({ "brand_name": format!("Brand {n}"), "brand_code": format!("B{n:02}"), "image_url": "https://images.example.com/a.png" });
        staff.post("/api/admin/brands/insert/", &brand).await.expect(201);
    }
    let (mut seen, mut path, mut pages) = (Vec::new(), format!("{BRANDS}?limit=20"), 0);
    loop {
        let page = app.anonymous().get(&path).await.expect(200);
        let codes = page["brands"].as_array().expect("brands").iter().map(|brand| brand["brand_code"].to_string());
        seen.extend(codes);
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{BRANDS}?limit=20&cursor={cursor}");
    }
    let expected: Vec<String> = (0..45).map(|n| format!("\"B{n:02}\"")).collect();
    assert_eq!((seen, pages), (expected, 3));
    assert_eq!(app.anonymous().get(BRANDS).await.expect(200)["brands"].as_array().map(Vec::len), Some(20));
}

#[tokio::test]
async fn limits_and_cursors_that_make_no_sense_are_refused() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    for limit in ["0", "-3", "abc", "100000000000000000000", "1.5", "%2B5"] {
        let reply = app.anonymous().get(&format!("{BRANDS}?limit={limit}")).await;
        reply.refused(400, "limit must be an integer between 1 and 100");
    }
    // More than 100 counts as 100, and an empty limit as none.
    for limit in ["100", "101", "5000", ""] {
        app.anonymous().get(&format!("{BRANDS}?limit={limit}")).await.expect(200);
    }
    for cursor in ["junk", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let reply = app.anonymous().get(&format!("{BRANDS}?cursor={cursor}")).await;
        reply.refused(400, "cursor must come from next_cursor of the same list");
    }
}
