//! Reads CSV (RFC 4180): a header that names the columns in any order, then one row in each record.

use csv_core::{ReadRecordResult, Reader};

use super::{
    error::ImportError,
    rows::{Column, LONGEST_ROW, NumberedRow, Parsed, Row},
};

/// The most fields of a record; a record with more counts as too long. No valid header has as many columns.
const MOST_FIELDS: usize = 64;

/// The state of reading one file.
pub(super) struct CsvRows {
    reader: Reader,
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

impl Default for CsvRows {
    fn default() -> Self {
        Self {
            reader: Reader::new(),
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
}

impl CsvRows {
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
            ReadRecordResult::End => Parsed::End,
        };
        Ok((bytes_read, parsed))
    }

    /// Ends the current record: it is the header if there was none yet, otherwise a row.
    fn end_record(&mut self) -> Result<Parsed, ImportError> {
        let is_too_long = std::mem::take(&mut self.is_too_long);
        let number = self.first_line();
        let ranges = self.field_ranges();
        (self.used_bytes, self.used_ends, self.inner_lines) = (0, 0, 0);
        let fields = ranges.into_iter().map(|range| &self.bytes[range]);
        let Some(header) = &self.header else {
            if is_too_long {
                return Err(ImportError::Header("the first line is no header".to_owned()));
            }
            self.header = Some(parse_header(fields)?);
            return Ok(Parsed::More);
        };
        let row = if is_too_long {
            Err(format!("the row is longer than {} KiB; a quote may be missing", LONGEST_ROW / 1024))
        } else {
            parse_row(header, fields)
        };
        Ok(Parsed::Row(Box::new(NumberedRow { number, row })))
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

/// Returns the columns that a header names.
///
/// An unknown column is an error, since it is most likely a typing mistake that would drop the values of all rows.
fn parse_header<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Column>, ImportError> {
    let mut columns = Vec::new();
    for field in fields {
        let text = String::from_utf8_lossy(field);
        let name: String = text.trim().chars().filter(|c| !c.is_control()).take(40).collect();
        let column = Column::named(&name).ok_or_else(|| ImportError::Header(format!("unknown column: {name}")))?;
        if columns.contains(&column) {
            return Err(ImportError::Header(format!("the column {name} is there twice")));
        }
        columns.push(column);
    }
    match Column::CODES.into_iter().find(|code| !columns.contains(code)) {
        Some(missing) => Err(ImportError::Header(format!("the column {} is missing", missing.name()))),
        None => Ok(columns),
    }
}

fn parse_row<'a>(header: &[Column], fields: impl ExactSizeIterator<Item = &'a [u8]>) -> Result<Row, String> {
    if fields.len() != header.len() {
        return Err(format!("the row has {} fields, the header {}", fields.len(), header.len()));
    }
    let mut row = Row::default();
    for (column, field) in header.iter().zip(fields) {
        let text = str::from_utf8(field).map_err(|_| format!("{} is not valid UTF-8", column.name()))?;
        // A file that was saved on Windows has CR LF inside its texts as well.
        row.set(*column, text.replace("\r\n", "\n"));
    }
    Ok(row)
}
