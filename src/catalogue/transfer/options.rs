//! What an import may do.

/// What an import may do.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportOptions {
    /// Which entries it writes.
    pub mode: ImportMode,
    /// What happens to the stock of existing products.
    pub stock: StockRule,
    /// Whether it only tells what it would do, and changes nothing.
    pub is_dry_run: bool,
}

/// Which entries an import writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ImportMode {
    /// New ones and existing ones.
    #[default]
    Upsert,
    /// New ones only. A row that would change its entry fails, and existing parents stay as they are.
    Insert,
    /// Existing ones only. A row that names a new entry fails.
    Update,
}

/// What an import does to the stock of existing products. New products always get the stock of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StockRule {
    /// It becomes that of the file.
    #[default]
    Set,
    /// It stays as it is.
    Keep,
}
