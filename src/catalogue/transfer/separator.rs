//! Finds out which character separates the cells of a CSV file.

use super::rows::Column;

/// The most lines before the header, such as the title of a sheet.
pub(super) const MOST_TITLES: usize = 5;
/// The separators of spreadsheets. The semicolon is usual where numbers have a decimal comma.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
/// Excel writes and reads this before the separator, in a line of its own before the header.
const NOTICE: &[u8] = b"sep=";

/// Returns the separator of a file that begins with `text`; `None` if the line that tells it is not complete yet.
///
/// The line `sep=;` tells it. Otherwise the header tells it, because no name of a column has such a character. Titles
/// may be before the header. If no line is a header, the first one counts. `is_whole` tells that nothing follows the
/// text.
pub(super) fn separator_of(text: &[u8], is_whole: bool) -> Option<u8> {
    let mut lines = text.split(|byte| matches!(byte, b'\n' | b'\r')).peekable();
    let (mut first, mut titles) = (None, 0);
    while let Some(line) = lines.next() {
        let is_complete = is_whole || lines.peek().is_some();
        if !is_complete {
            return None;
        }
        if let Some(separator) = noticed(line) {
            return Some(separator);
        }
        if line.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b'"' || SEPARATORS.contains(byte)) {
            continue;
        }
        let first = *first.get_or_insert_with(|| most_frequent(line));
        if names_columns(line) {
            return Some(most_frequent(line));
        }
        titles += 1;
        if titles > MOST_TITLES {
            return Some(first);
        }
    }
    is_whole.then_some(first.unwrap_or(b','))
}

/// Returns whether a cell of a line is the name of a column, whatever separates the cells.
fn names_columns(line: &[u8]) -> bool {
    let cells = line.split(|byte| SEPARATORS.contains(byte));
    cells.into_iter().any(|cell| Column::meant_by(String::from_utf8_lossy(cell).trim().trim_matches('"')).is_some())
}

/// Returns whether a record is the line `sep=;` and so tells nothing but the separator.
pub(super) fn is_notice(fields: &[&[u8]]) -> bool {
    match fields {
        // The separator behind `sep=` has separated two cells, unless there were quotes around both.
        [first, rest @ ..] if first.eq_ignore_ascii_case(NOTICE) => rest.iter().all(|field| field.is_empty()),
        [only] => noticed(only).is_some(),
        _ => false,
    }
}

fn noticed(line: &[u8]) -> Option<u8> {
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let (notice, rest) = line.split_at_checked(NOTICE.len())?;
    let separator = rest.first().filter(|byte| SEPARATORS.contains(byte))?;
    notice.eq_ignore_ascii_case(NOTICE).then_some(*separator)
}

/// Returns the separator that a line has most often outside of quotes; a comma if it has none.
fn most_frequent(line: &[u8]) -> u8 {
    let (mut counts, mut is_quoted) = ([0_usize; SEPARATORS.len()], false);
    for byte in line {
        is_quoted ^= *byte == b'"';
        let found = SEPARATORS.iter().position(|separator| separator == byte).filter(|_| !is_quoted);
        found.into_iter().for_each(|index| counts[index] += 1);
    }
    // Of separators that are equally frequent, the first one counts.
    let best = (0..counts.len()).rev().max_by_key(|index| counts[*index]).unwrap_or_default();
    SEPARATORS[best]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_or_the_header_tells_the_separator() {
        let of = |text: &str| separator_of(text.as_bytes(), true);
        assert_eq!(of("brand_code;model_code\nA,B,C,D"), Some(b';'));
        assert_eq!(of("brand_code\tmodel_code"), Some(b'\t'));
        assert_eq!(of("\"brand_code\",\"a;;;b\""), Some(b','));
        assert_eq!(of(";;\r\n\r\n brand_code;x"), Some(b';'));
        assert_eq!(of("SEP=\t\r\nbrand_code,x"), Some(b'\t'));
        assert_eq!(of("\"sep=;\"\nbrand_code,x"), Some(b';'));
        assert_eq!((of(""), of("one")), (Some(b','), Some(b',')));
        assert_eq!(of("Parts, spring\nTable 1\n\nBrand Code;model_code"), Some(b';'));
        assert_eq!((of("a;b;c\nd,e"), of(&"a;b\n".repeat(9))), (Some(b';'), Some(b';')));
        let begun = |text: &str| separator_of(text.as_bytes(), false);
        assert_eq!((begun("brand_code;"), begun("a;b\n"), begun("brand_code;b\n")), (None, None, Some(b';')));
    }

    #[test]
    fn a_notice_is_no_header() {
        assert!(is_notice(&[b"sep=", b""]) && is_notice(&[b"Sep=;"]) && is_notice(&[b"sep=", b"", b""]));
        assert!(!is_notice(&[b"sep=", b"x"]) && !is_notice(&[b"brand_code"]) && !is_notice(&[]));
    }
}
