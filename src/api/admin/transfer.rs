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
    catalogue::transfer::{
        self, Export, FailedRow, ImportMode, ImportOptions, Report, StockRule, TableFormat, Warning, error::ImportError,
    },
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

/// Which entries an import writes.
#[derive(Debug, Clone, Copy, Default, Enum)]
#[oai(rename = "ImportMode", rename_all = "lowercase")]
enum ModeIn {
    /// New ones and existing ones.
    #[default]
    Upsert,
    /// New ones only. A row that would change its entry fails, and existing parents stay as they are.
    Insert,
    /// Existing ones only. A row that names a new entry fails.
    Update,
}

/// What an import does to the stock of existing products.
#[derive(Debug, Clone, Copy, Default, Enum)]
#[oai(rename = "StockRule", rename_all = "lowercase")]
enum StockIn {
    /// It becomes that of the file.
    #[default]
    Set,
    /// It stays as it is. New products get the stock of the file.
    Keep,
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
    /// A dry run answers the same counts and failures, and changes nothing.
    #[oai(path = "/import", method = "post", operation_id = "importCatalogue")]
    async fn import_catalogue(
        &self,
        staff: Staff,
        /// `true` to only tell what would happen; `false` if left out.
        #[oai(default)]
        dry_run: Query<bool>,
        /// `upsert` if left out.
        #[oai(default)]
        mode: Query<ModeIn>,
        /// `set` if left out.
        #[oai(default)]
        stock: Query<StockIn>,
        mut file: Upload,
    ) -> ApiResult<Json<ImportOut>, ImportError> {
        let options = ImportOptions { mode: mode.0.into(), stock: stock.0.into(), is_dry_run: dry_run.0 };
        match transfer::import(&self.0, Some(&staff.author), file.file(), options, |_| {}).await {
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

impl From<ModeIn> for ImportMode {
    fn from(mode: ModeIn) -> Self {
        match mode {
            ModeIn::Upsert => Self::Upsert,
            ModeIn::Insert => Self::Insert,
            ModeIn::Update => Self::Update,
        }
    }
}

impl From<StockIn> for StockRule {
    fn from(stock: StockIn) -> Self {
        match stock {
            StockIn::Set => Self::Set,
            StockIn::Keep => Self::Keep,
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
    /// A CSV file with the first 1,000 refused rows, up to about a MiB, to correct them and import them again. Cells
    /// behind the last column, and lines that could not be read, stand behind the last column of the file, so that
    /// importing it as it is refuses them again. Left out if there are none.
    #[oai(skip_serializing_if_is_none)]
    failed_rows: Option<String>,
    /// `true` if `failed_rows` lacks some of the refused rows, because they are too many or too long. Left out
    /// otherwise.
    #[oai(skip_serializing_if_is_none)]
    failed_rows_is_cut: Option<bool>,
}

/// A row that was refused.
#[derive(Debug, Object)]
#[oai(rename = "FailedLine")]
struct FailedLineOut {
    /// Line of the file at which the row begins; the first line is 1.
    line: u64,
    /// Name of the column at fault; null if the row as a whole is at fault.
    column: Option<String>,
    /// The first 40 characters in that column; null if there is no such cell.
    value: Option<String>,
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

impl From<FailedRow> for FailedLineOut {
    fn from(FailedRow { line, column, value, error }: FailedRow) -> Self {
        Self { line, column: column.map(str::to_owned), value, error }
    }
}

impl From<Warning> for WarningOut {
    fn from(Warning { line, column, text }: Warning) -> Self {
        Self { line, column: column.to_owned(), text }
    }
}

impl From<Report> for ImportOut {
    fn from(report: Report) -> Self {
        Self {
            inserted: report.inserted,
            updated: report.updated,
            unchanged: report.unchanged,
            failed: report.failed.into_iter().map(FailedLineOut::from).collect(),
            failed_count: report.failed_count,
            warnings: report.warnings.into_iter().map(WarningOut::from).collect(),
            failed_rows: report.failed_rows,
            failed_rows_is_cut: report.failed_rows_is_cut.then_some(true),
        }
    }
}

impl Example for ImportOut {
    fn example() -> Self {
        let (line, column, value) = (7, Some("price".to_owned()), Some("1.005".to_owned()));
        let failed = vec![FailedLineOut { line, column, value, error: "invalid price".to_owned() }];
        let text = "product_code 12 is new, but there is 012 already; a spreadsheet may have dropped its zeros";
        let warnings = vec![WarningOut { line: 9, column: "product_code".to_owned(), text: text.to_owned() }];
        let failed_rows =
            Some("brand_code,model_code,category_code,product_code,price\nTATA,NEXON,BRK,P1,1.005\n".to_owned());
        let (inserted, updated, unchanged, failed_rows_is_cut) = (120, 4, 876, None);
        Self { inserted, updated, unchanged, failed, failed_count: 1, warnings, failed_rows, failed_rows_is_cut }
    }
}

refusals! {
    ImportError {
        codes {
            Empty => InvalidInput,
            Workbook => InvalidInput,
            Packed => InvalidInput,
            Document => InvalidInput,
            JsonAsCsv => InvalidInput,
            JsonArray => InvalidInput,
            Header => InvalidInput,
            Unreadable => InvalidBody,
        }
        causes { Store: StoreError }
    }
}
