//! The query parameters `limit` and `cursor`, which are the same for every list.

use crate::{
    app::App,
    values::{
        cursor::{self, InvalidCursor},
        invalid::{Faults, InvalidField, InvalidFields},
        paging::{Page, Slice},
    },
};

const DEFAULT_LIMIT: usize = 20;
const MOST_ENTRIES: usize = 100;

/// Reads `limit` (1 to 100, and more counts as 100; 20 if left out) and `cursor` for the list with the name `list`.
/// Fails and names the parameters at fault if `limit` is out of range, or if `cursor` was not made by [`next_cursor`] for
/// the same list.
pub fn slice<Place: TryFrom<Vec<u8>>>(
    app: &App,
    list: &str,
    limit: Option<String>,
    cursor: Option<String>,
) -> Result<Slice<Place>, InvalidFields> {
    let mut faults = Faults::default();
    let limit = faults.sort_out(Some(entries(limit)));
    let after = faults.sort_out(place(app, list, cursor));
    faults.none_or(Slice { after, limit: limit.unwrap_or(DEFAULT_LIMIT) })
}

/// Reads `limit`. An empty one counts as left out, because forms send all their fields.
pub fn entries(limit: Option<String>) -> Result<usize, InvalidField> {
    let Some(text) = limit.filter(|text| !text.trim().is_empty()) else { return Ok(DEFAULT_LIMIT) };
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let given = is_plain.then(|| text.parse().ok()).flatten().filter(|entries| *entries > 0);
    given.map(|entries: usize| entries.min(MOST_ENTRIES)).ok_or_else(|| InvalidField {
        field: "limit".into(),
        text: "limit must be an integer between 1 and 100".to_owned(),
    })
}

/// Reads `cursor`; `None` if it was left out.
pub fn place<Place: TryFrom<Vec<u8>>>(
    app: &App,
    list: &str,
    cursor: Option<String>,
) -> Option<Result<Place, InvalidField>> {
    let text = cursor.filter(|text| !text.is_empty())?;
    let refused = |why: InvalidCursor| InvalidField { field: "cursor".into(), text: why.to_string() };
    Some(cursor::open(&app.keys.cursor, list, &text).map_err(refused))
}

/// Returns the cursor of the next page, or `None` on the last page. `place` returns the position of an entry in the
/// list as bytes, mostly its id.
pub fn next_cursor<T, Bytes: AsRef<[u8]>>(
    app: &App,
    list: &str,
    page: &Page<T>,
    place: impl Fn(&T) -> Bytes,
) -> Option<String> {
    let last = page.items.last().filter(|_| page.more)?;
    Some(cursor::seal(&app.keys.cursor[0], list, place(last).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_digits_and_an_empty_one_is_left_out() {
        let read = |text: &str| entries(Some(text.to_owned())).ok();
        for (text, limit) in [("", 20), (" ", 20), ("1", 1), ("007", 7), ("101", 100)] {
            assert_eq!(read(text), Some(limit), "{text:?}");
        }
        for bad in ["0", "+5", "-1", "1.0", "ten", " 5", "99999999999999999999999"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
