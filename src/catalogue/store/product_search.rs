//! The queries of the search in the whole catalogue.
//!
//! Each tier is one query with an index of its own. MongoDB's `$text` alone is not enough: it finds whole words only,
//! reads `-word` as "without this word", and joins several words with "or".

use std::time::{Duration, Instant};

use bson::{Bson, Document, RawBsonRef, RawDocument, doc};
use futures_util::TryStreamExt;
use mongodb::{IndexModel, options::IndexOptions};

use super::products::{NAME, ProductDoc, Products, Visibility};
use crate::{
    catalogue::rules::product_search::{
        Order, ProductSearch, ResultPosition, Tier, code_start, is_full_code, name_key, words,
    },
    db::schema::Connection,
    db::{StoreError, bulk, query::SEARCH_LIMIT, schema::index},
    values::codes::Code,
};

/// The last character of Unicode. Texts that begin with `ab` lie between `ab` and `ab` followed by this character.
const LAST: char = char::MAX;
/// A text with more words than this is not looked for in the words of names. A name has 50 characters at most, which is
/// 25 words of one letter and the spaces between them.
const WORDS_OF_A_NAME: usize = 25;
/// How many products get their missing keys in one command.
const BATCH: i64 = 1_000;

/// A product that was found, and its place among the results.
#[derive(Debug)]
pub struct FoundProduct {
    pub product: ProductDoc,
    /// The next page starts after this place if the product is the last one of its page.
    pub place: ResultPosition,
}

/// A search that is running.
struct Search<'a> {
    wanted: &'a ProductSearch,
    /// The text as the beginning of a code; `None` if no code can begin like this.
    code: Option<String>,
    /// The text as the beginning of a name.
    key: String,
    shown: Visibility,
    deadline: Instant,
}

impl<'a> Search<'a> {
    fn new(wanted: &'a ProductSearch, shown: Visibility) -> Self {
        let (code, key) = (code_start(wanted.text.as_str()), name_key(wanted.text.as_str()));
        Self { wanted, code, key, shown, deadline: Instant::now() + SEARCH_LIMIT }
    }

    /// Returns the filter of a tier; `None` if no product can match in it.
    fn matching(&self, tier: Tier) -> Option<Document> {
        let (code, key, words) = (self.code.as_deref(), &self.key, || words(&self.key));
        match tier {
            Tier::FullCode => code.map(|code| doc! { "code": starting_with(code) }),
            Tier::OwnCode => code.map(|code| doc! { "own_code": starting_with(code) }),
            Tier::NameStart => (!key.is_empty()).then(|| doc! { "name_key": starting_with(key) }),
            Tier::NameWords => Some(words())
                .filter(|words| (1..=WORDS_OF_A_NAME).contains(&words.len()))
                .map(|words| doc! { "words": { "$all": all_started(&words) } }),
            Tier::Description => Some(words())
                .filter(|words| !words.is_empty())
                .map(|words| doc! { "$text": { "$search": quoted(&words) } }),
        }
    }

    /// Returns the time that the next query may take. It is never 0, which the database would read as "no limit".
    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    /// Returns whether the text looks like a product's full code.
    ///
    /// It may also be the beginning of a longer one: `A-B-C-D1` is the beginning of `A-B-C-D12`.
    fn is_for_code(&self) -> bool {
        self.code.as_deref().is_some_and(is_full_code)
    }
}

/// The field by which results are sorted. The id decides between products with equal values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Code,
    OwnCode,
    Name,
    Price,
    Id,
}

impl Key {
    /// Returns the field, and 1 or -1 for the direction in which results are sorted by it.
    fn of(order: Order, tier: Tier) -> (Self, i32) {
        match (order, tier) {
            (Order::Relevance, Tier::FullCode | Tier::Description) => (Self::Code, 1),
            (Order::Relevance, Tier::OwnCode) => (Self::OwnCode, 1),
            (Order::Relevance, Tier::NameStart | Tier::NameWords) => (Self::Name, 1),
            (Order::Cheapest, _) => (Self::Price, 1),
            (Order::Dearest, _) => (Self::Price, -1),
            (Order::Newest, _) => (Self::Id, -1),
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::OwnCode => "own_code",
            Self::Name => "name_key",
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
            return doc! { self.field(): direction };
        }
        doc! { self.field(): direction, "_id": direction }
    }

