//! The kinds of files, by their first bytes.

/// Number of bytes at the beginning of a file in which an SVG element may stand, after comments and declarations.
const SVG_HEAD: usize = 1024;

/// Kinds of files that people send as pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Png,
    Jpeg,
    WebP,
    /// A kind that isn't taken, by the name that people know.
    Other(&'static str),
    /// Something that isn't known.
    Unknown,
}

impl FileKind {
    /// Recognises a file by its contents. Its name and the content type that was sent don't count.
    pub(super) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Self::Png,
            [0xff, 0xd8, 0xff, ..] => Self::Jpeg,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Self::WebP,
            [_, _, _, _, b'f', b't', b'y', b'p', rest @ ..] => of_container(rest),
            _ => Self::by_signature(bytes),
        }
    }

    fn by_signature(bytes: &[u8]) -> Self {
        const SIGNATURES: [(&[u8], &str); 15] = [
            (b"GIF8", "GIF"),
            (b"%PDF", "PDF"),
            (b"II*\0", "TIFF"),
            (b"MM\0*", "TIFF"),
            (b"II+\0", "TIFF"),
            (b"MM\0+", "TIFF"),
            (b"8BPS", "PSD"),
            (b"\0\0\x01\0", "ICO"),
            (b"\xff\x0a", "JPEG XL"),
            (b"\0\0\0\x0cJXL ", "JPEG XL"),
            (b"\0\0\0\x0cjP  ", "JPEG 2000"),
            (b"\xff\x4f\xff\x51", "JPEG 2000"),
            (b"PK\x03\x04", "ZIP"),
            (b"IIU\0", "RAW"),
            (b"FUJIFILM", "RAW"),
        ];
        let is_bitmap = bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]);
        let known = SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature)).map(|(_, name)| *name);
        match known.or(is_bitmap.then_some("BMP")) {
            Some(name) => Self::Other(name),
            None if is_svg(bytes) => Self::Other("SVG"),
            None => Self::Unknown,
        }
    }
}

/// Recognises a file in the container of MP4 (ISO/IEC 14496-12). `rest` begins with the main brand; others follow.
fn of_container(rest: &[u8]) -> FileKind {
    const BRANDS: [(&[u8], &str); 13] = [
        (b"avif", "AVIF"),
        (b"avis", "AVIF"),
        (b"heic", "HEIC"),
        (b"heix", "HEIC"),
        (b"heim", "HEIC"),
        (b"heis", "HEIC"),
        (b"hevc", "HEIC"),
        (b"hevx", "HEIC"),
        (b"mif1", "HEIC"),
        (b"msf1", "HEIC"),
        (b"crx ", "RAW"),
        (b"qt  ", "a video"),
        (b"isom", "a video"),
    ];
    let name_of = |brand: &[u8]| BRANDS.iter().find(|(known, _)| *known == brand).map(|(_, name)| *name);
    // `mif1` is the main brand of AVIF files too; the compatible brands after the version then tell which it is.
    let compatible = rest.get(8..).unwrap_or_default().chunks_exact(4).take(16);
    let is_avif = compatible.map(name_of).any(|name| name == Some("AVIF"));
    match rest.get(..4).and_then(name_of) {
        Some("HEIC") if is_avif => FileKind::Other("AVIF"),
        Some(name) => FileKind::Other(name),
        None => FileKind::Other("a video"),
    }
}

/// Returns whether a text begins with the element `svg`, after a byte order mark, declarations and comments.
fn is_svg(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(bytes.get(..SVG_HEAD).unwrap_or(bytes)).to_ascii_lowercase();
    head.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace()).starts_with('<') && head.contains("<svg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_contents() {
        let cases: [(&[u8], FileKind); 22] = [
            (b"\x89PNG\r\n\x1a\n", FileKind::Png),
            (b"\xff\xd8\xff\xe0", FileKind::Jpeg),
            (b"RIFF\x10\0\0\0WEBPVP8 ", FileKind::WebP),
            (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", FileKind::Other("HEIC")),
            (b"\0\0\0\x24ftypmif1\0\0\0\0mif1heic", FileKind::Other("HEIC")),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", FileKind::Other("AVIF")),
            (b"\0\0\0\x1cftypavif\0\0\0\0avif", FileKind::Other("AVIF")),
            (b"\0\0\0\x18ftypmp42\0\0\0\0isom", FileKind::Other("a video")),
            (b"GIF89a\x01\0", FileKind::Other("GIF")),
            (b"%PDF-1.7\n", FileKind::Other("PDF")),
            (b"II*\0\x08\0\0\0", FileKind::Other("TIFF")),
            (b"MM\0*\0\0\0\x08", FileKind::Other("TIFF")),
            (b"BM\x46\0\0\0\0\0\0\0\x36", FileKind::Other("BMP")),
            (b"BMW parts", FileKind::Unknown),
            (b"8BPS\0\x01", FileKind::Other("PSD")),
            (b"\xff\x0a\xfa", FileKind::Other("JPEG XL")),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", FileKind::Other("SVG")),
            (b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- a -->\n<SVG/>", FileKind::Other("SVG")),
            (b"<!DOCTYPE html><p>no picture</p>", FileKind::Unknown),
            (b"RIFF\x10\0\0\0WAVE", FileKind::Unknown),
            (b"", FileKind::Unknown),
            (b"just a text", FileKind::Unknown),
        ];
        for (bytes, kind) in cases {
            assert_eq!(FileKind::of(bytes), kind, "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}
