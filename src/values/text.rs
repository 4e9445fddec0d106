//! Checks of texts that people send (control characters, invisible characters, length), and the forms in which texts
//! are compared and searched.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_script::{Script, UnicodeScript};

/// The most characters that a name, a number or an address can have (for addresses: RFC 5321, section 4.5.3.1.3).
/// Longer texts are refused before they are normalised, hashed or looked up, because Unicode's normal forms can make a
/// text eighteen times as long.
pub const LONGEST_NAME: usize = 254;

/// The most combining marks that one letter may have. Some scripts write vowels and tones as marks: in the Burmese word
/// ကြွိုင့်, a letter has five.
const MAX_MARKS: usize = 8;
/// The most combining marks of one letter that belong to no single script, such as accents. Some Vietnamese letters
/// have two.
const MAX_MARKS_OF_NO_SCRIPT: usize = 2;

/// The error for a text with control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ControlCharacters {
    /// A text of one line contains a control character.
    #[error("must not contain control characters")]
    InLine,
    /// A text of several lines contains a control character other than newline and tab.
    #[error("must not contain control characters other than newline and tab")]
    InLines,
}

/// Trims a text of one line. Fails if it contains control characters, which include newlines and tabs.
pub fn trimmed_line(text: &str) -> Result<&str, ControlCharacters> {
    if text.chars().any(char::is_control) { Err(ControlCharacters::InLine) } else { Ok(text.trim()) }
}

/// Trims a text of several lines. Fails if it contains control characters other than newlines and tabs.
pub fn trimmed_lines(text: &str) -> Result<&str, ControlCharacters> {
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(ControlCharacters::InLines);
    }
    Ok(text.trim())
}

/// Returns whether a text has more than [`LONGEST_NAME`] characters. Reads no more of it than needed to tell.
pub fn is_longer_than_names(text: &str) -> bool {
    text.len() > LONGEST_NAME && text.chars().nth(LONGEST_NAME).is_some()
}

/// Returns whether every character of a name is visible. It must contain no invisible characters and no combining mark
/// before its first letter, and no letter may have more marks than any language writes.
pub fn is_fully_visible(name: &str) -> bool {
    if name.contains(is_invisible) || name.starts_with(is_combining_mark) {
        return false;
    }
    let (mut marks, mut marks_of_no_script) = (0, 0);
    for c in name.chars() {
        if !is_combining_mark(c) {
            (marks, marks_of_no_script) = (0, 0);
            continue;
        }
        marks += 1;
        marks_of_no_script += usize::from(matches!(c.script(), Script::Inherited | Script::Common));
        if marks > MAX_MARKS || marks_of_no_script > MAX_MARKS_OF_NO_SCRIPT {
            return false;
        }
    }
    true
}

/// Returns whether a character is invisible: one with Unicode's property Default_Ignorable_Code_Point
/// (DerivedCoreProperties.txt), or the Khitan filler U+16FE4, which lacks that property.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{16fe4}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Returns the form in which texts are compared: NFKC and lower case. Texts that differ in case or width only, such as
/// `ＡＳＨＡ`, `Asha` and `asha`, have the same form.
pub fn folded(text: &str) -> String {
    // Lower case alone would keep ß and ss apart, and the two forms of the Greek sigma; upper case joins them. The
    // capital ẞ has no other upper case, so a first step to lower case makes it ß.
    let upper = text.nfkc().flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).nfkc().collect()
}

/// Returns a regular expression (PCRE) that matches exactly `text`. Every ASCII character that isn't a letter or digit
/// is escaped by a backslash. NUL, which MongoDB allows in no pattern, is written as `\x00`.
pub fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\0' => pattern.push_str("\\x00"),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => pattern.extend(['\\', c]),
            c => pattern.push(c),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_draws_nothing_is_refused() {
        for hidden in ['\u{34f}', '\u{17b4}', '\u{180e}', '\u{180f}', '\u{200d}', '\u{3164}', '\u{fe0f}', '\u{e0101}'] {
            assert!(!is_fully_visible(&format!("a{hidden}b")), "U+{:04X}", u32::from(hidden));
        }
        assert!(!is_fully_visible("\u{301}a"));
    }

    #[test]
    fn letters_have_as_many_marks_as_languages_write() {
        for written in ["Nguyễn", "ệ\u{301}", "ကြွိုင့်", "हिन्दी", "สุ่น", "ქართული", "مُحَمَّد", "བསྒྲུབས"]
        {
            assert!(is_fully_visible(written), "{written}");
        }
        assert!(!is_fully_visible("z\u{301}\u{302}\u{303}"));
        assert!(!is_fully_visible(&format!("क{}", "ि".repeat(9))));
    }

    #[test]
    fn the_longest_name_is_counted_in_characters() {
        assert!(!is_longer_than_names(&"é".repeat(LONGEST_NAME)));
        assert!(is_longer_than_names(&"é".repeat(LONGEST_NAME + 1)));
    }
}
