//! Imports and exports while other callers write and while connections break. They must use little memory.

use std::fmt::Write;

use bson::{Document, doc};
use futures_util::TryStreamExt;
use reqwest::Method;
use serde_json::json;

use crate::support::{
    Caller, PASSWORD, Reply, Server, TempFolder, TestApp,
    catalogue_file::{HEADER, export, fresh, import, line},
    myspares,
};

const CSV: &str = "text/csv";
const BRANDS: &str = "/api/admin/brands";

/// Returns a CSV file of a brand with `products` products.
fn file(brand: &str, products: usize) -> String {
    (0..products).fold(format!("{HEADER}\n"), |mut file, n| {
        writeln!(file, "{}", line(brand, &format!("P{n}"), "1.00")).expect("a string");
        file
    })
}

async fn count(app: &TestApp, collection: &str) -> u64 {
    app.db.collection::<Document>(collection).count_documents(doc! {}).await.expect("a count")
}

/// Returns the number of entries whose parent does not exist.
async fn orphans(app: &TestApp) -> usize {
    let mut orphans = 0;
    for (children, parents) in [("models", "brands"), ("categories", "models"), ("products", "categories")] {
        let parent = doc! { "from": parents, "localField": "parent", "foreignField": "code", "as": "above" };
        let stages = [doc! { "$lookup": parent }, doc! { "$match": { "above": { "$size": 0 } } }];
        let found = app.db.collection::<Document>(children).aggregate(stages).await.expect("an answer");
        orphans += found.try_collect::<Vec<Document>>().await.expect("documents").len();
    }
    orphans
}

/// Imports the file of a brand while another instance deletes the brand again and again.
async fn race(products: usize, deletions: usize) {
    let (app, boss) = fresh().await;
    let other = app.another_instance().await;
    let elsewhere = boss.at(&other.url);
    let sent = (boss.clone(), file("RACE", products));
    let importing = tokio::spawn(async move { import(&sent.0, CSV, &sent.1).await.expect(200) });
    let mut deleted = 0;
    while deleted < deletions && !importing.is_finished() {
        let status = elsewhere.delete(&format!("{BRANDS}/delete/RACE/")).await.status.as_u16();
        assert!([200, 404, 503].contains(&status), "{status}");
        deleted += usize::from(status == 200);
    }
    let report = importing.await.expect("a reply");
    for failed in report["failed"].as_array().expect("lines") {
        let error = failed["error"].as_str().expect("a text");
        assert!(["brand_code already exists", "too many changes at once, try again soon"].contains(&error), "{error}");
    }
    let told =
        ["inserted", "updated", "unchanged", "failed_count"].map(|name| report[name].as_u64().expect("a number"));
    assert_eq!(told.iter().sum::<u64>(), products as u64);
    assert_eq!(orphans(&app).await, 0);
    assert_eq!(count(&app, "purges").await, 0);
}

#[tokio::test]
async fn an_import_and_a_deletion_at_once_leave_no_orphan() {
    race(2_000, 2).await;
}

#[tokio::test]
#[ignore = "slow"]
async fn imports_and_deletions_at_once_never_leave_an_orphan() {
    for _ in 0..10 {
        race(8_000, 20).await;
    }
}

#[tokio::test]
async fn two_imports_of_one_file_at_once_insert_everything_once() {
    let (app, boss) = fresh().await;
    let other = app.another_instance().await;
    let file = file("TATA", 1_200);
    let elsewhere = boss.at(&other.url);
    let (one, two) = tokio::join!(import(&boss, CSV, &file), import(&elsewhere, CSV, &file));
    let replies = [one.expect(200), two.expect(200)];
    let sum = |name: &str| replies.iter().map(|reply| reply[name].as_u64().expect("a number")).sum::<u64>();
    assert_eq!((sum("inserted"), sum("unchanged"), sum("failed_count")), (1_200, 1_200, 0));
    assert_eq!((count(&app, "products").await, count(&app, "audits").await), (1_200, 1_203));
}

/// Inserts a catalogue of 30 MB, which is more than the buffers between the server and its caller can hold.
async fn large_catalogue(app: &TestApp) -> Caller {
    let staff = app.staff().await;
    import(&staff, CSV, &file("TATA", 1)).await.expect(200);
    let sample = app.products().find_one(doc! {}).await.expect("an answer").expect("a product");
    for batch in 0..12 {
        let products = (0..500).map(|n| {
            let mut product = sample.clone();
            product.insert("_id", bson::oid::ObjectId::new());
            product.insert("own_code", format!("L{batch}N{n}"));
            product.insert("code", format!("TATA-NEXON-BRK-L{batch}N{n}"));
            product.insert("description", "long ".repeat(999) + "text");
            product
        });
        app.products().insert_many(products).await.expect("products");
    }
    staff
}

#[tokio::test]
async fn an_export_shows_the_moment_at_which_it_began() {
    let app = TestApp::start().await;
    let staff = large_catalogue(&app).await;
    let before = export(&staff, "csv").await;
    let mut response = staff.request(Method::GET, "/api/admin/export/").send().await.expect("an answer");
    let mut read = response.chunk().await.expect("a piece").expect("a piece").to_vec();
    staff.delete(&format!("{BRANDS}/delete/TATA/")).await.expect(200);
    while let Some(piece) = response.chunk().await.expect("a piece") {
        read.extend_from_slice(&piece);
    }
    assert!(read == before.as_bytes(), "{} bytes of {}", read.len(), before.len());
    assert_eq!(export(&staff, "csv").await, format!("\u{feff}{HEADER}\n"));
}

