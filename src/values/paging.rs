//! Pages of lists.
//!
//! To know whether a page is the last one, a query asks for one entry more than the page holds ([`Slice::probe`]).
//! [`Page::of`] drops that entry again.

/// The part of a list that a caller asks for.
#[derive(Debug, Clone, Copy)]
pub struct Slice<Place> {
    /// The place where the previous page ended, mostly the id of its last entry; `None` for the first page.
    pub after: Option<Place>,
    /// The most entries that the page may hold, 1 to 100.
    pub limit: usize,
}

impl<Place> Slice<Place> {
    /// Returns the limit for the query: one more than the page may hold.
    pub fn probe(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX - 1) + 1
    }
}

/// The number of entries on all pages of a list together. Counting reads one key for each entry, so it ends at
/// [`Total::MOST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// The number of entries, at most [`Total::MOST`].
    pub entries: u64,
    /// Whether there are more entries.
    pub is_capped: bool,
}

impl Total {
    /// The most entries that are counted.
    pub const MOST: u64 = 10_000;

    /// Creates the total from the result of a count that ends at one more than [`Total::MOST`].
    pub fn of(counted: u64) -> Self {
        Self { entries: counted.min(Self::MOST), is_capped: counted > Self::MOST }
    }
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The entries, in the order of the list.
    pub items: Vec<T>,
    /// Whether there is a next page.
    pub more: bool,
}

impl<T> Page<T> {
    /// Creates a page of the first `limit` of `items`. If there are more than `limit`, there is a next page.
    pub fn of(mut items: Vec<T>, limit: usize) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        Self { items, more }
    }
}
