//! Writes rows as bytes.

use serde_json::Value;

use super::{
    TableFormat,
    rows::{Column, Row, ValueKind},
};

impl TableFormat {
    /// Appends the beginning of a file: the names of the columns in CSV, nothing in JSON Lines.
    pub(super) fn write_header(self, out: &mut Vec<u8>) {
        if self == Self::Csv {
            let names: Vec<&str> = Column::ALL.iter().map(|column| column.name()).collect();
            out.extend_from_slice(names.join(",").as_bytes());
            out.push(b'\n');
        }
    }

    /// Appends a row and the end of its line.
    pub(super) fn write_row(self, row: &Row, out: &mut Vec<u8>) {
        match self {
            Self::Csv => write_csv(row, out),
            Self::JsonLines => write_json(row, out),
        }
        out.push(b'\n');
    }
}

/// Appends a row as CSV.
///
/// A text with a comma, a quote or a line break is put into quotes, and its own quotes are doubled (RFC 4180, section
/// 2).
fn write_csv(row: &Row, out: &mut Vec<u8>) {
    for (index, column) in Column::ALL.iter().enumerate() {
        if index > 0 {
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

/// Appends a row as a JSON object of the columns that it has. An empty text becomes `null`.
///
/// Numbers are copied digit by digit instead of being parsed, so that a price keeps its two decimals.
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
            ValueKind::Text => out.extend_from_slice(Value::from(text).to_string().as_bytes()),
            ValueKind::Decimal | ValueKind::Integer | ValueKind::Flag => out.extend_from_slice(text.as_bytes()),
        }
    }
    out.push(b'}');
}
