//! Images that several documents show: an image stays while anything shows it, and goes some days later.

use std::time::Duration;

use bson::{Document, doc};
use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Caller, FakeCloudinary, FakeS3, Form, Reply, TestApp,
    catalogue_file::{export, import, import_bytes},
    some_picture,
};

const BRANDS: &str = "/api/admin/brands";
const FOREIGN: &str = "https://images.example.com/a.webp";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What every test starts with: removed images are kept for a week.
const WEEK: (&str, &str) = ("IMAGE_TRASH_DAYS", "7");

/// Inserts a brand with an uploaded image and returns its URL.
async fn uploaded(staff: &Caller, code: &str) -> String {
    let form = Form::default().text("brand_name", "Tata Motors").text("brand_code", code);
    let request = form.file("image", &some_picture()).request(staff, Method::POST, &format!("{BRANDS}/insert/"));
    Reply::of(request).await.expect(201)["brand"]["image_url"].as_str().expect("a URL").to_owned()
}

/// Inserts an entry that shows `url`. `path` leads to its level: `/` for brands, or `/TATA/models/`.
async fn named(staff: &Caller, path: &str, level: &str, code: &str, url: &str) -> Reply {
    let body = json!({ format!("{level}_name"): "Copied entry", format!("{level}_code"): code, "image_url": url,
        "description": "A copy", "price": 1, "stock": 1 });
    staff.post(&format!("{BRANDS}{path}insert/"), &body).await
}

async fn brand(staff: &Caller, code: &str, url: &str) -> Reply {
    named(staff, "/", "brand", code, url).await
}

async fn delete(staff: &Caller, code: &str) {
    staff.delete(&format!("{BRANDS}/delete/{code}/")).await.expect(200);
}

/// Lets days pass and removes what is due. Returns a new member of staff, because sessions end meanwhile.
async fn after_days(app: &TestApp, days: u32) -> Caller {
    app.advance(DAY * days);
    app.work().await;
    app.staff().await
}

async fn status_of(app: &TestApp, url: &str) -> u16 {
    app.anonymous().get(url).await.status.as_u16()
}

async fn trash(app: &TestApp) -> u64 {
    app.db.collection::<Document>("image_trash").count_documents(doc! {}).await.expect("a count")
}

#[tokio::test]
async fn an_image_stays_until_nothing_shows_it_and_then_for_a_week() {
    let app = TestApp::start_with(&[WEEK]).await;
    let staff = app.staff().await;
    let url = uploaded(&staff, "IA").await;
    brand(&staff, "IC", &url).await.expect(201);
    delete(&staff, "IA").await;
    app.work().await;
    assert_eq!((status_of(&app, &url).await, trash(&app).await), (200, 1));
    let staff = after_days(&app, 8).await;
    assert_eq!((status_of(&app, &url).await, trash(&app).await), (200, 0), "IC shows it");
    let change = json!({ "image_url": FOREIGN });
    staff.put(&format!("{BRANDS}/update/IC/"), &change).await.expect(200);
    let staff = after_days(&app, 6).await;
    assert_eq!(status_of(&app, &url).await, 200, "an import may still bring it back");
    brand(&staff, "ID", &url).await.expect(201);
    delete(&staff, "ID").await;
    after_days(&app, 6).await;
    assert_eq!(status_of(&app, &url).await, 200, "the week begins again");
    let staff = after_days(&app, 2).await;
    assert_eq!((status_of(&app, &url).await, trash(&app).await), (404, 0));
    brand(&staff, "IE", &url).await.refused(400, "invalid image_url");
}

#[tokio::test]
async fn documents_of_every_kind_keep_an_image() {
    let app = TestApp::start_with(&[WEEK]).await;
    let (staff, customer) = (app.staff().await, app.customer().await);
    let urls = join_all(["IA", "IB", "IC", "ID"].map(|code| uploaded(&staff, code))).await;
    brand(&staff, "TATA", FOREIGN).await.expect(201);
    named(&staff, "/TATA/models/", "model", "NEXON", &urls[0]).await.expect(201);
    let versioned = format!("{}?v=2", urls[1]);
    named(&staff, "/TATA/models/NEXON/categories/", "category", "BRK", &versioned).await.expect(201);
    let absolute = format!("https://shop.example.com{}", urls[2]);
    let products = "/TATA/models/NEXON/categories/BRK/products/";
    named(&staff, products, "product", "PADF", &absolute).await.expect(201);
    let photo = json!({ "display": { "photo": &urls[3] } });
    let update = |caller: &Caller| Reply::of(caller.request(Method::PUT, "/api/accounts/update/").json(&photo));
    update(&customer).await.expect(200);
    for code in ["IA", "IB", "IC", "ID"] {
        delete(&staff, code).await;
    }
    let staff = after_days(&app, 8).await;
    for url in &urls {
        assert_eq!(status_of(&app, url).await, 200, "{url}");
    }
    delete(&staff, "TATA").await;
    let customers = app.users().update_many(doc! {}, doc! { "$unset": { "profile.display": "" } }).await;
    assert_eq!(customers.expect("an update").modified_count, 1);
    after_days(&app, 8).await;
    let statuses = join_all(urls.iter().map(|url| status_of(&app, url))).await;
    assert_eq!((statuses, trash(&app).await), (vec![404, 404, 404, 200], 0), "nobody discarded the last one");
}

