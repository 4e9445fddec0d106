//! Deleting brands, models, categories and products.

use std::time::Duration;

use bson::{Document, doc};
use insta::assert_json_snapshot;
use serde_json::json;

use crate::support::{Caller, Reply, TestApp};

const BRANDS: &str = "/api/admin/brands";

async fn insert(staff: &Caller, path: &str, level: &str, code: &str) -> Reply {
    let body = json!({ format!("{level}_name"): "Some name", format!("{level}_code"): code, "image_url": "https://images.example.com/a.png",
        "description": "x", "price": 1, "stock": 1 });
    staff.post(&format!("{BRANDS}{path}/insert/"), &body).await
}

/// Returns the number of brands, models, categories and products, in this order.
async fn counts(app: &TestApp) -> [u64; 4] {
    let mut counts = [0; 4];
    for (count, level) in counts.iter_mut().zip(["brands", "models", "categories", "products"]) {
        *count = app.db.collection::<Document>(level).count_documents(doc! {}).await.expect("a count");
    }
    counts
}

/// Inserts a brand with two models, two categories in each model and three products in each category.
async fn full_brand(staff: &Caller, brand: &str) {
    insert(staff, "", "brand", brand).await.expect(201);
    for model in ["M1", "M2"] {
        insert(staff, &format!("/{brand}/models"), "model", model).await.expect(201);
        for category in ["C1", "C2"] {
            let path = format!("/{brand}/models/{model}/categories");
            insert(staff, &path, "category", category).await.expect(201);
            for product in ["P1", "P2", "P3"] {
                insert(staff, &format!("{path}/{category}/products"), "product", product).await.expect(201);
            }
        }
    }
}

#[tokio::test]
async fn what_is_deleted_takes_everything_below_it_along() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    full_brand(&staff, "TATA").await;
    full_brand(&staff, "TATA2").await;
    let mut replies = Vec::new();
    for path in [
        "TATA/models/M1/categories/C1/products/delete/P1/",
        "TATA/models/M1/categories/delete/C1/",
        "TATA/models/delete/M1/",
        "delete/TATA/",
    ] {
        replies.push(staff.delete(&format!("{BRANDS}/{path}")).await.expect(200).json);
    }
    assert_json_snapshot!(replies, @r#"
    [
      {
        "deleted": {
          "categories": 0,
          "models": 0,
          "products": 0
        },
        "message": "product deleted successfully"
      },
      {
        "deleted": {
          "categories": 0,
          "models": 0,
          "products": 2
        },
        "message": "category deleted successfully"
      },
      {
        "deleted": {
          "categories": 1,
          "models": 0,
          "products": 3
        },
        "message": "model deleted successfully"
      },
      {
        "deleted": {
          "categories": 2,
          "models": 1,
          "products": 6
        },
        "message": "brand deleted successfully"
      }
    ]
    "#);
    assert_eq!(counts(&app).await, [1, 2, 4, 12], "a brand whose code begins with the same letters stays");
    staff.delete(&format!("{BRANDS}/delete/TATA/")).await.refused(404, "brand not found");
    full_brand(&staff, "TATA").await;
}

#[tokio::test]
async fn of_many_deletions_at_once_one_succeeds() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    full_brand(&staff, "TATA").await;
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let staff = staff.clone();
            tokio::spawn(async move { staff.delete(&format!("{BRANDS}/delete/TATA/")).await })
        })
        .collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.expect("a reply").status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404, 404, 404, 404, 404, 404, 404]);
    assert_eq!(counts(&app).await, [0; 4]);
}

/// Deletes a brand while twenty callers insert entries on all levels below it.
///
/// The inserts go to another instance, because one process carries out its writes one after the other.
async fn round(app: &TestApp, other: &TestApp, staff: &Caller) {
    insert(staff, "", "brand", "RACE").await.expect(201);
    insert(staff, "/RACE/models", "model", "M1").await.expect(201);
    insert(staff, "/RACE/models/M1/categories", "category", "C1").await.expect(201);
    let inserts: Vec<_> = (0..20)
        .map(|n| {
            let staff = staff.at(&other.url);
            tokio::spawn(async move {
                let (path, level) = match n % 3 {
                    0 => ("/RACE/models", "model"),
                    1 => ("/RACE/models/M1/categories", "category"),
                    _ => ("/RACE/models/M1/categories/C1/products", "product"),
                };
                insert(&staff, path, level, &format!("N{n}")).await.status.as_u16()
            })
        })
        .collect();
    staff.delete(&format!("{BRANDS}/delete/RACE/")).await.expect(200);
    for insert in inserts {
        let status = insert.await.expect("a reply");
        assert!(status == 201 || status == 404, "{status}");
    }
    assert_eq!(counts(app).await, [0; 4], "no orphan is left");
}

