//! Compression of answers by gzip: which callers accept it, and from what length it is worth it.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

/// Bytes of the smallest body that is compressed. For smaller ones, gzip's header costs more than the compression
/// saves.
pub const SMALLEST: usize = 1024;

/// Compresses a body by gzip at its fastest level.
pub fn compress(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

/// Returns whether a caller accepts gzip, by the values of its `Accept-Encoding` headers. An entry for gzip takes
/// precedence over one for `*`, so `gzip;q=0, *` refuses gzip (RFC 9110, section 12.5.3). Without the header, gzip is
/// not accepted.
pub fn is_accepted<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let (mut gzip, mut any) = (None, None);
    for coding in lines.flat_map(|line| line.split(',')) {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let (name, weight) = (name.trim(), weight.trim().trim_start_matches("q="));
        let wanted = weight == "1" || weight.parse().is_ok_and(|weight: f32| weight > 0.0 && weight <= 1.0);
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            gzip = Some(wanted);
        } else if name == "*" {
            any = Some(wanted);
        }
    }
    gzip.or(any).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_must_be_named_and_not_refused() {
        let accepts = |line: &str| is_accepted([line].into_iter());
        assert!(accepts("gzip") && accepts("br, GZIP;q=0.5") && accepts("*"));
        assert!(!accepts("br") && !accepts("gzip;q=0") && !accepts("") && !accepts("gzip;q=x"));
        assert!(!accepts("gzip;q=0, *") && accepts("*;q=0, gzip") && !accepts("gzip;q=inf"));
        assert!(is_accepted(["br", "gzip"].into_iter()) && !is_accepted(std::iter::empty()));
    }
}
