//! Export and import of the catalogue as a file.

use bson::{Document, doc};
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    Caller, Reply, TestApp,
    catalogue_file::{HEADER, export, filled, fresh, import, import_bytes, line, report},
};

const CSV: &str = "text/csv";
const JSON: &str = "application/x-ndjson";
const CONTROL: &str = "description must not contain control characters other than newline and tab";

async fn count(app: &TestApp, collection: &str) -> u64 {
    app.db.collection::<Document>(collection).count_documents(doc! {}).await.expect("a count")
}

async fn product(app: &TestApp, code: &str) -> Document {
    app.products().find_one(doc! { "code": code }).await.expect("an answer").expect("a product")
}

#[tokio::test]
async fn an_export_makes_the_same_catalogue_of_an_empty_database() {
    let app = TestApp::start().await;
    let staff = filled(&app).await;
    for (format, content_type) in [("csv", CSV), ("jsonl", JSON)] {
        let file = export(&staff, format).await;
        let (other, boss) = fresh().await;
        import(&boss, content_type, &file).await.expect(200).json_is(&report(6, 0, 0));
        assert_eq!(export(&boss, format).await, file);
        for level in ["brands", "models", "categories", "products"] {
            assert_eq!(count(&other, level).await, count(&app, level).await, "{level}");
        }
        // Each inserted document has one audit entry.
        assert_eq!(count(&other, "audits").await, 3 + 2 + 2 + 2);
    }
}

#[tokio::test]
async fn importing_an_export_changes_nothing() {
    let app = TestApp::start().await;
    let staff = filled(&app).await;
    let before = (count(&app, "audits").await, product(&app, "TATA-NEXON-BRK-P1").await);
    for (format, content_type) in [("csv", CSV), ("jsonl", JSON)] {
        let file = export(&staff, format).await;
        import(&staff, content_type, &file).await.expect(200).json_is(&report(0, 0, 6));
        let windows = format!("\u{feff}{}", file.replace('\n', "\r\n"));
        import(&staff, content_type, &windows).await.expect(200).json_is(&report(0, 0, 6));
    }
    assert_eq!((count(&app, "audits").await, product(&app, "TATA-NEXON-BRK-P1").await), before);
}

