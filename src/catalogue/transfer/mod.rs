//! The whole catalogue as a file, out and in again. A row is an entry with the columns of its parents; a product's row
//! holds four levels, and only a parent without children has a row of its own.
//!
//! `rows.rs` says which columns there are, `write.rs`, `csv.rs` and `jsonl.rs` how rows become bytes and bytes rows,
//! `check.rs` what a row must be like, `merge.rs` and `said.rs` what it makes of the entries that are there.

mod check;
mod csv;
pub mod error;
mod export;
mod import;
mod jsonl;
mod merge;
mod reader;
#[cfg(test)]
mod round_trip;
mod rows;
mod said;
mod write;

pub use self::{
    export::Export,
    import::{Report, import},
};

/// How rows stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, with a header, and LF at the ends of lines.
    Csv,
    /// A JSON object a line.
    JsonLines,
}

impl Format {
    /// The type of a file in this format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::JsonLines => "application/x-ndjson",
        }
    }

    /// What names of files in this format end with.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// The format of a file with this content type, whatever parameters it has.
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "text/csv" => Some(Self::Csv),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Self::JsonLines),
            _ => None,
        }
    }

    /// The format of a file with this name.
    pub fn of_file_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_type_or_name() {
        assert_eq!(Format::of_content_type("Text/CSV; charset=utf-8"), Some(Format::Csv));
        assert_eq!(Format::of_content_type("application/x-ndjson"), Some(Format::JsonLines));
        assert_eq!(Format::of_content_type("application/json"), None);
        assert_eq!(Format::of_file_name("Parts.CSV"), Some(Format::Csv));
        assert_eq!(Format::of_file_name("a.b.ndjson"), Some(Format::JsonLines));
        assert_eq!(Format::of_file_name("csv"), None);
    }
}
