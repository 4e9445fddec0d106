//! Imports a file into the catalogue, in batches.

use std::{collections::BTreeSet, sync::Arc};

use tokio::io::AsyncRead;

use super::{
    TableFile,
    check::check_row,
    error::ImportError,
    failed_rows::FailedRows,
    fault::{FailedRow, Fault},
    merge::{CheckedRow, Effect, MergeOutcome, Merging, codes_of, merge_rows},
    options::ImportOptions,
    parent_claims::ParentClaims,
    reader::Rows,
    rehearsal::Rehearsal,
    repeats::Repeats,
    rows::{NumberedRow, Row},
    warnings::{Warning, Warnings, image_urls},
};
use crate::{
    app::App, audits::Trail, catalogue::store::tree::FoundEntries, db::StoreError, images, values::author::Author,
};

/// How many rows are written in one transaction.
const BATCH: usize = 500;
/// A batch of long rows ends earlier, at this many bytes. Writing it takes several times as much memory.
const BATCH_BYTES: usize = 1024 * 1024;
/// How many failed rows a report lists.
const MOST_LISTED: usize = 1_000;
/// How often writing a single row is tried if somebody else inserts the same entry at the same moment.
const ATTEMPTS: usize = 3;

/// The outcome of an import.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Rows whose entry was inserted.
    pub inserted: u64,
    /// Rows that changed their entry or a parent of it.
    pub updated: u64,
    /// Rows that changed nothing, because everything was like this already.
    pub unchanged: u64,
    /// Up to 1,000 of the rows that failed, sorted by line.
    pub failed: Vec<FailedRow>,
    /// How many rows failed, including those that are not listed.
    pub failed_count: u64,
    /// Up to 1,000 warnings about rows that were imported, sorted by line.
    pub warnings: Vec<Warning>,
    /// A CSV file of the failed rows, up to about a MiB; `None` if there are none.
    pub failed_rows: Option<String>,
    /// Whether `failed_rows` lacks some of the rows that failed.
    pub failed_rows_is_cut: bool,
}

/// Brings the catalogue into the state that a file describes. Entries that the file does not mention stay.
///
/// A bad row is reported and does not affect the others. Importing a file again changes nothing, as long as no two of
/// its rows describe the same product. After each batch, `progress` is called with the number of bytes that have been
/// read so far. A dry run reports the same counts and failures, and changes nothing.
pub async fn import(
    app: &App,
    author: Option<&Author>,
    source: TableFile<impl AsyncRead + Unpin>,
    options: ImportOptions,
    progress: impl Fn(u64),
) -> Result<Report, ImportError> {
    let TableFile { source, format, charset } = source;
    let mut rows = Rows::begin(source, format, charset).await?;
    let mut import = RunningImport::new(app, author, options);
    let (mut batch, mut batch_bytes) = (Vec::new(), 0);
    while let Some(NumberedRow { number, row, fault }) = rows.next().await? {
        match fault.map_or_else(|| check_row(&row), Err) {
            Ok(desired) => {
                let desired = desired.with_stored_urls(&app.config.shop.public_url);
                batch_bytes += row.size();
                batch.push(CheckedRow { number, row, desired });
            }
            Err(fault) => import.report_failure(number, &row, fault),
        }
        if batch.len() == BATCH || batch_bytes >= BATCH_BYTES {
            batch_bytes = 0;
            import.write_batch(std::mem::take(&mut batch)).await?;
            progress(rows.bytes_read());
        }
    }
    import.write_batch(batch).await?;
    progress(rows.bytes_read());
    Ok(import.end())
}

struct RunningImport<'a> {
    app: &'a App,
    author: Option<&'a Author>,
    options: ImportOptions,
    /// What the rows that were written say about parents.
    claims: Arc<ParentClaims>,
    /// What earlier rows would have written, in a dry run.
    rehearsal: Rehearsal,
    report: Report,
    warnings: Warnings,
    /// The products of the rows that were written.
    repeats: Repeats,
    failed_rows: FailedRows,
}

impl<'a> RunningImport<'a> {
    fn new(app: &'a App, author: Option<&'a Author>, options: ImportOptions) -> Self {
        Self {
            app,
            author,
            options,
            claims: Arc::default(),
            rehearsal: Rehearsal::default(),
            report: Report::default(),
            warnings: Warnings::default(),
            repeats: Repeats::default(),
            failed_rows: FailedRows::default(),
        }
    }

    fn end(self) -> Report {
        let mut report = self.report;
        report.failed.sort();
        report.warnings = self.warnings.into_sorted();
        report.failed_rows_is_cut = self.failed_rows.is_cut;
        report.failed_rows = self.failed_rows.into_csv();
        report
    }

