//! Splits CSV into records (RFC 4180, and what people make of it), without interpreting the cells.
//!
//! A quote that is missing or not doubled would make one record of many lines. Such a record is broken, and reading goes
//! on with the line after its first one. So the good lines that it swallowed are read all the same.

use super::rows::LONGEST_ROW;

/// The most cells of a record, as many as the sheets of Excel and LibreOffice have columns.
const MOST_CELLS: usize = 16_384;

/// The cells of a record.
#[derive(Debug, Default)]
pub(super) struct Cells {
    bytes: Vec<u8>,
    /// Where each cell ends in `bytes`.
    ends: Vec<usize>,
    /// Whether a cell in quotes has several lines and ends with a separator, as if its closing quote opened a cell.
    has_odd_end: bool,
}

/// What the beginning of some bytes is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The bytes are a part of a record; more are needed.
    Part,
    /// A record, with the number of its bytes.
    Record(usize),
    /// A record that can't be split into cells.
    Broken(Breakage),
}

/// Why a record can't be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breakage {
    /// A quote is not closed, or something follows a closing quote.
    Quote,
    /// It is longer than any valid row.
    Length,
}

impl Cells {
    /// Returns the cells, without the quotes around them.
    pub(super) fn texts(&self) -> Vec<&[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end]).collect()
    }

    /// Returns whether a quote that is missing has probably joined lines, if there are more cells than columns.
    pub(super) fn may_join_lines(&self) -> bool {
        self.has_odd_end
    }

    /// Reads the record with which `input` begins. `is_whole` tells that nothing follows `input`.
    pub(super) fn read(&mut self, input: &[u8], separator: u8, is_whole: bool) -> Found {
        self.bytes.clear();
        self.ends.clear();
        self.has_odd_end = false;
        let found = self.read_cells(input, separator, is_whole);
        match found {
            Found::Part if input.len() > LONGEST_ROW => Found::Broken(Breakage::Length),
            Found::Part if is_whole => Found::Broken(Breakage::Quote),
            Found::Record(length) if length > LONGEST_ROW => Found::Broken(Breakage::Length),
            found => found,
        }
    }

    fn read_cells(&mut self, input: &[u8], separator: u8, is_whole: bool) -> Found {
        let mut at = 0;
        loop {
            let end = match self.read_cell(&input[at..], separator) {
                Ok(length) => at + length,
                Err(found) => return found,
            };
            self.ends.push(self.bytes.len());
            match input.get(end) {
                Some(byte) if *byte == separator => at = end + 1,
                Some(_) => return Found::Record(end + 1),
                None if is_whole => return Found::Record(end),
                None => return Found::Part,
            }
            if self.ends.len() == MOST_CELLS {
                return Found::Broken(Breakage::Length);
            }
        }
    }

    /// Reads one cell and returns how many bytes of `input` it takes, without the separator or line end behind it.
    fn read_cell(&mut self, input: &[u8], separator: u8) -> Result<usize, Found> {
        let blanks = spaces(input);
        if input.get(blanks) == Some(&b'"') {
            return self.read_quoted(input, blanks + 1, separator);
        }
        let is_end = |byte: &u8| *byte == separator || matches!(byte, b'\n' | b'\r');
        let length = input.iter().position(is_end).unwrap_or(input.len());
        self.bytes.extend_from_slice(&input[..length]);
        Ok(length)
    }

    /// Reads a cell in quotes from the byte `at`, which is the first one behind the quote.
    fn read_quoted(&mut self, input: &[u8], mut at: usize, separator: u8) -> Result<usize, Found> {
        let start = self.bytes.len();
        loop {
            let text = input.get(at..).unwrap_or_default();
            let length = text.iter().position(|byte| *byte == b'"').ok_or(Found::Part)?;
            self.bytes.extend_from_slice(&text[..length]);
            at += length + 1;
            if input.get(at) != Some(&b'"') {
                break;
            }
            self.bytes.push(b'"');
            at += 1;
        }
        let cell = &self.bytes[start..];
        self.has_odd_end |= cell.ends_with(&[separator]) && cell.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
        at += spaces(input.get(at..).unwrap_or_default());
        match input.get(at) {
            Some(byte) if *byte != separator && !matches!(byte, b'\n' | b'\r') => Err(Found::Broken(Breakage::Quote)),
            _ => Ok(at),
        }
    }
}

fn spaces(input: &[u8]) -> usize {
    input.iter().take_while(|byte| **byte == b' ').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &str, is_whole: bool) -> (Found, Vec<String>) {
        let mut cells = Cells::default();
        let found = cells.read(input.as_bytes(), b',', is_whole);
        (found, cells.texts().into_iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect())
    }

    #[test]
    fn a_record_ends_with_its_line_unless_it_is_in_quotes() {
        for (input, length, cells) in [
            ("a,b\nc", 4, vec!["a", "b"]),
            ("a,\r\nc", 3, vec!["a", ""]),
            ("\"a\n\"\"b\"\"\",c\rd", 12, vec!["a\n\"b\"", "c"]),
            (" \"a, b\" , c \n", 13, vec!["a, b", " c "]),
            ("5\" pipe,\n", 9, vec!["5\" pipe", ""]),
            ("\"\",\"\"\"\"\n", 8, vec!["", "\""]),
        ] {
            let expected: Vec<String> = cells.into_iter().map(str::to_owned).collect();
            assert_eq!(read(input, false), (Found::Record(length), expected), "{input}");
        }
        assert_eq!(read("a,b", true), (Found::Record(3), vec!["a".to_owned(), "b".to_owned()]));
        for part in ["a,b", "\"a", "\"a\"", "\"a\n", "\"a\"\"", ""] {
            assert_eq!(read(part, false).0, Found::Part, "{part}");
        }
    }

    #[test]
    fn quotes_that_do_not_fit_break_the_record() {
        for broken in ["\"a,b\nc,\"d\"\n", "\"18\" rim,x\n", "\"a\"b\n"] {
            assert_eq!(read(broken, false).0, Found::Broken(Breakage::Quote), "{broken}");
        }
        assert_eq!(read("x,\"cut off", true).0, Found::Broken(Breakage::Quote));
        assert_eq!(read(&",".repeat(MOST_CELLS), false).0, Found::Broken(Breakage::Length));
        assert_eq!(read(&"x".repeat(LONGEST_ROW + 1), false).0, Found::Broken(Breakage::Length));
    }
}
