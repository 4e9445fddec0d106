//! Codes in any case, and the codes of products, which may have `-` and `.` inside.

use bson::{Document, doc};
use serde_json::{Value, json};

use crate::support::{
    Caller, TestApp,
    catalogue_file::{HEADER, export, import, line, report},
};

const PRODUCTS: &str = "/brands/TATA/models/NEXON/categories/BRK/products/";
/// Codes of products that begin like each other.
const ALIKE: [&str; 6] = ["P1", "P1-A", "P1-A-B.C", "P1.A", "P1A", "04465-0K090"];

fn product(code: &str) -> Value {
    json!({ "product_name": "Pad", "product_code": code, "description": "x", "price": 1, "stock": 5,
        "image_url": "https://images.example.com/a.webp" })
}

/// Starts a server with the products [`ALIKE`] in a category, typed in lower case.
async fn shop() -> (TestApp, Caller) {
    let app = TestApp::start().await;
    let products = ALIKE.map(str::to_lowercase);
    let named: Vec<(&str, &str, &str)> = products.iter().map(|code| (code.as_str(), "Pad", "x")).collect();
    let staff = app.products_named(&named).await;
    (app, staff)
}

/// Returns the values of a field of the objects in a list.
fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().expect("a list").iter().filter_map(|item| item[field].as_str()).collect()
}

#[tokio::test]
async fn part_numbers_are_codes_and_are_found_in_any_case_by_every_path() {
    let (app, staff) = shop().await;
    for code in ALIKE {
        let full = format!("TATA-NEXON-BRK-{code}");
        for path in [
            format!("{PRODUCTS}{code}/"),
            format!("{PRODUCTS}{code}/").to_lowercase(),
            format!("/products/{full}/"),
            format!("/products/{}/", full.to_lowercase()),
        ] {
            let shown = app.anonymous().get(&format!("/api/utils{path}")).await.expect(200);
            assert_eq!((&shown["product"]["product_code"], &shown["product"]["code"]), (&json!(code), &json!(full)));
        }
        let update = format!("/api/admin{PRODUCTS}update/{}/", code.to_lowercase());
        let changed = staff.put(&update, &json!({ "product_name": format!("Pad {code}") })).await.expect(200);
        assert_eq!(changed["product"]["code"], full);
        let found = app.anonymous().get(&format!("/api/utils/search/?q={}", full.to_lowercase())).await.expect(200);
        assert_eq!(found["results"][0]["product_code"], code);
    }
    let found = app.anonymous().get("/api/utils/search/?q=04465-0k").await.expect(200);
    assert_eq!(each(&found["results"], "product_code"), ["04465-0K090"]);
    let customer = app.customer().await;
    let shown = app.anonymous().get("/api/utils/products/tata-nexon-brk-04465-0k090/").await.expect(200);
    let cart = customer.add(&shown["product"], 2).await.expect(200);
    assert_eq!(cart["cart"]["items"][0]["code"], "TATA-NEXON-BRK-04465-0K090");
}

#[tokio::test]
async fn codes_that_are_none_are_refused() {
    let (app, staff) = shop().await;
    let insert = format!("/api/admin{PRODUCTS}insert/");
    for bad in ["-A", "A-", "A--B", "A.-B", "A..B", ".", "A_B", "A B", "É1", "A–B", &"A".repeat(41)] {
        staff.post(&insert, &product(bad)).await.refused(400, "invalid product_code");
    }
    staff.post(&insert, &product(&format!("{}-1", "a".repeat(38)))).await.expect(201);
    for taken in ["p1-a", "P1-A", "p1.A"] {
        staff.post(&insert, &product(taken)).await.refused(409, "product_code already exists for this category");
    }
    let brand =
        |code: &str| json!({ "brand_name": "B", "brand_code": code, "image_url": "https://images.example.com/a.png" });
    for (code, error) in [
        ("A-B", "invalid brand_code: invalid characters"),
        ("A.B", "invalid brand_code: invalid characters"),
        ("ABCDEFGHIJK", "invalid brand_code: brand_code too long/short"),
    ] {
        let mut body = brand(code);
        body["brand_name"] = json!("Brand");
        staff.post("/api/admin/brands/insert/", &body).await.refused(400, error);
    }
    for missing in ["TATA-NEXON/models/BRK/", "TATA/models/NEXON-BRK/categories/P1/"] {
        app.anonymous().get(&format!("/api/utils/brands/{missing}")).await.expect(404);
    }
    for missing in ["TATA-NEXON-BRK", "TATA-NEXON-BRK-", "TATA-NEXON-BRK-P1-"] {
        app.anonymous().get(&format!("/api/utils/products/{missing}/")).await.refused(404, "product not found");
    }
}

