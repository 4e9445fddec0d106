//! Reads CSV: a header that names the columns in any order, then one row in each record.

use super::{
    error::ImportError,
    fault::Fault,
    formulas::{protected, unguarded},
    line_ends::LineEnds,
    records::{Breakage, Cells, Found},
    rows::{Column, LONGEST_ROW, NumberedRow, Parsed, Row, ValueKind},
    separator::{MOST_TITLES, is_notice},
};

/// The state of reading one file.
pub(super) struct CsvRows {
    separator: u8,
    header: Header,
    cells: Cells,
    lines: LineEnds,
    /// Whether the rest of the line is dropped, because it is longer than any valid row.
    is_skipping: bool,
    /// How many bytes there must be before the current record is tried again.
    wanted: usize,
}

/// What is known of the columns.
enum Header {
    /// No record has named them yet. Holds what is wrong with the first record, and how many there were.
    Sought(Option<ImportError>, usize),
    Found(Vec<Column>),
}

impl CsvRows {
    /// Returns the state before the first record of a file whose cells are separated by `separator`.
    pub(super) fn new(separator: u8) -> Self {
        Self {
            separator,
            header: Header::Sought(None, 0),
            cells: Cells::default(),
            lines: LineEnds::default(),
            is_skipping: false,
            wanted: 0,
        }
    }

    /// Reads the record with which `input` begins. Returns how many bytes it used and what it found. The bytes that it
    /// didn't use must come again, with further ones. `is_whole` tells that nothing follows `input`.
    pub(super) fn parse(&mut self, input: &[u8], is_whole: bool) -> Result<(usize, Parsed), ImportError> {
        let skipped = self.skip(input);
        let input = &input[skipped..];
        if input.is_empty() {
            return Ok((skipped, if is_whole { self.end()? } else { Parsed::More }));
        }
        if input.len() < self.wanted && !is_whole {
            return Ok((skipped, Parsed::More));
        }
        self.wanted = 0;
        let (used, parsed) = match self.cells.read(input, self.separator, is_whole) {
            Found::Part => {
                // A record that arrives in small pieces isn't read anew with each of them.
                self.wanted = input.len() + input.len() / 8;
                return Ok((skipped, Parsed::More));
            }
            Found::Record(_) if self.has_joined_lines() => {
                let line = first_line(input, true).unwrap_or(input.len());
                (line, self.broken(fault_of(Breakage::Quote), &input[..line])?)
            }
            Found::Record(length) => (length, self.end_record()?),
            Found::Broken(why) => match first_line(input, is_whole) {
                Some(line) => (line, self.broken(fault_of(why), &input[..line])?),
                None if why == Breakage::Length || input.len() > LONGEST_ROW => {
                    self.is_skipping = true;
                    (input.len(), self.broken(fault_of(Breakage::Length), &[])?)
                }
                None => return Ok((skipped, Parsed::More)),
            },
        };
        self.lines.pass(&input[..used]);
        Ok((skipped + used, parsed))
    }

    /// Passes the rest of a line that is dropped, and the line ends before a record. Returns how many bytes they are.
    fn skip(&mut self, input: &[u8]) -> usize {
        let is_line_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let mut length = 0;
        if self.is_skipping {
            length = input.iter().position(is_line_end).unwrap_or(input.len());
            self.is_skipping = length == input.len();
        }
        length += input[length..].iter().take_while(|byte| is_line_end(byte)).count();
        self.lines.pass(&input[..length]);
        length
    }

    /// Returns whether a missing quote has joined the record with lines after it: there are too many cells, and one of
    /// them ends as if its closing quote opened the next. The lines of other texts in quotes are never read as rows.
    fn has_joined_lines(&self) -> bool {
        let Header::Found(header) = &self.header else { return false };
        self.cells.may_join_lines() && without_blanks_at_end(&self.cells.texts()).len() > header.len()
    }

    /// Ends a record: it is the header if there was none yet, otherwise a row.
    fn end_record(&mut self) -> Result<Parsed, ImportError> {
        let fields = self.cells.texts();
        let fields = without_blanks_at_end(&fields);
        let header = match &mut self.header {
            _ if fields.is_empty() => return Ok(Parsed::More),
            Header::Found(header) => header,
            Header::Sought(first_error, count) => {
                if !is_notice(fields) {
                    match parse_header(fields) {
                        Ok(columns) => self.header = Header::Found(columns),
                        Err(error) => pass_title(first_error, count, error, names_columns(fields))?,
                    }
                }
                return Ok(Parsed::More);
            }
        };
        let (row, fault) = parse_row(header, fields);
        Ok(Parsed::Row(Box::new(NumberedRow { number: self.lines.number(), row, fault })))
    }

