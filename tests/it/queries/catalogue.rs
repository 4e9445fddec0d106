//! The calls that read the catalogue, and the calls of staff and admins.

use reqwest::Method;
use serde_json::json;

use super::tour::Tour;
use crate::support::{Caller, Form, TestApp, catalogue_file, some_picture};

const IMAGE: &str = "https://images.example.com/a.webp";

/// Reads lists and entries, and searches on every level.
pub async fn reading(app: &TestApp, tour: &Tour) {
    let anyone = &app.anonymous();
    let staff = &app.staff().await;
    for caller in [anyone, staff] {
        tour.call(caller, "listBrands", &[], "").await;
        tour.call(caller, "readBrand", &["TATA"], "").await;
        tour.call(caller, "listModels", &["TATA"], "").await;
        tour.call(caller, "readModel", &["TATA", "NEXON"], "").await;
        tour.call(caller, "listCategories", &["TATA", "NEXON"], "").await;
        tour.call(caller, "readCategory", &["TATA", "NEXON", "BRK"], "").await;
        let page = tour.call(caller, "listProducts", &["TATA", "NEXON", "BRK"], "?limit=5").await;
        let next = format!("?limit=5&cursor={}", page["next_cursor"].as_str().expect("a cursor"));
        tour.call(caller, "listProducts", &["TATA", "NEXON", "BRK"], &next).await;
        tour.call(caller, "readProduct", &["TATA", "NEXON", "BRK", "04465-0B000"], "").await;
        tour.call(caller, "readProductByCode", &["TATA-NEXON-BRK-04465-0B000"], "").await;
        tour.call(caller, "readShop", &[], "").await;
        tour.call(caller, "searchBrands", &[], "?q=tata").await;
        tour.call(caller, "searchModels", &["TATA"], "?q=nex").await;
        tour.call(caller, "searchCategories", &["TATA", "NEXON"], "?q=bra").await;
        tour.call(caller, "searchProducts", &["TATA", "NEXON", "BRK"], "?q=pad").await;
    }
}

/// Searches the whole catalogue with texts for each tier, in each order, and reads two pages.
pub async fn searching(app: &TestApp, tour: &Tour) {
    let anyone = &app.anonymous();
    let texts = ["TATA-NEXON-BRK-04465-0B000", "TATA-NEXON", "04465-0B000", "front", "pad brake", "changes"];
    for text in texts.map(|text| text.replace(' ', "%20")) {
        for order in ["", "&sort=price", "&sort=-price", "&sort=newest", "&brand=TATA&category=BRK&in_stock=true"] {
            let query = format!("?q={text}{order}&limit=5");
            let page = tour.call(anyone, "searchCatalogue", &[], &query).await;
            if let Some(next) = page["next_cursor"].as_str() {
                tour.call(anyone, "searchCatalogue", &[], &format!("{query}&cursor={next}")).await;
            }
        }
    }
}

/// Reads the lists for staff: two pages with each condition in each order.
pub async fn listing(app: &TestApp, tour: &Tour) {
    let staff = &app.staff().await;
    tour.call(staff, "listBrandsForStaff", &[], "").await;
    tour.call(staff, "listModelsForStaff", &["TATA"], "").await;
    tour.call(staff, "listCategoriesForStaff", &["TATA", "NEXON"], "").await;
    tour.call(staff, "listProductsForStaff", &["TATA", "NEXON", "BRK"], "?limit=5").await;
    let branches = ["", "brand=TATA", "model=NEXON", "category=BRK"];
    let states = ["is_active=true", "is_active=false", "has_offer=true", "has_offer=false"];
    let ranges = ["in_stock=true", "in_stock=false", "stock_max=3", "updated_from=2020-01-01", "q=TATA", "q=front"];
    for condition in [&branches[..], &states, &ranges].concat() {
        for order in
            ["code", "name", "price", "stock", "updated_at"].iter().flat_map(|by| [(*by).to_owned(), format!("-{by}")])
        {
            let query = format!("?{condition}&sort={order}&limit=5");
            let page = tour.call(staff, "listAllProducts", &[], &query).await;
            if let Some(next) = page["next_cursor"].as_str() {
                tour.call(staff, "listAllProducts", &[], &format!("{query}&cursor={next}")).await;
            }
        }
    }
}