#[tokio::test]
async fn the_file_has_the_columns_and_the_order_of_the_readme() {
    let app = TestApp::start().await;
    let staff = filled(&app).await;
    let reply = staff.get("/api/admin/export/").await.expect(200);
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(reply.header("content-disposition"), "attachment; filename=\"catalogue.csv\"");
    let image = "https://images.example.com/a.webp";
    let tata = format!("TATA,Tata Motors,{image},NEXON,Nexon,{image},BRK,Brakes,{image}");
    let expected = [
        format!("\u{feff}{HEADER}"),
        format!("KIA,Kia,{image},,,,,,,,,,,,,,,,,"),
        format!("TATA,Tata Motors,{image},ALTROZ,Altroz,{image},,,,,,,,,,,,,,"),
        format!("{tata},P1,Pad,\"A \"\"pad\"\",\nof ceramics: ब्रेक\",19.90,7,{image},12.50,10,20,\"Sale, now\",true"),
        format!("{tata},P2,Hidden pad,'=1+1,0.00,0,{image},,,,,false"),
        format!("TATA,Tata Motors,{image},NEXON,Nexon,{image},FLT,\"Filters, all\",{image},,,,,,,,,,,"),
        format!("TATA2,Tata,{image},,,,,,,,,,,,,,,,,"),
        String::new(),
    ];
    assert_eq!(reply.text, expected.join("\n"));
    let lines = export(&staff, "jsonl").await;
    let third: Value = serde_json::from_str(lines.lines().nth(2).expect("a line")).expect("JSON");
    assert!(lines.contains("\"price\":19.90,\"stock\":7,") && lines.contains("\"offer_discount\":null"));
    assert_json_snapshot!(third, @r#"
    {
      "brand_code": "TATA",
      "brand_image_url": "https://images.example.com/a.webp",
      "brand_name": "Tata Motors",
      "category_code": "BRK",
      "category_image_url": "https://images.example.com/a.webp",
      "category_name": "Brakes",
      "description": "A \"pad\",\nof ceramics: ब्रेक",
      "image_url": "https://images.example.com/a.webp",
      "is_active": true,
      "model_code": "NEXON",
      "model_image_url": "https://images.example.com/a.webp",
      "model_name": "Nexon",
      "offer_description": "Sale, now",
      "offer_discount": 12.5,
      "offer_from": 10,
      "offer_to": 20,
      "price": 19.9,
      "product_code": "P1",
      "product_name": "Pad",
      "stock": 7
    }
    "#);
    Reply::of(staff.request(Method::HEAD, "/api/admin/export/")).await.expect(200);
    for bad in ["xml", "", "CSV"] {
        staff.get(&format!("/api/admin/export/?format={bad}")).await.refused(400, "format must be csv or jsonl");
    }
}

#[tokio::test]
async fn bad_lines_are_told_and_lose_no_good_one() {
    let (app, boss) = fresh().await;
    let good = line("TATA", "P1", "1.00");
    let bad = [
        (good.replace("1.00", "1.005").replace("P1", "P2"), json!(["price", "1.005", "invalid price"])),
        (good.replace("TATA,", "ta_ta,"), json!(["brand_code", "ta_ta", "invalid brand_code: invalid characters"])),
        ("TATA,Tata Motors".to_owned(), json!(["brand_image_url", "", "brand_image_url is required"])),
        (format!("{good},x"), json!([null, null, "the row has 21 fields, the header 20"])),
        (good.replace("A pad", "A\0pad"), json!(["description", "A\0pad", CONTROL])),
        (line("NEW", "P1", "").replace(",A pad", ","), json!(["description", "", "description is required"])),
        (good.replace("true", "perhaps"), json!(["is_active", "perhaps", "is_active must be true or false"])),
        (",Tata".to_owned(), json!(["brand_code", "", "brand_code is required"])),
        (
            line("KIA", "P9", "1.00").replace("A pad", "A ?pad"),
            json!(["description", "A \u{fffd}pad", "description is not valid UTF-8"]),
        ),
    ];
    let lines: Vec<&str> = bad.iter().map(|(line, _)| line.as_str()).collect();
    let file = [HEADER, &good, &lines.join("\n"), &line("TATA", "P3", "3.00")].join("\n");
    let bytes: Vec<u8> = file.bytes().map(|byte| if byte == b'?' { 0xFF } else { byte }).collect();
    let reply = import_bytes(&boss, "", CSV, &bytes).await.expect(200);
    let failed = bad
        .iter()
        .enumerate()
        .map(|(n, (_, told))| json!({ "line": n + 3, "column": told[0], "value": told[1], "error": told[2] }));
    assert_eq!(reply["failed"], failed.collect::<Value>());
    assert_eq!((&reply["inserted"], &reply["failed_count"]), (&json!(2), &json!(9)));
    assert_eq!(reply["warnings"], json!([]));
    assert_eq!((count(&app, "brands").await, count(&app, "products").await), (1, 2));
}

#[tokio::test]
async fn of_rows_that_disagree_about_a_parent_the_first_wins() {
    let (app, boss) = fresh().await;
    let first = line("TATA", "P1", "1.00");
    let mut rows = vec![HEADER.to_owned(), first.clone(), line("TATA", "P2", "2.00").replace("Tata Motors", "Tata")];
    // 600 rows are enough for the next rows to be in another batch.
    rows.extend((0..600).map(|n| line("TATA", &format!("Q{n}"), "1.00")));
    rows.push(first.replace("P1", "P3").replace("/nexon.webp", "/other.webp"));
    rows.push("TATA,Tata,https://images.example.com/tata.webp,,,,,,,,,,,,,,,,,".to_owned());
    let reply = import(&boss, CSV, &rows.join("\n")).await.expect(200);
    assert_json_snapshot!(reply["failed"], @r#"
    [
      {
        "column": "brand_name",
        "error": "brand_name differs from that of an earlier line",
        "line": 3,
        "value": "Tata"
      },
      {
        "column": "model_image_url",
        "error": "model_image_url differs from that of an earlier line",
        "line": 604,
        "value": "https://images.example.com/other.webp"
      },
      {
        "column": "brand_name",
        "error": "brand_name differs from that of an earlier line",
        "line": 605,
        "value": "Tata"
      }
    ]
    "#);
    assert_eq!((&reply["inserted"], &reply["failed_count"]), (&json!(601), &json!(3)));
    assert_eq!(count(&app, "products").await, 601);
    let brand = boss.get("/api/utils/brands/TATA/").await.expect(200);
    assert_eq!(brand["brand"]["brand_name"], "Tata Motors");
    // A later file may change the parent.
    let renamed = [HEADER, &first.replace("Tata Motors", "Tata")].join("\n");
    import(&boss, CSV, &renamed).await.expect(200).json_is(&report(0, 1, 0));
    let brand = boss.get("/api/utils/brands/TATA/").await.expect(200);
    assert_eq!(brand["brand"]["brand_name"], "Tata", "reads after the import show the new name");
}

#[tokio::test]
async fn a_column_that_is_left_out_stays_as_it_is() {
    let app = TestApp::start().await;
    let staff = filled(&app).await;
    let before = product(&app, "TATA-NEXON-BRK-P1").await;
    let file = "product_code,price,brand_code,category_code,model_code\nP1,21.5,TATA,BRK,NEXON\nP9,1,TATA,BRK,NEXON\n";
    let reply = import(&staff, CSV, file).await.expect(200);
    assert_eq!(reply["failed"], json!([{ "line": 3, "column": "stock", "value": null, "error": "stock is required" }]));
    let mut after = product(&app, "TATA-NEXON-BRK-P1").await;
    assert_eq!((&reply["updated"], after.get_i64("price").expect("a price")), (&json!(1), 2_150));
    for changed in ["price", "updated_at"] {
        after.insert(changed, before.get(changed).cloned());
    }
    assert_eq!(after, before);
    let row = json!({ "brand_code": "TATA", "model_code": "NEXON", "category_code": "BRK", "product_code": "P1",
        "offer_discount": null, "unknown": [1], "stock": "8" });
    import(&staff, JSON, &row.to_string()).await.expect(200).json_is(&report(0, 1, 0));
    let after = product(&app, "TATA-NEXON-BRK-P1").await;
    assert_eq!((after.get_i64("stock").ok(), after.contains_key("offer")), (Some(8), false));
}

#[tokio::test]
async fn each_change_is_told_with_its_author_and_nothing_else_is() {
    let app = TestApp::start().await;
    let staff = filled(&app).await;
    let before = count(&app, "audits").await;
    let file = export(&staff, "csv").await.replace("19.90", "20.00").replace("Tata Motors", "Tata");
    // The first row of the brand renames it. The later rows find the new name.
    import(&staff, CSV, &file).await.expect(200).json_is(&report(0, 2, 4));
    assert_eq!(count(&app, "audits").await, before + 2);
    let told = staff.get("/api/admin/audits/?limit=2").await.expect(200);
    let product = &told["logs"][0];
    assert_eq!((&product["operation"], &product["actor"]["user_id"]), (&json!("update"), &json!(staff.user_id)));
    assert_eq!(product["update_description"]["updatedFields"], json!({ "price": 20 }));
    assert_eq!(told["logs"][1]["update_description"]["before"], json!({ "brand_name": "Tata Motors" }));
    let id = told["logs"][1]["request_id"].as_str().expect("an id").to_owned();
    assert_eq!(product["request_id"], id);
}

#[tokio::test]
async fn files_that_are_none_are_refused() {
    let (app, boss) = fresh().await;
    import(&boss, CSV, "").await.refused(400, "the file is empty");
    import(&boss, JSON, "\u{feff}").await.refused(400, "the file is empty");
    let without = HEADER.replace("model_code,", "");
    import(&boss, CSV, &without).await.refused(400, "the column model_code is missing");
    import(&boss, CSV, &format!("{HEADER},prise\n")).await.refused(400, "unknown column: prise");
    import(&boss, CSV, &format!("{HEADER},price\n")).await.refused(400, "the column price is there twice");
    import(&boss, CSV, &line("TATA", "P1", "1.00")).await.refused(400, "unknown column: TATA");
    import(&boss, CSV, "\n,,\n").await.refused(400, "the file is empty");
    import(&boss, CSV, "PK\u{3}\u{4}x").await.refused(400, "the file is a workbook; save the sheet as CSV UTF-8");
    // The file is so long that the refusal comes before the caller has sent all of it.
    let long = format!("no header\n{}", "x".repeat(20_000_000));
    import(&boss, CSV, &long).await.refused(400, "unknown column: no header");
    let types = "the body must be text/csv, application/x-ndjson or multipart/form-data";
    import(&boss, "application/json", "{}").await.refused(415, types);
    boss.post_empty("/api/admin/import/").await.refused(415, "a body needs a Content-Type");
    import(&boss, CSV, HEADER).await.expect(200).json_is(&report(0, 0, 0));
    import(&app.customer().await, CSV, HEADER).await.refused(403, "staff only");
    import(&app.anonymous(), CSV, HEADER).await.expect(401).is_envelope();
    assert_eq!(count(&app, "audits").await, 0);
}

#[tokio::test]
async fn a_file_that_is_too_long_is_refused_before_it_is_sent() {
    let (_app, boss) = fresh().await;
    let address = boss.url.trim_start_matches("http://").replace("localhost", "127.0.0.1");
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let bearer = boss.access.as_ref().expect("a token");
    let head = format!(
        "POST /api/admin/import/ HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {bearer}\r\ncontent-type: text/csv\r\n\
         content-length: {}\r\n\r\n",
        256 * 1024 * 1024 + 1
    );
    connection.write_all(head.as_bytes()).await.expect("a request");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("the file is larger than 256 MiB"), "{answer}");
}

/// Sends a form. Each part is given as its name, its file name (empty for none) and its text.
async fn import_form(caller: &Caller, parts: &[(&str, &str, &str)]) -> Reply {
    let part = |(name, file, text): &(&str, &str, &str)| {
        let file = if file.is_empty() { String::new() } else { format!("; filename=\"{file}\"") };
        format!("--BOUNDARY\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{text}\r\n")
    };
    let body = parts.iter().map(part).collect::<String>() + "--BOUNDARY--\r\n";
    import(caller, "multipart/form-data; boundary=BOUNDARY", &body).await
}

#[tokio::test]
async fn a_form_holds_the_file_as_well() {
    let (_app, boss) = fresh().await;
    let csv = [HEADER, &line("TATA", "P1", "1.00")].join("\n");
    let reply = import_form(&boss, &[("note", "", "x"), ("file", "parts.csv", &csv)]).await;
    reply.expect(200).json_is(&report(1, 0, 0));
    let json = export(&boss, "jsonl").await;
    import_form(&boss, &[("file", "parts.jsonl", &json)]).await.expect(200).json_is(&report(0, 0, 1));
    let long = [&csv, "\n", &"x".repeat(6_000_000)].concat();
    let reply = import_form(&boss, &[("file", "long.csv", &long)]).await.expect(200);
    assert_eq!((&reply["unchanged"], &reply["failed_count"]), (&json!(1), &json!(1)));
    import_form(&boss, &[("note", "", "x")]).await.refused(400, "file is required");
    let cut = "multipart/form-data; boundary=BOUNDARY";
    let part = format!("--BOUNDARY\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n{csv}");
    import(&boss, cut, &part).await.refused(400, "the file can't be read to its end");
}

#[tokio::test]
async fn an_image_that_the_shop_keeps_goes_only_with_its_url() {
    let app = TestApp::start().await;
    let staff = filled(&app).await;
    let key = "local/0123456789abcdef0123456789abcdef-0123456789abcdef.jpg";
    let with_key = doc! { "$set": { "image_key": key } };
    app.products().update_one(doc! { "own_code": "P1" }, with_key).await.expect("a key");
    let file = export(&staff, "csv").await.replace("19.90", "20.00");
    import(&staff, CSV, &file).await.expect(200).json_is(&report(0, 1, 5));
    assert_eq!(product(&app, "TATA-NEXON-BRK-P1").await.get_str("image_key").ok(), Some(key));
    assert_eq!(count(&app, "image_trash").await, 0);
    let file = file.replace("a.webp,12.50", "b.webp,12.50");
    import(&staff, CSV, &file).await.expect(200).json_is(&report(0, 1, 5));
    assert!(!product(&app, "TATA-NEXON-BRK-P1").await.contains_key("image_key"));
    let trash = app.db.collection::<Document>("image_trash").find_one(doc! {}).await.expect("an answer");
    assert_eq!(trash.expect("a key").get_str("_id").ok(), Some(key));
}

#[tokio::test]
async fn a_code_that_is_being_removed_is_taken() {
    let (app, boss) = fresh().await;
    let job = doc! { "_id": "TATA", "touched_at": bson::DateTime::now() };
    app.db.collection::<Document>("purges").insert_one(job).await.expect("a job");
    let file = [HEADER, &line("TATA", "P1", "1.00"), &line("KIA", "P1", "1.00")].join("\n");
    let reply = import(&boss, CSV, &file).await.expect(200);
    assert_eq!(
        reply["failed"],
        json!([{ "line": 2, "column": "brand_code", "value": "TATA", "error": "brand_code already exists" }])
    );
    assert_eq!((&reply["inserted"], count(&app, "products").await), (&json!(1), 1));
}
