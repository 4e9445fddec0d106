//! Keeps spreadsheets from computing texts: `=1+1` is exported as `'=1+1`.

use std::borrow::Cow;

/// Spreadsheets take a cell for a formula if its text begins with one of these.
const SIGNS: [char; 5] = ['=', '+', '-', '@', '\t'];

/// Returns a text as an export writes it.
///
/// A text that a spreadsheet would compute gets an apostrophe in front. One that has apostrophes before such a sign
/// already gets one more, so that the import can take exactly one off.
pub(super) fn guarded(text: &str) -> Cow<'_, str> {
    if is_at_risk(text) { format!("'{text}").into() } else { text.into() }
}

/// Returns the text that an export wrote as `text`.
pub(super) fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_at_risk(rest)).unwrap_or(text)
}

/// Returns the text of a formula that is nothing but a text in quotes: `0350` for `="0350"`. Programs write it so that
/// Excel doesn't make a number of it. Returns `None` for other texts. A space in front makes it another one, because no
/// export guards such a text.
pub(super) fn protected(text: &str) -> Option<Cow<'_, str>> {
    let quoted = text.strip_prefix("=\"")?.strip_suffix('"')?;
    let is_one_text = !quoted.replace("\"\"", "").contains('"');
    is_one_text.then(|| quoted.replace("\"\"", "\"").into())
}

fn is_at_risk(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(SIGNS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_texts_that_would_be_computed_are_guarded() {
        for (text, written) in [("=1", "'=1"), ("''+1", "'''+1"), ("\tx", "'\tx"), ("-", "'-"), ("@x", "'@x")] {
            assert_eq!(guarded(text), written);
        }
        for same in ["", "'", "''", "'a", "a=1", " =1", "1'=", "'90s"] {
            assert_eq!((guarded(same).as_ref(), unguarded(same)), (same, same));
        }
        assert_eq!((unguarded("=1"), unguarded("'=1"), unguarded("''=1")), ("=1", "=1", "'=1"));
    }

    #[test]
    fn a_formula_of_a_text_alone_is_that_text() {
        for (cell, text) in
            [("=\"0350\"", "0350"), ("=\"1.50\"", "1.50"), ("=\"a \"\"b\"\"\"", "a \"b\""), ("=\"\"", "")]
        {
            assert_eq!(protected(cell).as_deref(), Some(text), "{cell}");
        }
        for other in [" =\"0350\"", "=0350", "'=\"0350\"", "=\"a\"&\"b\"", "=\"", "\"0350\"", "=A1", ""] {
            assert_eq!(protected(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_text_comes_back_and_is_never_computed(text in prop_oneof!["['=+@\t -]{0,5}\\PC{0,5}", "\\PC{0,9}"]) {
            let written = guarded(&text);
            prop_assert!(!written.starts_with(SIGNS));
            prop_assert_eq!(unguarded(&written), text.as_str());
        }
    }
}