/// Inserts, updates and deletes an entry on each level.
pub async fn writing(app: &TestApp, tour: &Tour) {
    let staff = &app.staff().await;
    let levels = [("Brand", "brand"), ("Model", "model"), ("Category", "category"), ("Product", "product")];
    let codes = ["NEWB", "NEWM", "NEWC", "NEWP"];
    for (depth, (level, word)) in levels.iter().enumerate() {
        let body = json!({ format!("{word}_name"): "New one", format!("{word}_code"): codes[depth], "image_url": IMAGE,
            "description": "New", "price": 10, "stock": 5 });
        tour.json(staff, &format!("insert{level}"), &codes[..depth], &body).await;
        let change = json!({ format!("{word}_name"): "Newer one" });
        tour.json(staff, &format!("update{level}"), &codes[..=depth], &change).await;
    }
    images(tour, staff, &codes).await;
    for (depth, (level, _)) in levels.iter().enumerate().rev() {
        tour.call(staff, &format!("delete{level}"), &codes[..=depth], "").await;
    }
    // An uploaded image that a second entry shows, and that is then discarded by both.
    let form =
        Form::default().text("brand_name", "With image").text("brand_code", "IMGA").file("image", &some_picture());
    let (method, path) = tour.path("insertBrand", &[]);
    let uploaded = tour.send("insertBrand", form.request(staff, method, &path)).await;
    let url = &uploaded["brand"]["image_url"];
    let copy = json!({ "brand_name": "Its copy", "brand_code": "IMGB", "image_url": url });
    tour.json(staff, "insertBrand", &[], &copy).await;
    let elsewhere = json!({ "image_url": url.as_str().map(|url| format!("https://shop.example.com{url}")) });
    tour.json(staff, "updateBrand", &["IMGB"], &elsewhere).await;
    tour.call(staff, "deleteBrand", &["IMGA"], "").await;
    app.work().await;
    tour.call(staff, "deleteBrand", &["IMGB"], "").await;
    // This model has entries below it, which are deleted too.
    tour.call(staff, "deleteModel", &["HYUNDAI", "CRETA"], "").await;
}

/// Changes many products, chosen by codes and by a filter.
pub async fn bulk(app: &TestApp, tour: &Tour) {
    let staff = &app.staff().await;
    let (method, path) = tour.path("changeProducts", &[]);
    for (key, chosen) in [
        ("tour-codes", json!({ "codes": ["TATA-NEXON-BRK-NONE"] })),
        ("tour-filter", json!({ "filter": { "brand": "TATA", "is_active": true } })),
    ] {
        for dry_run in [true, false] {
            let mut body = chosen.clone();
            (body["change"], body["dry_run"]) = (json!({ "price_percent": 1 }), json!(dry_run));
            let request = staff.request(method.clone(), &path).header("idempotency-key", key);
            tour.send("changeProducts", request.json(&body)).await;
        }
    }
}

/// Adds, arranges and deletes images of a product.
async fn images(tour: &Tour, staff: &Caller, product: &[&str]) {
    let (method, path) = tour.path("addProductImage", product);
    let form = Form::default().file("image", &some_picture());
    tour.send("addProductImage", form.request(staff, method, &path)).await;
    let added = tour
        .json(staff, "addProductImage", product, &json!({ "image_url": "https://images.example.com/b.webp" }))
        .await;
    let ids: Vec<&str> = (0..3).map(|at| added["product"]["images"][at]["_id"].as_str().expect("an id")).collect();
    let order = json!({ "images": [{ "_id": ids[1] }, { "_id": ids[0] }, { "_id": ids[2] }] });
    tour.json(staff, "arrangeProductImages", product, &order).await;
    tour.call(staff, "deleteProductImage", &[product, &[ids[1]]].concat(), "").await;
}

