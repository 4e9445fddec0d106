//! `/api/admin/export/` and `/api/admin/import/`: export and import of the whole catalogue as a file.

use std::sync::Arc;

use poem_openapi::{Enum, Object, OpenApi, param::Query, payload::Json, types::Example};

use super::catalogue_file::{Download, Upload};
use crate::{
    api::{
        Group,
        access::Staff,
        error::{ApiError, ApiResult, refusals},
    },
    app::App,
    catalogue::transfer::{self, Export, Report, TableFormat, Warning, error::ImportError},
    db::StoreError,
};

/// Handlers of `/api/admin/export/` and `/api/admin/import/`.
pub struct TransferApi(pub Arc<App>);

/// The format of a file.
#[derive(Debug, Clone, Copy, Default, Enum)]
#[oai(rename = "FileFormat", rename_all = "lowercase")]
enum FormatIn {
    /// Comma-separated values with a header line.
    #[default]
    Csv,
    /// One JSON object per line.
    Jsonl,
}

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl TransferApi {
    /// Exports the catalogue
    ///
    /// The file has one row per product, with the columns of its brand, model and category, sorted by full code. A
    /// brand, model or category without children has a row of its own, in which the columns of lower levels are empty.
    /// All rows show the state at the same moment. Hidden products and offers are included.
    #[oai(path = "/export", method = "get", operation_id = "exportCatalogue")]
    async fn export_catalogue(
        &self,
        _staff: Staff,
        /// `csv` if left out.
        #[oai(default)]
        format: Query<FormatIn>,
    ) -> ApiResult<Download> {
        let export = Export::begin(&self.0, format.0.into()).await.map_err(ApiError::from)?;
        Ok(Download::of(export, &self.0.tasks))
    }

    /// Imports a catalogue
    ///
    /// Finds the entry of a row by its full code. Inserts entries that are new, and changes those that differ. Entries
    /// that the file does not mention stay as they are, and so do values whose columns the file does not have. A row
    /// with an error is reported, and the other rows are still imported. Importing an export again changes nothing.
    #[oai(path = "/import", method = "post", operation_id = "importCatalogue")]
    async fn import_catalogue(&self, staff: Staff, mut file: Upload) -> ApiResult<Json<ImportOut>, ImportError> {
        let format = file.format;
        let imported = transfer::import(&self.0, Some(&staff.author), &mut file.source, format, |_| {}).await;
        match imported {
            Ok(report) => Ok(Json(report.into())),
            Err(ImportError::Unreadable(_)) => Err(file.unreadable().into()),
            Err(refusal) => {
                file.drain().await;
                Err(refusal.into())
            }
        }
    }
}

impl From<FormatIn> for TableFormat {
    fn from(format: FormatIn) -> Self {
        match format {
            FormatIn::Csv => Self::Csv,
            FormatIn::Jsonl => Self::JsonLines,
        }
    }
}

/// The result of an import. Each row of the file counts once.
#[derive(Debug, Object)]
#[oai(rename = "Imported", example)]
struct ImportOut {
    /// Number of rows whose entry was inserted.
    inserted: u64,
    /// Number of rows that changed their entry or one of its parents.
    updated: u64,
    /// Number of rows that changed nothing, because the catalogue had the same values already.
    unchanged: u64,
    /// The first 1,000 rows that were refused because of an error in them.
    failed: Vec<FailedLineOut>,
    /// Number of all refused rows.
    failed_count: u64,
    /// Up to 1,000 warnings about rows that were imported, such as a URL below `/media/` at which there is no image. A
    /// URL that many rows repeat is told once for each column.
    warnings: Vec<WarningOut>,
}

/// A row that was refused.
#[derive(Debug, Object)]
#[oai(rename = "FailedLine")]
struct FailedLineOut {
    /// Line of the file at which the row begins; the first line is 1.
    line: u64,
    error: String,
}

/// What is odd about a row that was imported.
#[derive(Debug, Object)]
#[oai(rename = "ImportWarning")]
struct WarningOut {
    /// Line of the file at which the row begins; the first line is 1.
    line: u64,
    /// Name of the column.
    column: String,
    text: String,
}

impl From<Warning> for WarningOut {
    fn from(warning: Warning) -> Self {
        Self { line: warning.line, column: warning.column.to_owned(), text: warning.text }
    }
}

impl From<Report> for ImportOut {
    fn from(report: Report) -> Self {
        let failed = report.failed.into_iter().map(|failed| FailedLineOut { line: failed.line, error: failed.error });
        Self {
            inserted: report.inserted,
            updated: report.updated,
            unchanged: report.unchanged,
            failed: failed.collect(),
            failed_count: report.failed_count,
            warnings: report.warnings.into_iter().map(WarningOut::from).collect(),
        }
    }
}

impl Example for ImportOut {
    fn example() -> Self {
        let failed = vec![FailedLineOut { line: 7, error: "invalid price".to_owned() }];
        Self { inserted: 120, updated: 4, unchanged: 876, failed, failed_count: 1, warnings: Vec::new() }
    }
}

refusals! {
    ImportError {
        codes { Empty => InvalidInput, Header => InvalidInput, Unreadable => InvalidBody }
        causes { Store: StoreError }
    }
}
