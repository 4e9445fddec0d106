//! `/api/admin/export/` and `/api/admin/import/`: the whole catalogue as a file.

use std::sync::Arc;

use poem_openapi::{Enum, Object, OpenApi, param::Query, payload::Json, types::Example};

use super::catalogue_file::{Download, Upload};
use crate::{
    api::{
        Group,
        access::Staff,
        error::{ApiError, ApiResult, ErrorCode, Refusal},
    },
    app::App,
    catalogue::transfer::{self, Export, Format, Report, error::ImportError},
};

/// The handlers.
pub struct TransferApi {
    app: Arc<App>,
}

/// How rows stand in a file.
#[derive(Debug, Clone, Copy, Default, Enum)]
#[oai(rename = "FileFormat", rename_all = "lowercase")]
enum FormatIn {
    /// Comma-separated, with a header.
    #[default]
    Csv,
    /// A JSON object a line.
    Jsonl,
}

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl TransferApi {
    /// Export the catalogue
    ///
    /// One row a product, with the columns of its brand, model and category, sorted by full code; a parent without
    /// children has a row whose lower columns are empty. All rows show the same moment. Hidden products and offers are
    /// included.
    #[oai(path = "/export", method = "get", operation_id = "exportCatalogue")]
    async fn export_catalogue(
        &self,
        _staff: Staff,
        /// `csv` when left out.
        #[oai(default)]
        format: Query<FormatIn>,
    ) -> ApiResult<Download> {
        let export = Export::begin(&self.app, format.0.into()).await.map_err(ApiError::from)?;
        Ok(Download::of(export, &self.app.tasks))
    }

    /// Import a catalogue
    ///
    /// Inserts what is new and changes what is different, by full code; what the file doesn't mention stays, and so does
    /// what a missing column would say. A bad line is told and loses no other. Importing an export changes nothing.
    #[oai(path = "/import", method = "post", operation_id = "importCatalogue")]
    async fn import_catalogue(&self, staff: Staff, mut file: Upload) -> ApiResult<Json<ImportOut>, ImportError> {
        let format = file.format;
        let imported = transfer::import(&self.app, Some(&staff.author), &mut file.source, format, |_| {}).await;
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

impl TransferApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

impl From<FormatIn> for Format {
    fn from(format: FormatIn) -> Self {
        match format {
            FormatIn::Csv => Self::Csv,
            FormatIn::Jsonl => Self::JsonLines,
        }
    }
}

/// What became of the rows of a file: each counts once.
#[derive(Debug, Object)]
#[oai(rename = "Imported", example)]
struct ImportOut {
    /// Rows whose entry is new.
    inserted: u64,
    /// Rows that changed their entry or a parent of it.
    updated: u64,
    /// Rows of which all was there already.
    unchanged: u64,
    /// The first 1,000 rows that changed nothing because something is wrong with them.
    failed: Vec<FailedLineOut>,
    /// How many of those there are.
    failed_count: u64,
}

/// A row that changed nothing.
#[derive(Debug, Object)]
#[oai(rename = "FailedLine")]
struct FailedLineOut {
    /// The line of the file where it begins; the first is 1.
    line: u64,
    error: String,
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
        }
    }
}

impl Example for ImportOut {
    fn example() -> Self {
        let failed = vec![FailedLineOut { line: 7, error: "invalid price".to_owned() }];
        Self { inserted: 120, updated: 4, unchanged: 876, failed, failed_count: 1 }
    }
}

impl Refusal for ImportError {
    const CODES: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::InvalidBody];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Empty | Self::Header(_) => ApiError::new(ErrorCode::InvalidInput, text),
            Self::Unreadable(_) => ApiError::new(ErrorCode::InvalidBody, text),
            Self::Store(error) => error.into(),
        }
    }
}