#[tokio::test]
async fn no_insert_survives_the_deletion_of_what_it_stands_below() {
    let app = TestApp::start().await;
    let (staff, other) = (app.staff().await, app.another_instance().await);
    for _ in 0..30 {
        round(&app, &other, &staff).await;
    }
}

#[tokio::test]
async fn a_code_is_free_only_when_everything_below_it_is_gone() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    full_brand(&staff, "TATA").await;
    // A server that is killed after deleting the brand and before removing its products leaves this state.
    for level in ["brands", "models", "categories"] {
        app.db.collection::<Document>(level).delete_many(doc! {}).await.expect("a deletion");
    }
    let job = doc! { "_id": "TATA", "touched_at": bson::DateTime::now() };
    app.db.collection::<Document>("purges").insert_one(job).await.expect("a job");
    insert(&staff, "", "brand", "TATA").await.refused(409, "brand_code already exists");
    app.work().await;
    assert_eq!(counts(&app).await, [0, 0, 0, 12], "another instance may still work on the job");
    app.advance(Duration::from_secs(60));
    app.work().await;
    assert_eq!(counts(&app).await, [0; 4]);
    insert(&staff, "", "brand", "TATA").await.expect(201);
}

#[tokio::test]
async fn a_brand_with_20_000_products_is_deleted_whole() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    let template = app.products().find_one(doc! {}).await.expect("a query").expect("a product");
    let copy = |n: usize| {
        let mut product = template.clone();
        product.insert("_id", bson::oid::ObjectId::new());
        product.insert("own_code", format!("N{n}"));
        product.insert("code", format!("TATA-NEXON-BRK-N{n}"));
        product
    };
    app.products().insert_many((0..20_000).map(copy)).await.expect("products");
    let staff = app.staff().await;
    let listed = staff.get(&format!("{BRANDS}/")).await.expect(200);
    let children = &listed["brands"][0]["children"];
    assert_eq!(children, &json!({ "models": 1, "categories": 1, "products": 10_000 }), "a list stops counting there");
    let reply = staff.delete(&format!("{BRANDS}/delete/TATA/")).await.expect(200);
    assert_eq!(reply["deleted"], json!({ "models": 1, "categories": 1, "products": 20_001 }));
    assert_eq!(counts(&app).await, [0; 4]);
    assert_eq!(app.db.collection::<Document>("purges").count_documents(doc! {}).await.expect("a count"), 0);
}

#[tokio::test]
async fn a_dry_run_tells_the_numbers_and_deletes_nothing() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    full_brand(&staff, "TATA").await;
    full_brand(&staff, "TATA2").await;
    let stored = (counts(&app).await, audits(&app).await);
    let below =
        |models, categories, products| json!({ "models": models, "categories": categories, "products": products });
    for (path, level, numbers) in [
        ("delete/TATA/", "brand", below(2, 4, 12)),
        ("TATA/models/delete/M1/", "model", below(0, 2, 6)),
        ("TATA/models/M1/categories/delete/C2/", "category", below(0, 0, 3)),
        ("tata/models/m1/categories/c2/products/delete/p3/", "product", below(0, 0, 0)),
    ] {
        let path = format!("{BRANDS}/{path}");
        let told = staff.delete(&format!("{path}?dry_run=true")).await.expect(200);
        assert_eq!(told.json, json!({ "message": format!("{level} would be deleted"), "deleted": numbers }));
        for fault in ["dry_run=perhaps", "dryrun=true", "dry_run=true&dry_run=false"] {
            staff.delete(&format!("{path}?{fault}")).await.expect(400).is_envelope();
        }
        app.customer().await.delete(&format!("{path}?dry_run=true")).await.expect(403);
    }
    for (path, error) in [
        ("delete/NONE/", "brand not found"),
        ("TATA/models/delete/M3/", "model not found"),
        ("TATA/models/M3/categories/delete/C1/", "model not found"),
        ("TATA/models/M1/categories/C1/products/delete/P9/", "product not found"),
    ] {
        staff.delete(&format!("{BRANDS}/{path}?dry_run=true")).await.refused(404, error);
    }
    assert_eq!((counts(&app).await, audits(&app).await), stored);
    insert(&staff, "/TATA/models", "model", "M3").await.expect(201);
    let gone = staff.delete(&format!("{BRANDS}/delete/TATA/?dry_run=false")).await.expect(200);
    assert_eq!(gone["deleted"], below(3, 4, 12));
}

async fn audits(app: &TestApp) -> u64 {
    app.db.collection::<Document>("audits").count_documents(doc! {}).await.expect("a count")
}
