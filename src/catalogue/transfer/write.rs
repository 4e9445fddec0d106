//! Writes rows as bytes.

use serde_json::Value;

use super::{
    TableFormat,
    formulas::guarded,
    rows::{Column, Row, ValueKind},
};

impl TableFormat {
    /// Appends the beginning of a file: in CSV, a byte order mark and the names of the columns; in JSON Lines, nothing.
    pub(super) fn write_header(self, out: &mut Vec<u8>) {
        if self == Self::Csv {
            write_csv_header(Column::ALL, out);
        }
    }

    /// Appends a row and the end of its line.
    pub(super) fn write_row(self, row: &Row, out: &mut Vec<u8>) {
        match self {
            Self::Csv => write_csv(Column::ALL, row, out),
            Self::JsonLines => write_json(row, out),
        }
        out.push(b'\n');
    }
}

/// Appends a byte order mark and the names of some columns. Without the mark, Excel would read the texts in the wrong
/// encoding.
pub(super) fn write_csv_header(columns: &[Column], out: &mut Vec<u8>) {
    let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
    out.extend_from_slice("\u{FEFF}".as_bytes());
    out.extend_from_slice(names.join(",").as_bytes());
    out.push(b'\n');
}

/// Appends some columns of a row as CSV, and the cells behind the last one, without the end of the line.
pub(super) fn write_csv(columns: &[Column], row: &Row, out: &mut Vec<u8>) {
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let text = row.get(*column).unwrap_or_default();
        write_cell(&if column.kind() == ValueKind::Text { guarded(text) } else { text.into() }, out);
    }
    for text in &row.surplus {
        out.push(b',');
        write_cell(&guarded(text), out);
    }
}

/// Appends a cell. A text with a comma, a quote or a line break is put into quotes, and its own quotes are doubled
/// (RFC 4180, section 2).
fn write_cell(text: &str, out: &mut Vec<u8>) {
    if text.contains([',', '"', '\n', '\r']) {
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
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
