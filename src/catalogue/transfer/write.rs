//! Rows as bytes.

use serde_json::Value;

use super::{
    Format,
    rows::{Column, Kind, Row},
};

impl Format {
    /// What a file begins with.
    pub(super) fn write_header(self, out: &mut Vec<u8>) {
        if self == Self::Csv {
            let names: Vec<&str> = Column::ALL.iter().map(|column| column.name()).collect();
            out.extend_from_slice(names.join(",").as_bytes());
            out.push(b'\n');
        }
    }

    /// Appends a row with the end of its line.
    pub(super) fn write_row(self, row: &Row, out: &mut Vec<u8>) {
        match self {
            Self::Csv => write_csv(row, out),
            Self::JsonLines => write_json(row, out),
        }
        out.push(b'\n');
    }
}

/// RFC 4180, section 2: what holds a comma, a quote or the end of a line stands in quotes, with its own quotes doubled.
fn write_csv(row: &Row, out: &mut Vec<u8>) {
    for (n, column) in Column::ALL.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        let text = row.get(*column).unwrap_or_default();
        if text.contains([',', '"', '\n', '\r']) {
            out.push(b'"');
            out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// The columns that the row has, each as its kind; an empty one is null. Numbers are written digit by digit, so that a
/// price keeps its two decimals.
fn write_json(row: &Row, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut is_first = true;
    for column in Column::ALL {
        let Some(text) = row.get(*column) else { continue };
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        out.extend_from_slice(format!("\"{}\":", column.name()).as_bytes());
        match column.kind() {
            _ if text.is_empty() => out.extend_from_slice(b"null"),
            Kind::Text => out.extend_from_slice(Value::from(text).to_string().as_bytes()),
            Kind::Decimal | Kind::Integer | Kind::Flag => out.extend_from_slice(text.as_bytes()),
        }
    }
    out.push(b'}');
}
