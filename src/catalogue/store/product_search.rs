//! Finding products in the whole catalogue. Each tier is one query over an index of its own; `$text` alone finds no
//! beginnings of words, takes `-word` for "without" and several words for "or".

use std::time::{Duration, Instant};

use bson::{Bson, Document, RawBsonRef, RawDocument, doc};
use futures_util::TryStreamExt;
use mongodb::{IndexModel, options::IndexOptions};

use super::products::{NAME, ProductDoc, Products, Shown};
use crate::{
    catalogue::rules::product_search::{Order, Place, ProductSearch, Tier, code_start, is_full_code, name_key, words},
    db::schema::Connection,
    db::{StoreError, bulk, query::SEARCH_LIMIT, schema::index},
    values::codes::Code,
};

/// Follows every text that begins like another.
const LAST: char = char::MAX;
/// A name of 50 characters can't have more.
const WORDS_OF_A_NAME: usize = 25;
/// Products whose keys are made at once.
const BATCH: i64 = 1_000;

/// A product that was found, and where it stands among the finds.
#[derive(Debug)]
pub struct Found {
    /// The product.
    pub product: ProductDoc,
    /// Where the next page starts, if this ends one.
    pub place: Place,
}

/// A search under way.
struct Search<'a> {
    wanted: &'a ProductSearch,
    /// The text as the beginning of a code, if it can be one.
    code: Option<String>,
    /// The text as the beginning of a name.
    key: String,
    shown: Shown,
    deadline: Instant,
}

impl<'a> Search<'a> {
    fn new(wanted: &'a ProductSearch, shown: Shown) -> Self {
        let (code, key) = (code_start(wanted.text.as_str()), name_key(wanted.text.as_str()));
        Self { wanted, code, key, shown, deadline: Instant::now() + SEARCH_LIMIT }
    }

    /// What matches in a tier; `None` where nothing can.
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

    /// For the database; 0 would mean that it may take all time.
    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    /// Whether the text is the code of a product, or might become a longer one.
    fn is_for_code(&self) -> bool {
        self.code.as_deref().is_some_and(is_full_code)
    }
}

/// What finds are sorted by. Ids tell those apart that are the same in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Code,
    OwnCode,
    Name,
    Price,
    Id,
}

impl Key {
    /// The key, and the direction in which finds are sorted by it.
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

    /// Whether no two products are the same in it.
    fn is_unique(self) -> bool {
        matches!(self, Self::Code | Self::Id)
    }

    fn sort(self, direction: i32) -> Document {
        if self.is_unique() {
            return doc! { self.field(): direction };
        }
        doc! { self.field(): direction, "_id": direction }
    }

    /// What comes after a place.
    fn after(self, direction: i32, place: &Place) -> Document {
        let (beyond, from) = if direction < 0 { ("$lt", "$lte") } else { ("$gt", "$gte") };
        let key = match self {
            Self::Id => place.id.into(),
            // Only sealed cursors get here, and those of this order hold a price.
            Self::Price => place.key.parse::<i64>().unwrap_or_default().into(),
            Self::Code | Self::OwnCode | Self::Name => Bson::from(place.key.as_str()),
        };
        if self.is_unique() {
            return doc! { self.field(): { beyond: key } };
        }
        let tied = doc! { self.field(): &key, "_id": { beyond: place.id } };
        doc! { self.field(): { from: &key }, "$or": [{ self.field(): { beyond: key } }, tied] }
    }

    /// What is stored under it, as cursors hold it: another program may have renamed a product without its key.
    fn stored(self, product: &RawDocument) -> String {
        match product.get(self.field()) {
            Ok(Some(RawBsonRef::String(text))) => text.to_owned(),
            Ok(Some(RawBsonRef::Int64(price))) => price.to_string(),
            _ => String::new(),
        }
    }
}

