//! Files as they come out of spreadsheets and other programs after something has gone wrong with them.

use bson::{Document, doc};
use serde_json::{Value, json};

use crate::support::{
    Caller, TestApp,
    catalogue_file::{HEADER, fresh, import, import_bytes, line, report},
};

const CSV: &str = "text/csv";
const JSON: &str = "application/x-ndjson";

async fn product(app: &TestApp, code: &str) -> Document {
    app.products().find_one(doc! { "own_code": code }).await.expect("an answer").expect("a product")
}

/// Returns line, column and sentence of each failed line.
async fn failures(caller: &Caller, file: &str) -> Vec<Value> {
    let reply = import(caller, CSV, file).await.expect(200);
    let failed = reply["failed"].as_array().expect("lines").iter();
    failed.map(|line| json!([line["line"], line["column"], line["error"]])).collect()
}

#[tokio::test]
async fn files_of_other_kinds_are_told_by_their_kind() {
    let (_app, boss) = fresh().await;
    let packed = "the file is compressed; unpack it and send it as it is";
    let document = "the file is a document or a web page; save the sheet as CSV UTF-8";
    let json = "the file is JSON; send one object in each line as application/x-ndjson";
    let array = "the file is a JSON array; write one object in each line, without the brackets and commas around them";
    let workbook = "the file is a workbook; save the sheet as CSV UTF-8";
    for (content_type, file, text) in [
        (CSV, &b"\x1F\x8B\x08\0\0\0"[..], packed),
        (JSON, b"\x1F\x8B\x08\0\0\0", packed),
        (CSV, b"7z\xBC\xAF\x27\x1C", packed),
        (CSV, b"PK\x03\x04\x14\0", workbook),
        (JSON, b"\xD0\xCF\x11\xE0\xA1", workbook),
        (CSV, b"%PDF-1.7", document),
        (CSV, b"\xEF\xBB\xBF\r\n<html><table>", document),
        (CSV, b"<\0?\0x\0m\0l\0", document),
        (JSON, b"<?xml version=\"1.0\"?>", document),
        (CSV, b"{\"brand_code\": \"TATA\"}\n", json),
        (CSV, b"[\n{\"brand_code\": \"TATA\"}]", json),
        (JSON, b" [\n{\"brand_code\": \"TATA\"},\n", array),
    ] {
        import_bytes(&boss, "", content_type, file).await.refused(400, text);
    }
}

#[tokio::test]
async fn headers_are_found_below_titles_and_in_other_spellings() {
    let (_app, boss) = fresh().await;
    let row = line("TATA", "P1", "1.00");
    let spelt =
        HEADER.replace("brand_code", "Brand Code").replace("image_url", "IMAGE-URL").replace("price", "\"Price \"");
    import(&boss, CSV, &format!("{spelt}\n{row}\n")).await.expect(200).json_is(&report(1, 0, 0));
    let grouped = "Brand,,,Model,,,Category,,,Product";
    for above in ["Parts of spring\n\n", "Table 1\r\n", grouped, "\"a, \"\"b\"\"\",,\nx\n", "sep=,\nTable 1\n"] {
        let file = format!("\u{feff}{above}\n{HEADER}\n{row}\n");
        import(&boss, CSV, &file).await.expect(200).json_is(&report(0, 0, 1));
        if !above.contains(',') {
            import(&boss, CSV, &file.replace(',', ";")).await.expect(200).json_is(&report(0, 0, 1));
        }
    }
    // What names columns is no title, and so is told by its own fault.
    import(&boss, CSV, &format!("brand_code,Preis\n{HEADER}\n{row}")).await.refused(400, "unknown column: Preis");
    let many = "title\n".repeat(6);
    import(&boss, CSV, &format!("{many}{HEADER}\n{row}")).await.refused(400, "unknown column: title");
    import(&boss, CSV, &format!("Marke,Preis\n{row}\n{row}")).await.refused(400, "unknown column: Marke");
    let twice = HEADER.replace("model_name", "Brand Name");
    import(&boss, CSV, &twice).await.refused(400, "the column brand_name is there twice");
}

#[tokio::test]
async fn a_damaged_line_loses_no_other() {
    let (app, boss) = fresh().await;
    let row = |code: &str| line("TATA", code, "1.00");
    let quoted = |code: &str| row(code).replace("A pad", "\"A pad, of ceramics\"");
    let rows = [
        row("P1"),
        row("P2").replace("A pad", "\"18\" rim"),
        quoted("P3"),
        row("P4").replace("A pad", "\"Never closed"),
        row("P5"),
        quoted("P6"),
        row("P7").replace("A pad", "5\" pipe"),
        row("P8").replace("A pad", " \"18\"\" rim\" "),
        row("P9").replace("true", "\"true"),
    ];
    let quote = "a quote is not closed, or a quote inside a cell is not doubled";
    let told = failures(&boss, &[HEADER, &rows.join("\r\n")].join("\r\n")).await;
    assert_eq!(told, [3, 5, 10].map(|line| json!([line, null, quote])));
    for (code, text) in [("P3", "A pad, of ceramics"), ("P5", "A pad"), ("P7", "5\" pipe"), ("P8", "18\" rim")] {
        assert_eq!(product(&app, code).await.get_str("description").ok(), Some(text), "{code}");
    }
    // A program has read the byte order mark in the wrong encoding; the texts are told if they are garbled, too.
    let garbled = format!("ï»¿{HEADER}\n{}\n{}", row("G1"), row("G2").replace("A pad", "KÃ¼hler"));
    assert_eq!(failures(&boss, &garbled).await[0][1], "description");
    // Half a file: what was cut off is no row.
    let cut = format!("{HEADER}\n{}\n{}", row("Q1"), &row("Q2")[..row("Q2").len() - 9]);
    assert_eq!(failures(&boss, &cut).await, [json!([3, "is_active", "is_active is required"])]);
    assert_eq!(product(&app, "Q1").await.get_str("own_code").ok(), Some("Q1"));
}

