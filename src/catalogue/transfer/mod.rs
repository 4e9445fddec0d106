//! The whole catalogue as a file: export and import.
//!
//! A row is one entry with the columns of its parents. A product's row therefore holds all four levels. A brand, model
//! or category has a row of its own only if it has no children. In this shortened example the second row is such a
//! brand:
//!
//! | brand_code | brand_name | model_code | category_code | product_code | price |
//! |---|---|---|---|---|---|
//! | TATA | Tata Motors | NEXON | BRK | PADF | 2499.00 |
//! | KIA | Kia | | | | |
//!
//! - `rows.rs` lists the columns.
//! - `write.rs` turns rows into bytes; `formulas.rs` keeps spreadsheets from computing texts.
//! - `reader.rs`, `decoding.rs`, `separator.rs`, `records.rs`, `csv.rs` and `jsonl.rs` turn bytes into rows;
//!   `line_ends.rs` counts lines.
//! - `check.rs` checks the values of a row, and `cells.rs` reads them; `garbling.rs`, `code_pages.rs` and
//!   `look_alikes.rs` notice what spreadsheets have broken, and `repeats.rs` which products stand in a file twice.
//! - `merge.rs` and `parent_claims.rs` apply rows to the existing entries; `rehearsal.rs` tells what that would do.
//! - `fault.rs` and `failed_rows.rs` tell which rows failed, `warnings.rs` which ones are odd.

mod cells;
mod check;
mod code_pages;
mod csv;
mod decoding;
pub mod error;
mod export;
mod failed_rows;
mod fault;
mod formulas;
mod garbling;
mod import;
mod jsonl;
mod line_ends;
mod look_alikes;
mod merge;
mod options;
mod parent_claims;
mod reader;
mod records;
mod rehearsal;
mod repeats;
#[cfg(test)]
mod round_trip;
mod rows;
mod separator;
mod warnings;
mod write;

pub use self::{
    decoding::{Charset, UnknownCharset},
    export::Export,
    fault::FailedRow,
    import::{Report, import},
    options::{ImportMode, ImportOptions, StockRule},
    warnings::Warning,
};

use crate::{app::App, db::StoreError};

/// A file to import.
#[derive(Debug)]
pub struct TableFile<R> {
    /// The bytes of the file.
    pub source: R,
    /// The format of the rows.
    pub format: TableFormat,
    /// The encoding, if it is known. A byte order mark is more reliable and counts first.
    pub charset: Option<Charset>,
}

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// CSV (RFC 4180) with a header. Exports begin with a byte order mark, and their lines end with LF.
    Csv,
    /// JSON Lines: one JSON object in each line.
    JsonLines,
}

impl TableFormat {
    /// Returns the media type of a file in this format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::JsonLines => "application/x-ndjson",
        }
    }

    /// Returns the ending of file names in this format, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// Returns the format with this media type, whose parameters are ignored; `None` if there is none.
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "text/csv" => Some(Self::Csv),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Self::JsonLines),
            _ => None,
        }
    }

    /// Returns the format of a file by the ending of its name, in any case; `None` for any other ending.
    pub fn of_file_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// Returns the approximate number of products in an export, for a progress bar.
pub async fn estimated_products(app: &App) -> Result<u64, StoreError> {
    app.store.products.estimated_count().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_type_or_name() {
        assert_eq!(TableFormat::of_content_type("Text/CSV; charset=utf-8"), Some(TableFormat::Csv));
        assert_eq!(TableFormat::of_content_type("application/x-ndjson"), Some(TableFormat::JsonLines));
        assert_eq!(TableFormat::of_content_type("application/json"), None);
        assert_eq!(TableFormat::of_file_name("Parts.CSV"), Some(TableFormat::Csv));
        assert_eq!(TableFormat::of_file_name("a.b.ndjson"), Some(TableFormat::JsonLines));
        assert_eq!(TableFormat::of_file_name("csv"), None);
    }
}