#[tokio::test]
async fn an_export_that_fails_half_way_does_not_look_whole() {
    let folder = TempFolder::new().expect("a folder");
    let (app, mongod) = TestApp::start_with_own_mongod(folder.path()).await;
    let staff = large_catalogue(&app).await;
    let mut response = staff.request(Method::GET, "/api/admin/export/").send().await.expect("an answer");
    response.chunk().await.expect("a piece").expect("a piece");
    mongod.stop().await;
    let mut read = 0;
    let end = loop {
        match response.chunk().await {
            Ok(Some(piece)) => read += piece.len(),
            end => break end,
        }
    };
    assert!(end.is_err(), "{read} bytes end as if they were the whole file");
}

/// Creates an administrator of the server and signs in.
async fn boss_of(server: &Server, folder: &TempFolder) -> Caller {
    let args = ["create-admin", "--username", "boss", "--phone", "9876500000", "--password", PASSWORD];
    assert!(myspares(folder.path(), &[], &args).status.success());
    let mut boss = Caller::new(&server.url);
    let login = json!({ "phone_number": "9876500000", "password": PASSWORD });
    let reply = boss.post("/api/auth/login/", &login).await.expect(200);
    boss.sign_in(&reply);
    boss
}

/// Imports and exports `products` products for each of `brands` brands, and checks the peak memory of the server.
async fn memory_for(brands: usize, products: usize) {
    let folder = TempFolder::new().expect("a folder");
    let server = Server::start(folder.path());
    let boss = boss_of(&server, &folder).await;
    let rows: String = (0..brands).map(|n| file(&format!("B{n}"), products).split_off(HEADER.len() + 1)).collect();
    let all = format!("{HEADER}\n{rows}");
    let request = boss.request(Method::POST, "/api/admin/import/").header("content-type", CSV).body(all);
    let reply = Reply::of(request).await.expect(200);
    assert_eq!((&reply["inserted"], &reply["failed_count"]), (&json!(brands * products), &json!(0)));
    assert_eq!(export(&boss, "csv").await.lines().count(), brands * products + 1);
    let peak = server.peak_mebibytes();
    // With the pages of the program itself this is about 150 MB.
    assert!(peak < 120, "{peak} MiB");
}

#[tokio::test]
async fn a_file_of_many_batches_is_never_in_memory_as_a_whole() {
    memory_for(5, 1_000).await;
}

#[tokio::test]
#[ignore = "slow"]
async fn a_file_of_200_000_products_takes_less_than_150_mb() {
    memory_for(100, 2_000).await;
}

#[tokio::test]
async fn the_command_line_does_the_same() {
    let folder = TempFolder::new().expect("a folder");
    let (parts, out) = (folder.path().join("parts.csv"), folder.path().join("out.csv"));
    let sorted = [HEADER, &line("KIA", "P1", "1.00"), &line("TATA", "P1", "2.00"), ""].join("\n");
    std::fs::write(&parts, format!("{sorted}b?d\n")).expect("a file");
    let run = |args: &[&str]| myspares(folder.path(), &[], args);
    let imported = run(&["import", "parts.csv"]);
    let (told, errors) = (String::from_utf8_lossy(&imported.stdout), String::from_utf8_lossy(&imported.stderr));
    assert_eq!(imported.status.code(), Some(1), "{errors}");
    assert_eq!(told, "inserted 2, updated 0, unchanged 0, failed 1\n");
    assert!(errors.contains("line 4, brand_code \"b?d\": invalid brand_code: invalid characters\n"), "{errors}");
    assert!(errors.contains("1 line failed; the others are imported"), "{errors}");
    let exported = run(&["export", "out.csv"]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    assert_eq!(std::fs::read_to_string(&out).expect("a file"), format!("\u{feff}{sorted}"));
    assert!(!folder.path().join("out.csv.part").exists());
    let lines = run(&["export", "--format", "jsonl"]);
    std::fs::write(folder.path().join("parts.jsonl"), &lines.stdout).expect("a file");
    let again = run(&["import", "parts.jsonl"]);
    assert_eq!(String::from_utf8_lossy(&again.stdout), "inserted 0, updated 0, unchanged 2, failed 0\n");
    let changed = sorted.replace("2.00", "3.00").replace(",3,", ",9,");
    std::fs::write(&parts, changed).expect("a file");
    let told =
        |args: &[&str]| String::from_utf8_lossy(&run(&[&["import", "parts.csv"], args].concat()).stdout).into_owned();
    let dry = told(&["--dry-run", "--mode", "update"]);
    assert_eq!(dry, "dry run, nothing is changed: inserted 0, updated 2, unchanged 0, failed 0\n");
    assert_eq!(told(&["--mode", "insert"]), "inserted 0, updated 0, unchanged 0, failed 2\n");
    assert_eq!(told(&["--stock", "keep"]), "inserted 0, updated 1, unchanged 1, failed 0\n");
    assert!(again.status.success() && lines.stdout.starts_with(b"{\"brand_code\":\"KIA\""));
    let missing = run(&["import", "none.csv"]);
    assert!(!missing.status.success() && String::from_utf8_lossy(&missing.stderr).contains("none.csv"));
}