#[tokio::test]
async fn numbers_of_other_countries_are_read_or_told_but_never_stored_wrong() {
    let (app, boss) = fresh().await;
    let row = |price: &str, stock: &str| line("TATA", "P1", price).replace(",3,", &format!(",{stock},"));
    let stored = async || {
        let product = product(&app, "P1").await;
        (product.get_i64("price").expect("a price"), product.get_i64("stock").expect("a stock"))
    };
    for (price, stock, expected) in [
        ("2499.50", "7", (249_950, 7)),
        ("\"2499,5\"", "\"8,0\"", (249_950, 8)),
        ("1234.000", "9.00", (123_400, 9)),
        ("\u{a0}5\u{202f}", " 1 ", (500, 1)),
    ] {
        failures(&boss, &format!("{HEADER}\n{}", row(price, stock))).await;
        assert_eq!(stored().await, expected, "{price} {stock}");
    }
    for (price, stock) in [
        ("2.000", "1"),
        ("1", "12.000"),
        ("\"2,000\"", "1"),
        ("1", "\"1,000\""),
        ("\"1,00,000\"", "1"),
        ("\"2.499,00\"", "1"),
        ("\"2,499.00\"", "1"),
        ("₹2499", "1"),
        ("2499 €", "1"),
        ("10%", "1"),
        ("2\u{202f}499", "1"),
        ("2'499", "1"),
        ("2.5E+03", "1"),
        ("1", "1E+05"),
        ("(5)", "1"),
        ("-", "1"),
        ("#REF!", "1"),
        ("1", "2024-03-01"),
    ] {
        let told = failures(&boss, &format!("{HEADER}\n{}", row(price, stock))).await;
        let column = if stock == "1" { "price" } else { "stock" };
        assert_eq!((told.len(), &told[0][1]), (1, &json!(column)), "{price} {stock}");
        assert_eq!(stored().await, (500, 1), "{price} {stock}");
    }
}

#[tokio::test]
async fn codes_that_became_numbers_or_dates_are_told() {
    let (_app, boss) = fresh().await;
    let originals = ["1E5", "MAR-1", "0042", "10-5"].map(|code| line("TATA", code, "1.00")).join("\n");
    import(&boss, CSV, &format!("{HEADER}\n{originals}")).await.expect(200).json_is(&report(4, 0, 0));
    let sheet = ["100000", "01-Mar", "42", "2024-10-05", "12345678901234500000", "X-1"];
    let rows = sheet.map(|code| line("TATA", code, "1.00")).join("\n");
    let reply = import(&boss, CSV, &format!("{HEADER}\n{rows}\n{}", line("TATA", "1.2E+11", "1.00"))).await.expect(200);
    let texts: Vec<&str> =
        reply["warnings"].as_array().expect("warnings").iter().filter_map(|warning| warning["text"].as_str()).collect();
    assert_eq!(
        texts,
        [
            "product_code 100000 is new, but there is 1E5 already; a spreadsheet may have made a number or a date of it",
            "product_code 01-MAR is new, but there is MAR-1 already; a spreadsheet may have made a number or a date of it",
            "product_code 42 is new, but there is 0042 already; a spreadsheet may have dropped its zeros",
            "product_code 2024-10-05 is new, but there is 10-5 already; a spreadsheet may have made a number or a date of it",
            "product_code 12345678901234500000 is new; a spreadsheet may have rounded its last digits",
        ]
    );
    let row = |text: &str| format!("{HEADER}\n{}", line("TATA", "X-1", "1.00").replace("A pad", text));
    import(&boss, CSV, &row("00123")).await.expect(200);
    for query in ["dry_run=true", "dry_run=false"] {
        let changed = import_bytes(&boss, query, CSV, row("123").as_bytes()).await.expect(200);
        let text = "description was 00123 and becomes 123; a spreadsheet may have changed it";
        let warning = json!([{ "line": 2, "column": "description", "text": text }]);
        assert_eq!((&changed["updated"], &changed["warnings"]), (&json!(1), &warning), "{query}");
    }
    let told = "invalid product_code; a spreadsheet has probably made a number or a date of it";
    assert_eq!((&reply["failed"][0]["error"], &reply["failed_count"]), (&json!(told), &json!(1)));
}

#[tokio::test]
async fn cells_that_no_text_may_have_are_told_by_line_and_column() {
    let (_app, boss) = fresh().await;
    let row = |text: &str| line("TATA", "P1", "1.00").replace("Brake pad", text);
    let long = "x".repeat(32_767);
    for (text, error) in [
        ("Pad\0", "product_name must not contain control characters"),
        ("\"Pad\nfront\"", "product_name must not contain control characters"),
        (long.as_str(), "invalid product_name: product_name too long/short"),
        ("#NAME?<b>", "invalid product_name: invalid characters"),
        ("", "product_name is required"),
    ] {
        let told = failures(&boss, &[HEADER, &row(text), &line("TATA", "P2", "1.00")].join("\n")).await;
        assert_eq!(told, [json!([2, "product_name", error])], "{text}");
    }
    let mut bytes: Vec<u8> = [HEADER, &row("Pad")].join("\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.pop();
    let reply = import_bytes(&boss, "", CSV, &bytes).await.expect(200);
    assert_eq!((&reply["failed"][0]["line"], &reply["failed"][0]["column"]), (&json!(2), &json!("is_active")));
}
