//! Turns the bytes of a file into UTF-8.
//!
//! UTF-8 itself is passed on as it is; whoever reads a cell tells the faults in it. Faults in the other encodings
//! become the byte FF, which UTF-8 never has, so that they are told in the same way.

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A byte that no UTF-8 text has.
const FAULT: u8 = 0xFF;
/// How many bytes are decoded at once.
const STEP: usize = 4 * 1024;

/// The encoding that a content type names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset(&'static Encoding);

/// The error for an encoding that isn't taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the charset must be utf-8, utf-16 or windows-1252")]
pub struct UnknownCharset;

impl Charset {
    /// Returns the charset that a content type names; `None` if it names none.
    pub fn of_content_type(content_type: &str) -> Result<Option<Self>, UnknownCharset> {
        let named = content_type.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
        });
        let Some(label) = named.filter(|label| !label.is_empty()) else { return Ok(None) };
        // ASCII is a part of UTF-8. The label alone would mean Windows-1252 to browsers.
        if ["us-ascii", "ascii"].iter().any(|ascii| label.eq_ignore_ascii_case(ascii)) {
            return Ok(Some(Self(UTF_8)));
        }
        let encoding = Encoding::for_label(label.as_bytes()).ok_or(UnknownCharset)?;
        let is_taken = [UTF_8, UTF_16LE, UTF_16BE, WINDOWS_1252].contains(&encoding);
        is_taken.then_some(Some(Self(encoding))).ok_or(UnknownCharset)
    }
}

/// Decodes one file, piece by piece.
pub(super) struct Decoder {
    /// `None` for UTF-8.
    decoder: Option<encoding_rs::Decoder>,
    step: Box<[u8]>,
}

impl Decoder {
    /// Returns the decoder of a file that begins with these bytes, and the length of its byte order mark.
    ///
    /// The mark decides. Without one, a file whose first character takes two bytes, of which one is 0, is UTF-16,
    /// because every file begins with an ASCII character. Otherwise the charset of the content type decides.
    pub(super) fn of_file(beginning: &[u8], charset: Option<Charset>) -> (Self, usize) {
        let (encoding, mark) = match (Encoding::for_bom(beginning), beginning) {
            (Some((encoding, mark)), _) => (encoding, mark),
            (None, [1..=0xFF, 0, ..]) => (UTF_16LE, 0),
            (None, [0, 1..=0xFF, ..]) => (UTF_16BE, 0),
            (None, _) => (charset.map_or(UTF_8, |charset| charset.0), 0),
        };
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
        (Self { decoder, step: vec![0; STEP].into_boxed_slice() }, mark)
    }

    /// Appends the text of the next bytes. `is_end` tells that no further bytes follow.
    pub(super) fn decode(&mut self, mut bytes: &[u8], is_end: bool, text: &mut Vec<u8>) {
        let Some(decoder) = &mut self.decoder else { return text.extend_from_slice(bytes) };
        loop {
            let (result, used, written) = decoder.decode_to_utf8_without_replacement(bytes, &mut self.step, is_end);
            text.extend_from_slice(&self.step[..written]);
            bytes = &bytes[used..];
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => text.push(FAULT),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_names_its_charset_in_many_ways() {
        let of = Charset::of_content_type;
        assert_eq!(of("text/csv"), Ok(None));
        assert_eq!(of("text/csv; header=present; Charset=\"UTF-8\""), Ok(Some(Charset(UTF_8))));
        assert_eq!(of("text/csv;charset=us-ascii"), Ok(Some(Charset(UTF_8))));
        assert_eq!(of("text/csv;charset=utf-16be"), Ok(Some(Charset(UTF_16BE))));
        assert_eq!(of("text/csv;charset=ISO-8859-1"), Ok(Some(Charset(WINDOWS_1252))));
        assert_eq!(of("text/csv;charset=shift_jis"), Err(UnknownCharset));
        assert_eq!(of("text/csv;charset=none"), Err(UnknownCharset));
    }

    #[test]
    fn halves_of_characters_are_faults_and_lose_nothing_else() {
        let bytes = [b'a', 0, 0x3D, 0xD8, b'b', 0, 0xFC, 0, b'c'];
        let (mut decoder, mark) = Decoder::of_file(&bytes, None);
        let mut text = Vec::new();
        bytes.iter().for_each(|byte| decoder.decode(&[*byte], false, &mut text));
        decoder.decode(&[], true, &mut text);
        assert_eq!((text, mark), (b"a\xFFb\xC3\xBC\xFF".to_vec(), 0));
    }
}
