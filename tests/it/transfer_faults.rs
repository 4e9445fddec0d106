//! What an import tells of rows that fail, stand in the file twice or have other codes than the catalogue.

use bson::doc;
use serde_json::{Value, json};

use crate::support::{
    Caller,
    catalogue_file::{HEADER, fresh, import, import_bytes, line, report},
};

const CSV: &str = "text/csv";
const JSON: &str = "application/x-ndjson";

fn file(rows: &[String]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

/// Imports a file and returns its warnings about product codes, as pairs of line and text.
async fn told(caller: &Caller, query: &str, rows: &[String]) -> Vec<(u64, String)> {
    let reply = import_bytes(caller, query, CSV, file(rows).as_bytes()).await.expect(200);
    assert_eq!(reply["failed"], json!([]));
    let pair = |warning: &Value| {
        assert_eq!(warning["column"], "product_code");
        (warning["line"].as_u64().expect("a line"), warning["text"].as_str().expect("a text").to_owned())
    };
    reply["warnings"].as_array().expect("warnings").iter().map(pair).collect()
}

#[tokio::test]
async fn numbers_that_a_spreadsheet_shortens_are_told() {
    let (_app, boss) = fresh().await;
    let of = |codes: &[&str]| codes.iter().map(|code| line("TATA", code, "1.00")).collect::<Vec<_>>();
    let stored = ["62.30", "7.500", "0480", "09", "0.70", "3.0", "000"];
    assert_eq!(told(&boss, "", &of(&stored)).await, []);
    let shortened = ["62.3", "7.5", "480.0", "9.0", "0.7", "3", "0", "88.1"];
    let dry = told(&boss, "dry_run=true", &of(&shortened)).await;
    assert_eq!(told(&boss, "", &of(&shortened)).await, dry);
    assert_eq!(dry.len(), stored.len());
    for ((n, (line, text)), (own, original)) in dry.iter().enumerate().zip(shortened.iter().zip(stored)) {
        assert_eq!(*line, n as u64 + 2);
        assert!(text.starts_with(&format!("product_code {own} is new, but there is {original} already; ")), "{text}");
    }
    assert!(dry[0].1.ends_with("may have dropped its zeros") && dry[3].1.ends_with("made a number or a date of it"));
}

#[tokio::test]
async fn a_product_that_stands_twice_is_told_with_both_lines() {
    let (app, boss) = fresh().await;
    let mut rows: Vec<String> = (0..600).map(|n| line("TATA", &format!("N{n}"), "1.00")).collect();
    rows.extend([line("TATA", "N7", "2.00"), line("TATA", "n7", "3.00"), line("TATA", "N7", "x")]);
    let expected = |line, earlier| {
        json!({ "line": line, "column": "product_code",
            "text": format!("TATA-NEXON-BRK-N7 stands in line {earlier} too; this line counts") })
    };
    for query in ["dry_run=true", ""] {
        let reply = import_bytes(&boss, query, CSV, file(&rows).as_bytes()).await.expect(200);
        assert_eq!(reply["warnings"], json!([expected(602, 9), expected(603, 602)]), "{query}");
        assert_eq!((&reply["failed_count"], &reply["inserted"]), (&json!(1), &json!(600)));
    }
    let stored = app.products().find_one(doc! { "own_code": "N7" }).await.expect("an answer").expect("a product");
    assert_eq!(stored.get_i64("price").ok(), Some(300));
}

#[tokio::test]
async fn no_row_comes_out_of_the_middle_of_a_text() {
    let (app, boss) = fresh().await;
    let text = format!("\"First\n{}\nlast\"", line("TATA", "INSIDE", "1.00"));
    let rows = [line("TATA", "P1", "1.00").replace("A pad", &text), line("TATA", "P2", "1.00")];
    let long = format!("{},surplus", rows[0]);
    let reply = import(&boss, CSV, &file(&[long, rows[1].clone()])).await.expect(200);
    assert_eq!((&reply["failed_count"], &reply["inserted"]), (&json!(1), &json!(1)));
    assert_eq!((&reply["failed"][0]["line"], &reply["failed"][0]["error"]), (&json!(2), &json!(TOO_LONG)));
    let failed = reply["failed_rows"].as_str().expect("a file");
    assert_eq!(import(&boss, CSV, failed).await.expect(200)["failed"][0]["error"], TOO_LONG);
    import(&boss, CSV, &failed.replace(",surplus", "")).await.expect(200).json_is(&report(1, 0, 0));
    assert_eq!(app.products().count_documents(doc! { "own_code": "INSIDE" }).await.expect("a count"), 0);
}

const TOO_LONG: &str = "the row has 21 fields, the header 20";

#[tokio::test]
async fn what_could_not_be_read_is_among_the_failed_rows() {
    let (_app, boss) = fresh().await;
    let broken = line("TATA", "P1", "1.00").replace("A pad", "\"A pad");
    let reply = import(&boss, CSV, &file(&[broken.clone(), line("TATA", "P2", "1.00")])).await.expect(200);
    let failed = reply["failed_rows"].as_str().expect("a file");
    assert!(failed.ends_with(&format!(",\"{}\"\n", broken.replace('"', "\"\""))), "{failed}");
    let again = import(&boss, CSV, failed).await.expect(200);
    assert_eq!((&again["failed_count"], &again["failed_rows"]), (&json!(1), &reply["failed_rows"]));
    let lines = "17\nTATA\n{\"brand_code\":\n\"x\"\n";
    let reply = import(&boss, JSON, lines).await.expect(200);
    let failed = reply["failed_rows"].as_str().expect("a file");
    let cells = ["17", "TATA", "\"{\"\"brand_code\"\":\"", "\"\"\"x\"\"\""].map(|cell| format!(",,,,{cell}\n"));
    assert_eq!(failed, format!("\u{feff}brand_code,model_code,category_code,product_code\n{}", cells.concat()));
    assert_eq!(import(&boss, CSV, failed).await.expect(200)["failed_count"], 4);
    assert_eq!(reply.json.get("failed_rows_is_cut"), None);
}

#[tokio::test]
async fn a_list_of_failed_rows_that_is_cut_says_so() {
    let (_app, boss) = fresh().await;
    for (count, is_cut) in [(1_000, None), (1_001, Some(&json!(true)))] {
        let lines: Vec<String> = (0..count).map(|n| format!("{{\"brand_code\":\"b_{n}\"}}")).collect();
        let reply = import(&boss, JSON, &lines.join("\n")).await.expect(200);
        assert_eq!((&reply["failed_count"], reply.json.get("failed_rows_is_cut")), (&json!(count), is_cut));
        assert_eq!(reply["failed_rows"].as_str().expect("a file").lines().count(), 1_001);
    }
    let long = format!("x{}", " ".repeat(300_000));
    let reply = import(&boss, CSV, &file(&[long])).await.expect(200);
    assert_eq!((&reply["failed_rows_is_cut"], reply.json.get("failed_rows")), (&json!(true), None));
}

#[tokio::test]
async fn a_protected_number_is_taken_as_it_was_written() {
    let (app, boss) = fresh().await;
    let row = line("=\"007\"", "\"=\"\"0350\"\"\"", "=\"12.50\"");
    import(&boss, CSV, &file(&[row])).await.expect(200).json_is(&report(1, 0, 0));
    let stored = app.products().find_one(doc! { "code": "007-NEXON-BRK-0350" }).await.expect("an answer");
    assert_eq!(stored.expect("a product").get_i64("price").ok(), Some(1_250));
}

#[tokio::test]
async fn texts_of_macs_and_of_dos_are_told_and_not_stored() {
    let (app, boss) = fresh().await;
    let names = ["L√ºfter", "Ventilateur d‚Äôair", "L├╝fter", "à¤«à¤¼à¤¿à¤²à¥à¤Ÿà¤°", "‡§´‡§ø‡§≤‡•ç‡§ü‡§∞"];
    let rows: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(n, name)| line("TATA", &format!("M{n}"), "1.00").replace("Brake pad", name))
        .collect();
    let reply = import(&boss, CSV, &file(&rows)).await.expect(200);
    assert_eq!(reply["failed_count"], 5, "{}", reply.text);
    let hint = "product_name was read in the wrong encoding (probably \"Lüfter\"); open and save the file as UTF-8";
    assert_eq!((&reply["failed"][0]["error"], &reply["failed"][2]["error"]), (&json!(hint), &json!(hint)));
    assert_eq!(app.products().count_documents(doc! {}).await.expect("a count"), 0);
}
