//! Counts the lines of a file. Lines end with LF, with CR LF, or with CR alone, as old Macs write them.

/// How many lines of a file have ended so far.
#[derive(Debug, Default)]
pub(super) struct LineEnds {
    count: u64,
    /// Whether the last byte was CR, so that LF belongs to the same line end.
    is_after_cr: bool,
}

impl LineEnds {
    /// Counts the line ends in the next bytes of the file.
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.count += u64::from(*byte == b'\r' || (*byte == b'\n' && !self.is_after_cr));
            self.is_after_cr = *byte == b'\r';
        }
    }

    /// Returns the number of the line in which the next byte is; the first line is 1.
    pub(super) fn number(&self) -> u64 {
        self.count + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_end_counts_once() {
        for (text, number) in [("", 1), ("a", 1), ("a\n", 2), ("a\r\nb", 2), ("a\rb\r\r\n\n", 5), ("\n\r", 3)] {
            let mut lines = LineEnds::default();
            text.bytes().for_each(|byte| lines.pass(&[byte]));
            assert_eq!(lines.number(), number, "{text:?}");
        }
    }
}
