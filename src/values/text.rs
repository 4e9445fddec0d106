//! Texts as people send them: trimmed, and without characters that nobody sees; and as they are compared.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_script::{Script, UnicodeScript};

/// The most characters that a name, a number or an address can have (RFC 5321, section 4.5.3.1.3, for addresses). What
/// is longer is refused before it is normalised, hashed or looked up: Unicode's normal forms can make a text eighteen
/// times as long.
pub const LONGEST_NAME: usize = 254;

/// Marks that may stand on one letter in scripts that write vowels and tones as marks; the Burmese word ကြွိုင့် has five.
const MARKS_OF_SCRIPTS: usize = 8;
/// Marks that may stand on one letter and belong to no script, such as accents; Vietnamese has letters with two.
const MARKS_OF_NO_SCRIPT: usize = 2;

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

/// Returns whether a text is longer than any name, number or address can be; looks at 254 characters at most.
pub fn is_longer_than_names(text: &str) -> bool {
    text.len() > LONGEST_NAME && text.chars().nth(LONGEST_NAME).is_some()
}

/// Returns whether every character of a name shows: none draws nothing, no mark stands without its letter, and no letter
/// has more marks than any language writes.
pub fn shows_whole(name: &str) -> bool {
    if name.contains(draws_nothing) || name.starts_with(is_combining_mark) {
        return false;
    }
    let (mut all, mut of_no_script) = (0, 0);
    for c in name.chars() {
        if !is_combining_mark(c) {
            (all, of_no_script) = (0, 0);
            continue;
        }
        all += 1;
        of_no_script += usize::from(matches!(c.script(), Script::Inherited | Script::Common));
        if all > MARKS_OF_SCRIPTS || of_no_script > MARKS_OF_NO_SCRIPT {
            return false;
        }
    }
    true
}

/// Returns whether a character draws nothing: Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt), and the
/// filler of Khitan beside it.
pub fn draws_nothing(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{16fe4}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The form in which texts are the same that differ in case or width alone: NFKC and lower case.
pub fn folded(text: &str) -> String {
    // Through upper case, which folds what lower case keeps apart: ß and ss, final and other sigma; and before that
    // through lower case, which makes ß of its capital.
    let upper = text.nfkc().flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).nfkc().collect()
}

/// A regular expression (PCRE) that matches `text` itself and nothing else: a backslash takes the meaning off every
/// character that isn't a letter or digit, and NUL, which no pattern may hold, is written as its number.
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
            assert!(!shows_whole(&format!("a{hidden}b")), "U+{:04X}", u32::from(hidden));
        }
        assert!(!shows_whole("\u{301}a"));
    }

    #[test]
    fn letters_have_as_many_marks_as_languages_write() {
        for written in ["Nguyễn", "ệ\u{301}", "ကြွိုင့်", "हिन्दी", "สุ่น", "ქართული", "مُحَمَّد", "བསྒྲུབས"]
        {
            assert!(shows_whole(written), "{written}");
        }
        assert!(!shows_whole("z\u{301}\u{302}\u{303}"));
        assert!(!shows_whole(&format!("क{}", "ि".repeat(9))));
    }

    #[test]
    fn the_longest_name_is_counted_in_characters() {
        assert!(!is_longer_than_names(&"é".repeat(LONGEST_NAME)));
        assert!(is_longer_than_names(&"é".repeat(LONGEST_NAME + 1)));
    }
}