#[tokio::test]
async fn of_many_spellings_of_one_code_at_once_one_is_inserted() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let spellings = ["same", "SAME", "Same", "sAmE"];
    let calls = (0..12).map(|n| {
        let (staff, code) = (staff.clone(), spellings[n % spellings.len()]);
        let body =
            json!({ "brand_name": "Brand", "brand_code": code, "image_url": "https://images.example.com/a.png" });
        tokio::spawn(async move { staff.post("/api/admin/brands/insert/", &body).await })
    });
    let mut inserted = 0;
    for call in calls.collect::<Vec<_>>() {
        let reply = call.await.expect("a reply");
        match reply.status.as_u16() {
            201 => inserted += 1,
            _ => drop(reply.refused(409, "brand_code already exists")),
        }
    }
    assert_eq!(inserted, 1);
    let model = json!({ "model_name": "Model", "model_code": "mod", "image_url": "https://images.example.com/a.png" });
    let model = staff.post("/api/admin/brands/same/models/insert/", &model).await.expect(201);
    assert_eq!(model["model"]["model_code"], "MOD");
    let deleted = staff.delete("/api/admin/brands/delete/sAme/").await.expect(200);
    assert_eq!(deleted["deleted"]["models"], 1);
}

#[tokio::test]
async fn audits_of_a_product_tell_of_no_other_one_whose_code_begins_alike() {
    let (_app, staff) = shop().await;
    for (code, expected) in [
        ("tata-nexon-brk-p1", &["TATA-NEXON-BRK-P1"][..]),
        ("TATA-NEXON-BRK-P1-A", &["TATA-NEXON-BRK-P1-A"]),
        ("Tata-Nexon-Brk-p1.a", &["TATA-NEXON-BRK-P1.A"]),
        ("TATA-NEXON-BRK-P1-", &[]),
    ] {
        let told = staff.get(&format!("/api/admin/audits/?code={code}")).await.expect(200);
        assert_eq!(each(&told["logs"], "code"), expected, "{code}");
    }
    for branch in ["tata", "TATA-nexon", "tata-nexon-brk"] {
        let told = staff.get(&format!("/api/admin/audits/?code={branch}&limit=100")).await.expect(200);
        let products = each(&told["logs"], "code").into_iter().filter(|code| code.contains("-BRK-"));
        assert_eq!(products.count(), ALIKE.len() + 1, "{branch}");
    }
    let found = staff.get("/api/admin/audits/search/?q=04465-0k090").await.expect(200);
    assert_eq!(each(&found["logs"], "code"), ["TATA-NEXON-BRK-04465-0K090"]);
}

#[tokio::test]
async fn a_deletion_takes_its_own_product_and_that_of_a_branch_takes_all() {
    let (app, staff) = shop().await;
    staff.delete(&format!("/api/admin{PRODUCTS}delete/p1/")).await.expect(200);
    let left = app.anonymous().get(&format!("/api/utils{PRODUCTS}")).await.expect(200);
    assert_eq!(each(&left["products"], "product_code")[1..], ALIKE[1..]);
    let deleted = staff.delete("/api/admin/brands/tata/models/delete/nexon/").await.expect(200);
    assert_eq!(deleted["deleted"]["products"], ALIKE.len());
    assert_eq!(app.products().count_documents(doc! {}).await.expect("a count"), 0);
}

#[tokio::test]
async fn files_name_the_same_entries_in_any_case() {
    let (app, staff) = shop().await;
    let exported = export(&staff, "csv").await;
    let codes: Vec<String> =
        exported.lines().skip(1).map(|row| row.split(',').nth(9).expect("a code").into()).collect();
    let mut sorted = codes.clone();
    sorted.sort();
    assert_eq!((&codes, codes.len()), (&sorted, ALIKE.len() + 1));
    import(&staff, "text/csv", &exported).await.expect(200).json_is(&report(0, 0, 7));
    let typed = ["TATA,", ",NEXON,", ",BRK,", "P1", "04465-0K090"];
    let lower = typed.iter().fold(exported.clone(), |file, code| file.replace(code, &code.to_lowercase()));
    import(&staff, "text/csv", &lower).await.expect(200).json_is(&report(0, 0, 7));
    let (other, boss) = (TestApp::start().await, app.staff().await);
    let elsewhere = other.staff().await;
    import(&elsewhere, "text/csv", &lower).await.expect(200).json_is(&report(7, 0, 0));
    assert_eq!(export(&elsewhere, "csv").await, export(&boss, "csv").await);
    // Two spellings of one brand in one file are one brand.
    let file = [HEADER, &line("kia", "a-1", "1"), &line("KIA", "A-2", "1"), &line("Kia", "a-1", "2")].join("\n");
    import(&elsewhere, "text/csv", &file).await.expect(200);
    let brands = other.db.collection::<Document>("brands").count_documents(doc! { "own_code": "KIA" }).await;
    assert_eq!(brands.expect("a count"), 1);
}
