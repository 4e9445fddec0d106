//! Finds texts that were read in the wrong encoding: `KÃ¼hler` instead of `Kühler`.
//!
//! This happens if a program takes the bytes of UTF-8 for Windows-1252, as Excel does with a file without a byte order
//! mark. Each character beyond ASCII becomes two to four others.

use encoding_rs::WINDOWS_1252;

use super::{code_pages, fault::beginning};

/// How the garbling of a text was noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Garbling {
    /// The text before it was garbled, if that can be told.
    original: Option<String>,
}

impl Garbling {
    /// Returns how a text was garbled; `None` if it looks right.
    pub(super) fn of(text: &str) -> Option<Self> {
        if text.is_ascii() {
            return None;
        }
        let original = original_of(text).filter(|original| is_likely(original));
        if let Some(original) = original.or_else(|| code_pages::original_of(text)) {
            return Some(Self { original: Some(original) });
        }
        (text.contains('\u{FFFD}') || is_partly_garbled(text) || has_garbled_run(text))
            .then_some(Self { original: None })
    }

    /// Returns a sentence about the column in which the text was found.
    pub(super) fn fault(&self, column: &str) -> String {
        let hint = self.original.as_ref().map(|text| format!(" (probably \"{}\")", beginning(text)));
        let hint = hint.unwrap_or_default();
        format!("{column} was read in the wrong encoding{hint}; open and save the file as UTF-8")
    }
}

/// Returns the text whose UTF-8 bytes, taken for Windows-1252, are `text`; `None` if there is none.
fn original_of(text: &str) -> Option<String> {
    let (bytes, _, is_lossy) = WINDOWS_1252.encode(text);
    if is_lossy { None } else { str::from_utf8(&bytes).ok().map(str::to_owned) }
}

/// Returns whether somebody has probably written this text. Few texts look garbled by chance: `NESCAFÉ®` would be
/// `NESCAFɮ`, and `2×½` would have a Hebrew accent. One letter that many languages use is enough, of others it takes
/// two.
fn is_likely(original: &str) -> bool {
    let mut weight = 0;
    let mut characters = original.chars().peekable();
    while let Some(c) = characters.next() {
        let is_before_letter = characters.peek().is_some_and(|next| next.is_alphabetic());
        weight += match u32::from(c) {
            0..=0x7F => 0,
            0xA0..=0xFF | 0x300..=0x45F | 0x800.. => 2,
            code @ 0x100..=0x17F if is_before_letter || !ends_like_punctuation(code) => 2,
            0x100..=0x24F | 0x460..=0x6FF => 1,
            // Control characters, phonetic letters, and scripts that shops don't use.
            _ => return false,
        };
    }
    weight >= 2
}

/// Returns whether the last UTF-8 byte of a character is a quote, a dash or the like in Windows-1252, which may stand
/// behind any letter: `Ä“` is the end of a German quotation or a garbled `ē`.
fn ends_like_punctuation(code: u32) -> bool {
    matches!(0x80 | (code & 0x3F), 0x82..=0x85 | 0x91..=0x97 | 0x99)
}

/// Returns whether a part of a text is garbled beyond doubt, although the rest may be right.
fn is_partly_garbled(text: &str) -> bool {
    let mut pairs = text.chars().zip(text.chars().skip(1));
    pairs.any(|pair| match pair {
        // A closing guillemet, ordinals and trade marks may stand behind a Portuguese word in capitals.
        ('Ã', '®' | '»' | 'ª' | 'º') => false,
        ('Ã', second) => matches!(second, '\u{A1}'..='\u{BF}'),
        ('â', second) => second == '€',
        _ => false,
    })
}

/// Returns whether a text has garbled letters of an Indian script, or of Cyrillic, one after the other.
///
/// Programs drop the characters that Windows-1252 does not have, or put a question mark in their place, so that the rest
/// is no UTF-8.
fn has_garbled_run(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let (mut last, mut run) = (None, 0);
    for (at, pair) in characters.windows(2).enumerate() {
        let wanted = match (pair[0], pair[1]) {
            ('à', '¤'..='¹') => 2,
            ('Ð' | 'Ñ', second) if !second.is_ascii() && WINDOWS_1252.encode(&second.to_string()).0[0] < 0xC0 => 3,
            _ => continue,
        };
        run = if last.is_some_and(|last| at - last <= 3) { run + 1 } else { 1 };
        last = Some(at);
        if run == wanted {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what Windows makes of the UTF-8 bytes of a text.
    fn garbled(text: &str) -> String {
        WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0.into_owned()
    }

    #[test]
    fn garbled_texts_of_many_languages_are_found() {
        assert_eq!(garbled("Kühler"), "KÃ¼hler");
        let texts = [
            "Kühler",
            "Citroën",
            "à la carte",
            "Škoda",
            "Přední tlumič",
            "Kuru akü",
            "cœur",
            "5 µm",
            "90°",
            "10 Ω",
            "Подшипник",
            "ब्रेक पैड",
            "ブレーキ",
            "Don’t",
            "a – b",
            "€ 5",
            "naïve…",
            "Ku\u{308}hler",
            "ψύξη",
            "ضاغط",
            "Łożysko",
            "Größe ½″",
            "100 %\u{a0}",
        ];
        for text in texts {
            assert_eq!(Garbling::of(text), None, "{text}");
            let found = Garbling::of(&garbled(text)).unwrap_or_else(|| panic!("{}", garbled(text)));
            assert!(found.fault("product_name").contains(&format!("(probably \"{text}\")")), "{text}");
        }
        for partly in ["KÃ¼hler für LKW", "Donâ€™t – ünd", "K\u{fffd}hler", "ब्रेक KÃ¤se"] {
            assert!(Garbling::of(partly).is_some(), "{partly}");
        }
        assert!(Garbling::of(&garbled(&garbled("Kühler"))).is_some(), "twice");
        let lossy =
            ["à¤¬à¥à¤°à¥‡à¤•", "à¤¬à¥?à¤°à¥‡à¤•", "à®ªà®¿à®°à¯à®•à¯", "à¦¬à§à¦°à§‡à¦•", "ÐŸÐ¾Ð´ÑˆÐ¸Ð¿Ð½Ð¸Ðº Ñ?"];
        for text in lossy {
            assert_eq!(Garbling::of(text).map(|found| found.original), Some(None), "{text}");
        }
        for (text, original) in [("K√ºhler f√ºr", "Kühler für"), ("K├╝hler", "Kühler")] {
            assert_eq!(Garbling::of(text).and_then(|found| found.original).as_deref(), Some(original));
        }
    }

    #[test]
    fn texts_that_are_right_are_left_alone() {
        let texts = [
            "NESCAFÉ®",
            "PROTÉGÉ™",
            "2×½",
            "Ø\u{a0}32 mm",
            "Ø±2",
            "Fuß–Teil",
            "„Typ Ä“",
            "«IRMÃ»",
            "« protégé\u{a0}»",
            "NÃO",
            "CITROËN",
            "Â",
            "É\u{a0}»",
            "±2 °C",
            "”–”",
            "12½″",
            "ÀÉÎÕÜ",
            "Ångström–Ä–Ö",
            "Voilà® et Voilà®",
            "ESPAÑOL Ñ® Ñ™",
            "à «gauche», à ±5 °C",
        ];
        for text in texts {
            assert_eq!(Garbling::of(text), None, "{text}");
        }
    }
}
