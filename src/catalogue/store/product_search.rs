//! The queries of the search in the whole catalogue.
//!
//! Each tier is one query with an index of its own. MongoDB's `$text` alone is not enough: it finds whole words only,
//! reads `-word` as "without this word", and joins several words with "or".

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use bson::{Bson, Document, RawBsonRef, RawDocument, doc};
use mongodb::{IndexModel, options::IndexOptions};

use super::{
    products::{NAME, ProductDoc, Products, Visibility},
    search::{StoredTexts, add_missing_fields, form_index, lacks_form, text_fields},
};
use crate::{
    catalogue::rules::{
        product_list::branch_keys,
        product_search::{
            Order, ProductSearch, ResultPosition, Tier, code_prefix, looks_like_full_code, name_key, text_key, words_of,
        },
    },
    db::{
        StoreError,
        query::{SEARCH_LIMIT, following},
        schema::{Connection, index},
    },
    values::{
        codes::{Code, FullCode},
        text::without_accents,
    },
};

/// The last character of Unicode. Texts that begin with `ab` lie between `ab` and `ab` followed by this character.
const LAST_CHARACTER: char = char::MAX;
/// A text with more words than this is not looked for in the words of names. A name has 120 characters at most, which
/// is 60 words of one letter and the spaces between them.
const MOST_WORDS_OF_A_NAME: usize = 60;

/// A product that was found, and its place among the results.
#[derive(Debug)]
pub struct FoundProduct {
    pub product: ProductDoc,
    /// The next page starts after this place if the product is the last one of its page.
    pub place: ResultPosition,
}

/// A search that is running.
struct RunningSearch<'a> {
    criteria: &'a ProductSearch,
    /// The text as the beginning of a code; `None` if no code can begin like this.
    code_prefix: Option<String>,
    /// The text as the beginning of a [`name_key`].
    name_prefix: String,
    visibility: Visibility,
    deadline: Instant,
}

impl<'a> RunningSearch<'a> {
    fn begin(criteria: &'a ProductSearch, visibility: Visibility) -> Self {
        let text = criteria.text.as_str();
        let deadline = Instant::now() + SEARCH_LIMIT;
        Self { criteria, code_prefix: code_prefix(text), name_prefix: name_key(text), visibility, deadline }
    }

    /// Returns the filter of a tier; `None` if no product can match in it.
    fn tier_filter(&self, tier: Tier) -> Option<Document> {
        let (code_prefix, name_prefix) = (self.code_prefix.as_deref(), &self.name_prefix);
        match tier {
            Tier::FullCode => code_prefix.map(|prefix| doc! { "code": starting_with(prefix) }),
            Tier::OwnCode => code_prefix.map(|prefix| doc! { "own_code": starting_with(prefix) }),
            Tier::NameStart => (!name_prefix.is_empty()).then(|| doc! { "name_key": starting_with(name_prefix) }),
            Tier::NameWords => {
                let words = words_of(name_prefix);
                let may_be_in_name = (1..=MOST_WORDS_OF_A_NAME).contains(&words.len());
                may_be_in_name.then(|| doc! { "words": { "$all": elements_starting_with(&words) } })
            }
            Tier::Description => {
                let text_key = text_key(self.criteria.text.as_str());
                let words = words_of(&text_key);
                (!words.is_empty()).then(|| doc! { "$text": { "$search": quote_each(&words) } })
            }
        }
    }

    /// Returns the time that the next query may take. It is never 0, which the database would read as "no limit".
    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    /// Returns whether the text looks like a product's full code.
    ///
    /// It may also be the beginning of a longer one: `A-B-C-D1` is the beginning of `A-B-C-D12`.
    fn is_for_full_code(&self) -> bool {
        self.code_prefix.as_deref().is_some_and(looks_like_full_code)
    }
}

/// The field by which results are sorted. The id decides between products with equal values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SortField {
    Code,
    OwnCode,
    NameKey,
    Price,
    Id,
}

impl SortField {
    /// Returns the field, and 1 or -1 for the direction in which results are sorted by it.
    fn of(order: Order, tier: Tier) -> (Self, i32) {
        match (order, tier) {
            (Order::Relevance, Tier::FullCode | Tier::Description) => (Self::Code, 1),
            (Order::Relevance, Tier::OwnCode) => (Self::OwnCode, 1),
            (Order::Relevance, Tier::NameStart | Tier::NameWords) => (Self::NameKey, 1),
            (Order::LowestPrice, _) => (Self::Price, 1),
            (Order::HighestPrice, _) => (Self::Price, -1),
            (Order::Newest, _) => (Self::Id, -1),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::OwnCode => "own_code",
            Self::NameKey => "name_key",
            Self::Price => "price",
            Self::Id => "_id",
        }
    }

    /// Returns whether two products never have the same value, so that the id is not needed.
    fn is_unique(self) -> bool {
        matches!(self, Self::Code | Self::Id)
    }

    fn sort(self, direction: i32) -> Document {
        if self.is_unique() {
            return doc! { self.name(): direction };
        }
        doc! { self.name(): direction, "_id": direction }
    }

