//! Imports of what spreadsheets write, and exports that spreadsheets read.

use bson::{Document, doc};
use serde_json::{Value, json};

use crate::support::{
    Caller, TestApp,
    catalogue_file::{HEADER, export, filled, fresh, import, import_bytes, line, report},
};

const CSV: &str = "text/csv";
const JSON: &str = "application/x-ndjson";
const PRODUCTS: &str = "/api/admin/brands/TATA/models/NEXON/categories/BRK/products";

async fn product(app: &TestApp, code: &str) -> Document {
    app.products().find_one(doc! { "own_code": code }).await.expect("an answer").expect("a product")
}

fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

/// Returns a file as spreadsheets write it: other cases and spaces in the header, empty cells behind the last column,
/// empty rows, and CR LF.
fn sheet(separator: char) -> String {
    let header = HEADER.replace("brand_name", " Brand_Name ").replace("price", "PRICE");
    let row = line("TATA", "P1", "10.00").replace("Brake pad", "Kühler ब्रेक").replace(",3,", ",10.0,");
    format!("{header},,\n,,,,,\n{row},,\n ,\n{}\n", "KIA,Kia,https://images.example.com/kia.webp")
        .replace("A pad", "\"A\npad\"")
        .replace(',', &separator.to_string())
        .replace('\n', "\r\n")
}

#[tokio::test]
async fn sheets_of_every_dialect_are_read() {
    let (app, boss) = fresh().await;
    let comma = sheet(',');
    import(&boss, CSV, &comma).await.expect(200).json_is(&report(2, 0, 0));
    let stored = product(&app, "P1").await;
    let expected = (Some("Kühler ब्रेक"), Some("A\npad"), Some(10));
    let text = |name: &str| stored.get_str(name).ok();
    assert_eq!((text("product_name").or(text("name")), text("description"), stored.get_i64("stock").ok()), expected);
    let tab = sheet('\t');
    let files = [
        (CSV, sheet(';').into_bytes()),
        (CSV, format!("\u{feff}{tab}").into_bytes()),
        (CSV, format!("sep=;\r\n{}", sheet(';')).into_bytes()),
        (CSV, utf_16(&format!("\u{feff}{tab}"), u16::to_le_bytes)),
        (CSV, utf_16(&format!("\u{feff}{comma}"), u16::to_be_bytes)),
        ("text/csv; charset=utf-16le", utf_16(&tab, u16::to_le_bytes)),
        ("text/csv; charset=utf-16", utf_16(&tab, u16::to_be_bytes)),
        (CSV, utf_16(&comma, u16::to_le_bytes)),
        (CSV, sheet(';').replace("10.00", "10,00").into_bytes()),
    ];
    for (n, (content_type, file)) in files.iter().enumerate() {
        let reply = import_bytes(&boss, "", content_type, file).await.expect(200);
        assert_eq!(reply.json, report(0, 0, 2), "file {n}");
    }
    let windows: Vec<u8> = sheet(';').replace("ब्रेक", "x").chars().map(|c| u8::try_from(c).expect("Latin")).collect();
    let reply = import_bytes(&boss, "", "text/csv; charset=windows-1252", &windows).await.expect(200);
    assert_eq!(reply.json, report(0, 1, 1));
    let reply = import_bytes(&boss, "", "text/csv; charset=koi8-r", &windows).await;
    reply.refused(415, "the charset must be utf-8, utf-16 or windows-1252");
}

#[tokio::test]
async fn json_lines_with_the_lines_of_windows_are_read() {
    let (app, boss) = fresh().await;
    import(&boss, CSV, &[HEADER, &line("TATA", "P1", "1.00")].join("\n")).await.expect(200);
    let row = json!({ "brand_code": "TATA", "model_code": "NEXON", "category_code": "BRK", "product_code": "P1",
        "description": "two\r\nlines", "stock": 10.0 });
    import(&boss, JSON, &format!("\u{feff}{row}\r\n\r\n")).await.expect(200).json_is(&report(0, 1, 0));
    assert_eq!(product(&app, "P1").await.get_str("description").ok(), Some("two\nlines"));
    let file = utf_16(&row.to_string(), u16::to_le_bytes);
    import_bytes(&boss, "", JSON, &file).await.expect(200).json_is(&report(0, 0, 1));
}

#[tokio::test]
async fn texts_that_look_like_formulas_come_back_as_they_were() {
    let app = TestApp::start().await;
    let staff = filled(&app).await;
    let texts = ["=SUM(A1)", "'=1", "''@x", "-5 °C", "+91", "'90s", "plain", "'"];
    for (n, text) in texts.iter().enumerate() {
        let body = json!({ "product_name": format!("Part {n}"), "product_code": format!("F{n}"), "description": text,
            "price": 1, "stock": 1, "image_url": "https://images.example.com/a.webp" });
        staff.post(&format!("{PRODUCTS}/insert/"), &body).await.expect(201);
    }
    let file = export(&staff, "csv").await;
    assert!(file.starts_with(&format!("\u{feff}{HEADER}\n")));
    for written in [",'=SUM(A1),", ",''=1,", ",'''@x,", ",'-5 °C,", ",'+91,", ",'90s,", ",plain,", ",',"] {
        assert!(file.contains(written), "{written}");
    }
    import(&staff, CSV, &file).await.expect(200).json_is(&report(0, 0, 14));
    let (_other, boss) = fresh().await;
    import(&boss, CSV, &file).await.expect(200).json_is(&report(14, 0, 0));
    assert_eq!(export(&boss, "csv").await, file);
    assert_eq!(export(&boss, "jsonl").await, export(&staff, "jsonl").await);
}