/// Shows the image of `IA` with `IC` too, deletes both one after the other, and counts the images that are left.
async fn counts_at_a_remote_home(app: &TestApp, count: impl Fn() -> usize) -> [usize; 2] {
    let staff = app.staff().await;
    let url = uploaded(&staff, "IA").await;
    brand(&staff, "IC", &format!("{url}?size=small")).await.expect(201);
    delete(&staff, "IA").await;
    let staff = after_days(app, 8).await;
    let while_shown = count();
    delete(&staff, "IC").await;
    let staff = after_days(app, 8).await;
    brand(&staff, "ID", &url).await.refused(400, "invalid image_url");
    [while_shown, count()]
}

#[tokio::test]
async fn images_outside_the_server_stay_while_something_shows_them() {
    let cloudinary = FakeCloudinary::start().await;
    let app = TestApp::start_with(&[&cloudinary.settings()[..], &[WEEK]].concat()).await;
    assert_eq!(counts_at_a_remote_home(&app, || cloudinary.kept().len()).await, [1, 0]);
    let s3 = FakeS3::start().await;
    let app = TestApp::start_with(&[&s3.settings()[..], &[WEEK]].concat()).await;
    assert_eq!(counts_at_a_remote_home(&app, || s3.objects().len()).await, [2, 0], "an image and its variant");
}

#[tokio::test]
async fn documents_of_older_versions_keep_their_images_and_give_them_up() {
    let s3 = FakeS3::start().await;
    let before = TestApp::start_with(&[WEEK]).await;
    let app = before.another_instance_with(&[&s3.settings()[..], &[WEEK]].concat()).await;
    let (here, there) = (before.staff().await, app.staff().await);
    let local = uploaded(&here, "IA").await;
    let remote = uploaded(&there, "IB").await;
    brand(&here, "IC", &local).await.expect(201);
    brand(&there, "ID", &remote).await.expect(201);
    // Older versions wrote no key with a URL that somebody typed, and no documents about files.
    let brands = app.db.collection::<Document>("brands");
    let typed = doc! { "code": { "$in": ["IC", "ID"] } };
    brands.update_many(typed, doc! { "$unset": { "image_key": "" } }).await.expect("an update");
    app.db.collection::<Document>("image_files").delete_many(doc! {}).await.expect("a deletion");
    brand(&there, "IE", &remote).await.expect(201);
    for code in ["IA", "IB", "IE"] {
        delete(&there, code).await;
    }
    let staff = after_days(&app, 8).await;
    assert_eq!((status_of(&before, &local).await, s3.objects().len()), (200, 2), "with its variant");
    delete(&staff, "IC").await;
    delete(&staff, "ID").await;
    after_days(&app, 8).await;
    assert_eq!((status_of(&before, &local).await, s3.objects().len(), trash(&app).await), (404, 0, 0));
}

#[tokio::test]
async fn urls_of_images_that_do_not_exist_are_refused() {
    let app = TestApp::start_with(&[WEEK]).await;
    let staff = app.staff().await;
    let gone = "/media/0123456789abcdef0123456789abcdef-0123456789abcdef.jpg";
    brand(&staff, "TATA", FOREIGN).await.expect(201);
    for url in [gone, "/media/pad.png", "/media/a/0123456789abcdef0123456789abcdef.jpg"] {
        let refused = brand(&staff, "NEW", url).await.refused(400, "invalid image_url");
        assert_eq!(refused["fields"], json!({ "image_url": "invalid image_url" }));
        let change = json!({ "image_url": url });
        staff.put(&format!("{BRANDS}/update/TATA/"), &change).await.refused(400, "invalid image_url");
        let photo = json!({ "display": { "photo": url } });
        let request = staff.request(Method::PUT, "/api/accounts/update/").json(&photo);
        Reply::of(request).await.refused(400, "invalid photo");
    }
    let set = doc! { "$set": { "image_url": gone } };
    app.db.collection::<Document>("brands").update_one(doc! { "code": "TATA" }, set).await.expect("an update");
    let unchanged = json!({ "brand_name": "Renamed", "image_url": gone });
    let updated = staff.put(&format!("{BRANDS}/update/TATA/"), &unchanged).await.expect(200);
    assert_eq!(updated["brand"]["image_url"], gone, "an unchanged value is fine");
}