    /// Returns the filter for the products that follow a place.
    fn filter_after(self, direction: i32, place: &ResultPosition) -> Document {
        let value = match self {
            Self::Id => place.id.into(),
            // The cursor was sealed by this server, and in this order it always holds a price.
            Self::Price => place.sort_value.parse::<i64>().unwrap_or_default().into(),
            Self::Code | Self::OwnCode | Self::NameKey => Bson::from(place.sort_value.as_str()),
        };
        if self.is_unique() {
            return doc! { self.name(): { if direction < 0 { "$lt" } else { "$gt" }: value } };
        }
        following(self.name(), direction, &value, place.id.into())
    }

    /// Returns the stored value of this field as a cursor holds it; an empty text for the id.
    ///
    /// It is not computed from the product's name: another program may have changed the name without the key.
    fn value_in(self, product: &RawDocument) -> String {
        match product.get(self.name()) {
            Ok(Some(RawBsonRef::String(text))) => text.to_owned(),
            Ok(Some(RawBsonRef::Int64(price))) => price.to_string(),
            _ => String::new(),
        }
    }
}

/// Returns the indexes that the search needs.
pub(in crate::catalogue) fn search_indexes() -> Vec<IndexModel> {
    // Without a language, words are not reduced to their stems and common words such as "the" are found as well.
    let text_options = IndexOptions::builder().name("text".to_owned()).default_language("none".to_owned());
    let text_index = IndexModel::builder().keys(doc! { "name": "text", "description": "text" });
    vec![
        index("own_code", doc! { "own_code": 1, "_id": 1 }),
        index("name_key", doc! { "name_key": 1, "_id": 1 }),
        index("words", doc! { "words": 1 }),
        form_index(),
        text_index.options(text_options.language_override("text_language".to_owned()).build()).build(),
    ]
}

/// Returns the fields by which a product is found in the whole catalogue, below its category, and in the lists of staff.
pub(in crate::catalogue) fn search_fields(product: &ProductDoc) -> Document {
    let ProductDoc { name, own_code, description, code, offer, .. } = product;
    let mut fields = name_fields(name.as_str());
    fields.extend(text_fields([name.as_str(), own_code.as_str(), description.as_str()]));
    fields.extend(list_fields(code, offer.is_some()));
    fields
}

/// Returns the fields by which a product with this name is found and sorted. Its words are stored with and without
/// accents.
fn name_fields(name: &str) -> Document {
    let (key, plain) = (name_key(name), without_accents(name));
    let words: BTreeSet<&str> = words_of(&key).into_iter().chain(words_of(&plain)).collect();
    doc! { "words": words.into_iter().collect::<Vec<_>>(), "name_key": &key, "name_order": &plain }
}

/// Returns the fields by which staff choose products.
fn list_fields(code: &FullCode, has_offer: bool) -> Document {
    doc! { "branches": branch_keys(code), "has_offer": has_offer }
}

impl Products {
    /// Returns up to `limit` products that match, after a place among the results.
    ///
    /// Fails with [`StoreError::OutOfTime`] if all queries together take the database longer than two seconds.
    pub(in crate::catalogue) async fn search(
        &self,
        criteria: &ProductSearch,
        after: Option<&ResultPosition>,
        limit: usize,
        visibility: Visibility,
    ) -> Result<Vec<FoundProduct>, StoreError> {
        let search = RunningSearch::begin(criteria, visibility);
        if criteria.order == Order::Relevance {
            self.search_tier_by_tier(&search, after, limit).await
        } else {
            self.search_all_tiers(&search, after, limit).await
        }
    }

