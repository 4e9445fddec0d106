//! The chunks of a WebP file (RFC 9649), from which the memory that reading it takes is computed.

/// The chunks that hold a file's pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WebpLayout {
    /// One lossy picture: a `VP8 ` chunk.
    Lossy {
        /// Whether an `ALPH` chunk with the transparency stands before it.
        alpha: bool,
    },
    /// One lossless picture: a `VP8L` chunk.
    Lossless {
        /// Index of the first byte of the chunk's contents.
        at: usize,
        /// Whether a `VP8X` chunk stands before it. The flag for transparency is then in that chunk.
        extended: bool,
    },
    /// An animation, which consists of several frames.
    Animated,
}

/// Index of the first byte of the first chunk.
const FIRST_CHUNK: usize = 12;
/// Index of the flags of a `VP8X` chunk, which is always the first.
const FLAGS: usize = FIRST_CHUNK + 8;
/// Flag in [`FLAGS`]: the file is an animation.
const ANIMATION: u8 = 0x02;
/// Flag in [`FLAGS`]: the file has transparency.
const ALPHA: u8 = 0x10;
/// Flag in the fourth byte after the signature of a `VP8L` chunk: the picture has transparency.
const ALPHA_IS_USED: u8 = 0x10;

impl WebpLayout {
    /// Finds the chunk with the pixels; `None` if there is none.
    pub(super) fn find(bytes: &[u8]) -> Option<Self> {
        let extended = bytes.get(FIRST_CHUNK..FIRST_CHUNK + 4)? == b"VP8X";
        if extended && bytes.get(FLAGS)? & ANIMATION != 0 {
            return Some(Self::Animated);
        }
        let (mut at, mut alpha) = (FIRST_CHUNK, false);
        loop {
            let name = bytes.get(at..at + 4)?;
            let length = u32::from_le_bytes(bytes.get(at + 4..at + 8)?.try_into().ok()?);
            match name {
                b"VP8 " => return Some(Self::Lossy { alpha }),
                b"VP8L" => return Some(Self::Lossless { at: at + 8, extended }),
                b"ALPH" => alpha = true,
                _ => {}
            }
            // A chunk of odd length is followed by one byte of padding.
            at = at.checked_add(8)?.checked_add(usize::try_from(length.checked_add(length & 1)?).ok()?)?;
        }
    }

    /// Returns the memory that each pixel takes while it is read, in quarters of a byte.
    pub(super) fn quarter_bytes(self) -> u64 {
        match self {
            // Brightness, two colour planes of a quarter of its size, then red, green and blue.
            Self::Lossy { alpha: false } => 4 + 2 + 4 * 3,
            // The same with four channels. Transparency is first read as a lossless picture of four channels, then
            // copied to one channel.
            Self::Lossy { alpha: true } => 4 + 2 + 4 * 4 + 4 * 4 + 4,
            Self::Lossless { .. } => 4 * 4,
            // The frame as brightness and colour planes, the frame in four channels, the canvas that it is drawn on,
            // and the copy of the canvas that is returned.
            Self::Animated => 4 + 2 + 4 * 4 + 4 * 4 + 4 * 4,
        }
    }

    /// Marks an opaque lossless picture in `bytes` as one with transparency. Lossless pictures are decoded to four
    /// channels in any case, and for an opaque one the decoder would make a second copy with three.
    ///
    /// Returns true if the picture was opaque; the transparency that is then read means nothing. Does nothing and
    /// returns false for other layouts.
    pub(super) fn mark_as_transparent(self, bytes: &mut [u8]) -> bool {
        let Self::Lossless { at, extended } = self else { return false };
        let (index, flag) = if extended { (FLAGS, ALPHA) } else { (at + 4, ALPHA_IS_USED) };
        let Some(flags) = bytes.get_mut(index) else { return false };
        let was_opaque = *flags & flag == 0;
        *flags |= flag;
        was_opaque
    }
}
