//! Catalogue files that tests import, and the exports and reports that they expect.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Caller, Reply, TestApp};

/// The header row of an export.
pub const HEADER: &str = "brand_code,brand_name,brand_image_url,model_code,model_name,model_image_url,category_code,\
    category_name,category_image_url,product_code,product_name,description,price,stock,image_url,offer_discount,\
    offer_from,offer_to,offer_description,is_active";

/// Returns the row of a product in the category `NEXON-BRK` of a brand.
pub fn line(brand: &str, code: &str, price: &str) -> String {
    let at = "https://images.example.com";
    format!(
        "{brand},Tata Motors,{at}/tata.webp,NEXON,Nexon,{at}/nexon.webp,BRK,Brakes,{at}/brk.webp,{code},Brake pad,A pad,\
         {price},3,{at}/pad.webp,,,,,true"
    )
}

/// Imports a file.
pub async fn import(caller: &Caller, content_type: &str, file: &str) -> Reply {
    import_bytes(caller, "", content_type, file.as_bytes()).await
}

/// Imports a file with query parameters, such as `dry_run=true`.
pub async fn import_bytes(caller: &Caller, query: &str, content_type: &str, file: &[u8]) -> Reply {
    let path = if query.is_empty() { "/api/admin/import/".to_owned() } else { format!("/api/admin/import/?{query}") };
    let request = caller.request(Method::POST, &path).header("content-type", content_type);
    Reply::of(request.body(file.to_owned())).await
}

/// Exports the catalogue and returns the file.
pub async fn export(caller: &Caller, format: &str) -> String {
    caller.get(&format!("/api/admin/export/?format={format}")).await.expect(200).text
}

/// Returns the expected response to an import without bad lines.
pub fn report(inserted: u64, updated: u64, unchanged: u64) -> Value {
    json!({ "inserted": inserted, "updated": updated, "unchanged": unchanged, "failed": [], "failed_count": 0,
        "warnings": [] })
}

/// Starts a server with an empty catalogue and signs up a member of staff.
pub async fn fresh() -> (TestApp, Caller) {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    (app, staff)
}

/// Fills a catalogue with everything that is difficult to export, and returns a member of staff.
///
/// There are parents without children, a hidden product, an offer, and texts that CSV has to quote. The entries are
/// inserted one by one. The export has six rows.
pub async fn filled(app: &TestApp) -> Caller {
    let staff = app.staff().await;
    let insert = async |path: &str, level: &str, code: &str, name: &str| {
        let text = if code == "P1" { "A \"pad\",\nof ceramics: ब्रेक" } else { "=1+1" };
        let body = json!({ format!("{level}_name"): name, format!("{level}_code"): code, "description": text,
            "price": if code == "P1" { 19.9 } else { 0.0 }, "stock": if code == "P1" { 7 } else { 0 },
            "image_url": "https://images.example.com/a.webp" });
        staff.post(&format!("/api/admin/brands/{path}insert/"), &body).await.expect(201);
    };
    for (code, name) in [("TATA2", "Tata"), ("TATA", "Tata Motors"), ("KIA", "Kia")] {
        insert("", "brand", code, name).await;
    }
    insert("TATA/models/", "model", "NEXON", "Nexon").await;
    insert("TATA/models/", "model", "ALTROZ", "Altroz").await;
    insert("TATA/models/NEXON/categories/", "category", "FLT", "Filters, all").await;
    insert("TATA/models/NEXON/categories/", "category", "BRK", "Brakes").await;
    let products = "TATA/models/NEXON/categories/BRK/products/";
    insert(products, "product", "P2", "Hidden pad").await;
    insert(products, "product", "P1", "Pad").await;
    let update = async |code: &str, change: Value| {
        staff.put(&format!("/api/admin/brands/{products}update/{code}/"), &change).await.expect(200);
    };
    let offers = json!({ "discount": 12.5, "validity": { "from": 10, "to": 20 }, "description": "Sale, now" });
    update("P1", json!({ "offers": offers })).await;
    update("P2", json!({ "is_active": false })).await;
    staff
}
