//! What answers show, and answers as they are sent.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;

use super::generations::{Generation, Generations};
use crate::{
    catalogue::rules::{
        product_search::{Place, ProductSearch},
        search::SearchText,
    },
    values::{codes::FullCode, etag::ETag, gzip, tree_level::TreeLevel},
};

/// An answer as it is sent. Copies share their bytes.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// JSON.
    pub body: Bytes,
    /// What the body is called.
    pub etag: ETag,
    /// How old it may be, where the database couldn't be asked.
    pub age: Option<Duration>,
    /// The body in gzip, once somebody has asked for it; empty where that would save nothing.
    packed: Arc<OnceLock<Bytes>>,
}

impl Rendered {
    /// An answer with this body.
    pub fn new(body: String) -> Self {
        Self { etag: ETag::of(body.as_bytes()), body: body.into(), age: None, packed: Arc::default() }
    }

    /// The same, which may be so old.
    pub(super) fn of_age(self, age: Duration) -> Self {
        Self { age: Some(age), ..self }
    }

    /// Whether the body is long enough for gzip.
    pub fn is_worth_packing(&self) -> bool {
        self.body.len() >= gzip::SMALLEST
    }

    /// The body in gzip; made once for all copies.
    pub fn packed(&self) -> Option<&Bytes> {
        let packed =
            self.packed.get_or_init(|| gzip::compress(&self.body).unwrap_or_default().into_boxed_slice().into());
        Some(packed).filter(|packed| !packed.is_empty())
    }

    /// Bytes of its texts; JSON in gzip is at most half as long.
    pub(super) fn weight(&self) -> usize {
        let packed = if self.is_worth_packing() { self.body.len() / 2 } else { 0 };
        self.body.len() + packed + self.etag.bytes().len()
    }
}

/// What an answer shows to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum View {
    /// The document with a full code.
    One(FullCode),
    /// A page of what is right below a parent.
    Page {
        /// Its full code; `None` for the brands.
        parent: Option<FullCode>,
        /// Only what holds this.
        text: Option<SearchText>,
        /// The last id of the page before.
        after: Option<[u8; 12]>,
        /// How many at most.
        limit: usize,
    },
    /// A page of what was found in the whole catalogue.
    Found {
        /// What was looked for.
        wanted: Box<ProductSearch>,
        /// Where the page before ended.
        after: Option<Place>,
        /// How many at most.
        limit: usize,
    },
}

impl View {
    /// The generation of everything it shows.
    pub(super) fn generation(&self, generations: &Generations) -> Generation {
        match self {
            Self::One(code) => generations.of_document(code),
            Self::Page { parent, .. } => generations.of_children(parent.as_ref(), level_below(parent.as_ref())),
            Self::Found { .. } => generations.of_all_products(),
        }
    }

    /// Bytes of its texts.
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
                    + after.as_ref().map_or(0, |place| place.key.len())
            }
        }
    }
}

fn level_below(parent: Option<&FullCode>) -> TreeLevel {
    match parent.map(FullCode::level) {
        None => TreeLevel::Brand,
        Some(Some(TreeLevel::Brand)) => TreeLevel::Model,
        Some(Some(TreeLevel::Model)) => TreeLevel::Category,
        Some(_) => TreeLevel::Product,
    }
}