    /// Returns the filter for the products that follow a place.
    ///
    /// Example for names after the place (`pad`, id 7): `name_key > "pad"`, or `name_key == "pad"` and `_id > 7`. The
    /// additional condition `name_key >= "pad"` lets the database start in the middle of the index.
    fn after(self, direction: i32, place: &ResultPosition) -> Document {
        let (beyond, from) = if direction < 0 { ("$lt", "$lte") } else { ("$gt", "$gte") };
        let key = match self {
            Self::Id => place.id.into(),
            // The cursor was sealed by this server, and in this order it always holds a price.
            Self::Price => place.key.parse::<i64>().unwrap_or_default().into(),
            Self::Code | Self::OwnCode | Self::Name => Bson::from(place.key.as_str()),
        };
        if self.is_unique() {
            return doc! { self.field(): { beyond: key } };
        }
        let tied = doc! { self.field(): &key, "_id": { beyond: place.id } };
        doc! { self.field(): { from: &key }, "$or": [{ self.field(): { beyond: key } }, tied] }
    }

    /// Returns the stored value of this field as a cursor holds it; an empty text for the id.
    ///
    /// It is not computed from the product's name: another program may have changed the name without the key.
    fn stored(self, product: &RawDocument) -> String {
        match product.get(self.field()) {
            Ok(Some(RawBsonRef::String(text))) => text.to_owned(),
            Ok(Some(RawBsonRef::Int64(price))) => price.to_string(),
            _ => String::new(),
        }
    }
}

/// Returns the indexes that the search needs.
pub(crate) fn indexes() -> Vec<IndexModel> {
    // Without a language, words are not reduced to their stems and common words such as "the" are found as well.
    let options = IndexOptions::builder().name("text".to_owned()).default_language("none".to_owned());
    let text = IndexModel::builder().keys(doc! { "name": "text", "description": "text" });
    vec![
        index("own_code", doc! { "own_code": 1, "_id": 1 }),
        index("name_key", doc! { "name_key": 1, "_id": 1 }),
        index("words", doc! { "words": 1 }),
        text.options(options.language_override("text_language".to_owned()).build()).build(),
    ]
}

/// Returns the fields by which a product with this name is found.
pub(crate) fn keys(name: &str) -> Document {
    let key = name_key(name);
    doc! { "words": words(&key), "name_key": key }
}

impl Products {
    /// Returns up to `limit` products that match, after a place among the results.
    ///
    /// Fails with [`StoreError::OutOfTime`] if all queries together take the database longer than two seconds.
    pub(in crate::catalogue) async fn search(
        &self,
        wanted: &ProductSearch,
        after: Option<&ResultPosition>,
        limit: usize,
        shown: Visibility,
    ) -> Result<Vec<FoundProduct>, StoreError> {
        let search = Search::new(wanted, shown);
        if wanted.order == Order::Relevance {
            self.ranked(&search, after, limit).await
        } else {
            self.sorted(&search, after, limit).await
        }
    }

