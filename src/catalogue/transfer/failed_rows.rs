//! The rows that failed, as a CSV file that somebody can correct and import again.

use super::{
    rows::{Column, Row},
    write::{write_csv, write_csv_header},
};

/// The most rows that are kept.
const MOST_ROWS: usize = 1_000;
/// The most bytes of memory that the kept rows take.
const MOST_BYTES: usize = 1024 * 1024;

/// The rows that failed, with the numbers of their lines. Rows that can't be kept within the limits are left out.
#[derive(Debug, Default)]
pub(super) struct FailedRows {
    rows: Vec<(u64, Row)>,
    bytes: usize,
    /// Whether a row was left out.
    pub(super) is_cut: bool,
}

impl FailedRows {
    /// Adds a row, if there is room for it and if anything of it could be read.
    pub(super) fn add(&mut self, line: u64, row: &Row) {
        let bytes = row.size();
        if row.is_empty() || self.rows.len() == MOST_ROWS || self.bytes + bytes > MOST_BYTES {
            self.is_cut = true;
            return;
        }
        self.bytes += bytes;
        self.rows.push((line, row.clone()));
    }

    /// Returns a CSV file of the rows in the order of their lines; `None` if there are none.
    ///
    /// It has the columns that at least one row has, because an empty cell does not mean the same as a column that is
    /// left out. What could not be read stands behind the last column, so that importing the file tells it again.
    pub(super) fn into_csv(mut self) -> Option<String> {
        if self.rows.is_empty() {
            return None;
        }
        self.rows.sort_by_key(|(line, _)| *line);
        let is_used = |column: &Column| self.rows.iter().any(|(_, row)| row.get(*column).is_some());
        let columns: Vec<Column> =
            Column::ALL.iter().copied().filter(|column| Column::CODES.contains(column) || is_used(column)).collect();
        let mut file = Vec::with_capacity(self.bytes);
        write_csv_header(&columns, &mut file);
        for (_, row) in &self.rows {
            write_csv(&columns, row, &mut file);
            file.push(b'\n');
        }
        String::from_utf8(file).ok()
    }
}
