//! Finds UTF-8 that a program has taken for Mac Roman, as Excel for Mac does (`K√ºhler`), or for a code page of DOS
//! (`K├╝hler`).

/// An encoding with one byte for each character.
struct CodePage {
    /// The characters of the bytes from 0x80.
    upper: &'static str,
    /// The characters with which a garbled letter or sign may begin.
    leads: &'static [char],
}

const MAC_ROMAN: CodePage = CodePage {
    upper: "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü\
    †°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø\
    ¿¡¬√ƒ≈∆«»…\u{A0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›\u{FB01}\u{FB02}\
    ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{F8FF}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ",
    leads: &['¬', '√', 'ƒ', '≈', '∆', 'Œ', 'œ', '–', '—', '‡', '‚', '„'],
};
const DOS_437: CodePage = CodePage {
    upper: "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}",
    leads: &['┬', '├', '─', '┼', '╬', '╧', '╨', '╤', 'α', 'Γ', 'π'],
};
const DOS_850: CodePage = CodePage {
    upper: "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ\
    áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
    └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀\
    ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{AD}±‗¾¶§÷¸°¨·¹³²■\u{A0}",
    leads: &['┬', '├', '─', '┼', '╬', 'ð', 'Ð', 'Ó', 'Ô', 'Ò'],
};

/// Signs that stand without a letter beside them.
const SIGNS: &str = "°µ®©½¼¾²³±·£¥ªº\u{A0}";
/// Characters of Mac Roman that may follow a root or another sign in mathematics.
const MATHS: &str = "π∂∑∏∫Ω∞µ";
/// Signs that may follow another sign in mathematics, but not a root.
const RELATIONS: &str = "±≤≥";

/// A character that was garbled.
struct Garbled {
    /// Where it begins, and how many characters it became.
    at: usize,
    length: usize,
    original: char,
}

/// Returns the text before it was garbled; `None` if it looks right.
pub(super) fn original_of(text: &str) -> Option<String> {
    let pages = [MAC_ROMAN, DOS_437, DOS_850];
    let mut pages = pages.iter().filter(|page| text.contains(page.leads));
    let characters: Vec<char> = text.chars().collect();
    pages.find_map(|page| {
        let found = page.garbled_in(&characters);
        is_evidence(&characters, &found).then(|| repaired(&characters, &found))
    })
}

impl CodePage {
    /// Returns the byte of a character beyond ASCII.
    fn byte(&self, character: char) -> Option<u8> {
        let at = self.upper.chars().position(|c| c == character)?;
        u8::try_from(at + 0x80).ok()
    }

    /// Returns what may be garbled characters, from left to right.
    fn garbled_in(&self, characters: &[char]) -> Vec<Garbled> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(lead) = characters.get(at) {
            let garbled = if self.leads.contains(lead) { self.garbled_at(characters, at) } else { None };
            at += garbled.as_ref().map_or(1, |garbled| garbled.length);
            found.extend(garbled);
        }
        found
    }

    fn garbled_at(&self, characters: &[char], at: usize) -> Option<Garbled> {
        let lead = self.byte(characters[at])?;
        let length = if lead < 0xE0 { 2 } else { 3 };
        let bytes: Option<Vec<u8>> = characters.get(at..at + length)?.iter().map(|c| self.byte(*c)).collect();
        let original = str::from_utf8(&bytes?).ok()?.chars().next()?;
        Some(Garbled { at, length, original })
    }
}

/// Returns whether some characters are garbled beyond doubt. One letter or sign of Latin script is enough if it stands
/// where letters stand; letters of other scripts never come alone.
fn is_evidence(characters: &[char], found: &[Garbled]) -> bool {
    let mut scripts = [0; 3];
    let mut end = 0;
    for garbled in found {
        let (wanted, script) = match u32::from(garbled.original) {
            0x80..=0x24F if is_latin(characters, garbled) => return true,
            0x2010..=0x2044 | 0x20AC | 0x2122 | 0x2103 | 0x2126 => return true,
            0x370..=0x3FF => (2, 0),
            0x400..=0x45F => (3, 1),
            0x900..=0xDFF | 0x3040..=0x30FF | 0x4E00..=0x9FFF => (2, 2),
            _ => continue,
        };
        // One character in between may have been lost or may be a space.
        scripts[script] = if garbled.at <= end + 1 { scripts[script] + 1 } else { 1 };
        end = garbled.at + garbled.length;
        if scripts[script] >= wanted {
            return true;
        }
    }
    false
}

