//! Reads CSV (RFC 4180, and what spreadsheets make of it): a header that names the columns in any order, then one row
//! in each record.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{
    error::ImportError,
    fault::Fault,
    formulas::unguarded,
    rows::{Column, LONGEST_ROW, NumberedRow, Parsed, Row, ValueKind},
    separator::is_notice,
};

/// The most fields of a record, as many as the sheets of Excel and LibreOffice have columns. A record with more counts
/// as too long.
const MOST_FIELDS: usize = 16_384;

/// The state of reading one file.
pub(super) struct CsvRows {
    reader: Reader,
    separator: u8,
    /// The columns, after the header was read.
    header: Option<Vec<Column>>,
    /// The bytes of the current record.
    bytes: Box<[u8]>,
    /// Where the fields of the current record end in `bytes`.
    ends: Box<[usize]>,
    /// How many of `bytes` are used.
    used_bytes: usize,
    /// How many of `ends` are used.
    used_ends: usize,
    /// Whether the record is longer than any valid row. The rest of it is read and dropped.
    is_too_long: bool,
    /// Line breaks inside the current record.
    inner_lines: u64,
    /// The last byte that was read, which tells whether the record ended with a line break.
    last_byte: u8,
}

impl CsvRows {
    /// Returns the state before the first record of a file whose cells are separated by `separator`.
    pub(super) fn new(separator: u8) -> Self {
        Self {
            reader: ReaderBuilder::new().delimiter(separator).build(),
            separator,
            header: None,
            bytes: vec![0; LONGEST_ROW].into_boxed_slice(),
            ends: vec![0; MOST_FIELDS].into_boxed_slice(),
            used_bytes: 0,
            used_ends: 0,
            is_too_long: false,
            inner_lines: 0,
            last_byte: 0,
        }
    }

    /// Reads from the start of `input` up to the end of a record. Returns how many bytes it used and what it found.
    ///
    /// An empty `input` means the end of the file.
    pub(super) fn parse(&mut self, input: &[u8]) -> Result<(usize, Parsed), ImportError> {
        let (result, bytes_read, bytes_written, ends_written) =
            self.reader.read_record(input, &mut self.bytes[self.used_bytes..], &mut self.ends[self.used_ends..]);
        let new_bytes = &self.bytes[self.used_bytes..self.used_bytes + bytes_written];
        self.inner_lines += new_bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.used_bytes += bytes_written;
        self.used_ends += ends_written;
        self.last_byte = input[..bytes_read].last().copied().unwrap_or(self.last_byte);
        let parsed = match result {
            ReadRecordResult::InputEmpty => Parsed::More,
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                (self.is_too_long, self.used_bytes, self.used_ends) = (true, 0, 0);
                Parsed::More
            }
            ReadRecordResult::Record => self.end_record()?,
            ReadRecordResult::End if self.header.is_none() => return Err(ImportError::Empty),
            ReadRecordResult::End => Parsed::End,
        };
        Ok((bytes_read, parsed))
    }

    /// Ends the current record: it is the header if there was none yet, otherwise a row.
    fn end_record(&mut self) -> Result<Parsed, ImportError> {
        let is_too_long = std::mem::take(&mut self.is_too_long);
        let number = self.first_line();
        // What is left of a record that is too long need not be within `bytes`.
        let ranges = if is_too_long { Vec::new() } else { self.field_ranges() };
        (self.used_bytes, self.used_ends, self.inner_lines) = (0, 0, 0);
        let fields: Vec<&[u8]> = ranges.into_iter().map(|range| &self.bytes[range]).collect();
        let fields = without_blanks_at_end(&fields);
        if fields.is_empty() && !is_too_long {
            return Ok(Parsed::More);
        }
        let Some(header) = &self.header else {
            if is_too_long {
                return Err(ImportError::Header("the first line is no header".to_owned()));
            }
            if !is_notice(fields) {
                self.header = Some(parse_header(fields)?);
            }
            return Ok(Parsed::More);
        };
        let (row, fault) = match is_too_long {
            true => (Row::default(), Some(too_long())),
            false => parse_row(header, fields, self.separator),
        };
        Ok(Parsed::Row(Box::new(NumberedRow { number, row, fault })))
    }

    /// Returns the number of the line in which the current record begins.
    ///
    /// `csv_core` counts all lines that it has read. The line breaks inside the record and at its end are subtracted.
    fn first_line(&self) -> u64 {
        self.reader.line().saturating_sub(self.inner_lines + u64::from(self.last_byte == b'\n'))
    }

    /// Returns where the fields of the current record are in `bytes`.
    fn field_ranges(&self) -> Vec<std::ops::Range<usize>> {
        let ends = &self.ends[..self.used_ends];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends).map(|(start, end)| start..*end).collect()
    }
}

