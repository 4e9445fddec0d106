//! Notices products that stand in a file twice.

use std::collections::HashMap;

use super::{merge::CheckedRow, rehearsal::key, rows::Column, warnings::Warning};

/// The most products that are remembered. They take about 18 MB.
const MOST_PRODUCTS: usize = 900_000;

/// The products of the rows so far, by digests of their full codes, with the lines in which they stood last.
#[derive(Debug, Default)]
pub(super) struct Repeats(HashMap<u64, u32>);

impl Repeats {
    /// Remembers the product of the next row that is imported. Returns a warning if an earlier row describes it too.
    pub(super) fn warning(&mut self, row: &CheckedRow) -> Option<Warning> {
        let product = row.desired.product.as_ref()?;
        let (code, line) = (key(&product.code), u32::try_from(row.number).ok()?);
        if self.0.len() >= MOST_PRODUCTS && !self.0.contains_key(&code) {
            return None;
        }
        let earlier = self.0.insert(code, line)?;
        let text = format!("{} stands in line {earlier} too; this line counts", product.code);
        Some(Warning { line: row.number, column: Column::ProductCode.name(), text })
    }
}
