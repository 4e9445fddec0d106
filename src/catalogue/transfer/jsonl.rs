//! Reads JSON Lines: one object in each line, whose keys are the names of the columns. Other keys are ignored.

use serde_json::{Map, Value};

use super::{
    fault::Fault,
    line_ends::LineEnds,
    rows::{Column, LONGEST_ROW, NumberedRow, Parsed, Row, ValueKind},
};

/// The state of reading one file.
#[derive(Default)]
pub(super) struct JsonRows {
    /// The part of the current line that was read so far.
    line: Vec<u8>,
    /// Whether the line is longer than any valid row. The rest of it is read and dropped.
    is_too_long: bool,
    lines: LineEnds,
}

impl JsonRows {
    /// Reads from the start of `input` up to the end of a line. Returns how many bytes it used and what it found.
    ///
    /// An empty `input` means the end of the file.
    pub(super) fn parse(&mut self, input: &[u8]) -> (usize, Parsed) {
        let line_end = input.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let new_bytes = &input[..line_end.unwrap_or(input.len())];
        if self.line.len() + new_bytes.len() > LONGEST_ROW {
            self.is_too_long = true;
            self.line.clear();
        }
        if !self.is_too_long {
            self.line.extend_from_slice(new_bytes);
        }
        match line_end {
            Some(end) => {
                let parsed = self.end_line();
                self.lines.pass(&input[end..=end]);
                (end + 1, parsed)
            }
            None if input.is_empty() && (self.is_too_long || !self.line.is_empty()) => (0, self.end_line()),
            None if input.is_empty() => (0, Parsed::End),
            None => (input.len(), Parsed::More),
        }
    }

    fn end_line(&mut self) -> Parsed {
        let mut row = Row::default();
        let read = if std::mem::take(&mut self.is_too_long) {
            Err(Fault::of_row(format!("the row is longer than {} KiB", LONGEST_ROW / 1024)))
        } else if self.line.trim_ascii().is_empty() {
            self.line.clear();
            return Parsed::More;
        } else {
            match parse_object(&self.line) {
                Ok(object) => parse_row(object, &mut row),
                Err(fault) => {
                    row = Row::unread(&self.line);
                    Err(fault)
                }
            }
        };
        self.line.clear();
        Parsed::Row(Box::new(NumberedRow { number: self.lines.number(), row, fault: read.err() }))
    }
}

fn parse_object(line: &[u8]) -> Result<Map<String, Value>, Fault> {
    let text = str::from_utf8(line).map_err(|_| Fault::of_row("the row is not valid UTF-8"))?;
    serde_json::from_str(text).map_err(|_| Fault::of_row("the row is not a JSON object"))
}

/// Fills a row. If one value is of a wrong kind, the others are still read, for the report.
fn parse_row(mut object: Map<String, Value>, row: &mut Row) -> Result<(), Fault> {
    let mut first_fault = None;
    for column in Column::ALL {
        let Some(value) = object.remove(column.name()) else { continue };
        match cell_text(*column, &value) {
            // A file that was made on Windows may have CR LF in its texts.
            Ok(text) => row.set(*column, text.replace("\r\n", "\n").replace('\r', "\n")),
            Err(fault) => {
                row.set(*column, value.to_string());
                first_fault.get_or_insert(fault);
            }
        }
    }
    first_fault.map_or(Ok(()), Err)
}

/// Returns a value as a CSV file would have it.
///
/// `null` becomes an empty text. Numbers and booleans may also be given as strings.
fn cell_text(column: Column, value: &Value) -> Result<String, Fault> {
    let wanted = match (value, column.kind()) {
        (Value::Null, _) => return Ok(String::new()),
        (Value::String(text), _) => return Ok(text.clone()),
        (Value::Number(number), ValueKind::Decimal | ValueKind::Integer) => return Ok(number.to_string()),
        (Value::Bool(flag), ValueKind::Flag) => return Ok(flag.to_string()),
        (_, ValueKind::Text) => "a string",
        (_, ValueKind::Decimal) => "a number",
        (_, ValueKind::Integer) => "an integer",
        (_, ValueKind::Flag) => "true or false",
    };
    Err(Fault::at(column, format!("{} must be {wanted}", column.name())))
}
