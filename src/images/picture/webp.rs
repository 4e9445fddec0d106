//! The chunks of a WebP file (RFC 9649): what reading it takes.

/// Which chunks a file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A `VP8 ` chunk.
    Lossy {
        /// Whether an `ALPH` chunk stands before it.
        alpha: bool,
    },
    /// A `VP8L` chunk, whose contents stand here.
    Lossless {
        /// Where the contents begin.
        at: usize,
        /// Whether a `VP8X` chunk stands before it, which also says whether there is alpha.
        extended: bool,
    },
    /// Frames.
    Animated,
}

/// Where the first chunk begins.
const FIRST: usize = 12;
/// The flags of a `VP8X` chunk, counted from the start of the file, and two of them.
const FLAGS: usize = FIRST + 8;
const ANIMATION: u8 = 0x02;
const ALPHA: u8 = 0x10;
/// In the fourth byte after a `VP8L` chunk's signature: whether alpha is used.
const ALPHA_IS_USED: u8 = 0x10;

impl Layout {
    /// Finds the chunk with the pixels; `None` when there is none.
    pub(super) fn find(bytes: &[u8]) -> Option<Self> {
        let extended = bytes.get(FIRST..FIRST + 4)? == b"VP8X";
        if extended && bytes.get(FLAGS)? & ANIMATION != 0 {
            return Some(Self::Animated);
        }
        let (mut at, mut alpha) = (FIRST, false);
        loop {
            let name = bytes.get(at..at + 4)?;
            let length = u32::from_le_bytes(bytes.get(at + 4..at + 8)?.try_into().ok()?);
            match name {
                b"VP8 " => return Some(Self::Lossy { alpha }),
                b"VP8L" => return Some(Self::Lossless { at: at + 8, extended }),
                b"ALPH" => alpha = true,
                _ => {}
            }
            // Chunks of an odd length are padded.
            at = at.checked_add(8)?.checked_add(usize::try_from(length.checked_add(length & 1)?).ok()?)?;
        }
    }

    /// Quarters of a byte that each pixel takes in memory while it is read.
    pub(super) fn quarters(self) -> u64 {
        match self {
            // Brightness and two colours of a quarter of its size, then red, green and blue.
            Self::Lossy { alpha: false } => 4 + 2 + 4 * 3,
            // Alpha is a lossless picture of its own before it is alone.
            Self::Lossy { alpha: true } => 4 + 2 + 4 * 4 + 4 * 4 + 4,
            Self::Lossless { .. } => 4 * 4,
            // The frame, decoded and in colours, the canvas it is put on, and what is handed out of that.
            Self::Animated => 4 + 2 + 4 * 4 + 4 * 4 + 4 * 4,
        }
    }

    /// Has an opaque lossless picture read as one with alpha: it is stored that way, and the reader would make a copy
    /// without. True when the alpha that is read says nothing.
    pub(super) fn claim_alpha(self, bytes: &mut [u8]) -> bool {
        let Self::Lossless { at, extended } = self else { return false };
        let (place, flag) = if extended { (FLAGS, ALPHA) } else { (at + 4, ALPHA_IS_USED) };
        let Some(flags) = bytes.get_mut(place) else { return false };
        let opaque = *flags & flag == 0;
        *flags |= flag;
        opaque
    }
}
