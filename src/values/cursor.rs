//! Paging cursors. A cursor contains the place where a page ended, and a tag by which only cursors that this server
//! gave out are accepted.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::keys::{MacKey, TAG_BYTES};

/// Bytes of the tag that a cursor contains. A short tag is enough: a cursor gives no access, and the tag only rejects
/// cursors that were invented or belong to another list.
const SHORT_TAG: usize = 12;

/// The error for a text that isn't a cursor of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cursor must come from next_cursor of the same list")]
pub struct InvalidCursor;

/// Returns the cursor for the page after `place` in the list called `list`. A place is an id, or another value by which
/// the list is ordered.
pub fn seal(key: &MacKey, list: &str, place: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode([place, &tag(key, list, place)[..SHORT_TAG]].concat())
}

/// Returns the place that a cursor contains. Fails if the cursor was not made by [`seal`] for the list called `list`
/// with one of `keys`, or if its bytes are not a `Place`.
pub fn open<Place: TryFrom<Vec<u8>>>(keys: &[MacKey], list: &str, cursor: &str) -> Result<Place, InvalidCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
    let (place, given) = bytes.split_last_chunk::<SHORT_TAG>().ok_or(InvalidCursor)?;
    let genuine = keys.iter().any(|key| given == &tag(key, list, place)[..SHORT_TAG]);
    if !genuine {
        return Err(InvalidCursor);
    }
    Place::try_from(place.to_vec()).map_err(|_| InvalidCursor)
}

fn tag(key: &MacKey, list: &str, place: &[u8]) -> [u8; TAG_BYTES] {
    key.tag(&[list.as_bytes(), place])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::keys::Keys;

    #[test]
    fn opens_only_for_its_own_list_and_untouched() {
        let keys = Keys::derive(b"0123456789abcdef0123456789abcdef", None).cursor;
        let cursor = seal(&keys[0], "models/TATA", &[7; 12]);
        let open = |list, cursor| open::<[u8; 12]>(&keys, list, cursor);
        assert_eq!(open("models/TATA", &cursor), Ok([7; 12]));
        assert_eq!(open("models/BMW", &cursor), Err(InvalidCursor));
        let longer = seal(&keys[0], "models/TATA", &[7; 13]);
        for junk in ["", "x", "AAAA", &cursor[1..], &"A".repeat(32), &longer] {
            assert_eq!(open("models/TATA", junk), Err(InvalidCursor), "{junk}");
        }
    }
}
