//! Reads a file row by row, without ever holding all of it in memory.

use tokio::io::{AsyncRead, AsyncReadExt};

use super::{
    TableFormat,
    csv::CsvRows,
    decoding::{Charset, Decoder},
    error::ImportError,
    jsonl::JsonRows,
    rows::{NumberedRow, Parsed},
    separator::separator_of,
};

/// How many bytes are read at once.
const CHUNK: usize = 64 * 1024;
/// The beginnings of `.xlsx` and `.ods` files (ZIP), and of `.xls` files.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xD0\xCF\x11\xE0"];

/// The beginnings of files that gzip, bzip2, xz, 7-Zip and RAR have packed.
const PACKED: [&[u8]; 5] = [b"\x1F\x8B", b"BZh", b"\xFD7zXZ", b"7z\xBC\xAF", b"Rar!"];
/// The beginnings of documents: PDF, RTF, and web pages or XML.
const DOCUMENTS: [&[u8]; 3] = [b"%PDF", b"{\\rtf", b"<"];

/// The parser of the file's format. It gets an empty input only at the end of the file.
enum Parser {
    Csv(Box<CsvRows>),
    Json(JsonRows),
}

/// The rows of a file.
pub(super) struct Rows<R> {
    text: Text<R>,
    parser: Parser,
}

/// The text of a file in UTF-8.
struct Text<R> {
    source: R,
    chunk: Box<[u8]>,
    decoder: Decoder,
    decoded: Vec<u8>,
    /// How many bytes of `decoded` are parsed already.
    parsed: usize,
    is_at_end: bool,
    /// How many bytes of the file have been read.
    bytes_read: u64,
}

impl<R: AsyncRead + Unpin> Rows<R> {
    /// Reads the beginning of a file, and finds out its encoding and, in CSV, its separator.
    pub(super) async fn begin(source: R, format: TableFormat, charset: Option<Charset>) -> Result<Self, ImportError> {
        let mut text = Text::begin(source, charset).await?;
        text.refuse_other_formats(format)?;
        let parser = match format {
            TableFormat::Csv => Parser::Csv(Box::new(CsvRows::new(text.separator().await?))),
            TableFormat::JsonLines => Parser::Json(JsonRows::default()),
        };
        Ok(Self { text, parser })
    }

    /// Returns how many bytes of the file have been read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.text.bytes_read
    }

    /// Returns the next row; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<NumberedRow>, ImportError> {
        loop {
            if self.text.unparsed().is_empty() && !self.text.is_at_end {
                self.text.fill().await?;
                continue;
            }
            let (bytes_used, parsed) = match &mut self.parser {
                Parser::Csv(rows) => rows.parse(self.text.unparsed(), self.text.is_at_end)?,
                Parser::Json(rows) => rows.parse(self.text.unparsed()),
            };
            self.text.parsed += bytes_used;
            match parsed {
                Parsed::More if self.text.is_at_end || bytes_used > 0 => {}
                Parsed::More => self.text.fill().await?,
                Parsed::Row(row) => return Ok(Some(*row)),
                Parsed::End => return Ok(None),
            }
        }
    }
}

impl<R: AsyncRead + Unpin> Text<R> {
    /// Reads the beginning of a file. Fails if there is nothing but a byte order mark, or if the file is no text.
    async fn begin(mut source: R, charset: Option<Charset>) -> Result<Self, ImportError> {
        let (mut chunk, mut length) = (vec![0; CHUNK].into_boxed_slice(), 0);
        while length < 4 {
            match source.read(&mut chunk[length..]).await.map_err(ImportError::Unreadable)? {
                0 => break,
                count => length += count,
            }
        }
        let beginning = &chunk[..length];
        let begins_with = |kinds: &[&[u8]]| kinds.iter().any(|kind| beginning.starts_with(kind));
        if begins_with(&WORKBOOKS) {
            return Err(ImportError::Workbook);
        }
        if begins_with(&PACKED) {
            return Err(ImportError::Packed);
        }
        let (mut decoder, mark) = Decoder::of_file(beginning, charset);
        let mut decoded = Vec::with_capacity(CHUNK);
        decoder.decode(&beginning[mark..], false, &mut decoded);
        let bytes_read = length as u64;
        let mut text = Self { source, chunk, decoder, decoded, parsed: 0, is_at_end: false, bytes_read };
        if text.unparsed().is_empty() {
            text.fill().await?;
        }
        if text.unparsed().is_empty() && text.is_at_end { Err(ImportError::Empty) } else { Ok(text) }
    }

    /// Fails if the text begins as no file in this format does.
    fn refuse_other_formats(&self, format: TableFormat) -> Result<(), ImportError> {
        let beginning = self.unparsed().trim_ascii_start();
        if DOCUMENTS.iter().any(|kind| beginning.starts_with(kind)) {
            return Err(ImportError::Document);
        }
        match (format, beginning.first()) {
            (TableFormat::Csv, Some(b'{' | b'[')) => Err(ImportError::JsonAsCsv),
            (TableFormat::JsonLines, Some(b'[')) => Err(ImportError::JsonArray),
            _ => Ok(()),
        }
    }

    /// Reads on until the separator of the cells is told, or until the text is too long for a header.
    async fn separator(&mut self) -> Result<u8, ImportError> {
        loop {
            let is_whole = self.is_at_end || self.decoded.len() >= CHUNK;
            if let Some(separator) = separator_of(self.unparsed(), is_whole) {
                return Ok(separator);
            }
            self.fill().await?;
        }
    }

    fn unparsed(&self) -> &[u8] {
        &self.decoded[self.parsed..]
    }

    /// Reads more bytes and puts their text behind what is not parsed yet.
    async fn fill(&mut self) -> Result<(), ImportError> {
        self.decoded.drain(..self.parsed);
        self.parsed = 0;
        let count = self.source.read(&mut self.chunk).await.map_err(ImportError::Unreadable)?;
        self.bytes_read += count as u64;
        self.is_at_end = count == 0;
        self.decoder.decode(&self.chunk[..count], self.is_at_end, &mut self.decoded);
        Ok(())
    }
}