#[tokio::test]
async fn garbled_texts_are_told_and_not_stored() {
    let (app, boss) = fresh().await;
    let row = |name: &str, text: &str, code: &str| {
        line("TATA", code, "1.00").replace("Brake pad", name).replace("A pad", text)
    };
    let rows = [
        row("Kühler", "right", "P1"),
        row("KÃ¼hler", "x", "P2"),
        row("Pad", "5 mÂ²", "P3"),
        row("K\u{fffd}", "x", "P4"),
    ];
    let reply = import(&boss, CSV, &[HEADER, &rows.join("\n")].join("\n")).await.expect(200);
    let told: Vec<Value> = reply["failed"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|failed| json!([failed["line"], failed["column"], failed["value"]]))
        .collect();
    let expected =
        json!([[3, "product_name", "KÃ¼hler"], [4, "description", "5 mÂ²"], [5, "product_name", "K\u{fffd}"]]);
    assert_eq!(json!(told), expected);
    let hint = "product_name was read in the wrong encoding (probably \"Kühler\"); open and save the file as UTF-8";
    assert_eq!(reply["failed"][0]["error"], hint);
    assert_eq!(app.products().count_documents(doc! {}).await.expect("a count"), 1);
    // What is stored already stays valid, so an export changes nothing.
    let stored = json!({ "description": "5 mÂ²" });
    boss.put(&format!("{PRODUCTS}/update/P1/"), &stored).await.expect(200);
    let file = export(&boss, "csv").await;
    import(&boss, CSV, &file).await.expect(200).json_is(&report(0, 0, 1));
    import(&boss, CSV, &file.replace("1.00", "2.00")).await.expect(200).json_is(&report(0, 1, 0));
}

#[tokio::test]
async fn a_code_that_has_lost_its_zeros_is_told() {
    let (_app, boss) = fresh().await;
    let both = [HEADER, &line("012", "0077", "1.00"), &line("012", "5", "1.00")].join("\n");
    import(&boss, CSV, &both).await.expect(200).json_is(&report(2, 0, 0));
    let sheet = [HEADER, &line("12", "0077", "1.00"), &line("012", "77", "1.00"), &line("012", "5", "2.00")].join("\n");
    for query in ["dry_run=true", "dry_run=false"] {
        let reply = import_bytes(&boss, query, CSV, sheet.as_bytes()).await.expect(200);
        let warnings = reply["warnings"].as_array().expect("warnings");
        let told: Vec<_> = warnings.iter().map(|warning| (&warning["line"], &warning["column"])).collect();
        assert_eq!(told, [(&json!(2), &json!("brand_code")), (&json!(3), &json!("product_code"))]);
        let text = "brand_code 12 is new, but there is 012 already; a spreadsheet may have dropped its zeros";
        assert_eq!(warnings[0]["text"], text);
        assert_eq!((&reply["inserted"], &reply["updated"]), (&json!(2), &json!(1)));
    }
    import(&boss, CSV, &sheet).await.expect(200).json_is(&report(0, 0, 3));
}

async fn failed_rows(caller: &Caller, content_type: &str, file: &str) -> String {
    let reply = import(caller, content_type, file).await.expect(200);
    reply["failed_rows"].as_str().expect("a file").to_owned()
}

#[tokio::test]
async fn failed_rows_can_be_corrected_and_imported() {
    let (_app, boss) = fresh().await;
    let rows =
        [line("TATA", "P1", "1.00"), line("TATA", "P2", "1.005"), line("TATA", "P3", "x").replace("A pad", "'=1")];
    let failed = failed_rows(&boss, CSV, &[HEADER, &rows.join("\n")].join("\n")).await;
    assert_eq!(failed, format!("\u{feff}{HEADER}\n{}\n{}\n", rows[1], rows[2]));
    let corrected = failed.replace("1.005", "1.05").replace(",x,", ",2,");
    import(&boss, CSV, &corrected).await.expect(200).json_is(&report(2, 0, 0));
    let few = "brand_code;model_code;category_code;product_code;price\nTATA;NEXON;BRK;P1;-1\n";
    let failed = failed_rows(&boss, CSV, few).await;
    assert_eq!(failed, "\u{feff}brand_code,model_code,category_code,product_code,price\nTATA,NEXON,BRK,P1,-1\n");
    let row = json!({ "brand_code": "TATA", "model_code": "NEXON", "category_code": "BRK", "product_code": "P1",
        "stock": true });
    let failed = failed_rows(&boss, JSON, &row.to_string()).await;
    assert_eq!(failed, "\u{feff}brand_code,model_code,category_code,product_code,stock\nTATA,NEXON,BRK,P1,true\n");
    let many = (0..3_000).map(|n| line("TATA", &format!("P{n}"), "x").replace("A pad", &"long ".repeat(800)));
    let reply =
        import(&boss, CSV, &[HEADER.to_owned(), many.collect::<Vec<_>>().join("\n")].join("\n")).await.expect(200);
    assert_eq!((reply["failed_count"].as_u64(), reply["failed"].as_array().map(Vec::len)), (Some(3_000), Some(1_000)));
    assert!((500_000..1_200_000).contains(&reply["failed_rows"].as_str().expect("a file").len()));
}
