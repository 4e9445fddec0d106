//! Reads JSON Lines: one object in each line, whose keys are the names of the columns. Other keys are ignored.

use serde_json::{Map, Value};

use super::rows::{Column, LONGEST_ROW, NumberedRow, Parsed, Row, ValueKind};

/// The state of reading one file.
#[derive(Default)]
pub(super) struct JsonRows {
    /// The part of the current line that was read so far.
    line: Vec<u8>,
    /// Whether the line is longer than any valid row. The rest of it is read and dropped.
    is_too_long: bool,
    /// How many lines come before the current one.
    lines_before: u64,
}

impl JsonRows {
    /// Reads from the start of `input` up to the end of a line. Returns how many bytes it used and what it found.
    ///
    /// An empty `input` means the end of the file.
    pub(super) fn parse(&mut self, input: &[u8]) -> (usize, Parsed) {
        let line_end = input.iter().position(|byte| *byte == b'\n');
        let new_bytes = &input[..line_end.unwrap_or(input.len())];
        if self.line.len() + new_bytes.len() > LONGEST_ROW {
            self.is_too_long = true;
            self.line.clear();
        }
        if !self.is_too_long {
            self.line.extend_from_slice(new_bytes);
        }
        match line_end {
            Some(end) => (end + 1, self.end_line()),
            None if input.is_empty() && (self.is_too_long || !self.line.is_empty()) => (0, self.end_line()),
            None if input.is_empty() => (0, Parsed::End),
            None => (input.len(), Parsed::More),
        }
    }

    fn end_line(&mut self) -> Parsed {
        self.lines_before += 1;
        let row = if std::mem::take(&mut self.is_too_long) {
            Err(format!("the row is longer than {} KiB", LONGEST_ROW / 1024))
        } else if self.line.trim_ascii().is_empty() {
            self.line.clear();
            return Parsed::More;
        } else {
            parse_row(&self.line)
        };
        self.line.clear();
        Parsed::Row(Box::new(NumberedRow { number: self.lines_before, row }))
    }
}

fn parse_row(line: &[u8]) -> Result<Row, String> {
    let text = str::from_utf8(line).map_err(|_| "the row is not valid UTF-8".to_owned())?;
    let mut object: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| "the row is not a JSON object".to_owned())?;
    let mut row = Row::default();
    for column in Column::ALL {
        if let Some(value) = object.remove(column.name()) {
            row.set(*column, cell_text(*column, value)?);
        }
    }
    Ok(row)
}

/// Returns a value as a CSV file would have it.
///
/// `null` becomes an empty text. Numbers and booleans may also be given as strings.
fn cell_text(column: Column, value: Value) -> Result<String, String> {
    match (value, column.kind()) {
        (Value::Null, _) => Ok(String::new()),
        (Value::String(text), _) => Ok(text),
        (Value::Number(number), ValueKind::Decimal | ValueKind::Integer) => Ok(number.to_string()),
        (Value::Bool(flag), ValueKind::Flag) => Ok(flag.to_string()),
        (_, ValueKind::Text) => Err(format!("{} must be a string", column.name())),
        (_, ValueKind::Decimal) => Err(format!("{} must be a number", column.name())),
        (_, ValueKind::Integer) => Err(format!("{} must be an integer", column.name())),
        (_, ValueKind::Flag) => Err(format!("{} must be true or false", column.name())),
    }
}
