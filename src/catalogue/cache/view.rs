//! What answers show, and answers in the form in which they are sent.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;

use super::generations::{Generation, Generations};
use crate::{
    catalogue::rules::{
        product_search::{ProductSearch, ResultPosition},
        search::SearchText,
    },
    values::{codes::FullCode, etag::ETag, gzip, time::Timestamp, tree_level::TreeLevel},
};

/// An answer in the form in which it is sent. Clones share their bytes.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The JSON text.
    pub body: Bytes,
    /// The entity tag of the body, for the header `ETag`.
    pub etag: ETag,
    /// How long ago the answer was known to be current. `None` if it is current now.
    pub age: Option<Duration>,
    /// The instant from which the answer is wrong, because the price of a product that it shows changes by itself then.
    /// `None` if only a change in the catalogue makes it wrong.
    ends_at: Option<Timestamp>,
    /// The body in gzip, once somebody has asked for it; empty if it could not be compressed.
    packed: Arc<OnceLock<Bytes>>,
}

impl Rendered {
    /// Creates a current answer with this body and computes its entity tag. From `ends_at` on, it is wrong.
    pub fn new(body: String, ends_at: Option<Timestamp>) -> Self {
        Self { etag: ETag::of(body.as_bytes()), body: body.into(), age: None, ends_at, packed: Arc::default() }
    }

    /// Returns whether the answer is wrong at the time that `now` returns, which is called only if a time matters.
    pub(super) fn has_ended(&self, now: impl FnOnce() -> Timestamp) -> bool {
        self.ends_at.is_some_and(|end| end <= now())
    }

    /// Returns the same answer with an age, for an answer that may be out of date.
    pub(super) fn with_age(self, age: Duration) -> Self {
        Self { age: Some(age), ..self }
    }

    /// Returns whether the body is long enough to be sent in gzip.
    pub fn is_worth_packing(&self) -> bool {
        self.body.len() >= gzip::SMALLEST
    }

    /// Returns the body in gzip. It is compressed at the first call, for all clones together.
    ///
    /// `None` if the body could not be compressed.
    pub fn packed(&self) -> Option<&Bytes> {
        let packed =
            self.packed.get_or_init(|| gzip::compress(&self.body).unwrap_or_default().into_boxed_slice().into());
        Some(packed).filter(|packed| !packed.is_empty())
    }

    /// Returns the approximate bytes of its texts. The body in gzip is counted as half of the body, whether or not it
    /// was made yet.
    pub(super) fn weight(&self) -> usize {
        let packed_len = if self.is_worth_packing() { self.body.len() / 2 } else { 0 };
        self.body.len() + packed_len + self.etag.bytes().len()
    }
}

/// What an answer shows. Together with a generation it is the key of the copy in memory.
///
/// Answers for staff are never kept, because they may show hidden products.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum View {
    /// The document with this full code.
    One(FullCode),
    /// A page of the children of a parent.
    Page {
        /// The full code of the parent; `None` for the list of brands.
        parent: Option<FullCode>,
        /// Only children that contain this text.
        text: Option<SearchText>,
        /// The id of the last entry of the page before; `None` for the first page.
        after: Option<[u8; 12]>,
        /// The most entries of the page.
        limit: usize,
    },
    /// A page of the results of a search in the whole catalogue.
    Found {
        /// The text, filters and order of the search.
        wanted: Box<ProductSearch>,
        /// Where the page before ended; `None` for the first page.
        after: Option<ResultPosition>,
        /// The most products of the page.
        limit: usize,
    },
}

impl View {
    /// Returns the generation of everything that the answer shows.
    pub(super) fn generation(&self, generations: &Generations) -> Generation {
        match self {
            Self::One(code) => generations.of_document(code),
            Self::Page { parent, .. } => generations.of_children(parent.as_ref(), level_below(parent.as_ref())),
            Self::Found { .. } => generations.of_all_products(),
        }
    }

    /// Returns the approximate bytes of its texts.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::One(code) => code.as_str().len(),
            Self::Page { parent, text, .. } => {
                parent.as_ref().map_or(0, |code| code.as_str().len())
                    + text.as_ref().map_or(0, |text| text.as_str().len())
            }
            Self::Found { wanted, after, .. } => {
                size_of::<ProductSearch>()
                    + wanted.text.as_str().len()
                    + after.as_ref().map_or(0, |place| place.sort_value.len())
            }
        }
    }
}

fn level_below(parent: Option<&FullCode>) -> TreeLevel {
    let Some(parent) = parent else { return TreeLevel::Brand };
    match parent.level() {
        TreeLevel::Brand => TreeLevel::Model,
        TreeLevel::Model => TreeLevel::Category,
        TreeLevel::Category | TreeLevel::Product => TreeLevel::Product,
    }
}
