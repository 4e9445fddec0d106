//! Tests that a row is read as it was written, whatever texts it holds.

use proptest::prelude::*;

use super::{
    TableFormat,
    reader::Rows,
    rows::{Column, NumberedRow, Row, ValueKind},
};

/// Reads a file in pieces of `step` bytes.
async fn read_file(file: &[u8], format: TableFormat, step: usize) -> Vec<(u64, Result<Row, String>)> {
    let (mut writer, reader) = tokio::io::duplex(step);
    let bytes = file.to_vec();
    let write = tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut writer, &bytes).await });
    let mut found = Vec::new();
    if let Ok(mut rows) = Rows::begin(reader, format, None).await {
        while let Some(NumberedRow { number, row, fault }) = rows.next().await.expect("a header") {
            found.push((number, fault.map_or(Ok(row), |fault| Err(fault.text))));
        }
    }
    let _refused_early = write.await.expect("a task");
    found
}

fn read_blocking(file: &[u8], format: TableFormat, step: usize) -> Vec<(u64, Result<Row, String>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(read_file(file, format, step))
}

fn file_of(rows: &[Row], format: TableFormat) -> Vec<u8> {
    let mut file = Vec::new();
    format.write_header(&mut file);
    rows.iter().for_each(|row| format.write_row(row, &mut file));
    file
}

fn row() -> impl Strategy<Value = Row> {
    // No text of the catalogue has a CR, and reading CSV turns CR LF into LF.
    let any_text = prop_oneof!["[^\r]{1,12}", "[ ,\"\n'=;\t@+-]{1,6}", "'{0,3}[=+@-]\\PC{0,9}", "\\PC{1,30}"];
    (prop::collection::vec(any_text, Column::ALL.len()), 0..1_000_000_u32, any::<bool>()).prop_map(
        |(texts, number, flag)| {
            let mut row = Row::default();
            for (column, text) in Column::ALL.iter().zip(texts) {
                let text = match column.kind() {
                    ValueKind::Text => text,
                    // A JSON number loses zeros at its end when it is read.
                    ValueKind::Decimal => format!("{number}.25"),
                    ValueKind::Integer => number.to_string(),
                    ValueKind::Flag => flag.to_string(),
                };
                row.set(*column, text);
            }
            row
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_come_back_as_they_were(rows in prop::collection::vec(row(), 0..5), step in 1..200_usize) {
        for format in [TableFormat::Csv, TableFormat::JsonLines] {
            let file = file_of(&rows, format);
            let found = read_blocking(&file, format, step);
            let expected: Vec<_> = rows.iter().cloned().map(Ok).collect();
            let (numbers, found): (Vec<_>, Vec<_>) = found.into_iter().unzip();
            prop_assert_eq!(found, expected);
            let mut line = if format == TableFormat::Csv { 2 } else { 1 };
            for (number, row) in numbers.into_iter().zip(&rows) {
                prop_assert_eq!(number, line);
                let mut bytes = Vec::new();
                format.write_row(row, &mut bytes);
                line += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            }
        }
    }

    #[test]
    fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..300), step in 1..50_usize) {
        let header = file_of(&[], TableFormat::Csv);
        for (format, file) in [(TableFormat::Csv, [header, bytes.clone()].concat()), (TableFormat::JsonLines, bytes)] {
            let found = read_blocking(&file, format, step);
            prop_assert!(found.len() <= file.len());
        }
    }
}

#[tokio::test]
async fn ends_of_lines_and_marks_of_other_systems_are_read() {
    let file =
        "\u{feff}brand_code,model_code,category_code,product_code,brand_name\r\n\r\nTATA,,,,\"a\r\nb\"\r\nKIA,,,,c";
    let found = read_file(file.as_bytes(), TableFormat::Csv, 7).await;
    let names: Vec<_> = found.iter().map(|(_, row)| row.as_ref().expect("a row").get(Column::BrandName)).collect();
    assert_eq!(names, [Some("a\nb"), Some("c")]);
    assert_eq!(found.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3, 5]);
    // Old Macs end lines with CR alone, and some files mix all kinds.
    let mixed =
        "Brand Code,model-code,CATEGORY_CODE,\u{feff}product_code,brand_name\rA1,,,,\"a\rb\"\r\rA2\r\nA3\n\nA4\r";
    let found = read_file(mixed.as_bytes(), TableFormat::Csv, 5).await;
    assert_eq!(found.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 5, 6, 8]);
    assert_eq!(found[0].1.as_ref().expect("a row").get(Column::BrandName), Some("a\nb"));
    let found = read_file(b"{}\r{}\r\r\n{}\n{}", TableFormat::JsonLines, 3).await;
    assert_eq!(found.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 4, 5]);
    let found = read_file("\u{feff}{\"brand_code\": \"TATA\"}\r\n\r\n{}".as_bytes(), TableFormat::JsonLines, 7).await;
    assert_eq!(found.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(found[0].1.as_ref().expect("a row").get(Column::BrandCode), Some("TATA"));
}