#[tokio::test]
async fn an_older_export_brings_images_back_while_the_trash_has_them() {
    let app = TestApp::start_with(&[WEEK]).await;
    let staff = app.staff().await;
    let url = uploaded(&staff, "IA").await;
    let older = export(&staff, "csv").await;
    let replace = async |staff: &Caller| {
        let form = Form::default().file("image", &some_picture());
        Reply::of(form.request(staff, Method::PUT, &format!("{BRANDS}/update/IA/"))).await.expect(200);
    };
    replace(&staff).await;
    let staff = after_days(&app, 6).await;
    let told = import_bytes(&staff, "dry_run=true", "text/csv", older.as_bytes()).await.expect(200);
    assert_eq!((&told["updated"], &told["warnings"], trash(&app).await), (&json!(1), &json!([]), 1));
    let imported = import(&staff, "text/csv", &older).await.expect(200);
    assert_eq!((&imported["updated"], &imported["warnings"]), (&json!(1), &json!([])));
    let staff = after_days(&app, 8).await;
    assert_eq!((status_of(&app, &url).await, trash(&app).await), (200, 0));
    replace(&staff).await;
    let staff = after_days(&app, 8).await;
    let imported = import(&staff, "text/csv", &older).await.expect(200);
    let text = "there is no image at this URL; it is stored all the same";
    let warning = json!({ "line": 2, "column": "brand_image_url", "text": text });
    assert_eq!((&imported["updated"], &imported["warnings"]), (&json!(1), &json!([warning])));
    assert_eq!(app.anonymous().get("/api/utils/brands/IA/").await["brand"]["image_url"], url.as_str());
}

#[tokio::test]
async fn a_url_that_many_rows_repeat_is_warned_of_once() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let row = |code: &str, image: &str| {
        json!({ "brand_code": "TATA", "brand_name": "Tata", "brand_image_url": "/media/tata.png", "model_code": "NEXON",
            "model_name": "Nexon", "model_image_url": FOREIGN, "category_code": "BRK", "category_name": "Brakes",
            "category_image_url": FOREIGN, "product_code": code, "product_name": "Pad", "description": "A pad",
            "price": 1, "stock": 1, "image_url": image })
        .to_string()
    };
    let file = [row("P1", FOREIGN), row("P2", "/media/p2.png"), row("P3", "/media/p2.png")].join("\n");
    let told = import_bytes(&staff, "dry_run=true", "application/x-ndjson", file.as_bytes()).await.expect(200);
    let imported = import(&staff, "application/x-ndjson", &file).await.expect(200);
    assert_eq!(told.json, imported.json);
    let places: Vec<(&Value, &Value)> = imported["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .map(|warning| (&warning["line"], &warning["column"]))
        .collect();
    assert_eq!(imported["inserted"], 3);
    assert_eq!(places, [(&json!(1), &json!("brand_image_url")), (&json!(2), &json!("image_url"))]);
}

/// Checks that each brand shows an image that can be read, and returns how many brands there are.
async fn shown_brands(app: &TestApp) -> usize {
    let brands = app.anonymous().get("/api/utils/brands/?limit=100").await.expect(200)["brands"].clone();
    let brands = brands.as_array().expect("brands").clone();
    for brand in &brands {
        let url = brand["image_url"].as_str().expect("a URL");
        assert_eq!(status_of(app, url).await, 200, "{brand}");
    }
    brands.len()
}

#[tokio::test]
async fn whatever_is_inserted_while_the_first_one_goes_shows_its_image() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let staff = app.staff().await;
    let elsewhere = staff.at(&other.url);
    for round in 0..6 {
        let url = uploaded(&staff, "IA").await;
        let copies = (0..8).map(|n| {
            let (caller, url) = (if n % 2 == 0 { &staff } else { &elsewhere }, &url);
            async move { brand(caller, &format!("C{round}{n}"), url).await.status.as_u16() }
        });
        let going = async {
            delete(&elsewhere, "IA").await;
            join(app.work(), other.work()).await;
            app.work().await;
        };
        let (statuses, ()) = join(join_all(copies), going).await;
        assert!(statuses.iter().all(|status| [201, 400].contains(status)), "{statuses:?}");
        let inserted = statuses.iter().filter(|status| **status == 201).count();
        app.work().await;
        assert_eq!(shown_brands(&app).await, inserted, "{statuses:?}");
        for n in (0..8).filter(|n| statuses[*n] == 201) {
            delete(&staff, &format!("C{round}{n}")).await;
        }
        app.work().await;
        assert_eq!((status_of(&app, &url).await, trash(&app).await), (404, 0), "nothing stays for ever");
    }
}

