//! Paging cursors: where a page ended, sealed so that only cursors we gave out come back.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::tokens::keys::{MacKey, TAG_BYTES};

/// How much of the tag a cursor carries: a cursor protects nothing, it only must not be made up by accident.
const SHORT_TAG: usize = 12;

/// The text is no cursor of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cursor must come from next_cursor of the same list")]
pub struct InvalidCursor;

/// The cursor after `place` in the list called `list`: an id, or what else the list is ordered by.
pub fn seal<const N: usize>(key: &MacKey, list: &str, place: [u8; N]) -> String {
    let mut bytes = place.to_vec();
    bytes.extend_from_slice(&tag(key, list, &place)[..SHORT_TAG]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place inside a cursor of the list called `list`.
pub fn open<const N: usize>(keys: &[MacKey], list: &str, cursor: &str) -> Result<[u8; N], InvalidCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
    let (place, given) = bytes.split_first_chunk::<N>().ok_or(InvalidCursor)?;
    let genuine = keys.iter().any(|key| given == &tag(key, list, place)[..SHORT_TAG]);
    genuine.then_some(*place).ok_or(InvalidCursor)
}

fn tag(key: &MacKey, list: &str, place: &[u8]) -> [u8; TAG_BYTES] {
    key.tag(&[list.as_bytes(), place])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tokens::keys::Keys;

    #[test]
    fn opens_only_for_its_own_list_and_untouched() {
        let keys = Keys::derive(b"0123456789abcdef0123456789abcdef", None).cursor;
        let cursor = seal(&keys[0], "models/TATA", [7; 12]);
        assert_eq!(open(&keys, "models/TATA", &cursor), Ok([7; 12]));
        assert_eq!(open::<12>(&keys, "models/BMW", &cursor), Err(InvalidCursor));
        for junk in ["", "x", "AAAA", &cursor[1..], &"A".repeat(32)] {
            assert_eq!(open::<12>(&keys, "models/TATA", junk), Err(InvalidCursor), "{junk}");
        }
    }
}
