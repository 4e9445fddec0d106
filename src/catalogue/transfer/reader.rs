//! Reads a file row by row, without ever holding all of it in memory.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::{
    TableFormat,
    csv::CsvRows,
    error::ImportError,
    jsonl::JsonRows,
    rows::{NumberedRow, Parsed},
};

/// How many bytes are read at once.
const CHUNK: usize = 64 * 1024;
/// Some programs put this mark at the beginning of a UTF-8 file. It is skipped.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The parser of the file's format. It gets an empty input only at the end of the file.
enum Parser {
    Csv(Box<CsvRows>),
    Json(JsonRows),
}

/// The rows of a file.
pub(super) struct Rows<R> {
    source: R,
    chunk: Vec<u8>,
    /// The part of `chunk` that is not parsed yet.
    unparsed: std::ops::Range<usize>,
    is_at_end: bool,
    /// How many bytes of the file have been read.
    pub(super) bytes_read: u64,
    parser: Parser,
}

impl<R: AsyncRead + Unpin> Rows<R> {
    /// Reads the beginning of a file and skips a byte order mark.
    pub(super) async fn begin(source: R, format: TableFormat) -> io::Result<Self> {
        let parser = match format {
            TableFormat::Csv => Parser::Csv(Box::default()),
            TableFormat::JsonLines => Parser::Json(JsonRows::default()),
        };
        let mut rows = Self { source, chunk: vec![0; CHUNK], unparsed: 0..0, is_at_end: false, bytes_read: 0, parser };
        while rows.unparsed.len() < BYTE_ORDER_MARK.len() && !rows.is_at_end {
            rows.fill().await?;
        }
        if rows.chunk[rows.unparsed.clone()].starts_with(BYTE_ORDER_MARK) {
            rows.unparsed.start += BYTE_ORDER_MARK.len();
        }
        if rows.unparsed.is_empty() && !rows.is_at_end {
            rows.fill().await?;
        }
        Ok(rows)
    }

    /// Returns whether nothing is left to parse. Right after [`Self::begin`] this means that the file is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.is_at_end && self.unparsed.is_empty()
    }

    /// Returns the next row; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<NumberedRow>, ImportError> {
        loop {
            if self.unparsed.is_empty() && !self.is_at_end {
                self.unparsed = 0..0;
                self.fill().await.map_err(ImportError::Unreadable)?;
                continue;
            }
            let (bytes_used, parsed) = match &mut self.parser {
                Parser::Csv(rows) => rows.parse(&self.chunk[self.unparsed.clone()])?,
                Parser::Json(rows) => rows.parse(&self.chunk[self.unparsed.clone()]),
            };
            self.unparsed.start += bytes_used;
            match parsed {
                Parsed::More => {}
                Parsed::Row(row) => return Ok(Some(*row)),
                Parsed::End => return Ok(None),
            }
        }
    }

    /// Reads more bytes and puts them behind the part of `chunk` that is not parsed yet.
    async fn fill(&mut self) -> io::Result<()> {
        let count = self.source.read(&mut self.chunk[self.unparsed.end..]).await?;
        self.unparsed.end += count;
        self.bytes_read += count as u64;
        self.is_at_end = count == 0;
        Ok(())
    }
}
