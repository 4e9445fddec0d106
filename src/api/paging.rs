//! The query parameters `limit` and `cursor`, which are the same for every list.

use crate::{
    app::App,
    values::{
        cursor::{self, InvalidCursor},
        invalid::InvalidField,
        paging::{Page, Slice},
    },
};

const DEFAULT_LIMIT: usize = 20;

/// Reads `limit` (1 to 100; 20 if left out) and `cursor` for the list with the name `list`. Fails and names the
/// parameter if `limit` is out of range, or if `cursor` was not made by [`next_cursor`] for the same list.
pub fn slice<Place: TryFrom<Vec<u8>>>(
    app: &App,
    list: &str,
    limit: Option<String>,
    cursor: Option<String>,
) -> Result<Slice<Place>, InvalidField> {
    Ok(Slice { limit: page_limit(limit)?, after: page_begin(app, list, cursor)? })
}

/// Reads `limit` alone, for a call that tells all faults of its parameters at once.
pub fn page_limit(limit: Option<String>) -> Result<usize, InvalidField> {
    let Some(text) = limit else { return Ok(DEFAULT_LIMIT) };
    text.parse().ok().filter(|n| (1..=100).contains(n)).ok_or_else(|| InvalidField {
        field: "limit".into(),
        text: "limit must be an integer between 1 and 100".to_owned(),
    })
}

/// Reads `cursor` alone, as [`slice`] does.
pub fn page_begin<Place: TryFrom<Vec<u8>>>(
    app: &App,
    list: &str,
    cursor: Option<String>,
) -> Result<Option<Place>, InvalidField> {
    let open = |text: String| cursor::open(&app.keys.cursor, list, &text);
    let refused = |why: InvalidCursor| InvalidField { field: "cursor".into(), text: why.to_string() };
    cursor.filter(|text| !text.is_empty()).map(open).transpose().map_err(refused)
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