    /// Writes a batch in one transaction. If that fails, writes its rows one by one, so that one row cannot fail the
    /// others.
    ///
    /// Returns an error only if further rows would fail as well, for example because the database is unavailable.
    async fn write_batch(&mut self, batch: Vec<CheckedRow>) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        if self.options.is_dry_run {
            return self.rehearse(&batch).await;
        }
        let rows = Arc::new(batch);
        match self.try_to_write(&rows).await {
            Ok(outcome) => self.report_outcome(&rows, outcome),
            Err(error) if error.concerns_all() => return Err(error),
            Err(_) => {
                for row in rows.iter() {
                    self.write_row(row.clone()).await?;
                }
            }
        }
        Ok(())
    }

    /// Reports what writing a batch would do.
    async fn rehearse(&mut self, rows: &[CheckedRow]) -> Result<(), StoreError> {
        let found = self.app.store.tree.find_at_once(&codes_of(rows)).await?;
        let merging = Merging { found: &found, options: self.options, now: self.app.trail(self.author).now };
        let outcome = self.rehearsal.merge_rows(&merging, rows, &self.claims);
        let gone = images::gone(self.app, &outcome.new_urls).await?;
        self.warn_of_images(rows, &outcome, gone).await;
        self.report_outcome(rows, outcome);
        Ok(())
    }

    /// Writes one row in a transaction of its own and reports it, also if it fails.
    async fn write_row(&mut self, row: CheckedRow) -> Result<(), StoreError> {
        let rows = Arc::new(vec![row]);
        for attempt in 1.. {
            match self.try_to_write(&rows).await {
                Ok(outcome) => {
                    self.report_outcome(&rows, outcome);
                    break;
                }
                Err(error) if error.concerns_all() => return Err(error),
                // Somebody else has inserted the entry in the meantime. The next attempt will find and change it.
                Err(StoreError::Duplicate) if attempt < ATTEMPTS => {}
                Err(error) => {
                    self.report_refusal(&rows[0], &error);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Reports a row that the database has refused.
    fn report_refusal(&mut self, row: &CheckedRow, error: &StoreError) {
        let text = match error {
            StoreError::Duplicate | StoreError::Contended => error.to_string(),
            _ => {
                tracing::error!(line = row.number, cause = %error, "a row can't be imported");
                "the row can't be stored".to_owned()
            }
        };
        self.report_failure(row.number, &row.row, Fault::of_row(text));
    }

    /// Writes rows in one transaction and tells the cache of the changes.
    async fn try_to_write(&mut self, checked_rows: &Arc<Vec<CheckedRow>>) -> Result<MergeOutcome, StoreError> {
        let trail: Trail = self.app.trail(self.author);
        let codes = codes_of(checked_rows);
        let (rows, claims) = (Arc::clone(checked_rows), Arc::clone(&self.claims));
        let (options, now) = (self.options, trail.now);
        let merge = move |found: &mut FoundEntries| merge_rows(found, &rows, &claims, options, now);
        let written = self.app.store.tree.import(&codes, merge, &trail).await?;
        written.changed_parts.iter().for_each(|part| self.app.catalogue.mark_changed(part));
        self.warn_of_images(checked_rows, &written.merged, written.gone_images).await;
        Ok(written.merged)
    }

    /// Adds warnings about images that rows name and that don't exist. `gone` are those that are removed.
    async fn warn_of_images(&mut self, rows: &[CheckedRow], outcome: &MergeOutcome, gone: BTreeSet<String>) {
        let urls = rows.iter().flat_map(|row| image_urls(&row.desired)).map(|(_, url)| url);
        let mut missing = images::missing(self.app, urls).await;
        missing.extend(gone);
        if missing.is_empty() {
            return;
        }
        for (row, effect) in rows.iter().zip(&outcome.rows) {
            if effect.is_ok() {
                self.warnings.add_missing_images(row, &missing, &outcome.ignored_urls);
            }
        }
    }

    /// Adds the outcome of rows to the report and remembers what they say about parents.
    fn report_outcome(&mut self, rows: &[CheckedRow], outcome: MergeOutcome) {
        for (row, effect) in rows.iter().zip(outcome.rows) {
            if effect.is_ok() {
                self.repeats.warning(row).into_iter().for_each(|warning| self.warnings.add(warning));
            }
            match effect {
                Ok(Effect::Inserts) => self.report.inserted += 1,
                Ok(Effect::Updates) => self.report.updated += 1,
                Ok(Effect::Nothing) => self.report.unchanged += 1,
                Err(fault) => self.report_failure(row.number, &row.row, fault),
            }
        }
        outcome.warnings.into_iter().for_each(|warning| self.warnings.add(warning));
        // No transaction holds the other reference any more, so `make_mut` does not copy.
        Arc::make_mut(&mut self.claims).add_all(outcome.claims);
    }

    fn report_failure(&mut self, line: u64, row: &Row, fault: Fault) {
        self.report.failed_count += 1;
        if self.report.failed.len() < MOST_LISTED {
            self.report.failed.push(fault.report(line, row));
        }
        self.failed_rows.add(line, row);
    }
}