    /// Searches one tier after the other until there are enough results.
    async fn search_tier_by_tier(
        &self,
        search: &RunningSearch<'_>,
        after: Option<&ResultPosition>,
        limit: usize,
    ) -> Result<Vec<FoundProduct>, StoreError> {
        let (mut found, mut not_in_earlier_tiers) = (Vec::new(), Vec::new());
        for tier in Tier::ALL {
            let Some(filter) = search.tier_filter(tier) else { continue };
            // A product that matches in an earlier tier was shown there and is left out here.
            let conditions = not_in_earlier_tiers.iter().cloned().chain([filter.clone()]).collect();
            not_in_earlier_tiers.push(doc! { "$nor": [filter] });
            if after.is_some_and(|place| place.tier > tier) {
                continue;
            }
            let after_in_tier = after.filter(|place| place.tier == tier);
            found.extend(self.find(search, tier, conditions, after_in_tier, limit - found.len()).await?);
            let is_full_code =
                tier == Tier::FullCode && search.is_for_full_code() && (after_in_tier.is_some() || !found.is_empty());
            if is_full_code || found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    /// Searches all tiers in one query, in an order that does not depend on the tier.
    ///
    /// If the text looks like a full code and codes begin with it, only those products are returned.
    async fn search_all_tiers(
        &self,
        search: &RunningSearch<'_>,
        after: Option<&ResultPosition>,
        limit: usize,
    ) -> Result<Vec<FoundProduct>, StoreError> {
        let may_be_full_code = search.is_for_full_code() && after.is_none_or(|place| place.tier == Tier::FullCode);
        if let Some(filter) = search.tier_filter(Tier::FullCode).filter(|_| may_be_full_code) {
            let found = self.find(search, Tier::FullCode, vec![filter], after, limit).await?;
            if after.is_some() || !found.is_empty() {
                return Ok(found);
            }
        }
        let filters: Vec<Document> = Tier::ALL.into_iter().filter_map(|tier| search.tier_filter(tier)).collect();
        if filters.is_empty() {
            return Ok(Vec::new());
        }
        self.find(search, Tier::Description, vec![doc! { "$or": filters }], after, limit).await
    }

    /// Runs one query and remembers the place of each product that it finds.
    async fn find(
        &self,
        search: &RunningSearch<'_>,
        tier: Tier,
        mut conditions: Vec<Document>,
        after: Option<&ResultPosition>,
        limit: usize,
    ) -> Result<Vec<FoundProduct>, StoreError> {
        let (sort_field, direction) = SortField::of(search.criteria.order, tier);
        conditions.extend(criteria_filters(search.criteria));
        conditions.extend(after.map(|place| sort_field.filter_after(direction, place)));
        let filter = search.visibility.restrict(doc! { "$and": conditions });
        let query = self.docs.find(filter).sort(sort_field.sort(direction));
        let mut cursor = query.limit(i64::try_from(limit).unwrap_or(i64::MAX)).max_time(search.time_left()).await?;
        let mut found = Vec::with_capacity(limit);
        while cursor.advance().await? {
            let product = cursor.deserialize_current()?;
            let sort_value = sort_field.value_in(cursor.current());
            found.push(FoundProduct { place: ResultPosition { tier, sort_value, id: product.id }, product });
        }
        Ok(found)
    }
}

/// Adds the search fields to products that were stored without them, by an older version or by another program.
pub(super) async fn add_missing_search_fields(connection: &Connection) -> Result<(), StoreError> {
    let lacks_keys = [doc! { "name_key": null }, doc! { "words": null }];
    let lacks = lacks_keys.into_iter().chain(lacks_form()).chain(mistakes_offer()).collect();
    let fields_of = |product: &StoredTexts| {
        let mut fields = name_fields(product.name());
        fields.extend(product.text_fields());
        if let Some(code) = product.code() {
            fields.extend(list_fields(&FullCode::read(code), product.has_offer()));
        }
        fields
    };
    add_missing_fields(connection, NAME, lacks, fields_of).await
}

/// Returns conditions of which products match one whose `has_offer` is missing or wrong. Each has an index by which only
/// such products are read.
fn mistakes_offer() -> [Document; 3] {
    let any = doc! { "$in": [false, true] };
    [
        doc! { "is_active": any, "has_offer": null },
        doc! { "has_offer": true, "offer.to": null, "offer": { "$not": { "$type": "object" } } },
        doc! { "offer.to": { "$exists": true }, "has_offer": { "$ne": true } },
    ]
}

pub(super) fn starting_with(text: &str) -> Document {
    doc! { "$gte": text, "$lt": format!("{text}{LAST_CHARACTER}") }
}

/// Returns one condition for each word: an element of a list begins with it.
fn elements_starting_with(words: &[&str]) -> Vec<Document> {
    words.iter().map(|word| doc! { "$elemMatch": starting_with(word) }).collect()
}

/// Returns a search text for `$text` with each word in quotes.
///
/// A product must then contain every word, also as a part of a longer word. `$text` finds only products that have at
/// least one of them as a whole word.
fn quote_each(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")
}

/// Returns the filters for everything except the text.
fn criteria_filters(criteria: &ProductSearch) -> Vec<Document> {
    let ProductSearch { brand, model, category, min_price, max_price, in_stock, .. } = criteria;
    let mut filters = Vec::new();
    if brand.is_some() || model.is_some() || category.is_some() {
        filters.push(parent_in([brand, model, category]));
    }
    filters.extend(min_price.map(|price| doc! { "price": { "$gte": price.minor() } }));
    filters.extend(max_price.map(|price| doc! { "price": { "$lte": price.minor() } }));
    filters.extend(in_stock.map(stocked));
    filters
}

/// Returns the condition for products below branches with these own codes, of brand, model and category. Each of them
/// may be any.
pub(super) fn parent_in(own_codes: [&Option<Code>; 3]) -> Document {
    // Codes of branches hold only letters and digits, so nothing in them has a special meaning in the pattern.
    let parts = own_codes.map(|code| code.as_ref().map_or("[^-]+", Code::as_str));
    doc! { "parent": { "$regex": format!("^{}$", parts.join("-")) } }
}

/// Returns the condition for products that are in stock, or for those that are out of stock.
pub(super) fn stocked(in_stock: bool) -> Document {
    if in_stock {
        doc! { "stock": { "$gt": 0_i64 } }
    } else {
        sold_out()
    }
}

/// Returns the condition for products that are out of stock. The indexes `sold_out_*` have exactly these.
pub(super) fn sold_out() -> Document {
    doc! { "stock": { "$lte": 0_i64 } }
}