/// Returns whether a garbled character stands where a Latin letter or a sign may stand.
fn is_latin(characters: &[char], Garbled { at, length, original }: &Garbled) -> bool {
    let (lead, second) = (characters[*at], characters[at + 1]);
    let is_box = |c| ('\u{2500}'..='\u{257F}').contains(&c);
    if lead == '─' && is_box(second) {
        return false;
    }
    let before = at.checked_sub(1).and_then(|before| characters.get(before)).is_some_and(char::is_ascii_alphabetic);
    let after = characters.get(at + length).is_some_and(char::is_ascii_alphabetic);
    match lead {
        '¬' | '┬' => SIGNS.contains(*original),
        '√' | '≈' | '∆' | 'ƒ' if MATHS.contains(second) => before && after,
        '≈' | '∆' | 'ƒ' if RELATIONS.contains(second) => before && after,
        _ => before || after,
    }
}

fn repaired(characters: &[char], found: &[Garbled]) -> String {
    let (mut text, mut end) = (String::new(), 0);
    for Garbled { at, length, original } in found {
        text.extend(&characters[end..*at]);
        text.push(*original);
        end = at + length;
    }
    text.extend(&characters[end..]);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns what a program makes of the UTF-8 bytes of a text that it takes for a code page.
    fn garbled(page: &CodePage, text: &str) -> String {
        let upper: Vec<char> = page.upper.chars().collect();
        text.bytes().map(|byte| if byte < 0x80 { char::from(byte) } else { upper[usize::from(byte - 0x80)] }).collect()
    }

    #[test]
    fn texts_of_macs_and_of_dos_are_found() {
        assert_eq!(garbled(&MAC_ROMAN, "Kühler für"), "K√ºhler f√ºr");
        assert_eq!(garbled(&DOS_437, "Kühler"), "K├╝hler");
        let german = ["Kühler für", "Škoda", "5 µm", "90°", "a – b"];
        let other = ["Don’t", "Café", "été", "Filtre à huile Citroën", "10 €", "Filtro de óleo"];
        let scripts = ["Подшипник", "ब्रेक पैड", "ব্রেক", "பிரேக்", "ブレーキ"];
        for page in [MAC_ROMAN, DOS_437, DOS_850] {
            assert_eq!(page.upper.chars().count(), 128);
            for text in german.iter().chain(&other).chain(&scripts) {
                assert_eq!(original_of(text), None, "{text}");
                assert_eq!(original_of(&garbled(&page, text)).as_deref(), Some(*text), "{}", garbled(&page, text));
            }
        }
    }

    #[test]
    fn texts_that_are_right_are_left_alone() {
        let texts = [
            "l’école d’épargne d’Évreux",
            "« À côté » – été",
            "«École»",
            "Cœur, œuvre, Œdème",
            "Freio dianteiro – proteção à direita",
            "Má phanh trước Đường kính ≈Ø32",
            "Lọc dầu, ống nước, bơm xăng",
            "√π, √2, 2√πr, x ≈ ±5, ≈±0,1 mm, ∆T, ∆π, ¬A, f/2,8 ƒ",
            "α ± 5°, Γ, π·d, Σ, Ω",
            "„Ärger“ ‚Ärger‘ – Öl",
            "Note‡ †",
            "┌──┬──┐ │A─┐",
            "├── Bremse",
            "ÓLEO Ô COTÉ ÔNIBUS MAÇÃ",
            "við það, íþróttir",
            "±5 °C ½″ M8×25 Ø32",
        ];
        for text in texts {
            assert_eq!(original_of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn words_of_latin_letters_are_left_alone(
            first in "[A-ZÀ-ÖØ-Þ]?[a-zß-öø-őŔ-žạ-ỹ]{1,8}( [–—«»] |[ ’,.-])?",
            second in "[a-zß-öø-őŔ-žạ-ỹ0-9°]{0,8}",
        ) {
            let text = first + &second;
            prop_assert_eq!(original_of(&text), None);
        }
    }
}