/// Exports and imports the catalogue.
pub async fn files(app: &TestApp, tour: &Tour) {
    let staff = &app.staff().await;
    let file = tour.call(staff, "exportCatalogue", &[], "?format=csv").await.text;
    let known: Vec<&str> = file.lines().take(20).collect();
    let new = catalogue_file::line("IMP", "P1", "10");
    let (_, path) = tour.path("importCatalogue", &[]);
    let request = staff.request(Method::POST, &path).header("content-type", "text/csv");
    tour.send("importCatalogue", request.body(format!("{}\n{new}\n", known.join("\n")))).await;
}

/// Makes the calls for accounts, invitations and statistics.
pub async fn administration(app: &TestApp, tour: &Tour) {
    let (admin, customer) = (&app.admin().await, app.customer_at("customer@example.com").await);
    let user = customer.user_id.as_str();
    for query in ["", "?q=renamed", "?q=customer@example.com", "?limit=5", "?role=admin", "?is_active=false"] {
        tour.call(admin, "listUsers", &[], query).await;
    }
    for sort in ["created_at", "-created_at", "username", "-username"] {
        for filter in ["limit=5", "role=customer&limit=5", "role=staff", "is_active=true&limit=5", "is_active=false"] {
            let page = tour.call(admin, "listUsers", &[], &format!("?sort={sort}&{filter}")).await;
            let Some(next) = page["next_cursor"].as_str() else { continue };
            tour.call(admin, "listUsers", &[], &format!("?sort={sort}&{filter}&cursor={next}")).await;
        }
    }
    tour.call(admin, "readUserCart", &[user], "").await;
    tour.call(&app.staff().await, "listUsers", &[], "?q=customer@example.com").await;
    tour.call(admin, "readUser", &[user], "").await;
    tour.call(admin, "logoutUser", &[user], "").await;
    tour.call(admin, "unlockUser", &[user], "").await;
    for role in ["admin", "customer"] {
        tour.json(admin, "changeUser", &[user], &json!({ "role": role })).await;
    }
    tour.call(admin, "readStats", &[], "?low_stock=30").await;
    let invitation = tour.json(admin, "inviteStaff", &[], &json!({ "email": "invited@example.com" })).await;
    tour.call(admin, "listInvitations", &[], "").await;
    let id = invitation["invitation"]["_id"].as_str().expect("an id");
    tour.call(admin, "withdrawInvitation", &[id], "").await;
}

/// Lists and searches the audit entries.
pub async fn audits(app: &TestApp, tour: &Tour) {
    let staff = &app.staff().await;
    let page = tour.call(staff, "listAudits", &[], "?limit=5").await;
    let next = format!("limit=5&cursor={}", page["next_cursor"].as_str().expect("a cursor"));
    let actor = format!("limit=5&actor={}", staff.user_id);
    let document = format!("limit=5&document={}", bson::oid::ObjectId::new());
    let single =
        ["actor=filled", "code=TATA", "code=FIL007", "from=2020-01-01", "to=2100-01-01", "collection=products"];
    let others = ["operation=update", "operation=delete", "sort=timestamp", "collection=brands", "q=stock"];
    let single = single.iter().chain(&others).map(|query| format!("limit=5&{query}"));
    let reversed =
        single.clone().filter(|query| !query.contains("sort")).map(|query| format!("{query}&sort=timestamp"));
    for query in [next, actor, document].into_iter().chain(single).chain(reversed) {
        tour.call(staff, "listAudits", &[], &format!("?{query}")).await;
    }
    tour.call(staff, "searchAudits", &[], "?q=stock").await;
}
