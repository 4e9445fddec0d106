//! Checks of texts that people send (control characters, invisible characters, length), and the forms in which texts
//! are compared and searched.

use unicode_normalization::{
    UnicodeNormalization,
    char::{canonical_combining_class, is_combining_mark},
};
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

/// The scripts of India and its neighbours that form letters with joiners.
const INDIC: [Script; 18] = [
    Script::Devanagari,
    Script::Bengali,
    Script::Gurmukhi,
    Script::Gujarati,
    Script::Oriya,
    Script::Tamil,
    Script::Telugu,
    Script::Kannada,
    Script::Malayalam,
    Script::Sinhala,
    Script::Tirhuta,
    Script::Newa,
    Script::Grantha,
    Script::Kaithi,
    Script::Modi,
    Script::Sharada,
    Script::Chakma,
    Script::Meetei_Mayek,
];

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

/// Returns whether a character can be printed: an assigned one that is neither a control, nor for private use, nor an
/// instruction for drawing others, nor the stand-in for an object (U+FFFC).
pub fn is_printable(c: char) -> bool {
    let is_instruction = matches!(c, '\u{fff9}'..='\u{fffc}' | '\u{13430}'..='\u{1343f}' | '\u{2028}' | '\u{2029}');
    // Letters count even if they are newer than the table of scripts.
    let is_assigned = c.is_alphanumeric() || is_combining_mark(c) || c.script() != Script::Unknown;
    is_assigned && !c.is_control() && !is_instruction && !is_invisible(c)
}

/// Returns whether a character is a joiner: ZWNJ or ZWJ. Both are invisible. In Indian scripts they choose the form of
/// the letters beside them.
pub fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Returns a text without its joiners; `None` if one of them stands where no Indian script needs it.
///
/// A joiner is needed between two characters of one script, as in the Bengali র‍্যাক, and after the sign that takes the
/// vowel from a consonant, where it may also end a word, as in the Malayalam അവന്‍.
pub fn without_indic_joiners(text: &str) -> Option<String> {
    let mut before = None;
    let mut characters = text.chars().peekable();
    let mut without = String::with_capacity(text.len());
    while let Some(c) = characters.next() {
        if is_joiner(c) {
            let script = before.and_then(indic_script)?;
            let next = characters.peek().copied();
            let is_inside = next.and_then(indic_script) == Some(script);
            let ends_word = before.is_some_and(is_virama) && next.is_none_or(is_between_words);
            if !is_inside && !ends_word {
                return None;
            }
        } else {
            without.push(c);
        }
        before = Some(c);
    }
    Some(without)
}

/// Returns whether a character is a sign that takes the vowel from a consonant, such as the Devanagari sign U+094D.
fn is_virama(c: char) -> bool {
    /// The combining class that Unicode gives to all of these signs.
    const CLASS: u8 = 9;
    canonical_combining_class(c) == CLASS
}

fn is_between_words(c: char) -> bool {
    !c.is_alphanumeric() && !is_combining_mark(c) && !is_joiner(c)
}

/// Returns the script of a letter or mark of an Indian script; `None` for all other characters.
fn indic_script(c: char) -> Option<Script> {
    let is_written = c.is_alphabetic() || is_combining_mark(c);
    Some(c.script()).filter(|script| is_written && INDIC.contains(script))
}

/// Returns the form in which texts are compared: NFKC and lower case. Texts that differ in case or width only, such as
/// `ＡＳＨＡ`, `Asha` and `asha`, have the same form.
pub fn folded(text: &str) -> String {
    // Lower case alone would keep ß and ss apart, and the two forms of the Greek sigma; upper case joins them. The
    // capital ẞ has no other upper case, so a first step to lower case makes it ß.
    let upper = text.nfkc().flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).nfkc().collect()
}

/// Returns the form in which texts are looked through: [`folded`], without accents and joiners, and with single spaces.
///
/// Example: `"İç  Lamba"` and `"Ic lamba"` become `"ic lamba"`. Only marks that belong to no single script are accents;
/// the vowels of Indian scripts, which are marks as well, stay.
pub fn without_accents(text: &str) -> String {
    let is_accent = |c: char| {
        is_combining_mark(c)
            && matches!(c.script(), Script::Inherited | Script::Common)
            && !('\u{3099}'..='\u{309a}').contains(&c)
    };
    let mut plain = String::with_capacity(text.len());
    for c in folded(text).nfd().filter(|c| !is_accent(*c) && !is_joiner(*c)) {
        match plain_letters(c) {
            "" => plain.push(c),
            letters => plain.push_str(letters),
        }
    }
    plain.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the letters that keyboards without a stroked or joined letter offer instead; an empty text for other
/// characters. Unicode doesn't take these letters apart.
fn plain_letters(c: char) -> &'static str {
    match c {
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'ħ' => "h",
        'ŧ' => "t",
        'ı' => "i",
        '×' => "x",
        'æ' => "ae",
        'œ' => "oe",
        _ => "",
    }
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
    use proptest::prelude::*;

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
    fn texts_are_found_whatever_their_accents_and_form() {
        for (text, form) in [
            ("Citroën", "citroen"),
            ("CITROE\u{308}N", "citroen"),
            ("İç  Lamba", "ic lamba"),
            ("Kırmızı Ørsted Škoda", "kirmizi orsted skoda"),
            ("Ｂｒａｋｅ\u{a0}pad", "brake pad"),
            ("तऱ्\u{200d}हा", "तऱ्हा"),
            ("कि", "कि"),
            ("が각", "が각"),
            ("\u{301}\u{200d}", ""),
        ] {
            assert_eq!(without_accents(text), form.nfc().collect::<String>(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_form_of_a_form_is_the_same(text in "\\PC{0,40}|[a-zÀ-ỹΆ-ώЀ-ӿ ]{0,40}") {
            let form = without_accents(&text);
            prop_assert_eq!(without_accents(&form), form);
        }
    }

    #[test]
    fn the_longest_name_is_counted_in_characters() {
        assert!(!is_longer_than_names(&"é".repeat(LONGEST_NAME)));
        assert!(is_longer_than_names(&"é".repeat(LONGEST_NAME + 1)));
    }
}