#[tokio::test]
async fn a_row_that_is_no_row_loses_no_other() {
    let long = "x".repeat(300_000);
    let codes = "brand_code,model_code,category_code,product_code";
    let csv = [codes.as_bytes(), b"\nA1,,,\nA2,,,,x\n\xFF,,,\n", long.as_bytes(), b",,,\nA3,,,\n"].concat();
    let found = read_file(&csv, TableFormat::Csv, 1000).await;
    let faults: Vec<_> = found.iter().map(|(number, row)| (*number, row.as_ref().err().map(String::as_str))).collect();
    assert_eq!(faults.len(), 5);
    assert_eq!(faults[0], (2, None));
    assert_eq!(faults[1], (3, Some("the row has 5 fields, the header 4")));
    assert_eq!(faults[2], (4, Some("brand_code is not valid UTF-8")));
    assert!(faults[3].0 == 5 && faults[3].1.is_some_and(|text| text.starts_with("the row is longer than 256 KiB")));
    assert_eq!(faults[4], (6, None));
    let json =
        [b"{}\n[]\n{\"a\"\n\xFF\n", long.as_bytes(), b"\n{\"brand_code\": 5}\n{\"price\": \"1\", \"x\": 1}"].concat();
    let found = read_file(&json, TableFormat::JsonLines, 1000).await;
    let faults: Vec<_> = found.iter().map(|(_, row)| row.as_ref().err().map(String::as_str)).collect();
    let object = Some("the row is not a JSON object");
    let expected = [
        None,
        object,
        object,
        Some("the row is not valid UTF-8"),
        Some("the row is longer than 256 KiB"),
        Some("brand_code must be a string"),
        None,
    ];
    assert_eq!(faults, expected);
}

#[tokio::test]
async fn a_quote_that_is_missing_loses_its_own_line_only() {
    let header = "brand_code,model_code,category_code,product_code,brand_name\n";
    let quote = "a quote is not closed, or a quote inside a cell is not doubled";
    let long = "A9,,,,x\n".repeat(40_000);
    for (rows, lines, faulty) in [
        ("A1,,,,\"Tata\nA2,,,,b\nA3,,,,\"c, d\"\nA4,,,,e\n", vec![2, 3, 4, 5], vec![2]),
        ("A1,,,,a\nA2,,,,\"18\" rim\nA3,,,,b", vec![2, 3, 4], vec![3]),
        ("A1,,,,a\nA2,,,,\"cut off", vec![2, 3], vec![3]),
        ("A1,,,,\"never closed\nA2,,,,b\nA3,,,,c", vec![2, 3, 4], vec![2]),
        ("A1,,,,\"x\nA2,,,,\",more,of,it\nA3,,,,c", vec![2, 3, 4], vec![2, 3]),
    ] {
        for step in [1, 7, 1_000] {
            let found = read_file([header, rows].concat().as_bytes(), TableFormat::Csv, step).await;
            assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), lines, "{rows}");
            let failed: Vec<u64> = found.iter().filter(|(_, row)| row.is_err()).map(|(line, _)| *line).collect();
            assert_eq!(failed, faulty, "{rows}");
        }
    }
    let found = read_file([header, "A1,,,,\"x\n", &long].concat().as_bytes(), TableFormat::Csv, 60_000).await;
    let failed: Vec<&(u64, Result<Row, String>)> = found.iter().filter(|(_, row)| row.is_err()).collect();
    assert_eq!((found.len(), failed.len(), failed[0].0), (40_001, 1, 2));
    let once = read_file([header, "A1,,,,\"x"].concat().as_bytes(), TableFormat::Csv, 9).await;
    assert_eq!(once, [(2, Err(quote.to_owned()))]);
}

/// Returns the bytes of a text in UTF-16, perhaps after a byte order mark.
fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2], has_mark: bool) -> Vec<u8> {
    let mark = has_mark.then_some('\u{feff}');
    let text: String = mark.into_iter().chain(text.chars()).collect();
    text.encode_utf16().flat_map(to_bytes).collect()
}

#[tokio::test]
async fn files_of_all_encodings_and_separators_say_the_same() {
    let plain = "Brand_Code, MODEL_CODE ,category_code,product_code,brand_name,price,,\n,,,,,,,\n\
                 TATA,N,B,P1,Kühler ब्रेक 🚗\n, ,\nKIA,,,,'=x,\"7.5\",,\n";
    let expected = read_file(plain.as_bytes(), TableFormat::Csv, 3).await;
    assert_eq!(expected.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 5]);
    let cells: Vec<_> = expected.iter().map(|(_, row)| row.as_ref().expect("a row")).collect();
    assert_eq!((cells[0].get(Column::BrandName), cells[0].get(Column::Price)), (Some("Kühler ब्रेक 🚗"), Some("")));
    assert_eq!((cells[1].get(Column::BrandName), cells[1].get(Column::Price)), (Some("=x"), Some("7.5")));
    for separator in [",", ";", "\t"] {
        let text = plain.replace(',', separator).replace('\n', "\r\n");
        for file in [text.clone(), format!("\u{feff}{text}")] {
            assert_eq!(read_file(file.as_bytes(), TableFormat::Csv, 5).await, expected, "{separator:?}");
        }
        for (to_bytes, has_mark) in [
            (u16::to_le_bytes as fn(u16) -> [u8; 2], true),
            (u16::to_be_bytes, true),
            (u16::to_le_bytes, false),
            (u16::to_be_bytes, false),
        ] {
            let file = utf_16(&text, to_bytes, has_mark);
            assert_eq!(read_file(&file, TableFormat::Csv, 7).await, expected, "{separator:?} {has_mark}");
        }
        let noticed = read_file(format!("sep={separator}\r\n{text}").as_bytes(), TableFormat::Csv, 9).await;
        let later = |(line, row): &(u64, Result<Row, String>)| (line + 1, row.clone());
        assert_eq!(noticed, expected.iter().map(later).collect::<Vec<_>>(), "{separator:?}");
    }
    let comma = read_file(plain.replace(',', ";").replace("7.5", "7,5").as_bytes(), TableFormat::Csv, 5).await;
    assert_eq!(comma, expected);
}