    /// Searches one tier after the other until there are enough results.
    async fn ranked(
        &self,
        search: &Search<'_>,
        after: Option<&ResultPosition>,
        limit: usize,
    ) -> Result<Vec<FoundProduct>, StoreError> {
        let (mut found, mut earlier) = (Vec::new(), Vec::new());
        for tier in Tier::ALL {
            let Some(matches) = search.matching(tier) else { continue };
            // A product that matches in an earlier tier was shown there and is left out here.
            let conditions = earlier.iter().cloned().chain([matches.clone()]).collect();
            earlier.push(doc! { "$nor": [matches] });
            if after.is_some_and(|place| place.tier > tier) {
                continue;
            }
            let after = after.filter(|place| place.tier == tier);
            found.extend(self.find(search, tier, conditions, after, limit - found.len()).await?);
            let meant = tier == Tier::FullCode && search.is_for_code() && (after.is_some() || !found.is_empty());
            if meant || found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    /// Searches all tiers in one query, in an order that does not depend on the tier.
    ///
    /// If the text looks like a full code and codes begin with it, only those products are returned.
    async fn sorted(
        &self,
        search: &Search<'_>,
        after: Option<&ResultPosition>,
        limit: usize,
    ) -> Result<Vec<FoundProduct>, StoreError> {
        let codes = search.matching(Tier::FullCode).filter(|_| search.is_for_code());
        if let Some(codes) = codes.filter(|_| after.is_none_or(|place| place.tier == Tier::FullCode)) {
            let found = self.find(search, Tier::FullCode, vec![codes], after, limit).await?;
            if after.is_some() || !found.is_empty() {
                return Ok(found);
            }
        }
        let any: Vec<Document> = Tier::ALL.into_iter().filter_map(|tier| search.matching(tier)).collect();
        if any.is_empty() {
            return Ok(Vec::new());
        }
        self.find(search, Tier::Description, vec![doc! { "$or": any }], after, limit).await
    }

    /// Runs one query and remembers the place of each product that it finds.
    async fn find(
        &self,
        search: &Search<'_>,
        tier: Tier,
        mut conditions: Vec<Document>,
        after: Option<&ResultPosition>,
        limit: usize,
    ) -> Result<Vec<FoundProduct>, StoreError> {
        let (key, direction) = Key::of(search.wanted.order, tier);
        conditions.extend(filters(search.wanted));
        conditions.extend(after.map(|place| key.after(direction, place)));
        let filter = search.shown.among(doc! { "$and": conditions });
        let cursor = self.docs.find(filter).sort(key.sort(direction));
        let mut cursor = cursor.limit(i64::try_from(limit).unwrap_or(i64::MAX)).max_time(search.time_left()).await?;
        let mut found = Vec::with_capacity(limit);
        while cursor.advance().await? {
            let product = cursor.deserialize_current()?;
            found.push(FoundProduct {
                place: ResultPosition { tier, key: key.stored(cursor.current()), id: product.id },
                product,
            });
        }
        Ok(found)
    }
}

/// Adds the keys to products that were stored without them, by an older version or by another program.
pub(super) async fn add_missing_keys(connection: &Connection) -> Result<(), StoreError> {
    let docs = connection.collection::<Keyless>(NAME);
    let keyless = doc! { "$or": [{ "name_key": null }, { "words": null }], "name": { "$type": "string" } };
    let mut after = Bson::MinKey;
    loop {
        let rest = doc! { "$and": [keyless.clone(), { "_id": { "$gt": after } }] };
        let keyless = docs.find(rest).sort(doc! { "_id": 1 }).projection(doc! { "name": 1 }).limit(BATCH);
        let keyless: Vec<Keyless> = keyless.await?.try_collect().await?;
        let Some(last) = keyless.last() else { return Ok(()) };
        after = last.id.clone();
        let updates = keyless.iter().map(Keyless::completed).collect();
        let updated = bulk::update_each(connection, NAME, updates).await?;
        if !updated.errors.is_empty() {
            tracing::warn!(count = updated.errors.len(), "products that break the rules can't be searched for");
        }
    }
}

/// A product without its keys.
#[derive(serde::Deserialize)]
struct Keyless {
    #[serde(rename = "_id")]
    id: Bson,
    name: String,
}

impl Keyless {
    /// Returns the update that adds the keys. It does nothing if the product has got another name in the meantime.
    fn completed(&self) -> Document {
        doc! { "q": { "_id": &self.id, "name": &self.name }, "u": { "$set": keys(&self.name) } }
    }
}

fn starting_with(text: &str) -> Document {
    doc! { "$gte": text, "$lt": format!("{text}{LAST}") }
}

fn all_started(words: &[&str]) -> Vec<Document> {
    words.iter().map(|word| doc! { "$elemMatch": starting_with(word) }).collect()
}

/// Returns a search text for `$text` with each word in quotes.
///
/// A product must then contain every word, also as a part of a longer word. `$text` finds only products that have at
/// least one of them as a whole word.
fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")
}

fn filters(wanted: &ProductSearch) -> Vec<Document> {
    let ProductSearch { brand, model, category, min_price, max_price, in_stock, .. } = wanted;
    let mut filters = Vec::new();
    if brand.is_some() || model.is_some() || category.is_some() {
        let part = |code: &Option<Code>| code.as_ref().map_or_else(|| "[^-]+".to_owned(), ToString::to_string);
        // Codes hold only letters and digits, so nothing in them has a special meaning in a regular expression.
        let pattern = format!("^{}-{}-{}$", part(brand), part(model), part(category));
        filters.push(doc! { "parent": { "$regex": pattern } });
    }
    filters.extend(min_price.map(|price| doc! { "price": { "$gte": price.minor() } }));
    filters.extend(max_price.map(|price| doc! { "price": { "$lte": price.minor() } }));
    filters.extend(in_stock.map(|there| doc! { "stock": if there { doc! { "$gt": 0 } } else { doc! { "$lte": 0 } } }));
    filters
}
