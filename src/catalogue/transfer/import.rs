//! Imports a file into the catalogue, in batches.

use std::sync::Arc;

use tokio::io::AsyncRead;

use super::{
    TableFormat,
    check::check,
    error::ImportError,
    merge::{Done, Merged, WantedLine, codes, merge},
    parent_claims::ParentClaims,
    reader::Rows,
    rows::NumberedRow,
};
use crate::{app::App, audits::Trail, catalogue::store::tree::FoundEntries, db::StoreError, values::author::Author};

/// How many rows are written in one transaction.
const BATCH: usize = 500;
/// A batch of long rows ends earlier, at this many bytes. Writing it takes several times as much memory.
const BATCH_BYTES: usize = 1024 * 1024;
/// How many failed rows a report lists.
const TOLD: usize = 1_000;
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
    let mut import = Import { app, author, said: Arc::default(), report: Report::default() };
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while let Some(NumberedRow { number, row }) = rows.next().await? {
        match row.and_then(|row| check(&row).map(|wanted| (wanted, row.size())).map_err(|invalid| invalid.text)) {
            Ok((wanted, size)) => {
                batch.push(WantedLine { number, wanted });
                bytes += size;
            }
            Err(error) => import.fail(number, error),
        }
        if batch.len() == BATCH || bytes >= BATCH_BYTES {
            bytes = 0;
            import.write(std::mem::take(&mut batch)).await?;
            progress(rows.read);
        }
    }
    import.write(batch).await?;
    progress(rows.read);
    import.report.failed.sort();
    Ok(import.report)
}

struct Import<'a> {
    app: &'a App,
    author: Option<&'a Author>,
    said: Arc<ParentClaims>,
    report: Report,
}

impl Import<'_> {
    /// Writes a batch in one transaction. If that fails, writes its rows one by one, so that one row cannot fail the
    /// others.
    ///
    /// Returns an error only if further rows would fail as well, for example because the database is unavailable.
    async fn write(&mut self, lines: Vec<WantedLine>) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let lines = Arc::new(lines);
        match self.try_writing(&lines).await {
            Ok(merged) => self.count(merged),
            Err(error) if error.concerns_all() => return Err(error),
            Err(_) => {
                for line in lines.iter() {
                    self.write_alone(line.clone()).await?;
                }
            }
        }
        Ok(())
    }

    /// Writes one row in a transaction of its own and counts it, also if it fails.
    async fn write_alone(&mut self, line: WantedLine) -> Result<(), StoreError> {
        let (number, line) = (line.number, Arc::new(vec![line]));
        for attempt in 1.. {
            match self.try_writing(&line).await {
                Ok(merged) => {
                    self.count(merged);
                    break;
                }
                Err(error) if error.concerns_all() => return Err(error),
                // Somebody else has inserted the entry in the meantime. The next attempt will find and change it.
                Err(StoreError::Duplicate) if attempt < ATTEMPTS => {}
                Err(error @ (StoreError::Duplicate | StoreError::Contended)) => {
                    self.fail(number, error.to_string());
                    break;
                }
                Err(error) => {
                    tracing::error!(line = number, cause = %error, "a row can't be imported");
                    self.fail(number, "the row can't be stored".to_owned());
                    break;
                }
            }
        }
        Ok(())
    }

    /// Writes rows in one transaction and tells the cache of the changes.
    async fn try_writing(&self, lines: &Arc<Vec<WantedLine>>) -> Result<Merged, StoreError> {
        let trail: Trail = self.app.trail(self.author);
        let (lines, said, now) = (Arc::clone(lines), Arc::clone(&self.said), trail.now);
        let codes = codes(&lines);
        let merge = move |found: &mut FoundEntries| merge(found, &lines, &said, now);
        let (merged, touched) = self.app.store.tree.import(&codes, merge, &trail).await?;
        touched.iter().for_each(|touched| self.app.catalogue.changed(touched));
        Ok(merged)
    }

    /// Adds the outcome of written rows to the report and remembers what they say about parents.
    fn count(&mut self, merged: Merged) {
        for (number, done) in merged.lines {
            match done {
                Ok(Done::Inserted) => self.report.inserted += 1,
                Ok(Done::Updated) => self.report.updated += 1,
                Ok(Done::Unchanged) => self.report.unchanged += 1,
                Err(error) => self.fail(number, error),
            }
        }
        // No transaction holds the other reference any more, so `make_mut` does not copy.
        Arc::make_mut(&mut self.said).learn(merged.said);
    }

    fn fail(&mut self, line: u64, error: String) {
        self.report.failed_count += 1;
        if self.report.failed.len() < TOLD {
            self.report.failed.push(FailedRow { line, error });
        }
    }
}