pub(crate) fn indexes() -> Vec<IndexModel> {
    // No language: nothing is stemmed, and no word is too common to be looked for.
    let options = IndexOptions::builder().name("text".to_owned()).default_language("none".to_owned());
    let text = IndexModel::builder().keys(doc! { "name": "text", "description": "text" });
    vec![
        index("own_code", doc! { "own_code": 1, "_id": 1 }),
        index("name_key", doc! { "name_key": 1, "_id": 1 }),
        index("words", doc! { "words": 1 }),
        text.options(options.language_override("text_language".to_owned()).build()).build(),
    ]
}

/// The keys under which a product with this name is found.
pub(crate) fn keys(name: &str) -> Document {
    let key = name_key(name);
    doc! { "words": words(&key), "name_key": key }
}

impl Products {
    /// Up to `limit` products that are wanted, after a place among them. The database takes two seconds at most.
    pub async fn search(
        &self,
        wanted: &ProductSearch,
        after: Option<&Place>,
        limit: usize,
        shown: Shown,
    ) -> Result<Vec<Found>, StoreError> {
        let search = Search::new(wanted, shown);
        if wanted.order == Order::Relevance {
            self.ranked(&search, after, limit).await
        } else {
            self.sorted(&search, after, limit).await
        }
    }

    /// Tier after tier, until there are enough.
    async fn ranked(&self, search: &Search<'_>, after: Option<&Place>, limit: usize) -> Result<Vec<Found>, StoreError> {
        let (mut found, mut earlier) = (Vec::new(), Vec::new());
        for tier in Tier::ALL {
            let Some(matches) = search.matching(tier) else { continue };
            // What an earlier tier shows isn't shown again.
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

    /// All tiers as one, in another order; for a code that there is, what has it.
    async fn sorted(&self, search: &Search<'_>, after: Option<&Place>, limit: usize) -> Result<Vec<Found>, StoreError> {
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

    async fn find(
        &self,
        search: &Search<'_>,
        tier: Tier,
        mut conditions: Vec<Document>,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Found>, StoreError> {
        let (key, direction) = Key::of(search.wanted.order, tier);
        conditions.extend(filters(search.wanted));
        conditions.extend(after.map(|place| key.after(direction, place)));
        let filter = search.shown.among(doc! { "$and": conditions });
        let cursor = self.docs.find(filter).sort(key.sort(direction));
        let mut cursor = cursor.limit(i64::try_from(limit).unwrap_or(i64::MAX)).max_time(search.time_left()).await?;
        let mut found = Vec::with_capacity(limit);
        while cursor.advance().await? {
            let product = cursor.deserialize_current()?;
            found.push(Found { place: Place { tier, key: key.stored(cursor.current()), id: product.id }, product });
        }
        Ok(found)
    }
}

/// Gives their keys to products that were stored without: by an older version, or by another program.
pub(crate) async fn add_missing_keys(connection: &Connection) -> Result<(), StoreError> {
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
        let updated = bulk::update_each(&connection.database, NAME, updates).await?;
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
    /// The update that adds them, unless it has got another name meanwhile.
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

/// Each word in quotes. One that is a whole word makes a product a candidate, and all must be part of its texts.
fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")
}

fn filters(wanted: &ProductSearch) -> Vec<Document> {
    let ProductSearch { brand, model, category, min_price, max_price, in_stock, .. } = wanted;
    let mut filters = Vec::new();
    if brand.is_some() || model.is_some() || category.is_some() {
        let part = |code: &Option<Code>| code.as_ref().map_or_else(|| "[^-]+".to_owned(), ToString::to_string);
        // Codes hold nothing that has a meaning in a pattern.
        let pattern = format!("^{}-{}-{}$", part(brand), part(model), part(category));
        filters.push(doc! { "parent": { "$regex": pattern } });
    }
    filters.extend(min_price.map(|price| doc! { "price": { "$gte": price.minor() } }));
    filters.extend(max_price.map(|price| doc! { "price": { "$lte": price.minor() } }));
    filters.extend(in_stock.map(|there| doc! { "stock": if there { doc! { "$gt": 0 } } else { doc! { "$lte": 0 } } }));
    filters
}
