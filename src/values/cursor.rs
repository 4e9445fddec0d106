//! Paging cursors: where a page ended, sealed so that only cursors we gave out come back.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::keys::{MacKey, TAG_BYTES};

/// How much of the tag a cursor carries: a cursor protects nothing, it only must not be made up by accident.
const SHORT_TAG: usize = 12;

/// The text is no cursor of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cursor must come from next_cursor of the same list")]
pub struct InvalidCursor;

/// The cursor after `place` in the list called `list`: an id, or what else the list is ordered by.
pub fn seal(key: &MacKey, list: &str, place: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode([place, &tag(key, list, place)[..SHORT_TAG]].concat())
}

/// The place inside a cursor of the list called `list`.
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
