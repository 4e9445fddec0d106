//! Imports a file into the catalogue, in batches.

use std::{collections::BTreeSet, sync::Arc};

use tokio::io::AsyncRead;

use super::{
    TableFormat,
    check::check_row,
    error::ImportError,
    merge::{CheckedRow, Effect, MergeOutcome, codes_of, merge_rows},
    parent_claims::ParentClaims,
    reader::Rows,
    rows::NumberedRow,
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
}

/// A row that failed and changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailedRow {
    /// The number of the line in which the row begins; the first line of the file is 1.
    pub line: u64,
    /// A sentence that tells what is wrong with the row.
    pub error: String,
}

/// Brings the catalogue into the state that a file describes. Entries that the file does not mention stay.
///
/// A bad row is reported and does not affect the others. Importing a file again changes nothing, as long as no two of
/// its rows describe the same product. After each batch, `progress` is called with the number of bytes that have been
/// read so far.
pub async fn import(
    app: &App,
    author: Option<&Author>,
    source: impl AsyncRead + Unpin,
    format: TableFormat,
    progress: impl Fn(u64),
) -> Result<Report, ImportError> {
    let mut rows = Rows::begin(source, format).await.map_err(ImportError::Unreadable)?;
    if rows.is_empty() {
        return Err(ImportError::Empty);
    }
    let mut import =
        RunningImport { app, author, claims: Arc::default(), report: Report::default(), warnings: Warnings::default() };
    let (mut batch, mut batch_bytes) = (Vec::new(), 0);
    while let Some(NumberedRow { number, row }) = rows.next().await? {
        match row.and_then(|row| check_row(&row).map(|desired| (desired, row.size())).map_err(|fault| fault.text)) {
            Ok((desired, size)) => {
                let desired = desired.with_stored_urls(&app.config.shop.public_url);
                batch.push(CheckedRow { number, desired });
                batch_bytes += size;
            }
            Err(error) => import.report_failure(number, error),
        }
        if batch.len() == BATCH || batch_bytes >= BATCH_BYTES {
            batch_bytes = 0;
            import.write_batch(std::mem::take(&mut batch)).await?;
            progress(rows.bytes_read);
        }
    }
    import.write_batch(batch).await?;
    progress(rows.bytes_read);
    import.report.failed.sort();
    Ok(Report { warnings: import.warnings.into_sorted(), ..import.report })
}

struct RunningImport<'a> {
    app: &'a App,
    author: Option<&'a Author>,
    /// What the rows that were written say about parents.
    claims: Arc<ParentClaims>,
    report: Report,
    warnings: Warnings,
}

impl RunningImport<'_> {
    /// Writes a batch in one transaction. If that fails, writes its rows one by one, so that one row cannot fail the
    /// others.
    ///
    /// Returns an error only if further rows would fail as well, for example because the database is unavailable.
    async fn write_batch(&mut self, batch: Vec<CheckedRow>) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let rows = Arc::new(batch);
        match self.try_to_write(&rows).await {
            Ok(outcome) => self.report_outcome(outcome),
            Err(error) if error.concerns_all() => return Err(error),
            Err(_) => {
                for row in rows.iter() {
                    self.write_row(row.clone()).await?;
                }
            }
        }
        Ok(())
    }

    /// Writes one row in a transaction of its own and reports it, also if it fails.
    async fn write_row(&mut self, row: CheckedRow) -> Result<(), StoreError> {
        let number = row.number;
        let rows = Arc::new(vec![row]);
        for attempt in 1.. {
            match self.try_to_write(&rows).await {
                Ok(outcome) => {
                    self.report_outcome(outcome);
                    break;
                }
                Err(error) if error.concerns_all() => return Err(error),
                // Somebody else has inserted the entry in the meantime. The next attempt will find and change it.
                Err(StoreError::Duplicate) if attempt < ATTEMPTS => {}
                Err(error @ (StoreError::Duplicate | StoreError::Contended)) => {
                    self.report_failure(number, error.to_string());
                    break;
                }
                Err(error) => {
                    tracing::error!(line = number, cause = %error, "a row can't be imported");
                    self.report_failure(number, "the row can't be stored".to_owned());
                    break;
                }
            }
        }
        Ok(())
    }

    /// Writes rows in one transaction and tells the cache of the changes.
    async fn try_to_write(&mut self, checked_rows: &Arc<Vec<CheckedRow>>) -> Result<MergeOutcome, StoreError> {
        let trail: Trail = self.app.trail(self.author);
        let codes = codes_of(checked_rows);
        let (rows, claims, now) = (Arc::clone(checked_rows), Arc::clone(&self.claims), trail.now);
        let merge = move |found: &mut FoundEntries| merge_rows(found, &rows, &claims, now);
        let written = self.app.store.tree.import(&codes, merge, &trail).await?;
        written.changed_parts.iter().for_each(|part| self.app.catalogue.mark_changed(part));
        self.warn(checked_rows, &written.merged, written.gone_images).await;
        Ok(written.merged)
    }

    /// Adds warnings about images that rows name and that don't exist. `gone` are those that are removed.
    async fn warn(&mut self, rows: &[CheckedRow], outcome: &MergeOutcome, gone: BTreeSet<String>) {
        let urls = rows.iter().flat_map(|row| image_urls(&row.desired)).map(|(_, url)| url);
        let mut missing = images::missing(self.app, urls).await;
        missing.extend(gone);
        if missing.is_empty() {
            return;
        }
        for (row, (_, effect)) in rows.iter().zip(&outcome.rows) {
            if effect.is_ok() {
                self.warnings.add_missing_images(row.number, &row.desired, &missing);
            }
        }
    }

    /// Adds the outcome of written rows to the report and remembers what they say about parents.
    fn report_outcome(&mut self, outcome: MergeOutcome) {
        for (number, effect) in outcome.rows {
            match effect {
                Ok(Effect::Inserts) => self.report.inserted += 1,
                Ok(Effect::Updates) => self.report.updated += 1,
                Ok(Effect::Nothing) => self.report.unchanged += 1,
                Err(error) => self.report_failure(number, error),
            }
        }
        // No transaction holds the other reference any more, so `make_mut` does not copy.
        Arc::make_mut(&mut self.claims).add_all(outcome.claims);
    }

    fn report_failure(&mut self, line: u64, error: String) {
        self.report.failed_count += 1;
        if self.report.failed.len() < MOST_LISTED {
            self.report.failed.push(FailedRow { line, error });
        }
    }
}