#[tokio::test]
async fn the_worker_and_a_new_reference_exclude_each_other() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    for round in 0..12 {
        let url = uploaded(&staff, "IA").await;
        delete(&staff, "IA").await;
        let code = format!("N{round}");
        let insert = async {
            tokio::time::sleep(Duration::from_millis(round * 2)).await;
            brand(&staff, &code, &url).await.status.as_u16()
        };
        let (status, ()) = join(insert, app.work()).await;
        app.work().await;
        let expected = match status {
            201 => 200,
            400 => 404,
            other => panic!("{other}"),
        };
        assert_eq!(status_of(&app, &url).await, expected, "round {round}");
        assert_eq!(trash(&app).await, 0);
    }
}

#[tokio::test]
async fn a_removal_that_was_cut_off_is_finished_and_nothing_is_shown_from_it() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let url = uploaded(&staff, "IA").await;
    delete(&staff, "IA").await;
    // The server was killed after it had decided, or before: both leave a row of the trash.
    let rows = app.db.collection::<Document>("image_trash");
    rows.update_many(doc! {}, doc! { "$set": { "attempts": 1 } }).await.expect("an update");
    assert_eq!(status_of(&app, &url).await, 200);
    brand(&staff, "IC", &url).await.refused(400, "invalid image_url");
    app.work().await;
    assert_eq!((status_of(&app, &url).await, trash(&app).await), (404, 0));
    let url = uploaded(&staff, "IA").await;
    delete(&staff, "IA").await;
    let taken = doc! { "$set": { "due_at": bson::DateTime::now() }, "$unset": { "discarded_at": "" } };
    rows.update_many(doc! {}, taken).await.expect("an update");
    brand(&staff, "IC", &url).await.expect(201);
    app.work().await;
    assert_eq!((status_of(&app, &url).await, trash(&app).await), (200, 0));
}

#[tokio::test]
async fn a_dry_run_warns_of_an_image_whose_removal_has_begun() {
    let app = TestApp::start_with(&[WEEK]).await;
    let staff = app.staff().await;
    let url = uploaded(&staff, "IA").await;
    let older = export(&staff, "csv").await;
    delete(&staff, "IA").await;
    let begun = doc! { "$set": { "attempts": 1 } };
    app.db.collection::<Document>("image_trash").update_many(doc! {}, begun).await.expect("an update");
    assert_eq!(status_of(&app, &url).await, 200, "the file is still there");
    let told = import_bytes(&staff, "dry_run=true", "text/csv", older.as_bytes()).await.expect(200);
    let imported = import(&staff, "text/csv", &older).await.expect(200);
    assert_eq!((&told.json, &told["inserted"]), (&imported.json, &json!(1)));
    assert_eq!(told["warnings"][0]["column"], "brand_image_url");
}

#[tokio::test]
async fn what_is_left_alone_is_not_warned_of() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    brand(&staff, "TATA", FOREIGN).await.expect(201);
    let row = |brand_image: &str, model: &str| {
        json!({ "brand_code": "TATA", "brand_image_url": brand_image, "model_code": model, "model_name": "Nexon",
            "model_image_url": format!("/media/{model}.png") })
        .to_string()
    };
    let told = async |query: &str, file: &str| {
        let reply = import_bytes(&staff, query, "application/x-ndjson", file.as_bytes()).await.expect(200);
        let warnings = reply["warnings"].as_array().expect("warnings").iter();
        warnings.map(|warning| warning["column"].as_str().expect("a column").to_owned()).collect::<Vec<_>>()
    };
    // The model is new and named with the image that it gets; its brand goes on showing another image.
    let file = [row("/media/none.png", "M1"), row("/media/none.png", "M2")].join("\n");
    for query in ["mode=insert&dry_run=true", "mode=insert"] {
        assert_eq!(told(query, &file).await, ["model_image_url", "model_image_url"], "{query}");
    }
    for query in ["mode=upsert&dry_run=true", "mode=upsert"] {
        let expected = ["brand_image_url", "model_image_url", "model_image_url"];
        assert_eq!(told(query, &file).await, expected, "{query}");
    }
    // Now the brand shows what the row says, so it is told again.
    assert_eq!(told("mode=insert", &row("/media/none.png", "M3")).await, ["brand_image_url", "model_image_url"]);
}