fn too_long() -> Fault {
    Fault::of_row(format!("the row is longer than {} KiB; a quote may be missing", LONGEST_ROW / 1024))
}

/// Leaves out the empty cells that spreadsheets write behind the last column.
fn without_blanks_at_end<'a, 'b>(fields: &'a [&'b [u8]]) -> &'a [&'b [u8]] {
    let is_filled = |field: &&[u8]| !str::from_utf8(field).is_ok_and(|text| text.trim().is_empty());
    &fields[..fields.iter().rposition(is_filled).map_or(0, |last| last + 1)]
}

/// Returns the columns that a header names.
///
/// An unknown column is an error, since it is most likely a typing mistake that would drop the values of all rows.
fn parse_header(fields: &[&[u8]]) -> Result<Vec<Column>, ImportError> {
    let mut columns = Vec::new();
    for field in fields {
        let text = String::from_utf8_lossy(field);
        // Some programs add a byte order mark of their own to the one that the file had.
        let text = text.trim_start_matches('\u{FEFF}').trim();
        let name: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
        let column = Column::named(&name.to_ascii_lowercase());
        let column = column.ok_or_else(|| ImportError::Header(format!("unknown column: {name}")))?;
        if columns.contains(&column) {
            return Err(ImportError::Header(format!("the column {} is there twice", column.name())));
        }
        columns.push(column);
    }
    match Column::CODES.into_iter().find(|code| !columns.contains(code)) {
        Some(missing) => Err(ImportError::Header(format!("the column {} is missing", missing.name()))),
        None => Ok(columns),
    }
}

/// Returns the row of a record. Cells that are missing at its end are empty.
fn parse_row(header: &[Column], fields: &[&[u8]], separator: u8) -> (Row, Option<Fault>) {
    let mut row = Row::default();
    let mut fault = None;
    if fields.len() > header.len() {
        let text = format!("the row has {} fields, the header {}", fields.len(), header.len());
        fault = Some(Fault::of_row(text));
    }
    for (index, column) in header.iter().enumerate() {
        let field = fields.get(index).copied().unwrap_or_default();
        if str::from_utf8(field).is_err() {
            fault.get_or_insert_with(|| Fault::at(*column, format!("{} is not valid UTF-8", column.name())));
        }
        row.set(*column, cell(*column, &String::from_utf8_lossy(field), separator));
    }
    (row, fault)
}

/// Returns the text that a cell stands for.
fn cell(column: Column, text: &str, separator: u8) -> String {
    if column.kind() == ValueKind::Text {
        // A file that was saved on Windows has CR LF inside its texts as well.
        return unguarded(text).replace("\r\n", "\n");
    }
    let has_decimal_comma = separator == b';' && is_decimal_comma(text.trim());
    if has_decimal_comma { text.replace(',', ".") } else { text.to_owned() }
}

/// Returns whether the comma of a number can only separate its decimals: `2499,5` and `2499,50`, but not `2,499`.
fn is_decimal_comma(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.split_once(',');
    parts.is_some_and(|(whole, decimals)| is_number(whole) && is_number(decimals) && decimals.len() <= 2)
}
