//! Pages of a list, either all of it or only the entries that contain a text, and the text by which they are found.
//!
//! Each entry is stored with the form of its texts in which case, accents and joiners make no difference. A search
//! looks for the same form of its own text there. It also looks at the texts themselves, since another program may have
//! changed them without the form.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::{Collection, IndexModel, options::FindOptions};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    catalogue::rules::search::SearchText,
    db::{
        StoreError, bulk,
        query::SEARCH_LIMIT,
        schema::{Connection, index},
    },
    values::text::without_accents,
};

/// The number of the present form. It must grow with each change of [`without_accents`], and of the other fields by which
/// entries are found, so that the next start writes these fields of all entries anew.
const FORM: i32 = 3;
/// The most characters of a stored form. A description has 5,000; Unicode makes up to eighteen of one of them.
const LONGEST_FORM: usize = 10_000;
/// How many documents get their missing fields in one command, which must stay below 16 MB.
const BATCH: usize = 200;

/// Returns up to `limit` documents that match `filter`, sorted by id.
///
/// With a `text`, only documents that contain it in one of `fields`, whatever the case, the accents and the normal
/// form. The database may then take two seconds.
pub(in crate::catalogue) async fn page<T>(
    docs: &Collection<T>,
    mut filter: Document,
    text: Option<&SearchText>,
    fields: &[&str],
    limit: i64,
) -> Result<Vec<T>, StoreError>
where
    T: DeserializeOwned + Send + Sync,
{
    let mut time_limit = None;
    if let Some(text) = text {
        filter.insert("$or", any_contains(text, fields));
        time_limit = Some(SEARCH_LIMIT);
    }
    let options = FindOptions::builder().sort(doc! { "_id": 1 }).limit(limit).max_time(time_limit);
    Ok(docs.find(filter).with_options(options.build()).await?.try_collect().await?)
}

/// Returns one condition for the stored form and one for each field: it contains the text, in any case.
fn any_contains(text: &SearchText, fields: &[&str]) -> Vec<Bson> {
    let pattern = text.pattern();
    let in_field = |field: &&str| {
        let mut condition = Document::new();
        condition.insert(*field, doc! { "$regex": pattern.as_str(), "$options": "i" });
        condition
    };
    let in_form = text.plain_pattern().map(|pattern| doc! { "search_text": { "$regex": pattern } });
    in_form.into_iter().chain(fields.iter().map(in_field)).map(Bson::from).collect()
}

/// Returns the fields by which an entry with these texts is found below its parent.
pub(in crate::catalogue) fn text_fields<'a>(texts: impl IntoIterator<Item = &'a str>) -> Document {
    // A search has no line breaks, so nothing is found across two texts.
    let lines: Vec<String> = texts.into_iter().map(without_accents).collect();
    let form: String = lines.join("\n").chars().take(LONGEST_FORM).collect();
    doc! { "search_text": form, "search_form": FORM }
}

/// Returns the index by which a start finds the documents without the present form.
pub(in crate::catalogue) fn form_index() -> IndexModel {
    index("search_form", doc! { "search_form": 1 })
}

/// Returns conditions of which documents without the present form match one.
pub(in crate::catalogue) fn lacks_form() -> Vec<Document> {
    vec![doc! { "search_form": null }, doc! { "search_form": { "$lt": FORM } }]
}

/// The texts of an entry from which its search fields are made. Another program may have stored values of any type.
#[derive(Deserialize)]
pub(in crate::catalogue) struct StoredTexts {
    #[serde(rename = "_id")]
    id: Bson,
    name: String,
    own_code: Option<Bson>,
    description: Option<Bson>,
    code: Option<Bson>,
    offer: Option<Bson>,
    updated_at: Option<Bson>,
}

impl StoredTexts {
    /// Returns the name.
    pub(in crate::catalogue) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the full code, if there is one.
    pub(in crate::catalogue) fn code(&self) -> Option<&str> {
        self.code.as_ref().and_then(Bson::as_str)
    }

    /// Returns whether the entry has an offer.
    pub(in crate::catalogue) fn has_offer(&self) -> bool {
        self.offer.as_ref().is_some_and(|offer| offer.as_document().is_some())
    }

    /// Returns the fields by which the entry is found below its parent.
    pub(in crate::catalogue) fn text_fields(&self) -> Document {
        let others = [&self.own_code, &self.description].into_iter().flatten().filter_map(Bson::as_str);
        text_fields([self.name.as_str()].into_iter().chain(others))
    }

    /// Returns the update that sets `fields`. It does nothing if the entry was changed in the meantime.
    fn update(&self, fields: Document) -> Document {
        doc! { "q": { "_id": &self.id, "name": &self.name, "updated_at": &self.updated_at }, "u": { "$set": fields } }
    }
}

/// Sets the search fields of all documents that match one of the conditions `lacks`: they were stored by an older
/// version or by another program.
pub(in crate::catalogue) async fn add_missing_fields(
    connection: &Connection,
    collection: &str,
    lacks: Vec<Document>,
    fields_of: impl Fn(&StoredTexts) -> Document + Send + Sync,
) -> Result<(), StoreError> {
    let filter = doc! { "$or": lacks, "name": { "$type": "string" } };
    let fields = doc! { "name": 1, "own_code": 1, "description": 1, "code": 1, "offer": 1, "updated_at": 1 };
    let batch_size = u32::try_from(BATCH).unwrap_or(u32::MAX);
    let entries = connection.collection::<StoredTexts>(collection);
    let mut found = entries.find(filter).projection(fields).batch_size(batch_size).await?.try_chunks(BATCH);
    while let Some(entries) = found.try_next().await.map_err(|incomplete| incomplete.1)? {
        let updates = entries.iter().map(|entry| entry.update(fields_of(entry))).collect();
        let result = bulk::update_each(connection, collection, updates).await?;
        if !result.errors.is_empty() {
            tracing::warn!(
                collection,
                count = result.errors.len(),
                "entries that break the rules can't be searched for"
            );
        }
    }
    Ok(())
}
