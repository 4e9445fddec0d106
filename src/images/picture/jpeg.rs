//! The headers of a JPEG file (ITU-T T.81, annex B). They give the picture's size, the memory that reading it takes,
//! and whether the file is complete.

/// The contents of the frame header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Memory that each pixel takes while it is read, in quarters of a byte.
    pub quarter_bytes: u64,
}

/// Marker for the start of a scan, which is compressed data after a header. Inside compressed data, 0xFF is never
/// followed by 0xD9, so the first such pair is the end of the image.
const SOS: u8 = 0xda;
/// Marker for the end of the image.
const EOI: [u8; 2] = [0xff, 0xd9];

impl Frame {
    /// Finds the frame header; `None` if there is none or the image is cut off.
    pub(super) fn find(bytes: &[u8]) -> Option<Self> {
        let mut frame = None;
        let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
        loop {
            let [0xff, marker, after @ ..] = rest else { return None };
            match marker {
                // Fill bytes may stand before a marker.
                0xff => rest = rest.get(1..)?,
                // These markers have no length and no contents.
                0x01 | 0xd0..=0xd7 => rest = after,
                &SOS => return frame.filter(|_| after.windows(2).any(|pair| pair == EOI)),
                marker => {
                    let length = usize::from(u16::from_be_bytes([*after.first()?, *after.get(1)?]));
                    if is_frame(*marker) {
                        frame = Self::read(*marker, after.get(2..length)?);
                    }
                    rest = after.get(length.max(2)..)?;
                }
            }
        }
    }

    fn read(marker: u8, header: &[u8]) -> Option<Self> {
        let [_precision, height_high, height_low, width_high, width_low, component_count, components @ ..] = header
        else {
            return None;
        };
        let components = components.get(..3 * usize::from(*component_count))?.chunks_exact(3);
        let areas = components.map(|component| u64::from(component[1] >> 4) * u64::from(component[1] & 15));
        let (area_sum, largest_area) = areas.fold((0, 1), |(sum, largest), area| (sum + area, area.max(largest)));
        // The scans of a progressive picture refine each other, so all coefficients are kept, each in two bytes.
        let coefficients = if marker & 3 == 2 { 4 * 2 * area_sum / largest_area } else { 0 };
        let quarter_bytes = 4 * if *component_count == 1 { 1 } else { 3 } + coefficients;
        let height = u32::from(u16::from_be_bytes([*height_high, *height_low]));
        let width = u32::from(u16::from_be_bytes([*width_high, *width_low]));
        Some(Self { width, height, quarter_bytes })
    }
}

/// Returns whether a marker begins a frame. These are 0xC0 to 0xCF, except three that stand for tables and extensions.
fn is_frame(marker: u8) -> bool {
    (0xc0..=0xcf).contains(&marker) && ![0xc4, 0xc8, 0xcc].contains(&marker)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a file whose frame has 40 by 20 pixels and three components, the first with this sampling factor.
    fn file(marker: u8, sampling: u8) -> Vec<u8> {
        let frame = [0xff, marker, 0, 17, 8, 0, 20, 0, 40, 3, 1, sampling, 0, 2, 0x11, 0, 3, 0x11, 0];
        [&[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9][..], &frame, &[0xff, SOS, 0, 2, 1, 2, 3, 0xff, 0xd9]].concat()
    }

    #[test]
    fn progressive_pictures_keep_their_coefficients_in_memory() {
        let quarter_bytes = |marker, sampling| Frame::find(&file(marker, sampling)).expect("a frame").quarter_bytes;
        assert_eq!((quarter_bytes(0xc0, 0x22), quarter_bytes(0xc0, 0x11)), (12, 12));
        assert_eq!((quarter_bytes(0xc2, 0x22), quarter_bytes(0xc2, 0x11)), (24, 36));
    }

    #[test]
    fn a_picture_ends_after_its_pixels_and_not_in_what_it_tells() {
        let whole = file(0xc0, 0x22);
        assert_eq!(Frame::find(&whole).map(|frame| (frame.width, frame.height)), Some((40, 20)));
        for length in 0..whole.len() {
            assert_eq!(Frame::find(&whole[..length]), None, "{length} bytes");
        }
    }
}