    /// Ends a record that can't be read and begins with `line`.
    fn broken(&mut self, fault: Fault, line: &[u8]) -> Result<Parsed, ImportError> {
        if let Header::Sought(first_error, _) = &mut self.header {
            let error = ImportError::Header("the first line is no header".to_owned());
            return Err(first_error.take().unwrap_or(error));
        }
        let row = NumberedRow { number: self.lines.number(), row: Row::unread(line), fault: Some(fault) };
        Ok(Parsed::Row(Box::new(row)))
    }

    /// Ends the file. Fails if it had no header.
    fn end(&mut self) -> Result<Parsed, ImportError> {
        match &mut self.header {
            Header::Found(_) => Ok(Parsed::End),
            Header::Sought(first_error, _) => Err(first_error.take().unwrap_or(ImportError::Empty)),
        }
    }
}

/// Passes a record before the header, such as the title of a sheet. Fails if it names columns, or after too many.
fn pass_title(
    first_error: &mut Option<ImportError>,
    count: &mut usize,
    error: ImportError,
    names_columns: bool,
) -> Result<(), ImportError> {
    if names_columns {
        return Err(error);
    }
    *count += 1;
    let first = first_error.get_or_insert(error);
    if *count <= MOST_TITLES { Ok(()) } else { Err(std::mem::replace(first, ImportError::Empty)) }
}

/// Returns the length of the first line with its end; `None` if the end is not there yet.
fn first_line(input: &[u8], is_whole: bool) -> Option<usize> {
    let end = input.iter().position(|byte| matches!(byte, b'\n' | b'\r')).map(|end| end + 1);
    end.or_else(|| is_whole.then_some(input.len()))
}

fn fault_of(why: Breakage) -> Fault {
    match why {
        Breakage::Quote => Fault::of_row("a quote is not closed, or a quote inside a cell is not doubled"),
        Breakage::Length => {
            Fault::of_row(format!("the row is longer than {} KiB; a quote may be missing", LONGEST_ROW / 1024))
        }
    }
}

/// Leaves out the empty cells that spreadsheets write behind the last column.
fn without_blanks_at_end<'a, 'b>(fields: &'a [&'b [u8]]) -> &'a [&'b [u8]] {
    let is_filled = |field: &&[u8]| !str::from_utf8(field).is_ok_and(|text| text.trim().is_empty());
    &fields[..fields.iter().rposition(is_filled).map_or(0, |last| last + 1)]
}

fn names_columns(fields: &[&[u8]]) -> bool {
    fields.iter().any(|field| Column::meant_by(&String::from_utf8_lossy(field)).is_some())
}

/// Returns the columns that a header names.
///
/// An unknown column is an error, since it is most likely a typing mistake that would drop the values of all rows.
fn parse_header(fields: &[&[u8]]) -> Result<Vec<Column>, ImportError> {
    let mut columns = Vec::new();
    for field in fields {
        let text = String::from_utf8_lossy(field);
        let name: String = text.trim().chars().filter(|c| !c.is_control()).take(40).collect();
        let column = Column::meant_by(&text);
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
fn parse_row(header: &[Column], fields: &[&[u8]]) -> (Row, Option<Fault>) {
    let mut row = Row::default();
    let mut fault = None;
    if fields.len() > header.len() {
        let text = format!("the row has {} fields, the header {}", fields.len(), header.len());
        fault = Some(Fault::of_row(text));
        let surplus = fields[header.len()..].iter().map(|field| String::from_utf8_lossy(field).into_owned());
        row.surplus = surplus.collect();
    }
    for (index, column) in header.iter().enumerate() {
        let field = fields.get(index).copied().unwrap_or_default();
        if str::from_utf8(field).is_err() {
            let text = format!("{} is not valid UTF-8", column.name());
            fault.get_or_insert_with(|| Fault::at(*column, text));
        }
        row.set(*column, cell(*column, &String::from_utf8_lossy(field)));
    }
    (row, fault)
}

/// Returns the text that a cell stands for.
fn cell(column: Column, text: &str) -> String {
    let is_text = column.kind() == ValueKind::Text;
    let text = protected(text).unwrap_or_else(|| if is_text { unguarded(text).into() } else { text.into() });
    if is_text {
        // A file that was saved on Windows or an old Mac has other line ends inside its texts as well.
        return text.replace("\r\n", "\n").replace('\r', "\n");
    }
    if is_decimal_comma(text.trim()) { text.replace(',', ".") } else { text.into_owned() }
}

/// Returns whether the comma of a number can only separate its decimals: `2499,5` and `2499,50`, but not `2,499`.
fn is_decimal_comma(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.split_once(',');
    parts.is_some_and(|(whole, decimals)| is_number(whole) && is_number(decimals) && decimals.len() <= 2)
}
