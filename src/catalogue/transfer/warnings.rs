//! Warnings of an import: things that are stored, but probably not as they were meant.

use std::collections::BTreeSet;

use super::{check::DesiredRow, merge::CheckedRow, rows::Column};
use crate::values::{tree_level::TreeLevel, url::ImageUrl};

/// How many warnings a report lists.
const MOST_LISTED: usize = 1_000;

/// A row that was imported, and what is odd about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// The number of the line in which the row begins; the first line of the file is 1.
    pub line: u64,
    /// The name of the column.
    pub column: &'static str,
    /// A sentence that tells what is odd.
    pub text: String,
}

/// The warnings of an import. A URL that many rows repeat is told once for each column.
#[derive(Default)]
pub(super) struct Warnings {
    listed: Vec<Warning>,
    told: BTreeSet<(&'static str, String)>,
}

impl Warnings {
    /// Adds a warning. Adds none above 1,000.
    pub(super) fn add(&mut self, warning: Warning) {
        if self.listed.len() < MOST_LISTED {
            self.listed.push(warning);
        }
    }

    /// Adds a warning for each URL of a row that is among `missing`, but not for those that are not stored because
    /// their entry is left alone. Adds none above 1,000.
    pub(super) fn add_missing_images(
        &mut self,
        row: &CheckedRow,
        missing: &BTreeSet<String>,
        ignored: &BTreeSet<(u64, String)>,
    ) {
        let line = row.number;
        for (column, url) in image_urls(&row.desired).filter(|(_, url)| missing.contains(url.as_str())) {
            if ignored.contains(&(line, url.to_string())) {
                continue;
            }
            if self.listed.len() < MOST_LISTED && self.told.insert((column, url.to_string())) {
                let text = "there is no image at this URL; it is stored all the same".to_owned();
                self.listed.push(Warning { line, column, text });
            }
        }
    }

    /// Returns the warnings, sorted by line.
    pub(super) fn into_sorted(mut self) -> Vec<Warning> {
        self.listed.sort();
        self.listed
    }
}

/// Returns the URLs of images that a row has, with the names of their columns.
pub(super) fn image_urls(row: &DesiredRow) -> impl Iterator<Item = (&'static str, &ImageUrl)> {
    let branches = row.branches.iter().filter_map(|branch| Some((column_of(branch.level), branch.image_url.as_ref()?)));
    let product =
        row.product.iter().filter_map(|product| Some((column_of(TreeLevel::Product), product.image_url.as_ref()?)));
    branches.chain(product)
}

fn column_of(level: TreeLevel) -> &'static str {
    let column = match level {
        TreeLevel::Brand => Column::BrandImageUrl,
        TreeLevel::Model => Column::ModelImageUrl,
        TreeLevel::Category => Column::CategoryImageUrl,
        TreeLevel::Product => Column::ImageUrl,
    };
    column.name()
}
