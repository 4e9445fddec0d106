//! Texts as people send them: trimmed, and without characters that nobody sees; and as they are compared.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Letters of Hangul that show as nothing (Unicode's Default_Ignorable_Code_Point).
const BLANK_LETTERS: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

/// The text holds something that is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ControlCharacters {
    /// In a single line.
    #[error("must not contain control characters")]
    InLine,
    /// Among several lines.
    #[error("must not contain control characters other than newline and tab")]
    InLines,
}

/// A line without the spaces around it.
pub fn line(text: &str) -> Result<&str, ControlCharacters> {
    if text.chars().any(char::is_control) { Err(ControlCharacters::InLine) } else { Ok(text.trim()) }
}

/// Several lines without the spaces around them; newlines and tabs are the only control characters.
pub fn lines(text: &str) -> Result<&str, ControlCharacters> {
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(ControlCharacters::InLines);
    }
    Ok(text.trim())
}

/// Whether nothing in a name of letters is blank, or a mark without its letter.
pub fn shows_whole(name: &str) -> bool {
    !name.contains(BLANK_LETTERS) && !name.starts_with(is_combining_mark)
}

/// The form in which texts are the same that differ in case or width alone: NFKC and lower case.
pub fn folded(text: &str) -> String {
    // Through upper case, which folds what lower case keeps apart: ß and ss, final and other sigma; and before that
    // through lower case, which makes ß of its capital.
    let upper = text.nfkc().flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).nfkc().collect()
}
