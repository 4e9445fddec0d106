//! The lists of brands, models and categories for staff.

use bson::doc;
use serde_json::{Value, json};

use crate::support::{TestApp, catalogue_file};

const BRANDS: &str = "/api/admin/brands/";

fn children(models: u64, categories: u64, products: u64) -> Value {
    json!({ "models": models, "categories": categories, "products": products })
}

/// Returns the own codes of the rows of a page, and how many entries each has below it.
fn counted(page: &Value, level: &str, items: &str) -> Vec<(String, Value)> {
    let rows = page[items].as_array().expect("rows").iter();
    rows.map(|row| {
        let code = row[format!("{level}_code")].as_str().expect("a code").to_owned();
        (code, row["children"].clone())
    })
    .collect()
}

#[tokio::test]
async fn each_branch_tells_how_much_is_below_it() {
    let app = TestApp::start().await;
    let staff = catalogue_file::filled(&app).await;
    let codes = |list: &[(&str, Value)]| -> Vec<(String, Value)> {
        list.iter().map(|(code, below)| ((*code).to_owned(), below.clone())).collect()
    };
    let page = staff.get(BRANDS).await.expect(200);
    let expected = [("TATA2", children(0, 0, 0)), ("TATA", children(2, 2, 2)), ("KIA", children(0, 0, 0))];
    assert_eq!(counted(&page.json, "brand", "brands"), codes(&expected));
    assert_eq!((&page["total"], &page["next_cursor"]), (&json!(3), &Value::Null));
    let page = staff.get(&format!("{BRANDS}tata/models/")).await.expect(200);
    let expected = [("NEXON", children(0, 2, 2)), ("ALTROZ", children(0, 0, 0))];
    assert_eq!(counted(&page.json, "model", "models"), codes(&expected));
    let page = staff.get(&format!("{BRANDS}TATA/models/NEXON/categories/")).await.expect(200);
    let expected = [("FLT", children(0, 0, 0)), ("BRK", children(0, 0, 2))];
    assert_eq!(counted(&page.json, "category", "categories"), codes(&expected));
    let page = staff.get(&format!("{BRANDS}TATA/models/NEXON/categories/BRK/products/")).await.expect(200);
    let shown: Vec<&Value> = page["products"].as_array().expect("rows").iter().map(|row| &row["is_active"]).collect();
    assert_eq!((shown, &page["total"]), (vec![&json!(false), &json!(true)], &json!(2)));
}

#[tokio::test]
async fn lists_have_pages_and_say_what_is_missing() {
    let app = TestApp::start().await;
    let staff = catalogue_file::filled(&app).await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for _ in 0..3 {
        let page = staff.get(&format!("{BRANDS}?limit=1&cursor={cursor}")).await.expect(200);
        assert_eq!(page["total"], 3);
        seen.extend(counted(&page.json, "brand", "brands").into_iter().map(|(code, _)| code));
        cursor = page["next_cursor"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!((seen, cursor.as_str()), (vec!["TATA2".to_owned(), "TATA".to_owned(), "KIA".to_owned()], ""));
    for (path, error) in [
        ("NONE/models/", "brand not found"),
        ("TATA/models/NONE/categories/", "model not found"),
        ("NONE/models/NEXON/categories/BRK/products/", "brand not found"),
        ("TATA/models/NEXON/categories/NONE/products/", "category not found"),
    ] {
        staff.get(&format!("{BRANDS}{path}")).await.refused(404, error);
    }
    let empty = json!({ "models": [], "total": 0, "next_cursor": null });
    staff.get(&format!("{BRANDS}KIA/models/")).await.expect(200).json_is(&empty);
    let reply = staff.get(&format!("{BRANDS}?limit=x&cursor=y")).await;
    let reply = reply.refused(400, "limit must be an integer between 1 and 100");
    assert_eq!(reply["fields"].as_object().map(serde_json::Map::len), Some(2));
}

#[tokio::test]
async fn entries_tell_when_they_were_changed() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    let staff = app.staff().await;
    let levels = [("brand", "brands", "", "TATA"), ("model", "models", "TATA/models/", "NEXON")];
    let deeper = ("category", "categories", "TATA/models/NEXON/categories/", "BRK");
    for (level, items, path, code) in [levels[0], levels[1], deeper] {
        let before = staff.get(&format!("{BRANDS}{path}")).await.expect(200)[items][0].clone();
        assert_eq!(before["updated_at"], before["created_at"], "{before}");
        app.advance(std::time::Duration::from_secs(60));
        let change = json!({ format!("{level}_name"): "Renamed" });
        let changed = staff.put(&format!("{BRANDS}{path}update/{code}/"), &change).await.expect(200)[level].clone();
        assert!(changed["updated_at"].as_str() > before["updated_at"].as_str(), "{changed}");
        let mut after = staff.get(&format!("{BRANDS}{path}")).await.expect(200)[items][0].clone();
        after.as_object_mut().expect("an object").remove("children");
        assert_eq!(after, changed);
        // Customers don't see it.
        let public = app.anonymous().get(&format!("/api/utils/brands/{path}")).await.expect(200);
        assert_eq!(public[items][0]["updated_at"], Value::Null);
    }
}

#[tokio::test]
async fn codes_that_begin_alike_are_counted_apart() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let file: Vec<String> = [("TATA", "A"), ("TATA", "B"), ("TATA2", "C")]
        .map(|(brand, code)| catalogue_file::line(brand, code, "1"))
        .into();
    let file = format!("{}\n{}\n", catalogue_file::HEADER, file.join("\n"));
    catalogue_file::import(&staff, "text/csv", &file).await.expect(200);
    let hidden = doc! { "$set": { "is_active": false } };
    app.products().update_one(doc! { "own_code": "A" }, hidden).await.expect("an update");
    let page = staff.get(BRANDS).await.expect(200);
    let expected = [("TATA", children(1, 1, 2)), ("TATA2", children(1, 1, 1))];
    let counts = counted(&page.json, "brand", "brands");
    assert_eq!(counts, expected.map(|(code, below)| (code.to_owned(), below)));
}
