//! Pages of lists.

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Slice<Place> {
    /// Where the page before ended: mostly the id of its last entry.
    pub after: Option<Place>,
    /// 1 to 100.
    pub limit: usize,
}

impl<Place> Slice<Place> {
    /// One more than wanted, to know whether there is a next page.
    pub fn probe(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX - 1) + 1
    }
}

/// One page and whether more follows.
#[derive(Debug)]
pub struct Page<T> {
    /// In order.
    pub items: Vec<T>,
    /// Whether there is a next page.
    pub more: bool,
}

impl<T> Page<T> {
    /// The first `limit` of them.
    pub fn of(mut items: Vec<T>, limit: usize) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        Self { items, more }
    }
}
