//! The changes of `brands`, `models`, `categories` and `products`, as MongoDB's change stream reports them.

use std::time::Duration;

use bson::{Document, doc};
use mongodb::{
    Database,
    change_stream::{
        ChangeStream,
        event::{ChangeStreamEvent, OperationType, UpdateDescription},
    },
    options::FullDocumentType,
};

use super::{
    branches::{Brand, Category, Level, Model},
    products,
};
use crate::{
    db::{
        StoreError,
        schema::{Connection, StorePart},
    },
    values::{codes::FullCode, ids::ProductId, tree_level::TreeLevel},
};

/// How long the server waits for a change before it answers that there is none.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A part of the catalogue that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedPart {
    /// A brand, model or category was inserted or changed.
    Branch(FullCode),
    /// A product was inserted or changed.
    Product(ProductId, FullCode),
    /// Anything on this level may have changed: something was deleted, or the change cannot be told exactly.
    Level(TreeLevel),
    /// Anything may have changed.
    Everything,
}

/// An answer of the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum CatalogueChange {
    /// Something has changed.
    Change(ChangedPart),
    /// Nothing has changed that a reader could see.
    Nothing,
    /// The stream has ended, for example because the database was dropped.
    End,
}

/// The open stream of all changes since it was opened.
pub struct CatalogueChanges(ChangeStream<Event>);

type Event = ChangeStreamEvent<Document>;

/// The database whose changes can be followed.
#[derive(Clone)]
pub struct CatalogueWatch {
    database: Database,
}

impl StorePart for CatalogueWatch {
    fn open(connection: &Connection) -> Self {
        Self { database: connection.database.clone() }
    }
}

impl CatalogueWatch {
    /// Opens a stream of the changes from now on.
    pub(in crate::catalogue) async fn open_stream(&self) -> Result<CatalogueChanges, StoreError> {
        let pipeline = [
            doc! { "$match": { "$or": [
                { "ns.coll": { "$in": TreeLevel::ALL.map(collection_of).to_vec() } },
                { "operationType": { "$in": ["dropDatabase", "invalidate"] } },
            ] } },
            doc! { "$project": {
                "operationType": 1, "ns": 1, "documentKey._id": 1, "updateDescription": 1, "fullDocument.code": 1,
            } },
        ];
        let watch = self.database.watch().pipeline(pipeline).full_document(FullDocumentType::UpdateLookup);
        Ok(CatalogueChanges(watch.max_await_time(LONGEST_WAIT).await?))
    }
}

impl CatalogueChanges {
    /// Returns the next change and waits for it up to about a second.
    ///
    /// Without a change it returns [`CatalogueChange::Nothing`], so the caller learns regularly that the stream still
    /// works.
    pub async fn next(&mut self) -> Result<CatalogueChange, StoreError> {
        match self.0.next_if_any().await? {
            Some(event) => Ok(changed_part(&event).map_or(CatalogueChange::Nothing, CatalogueChange::Change)),
            None if self.0.is_alive() => Ok(CatalogueChange::Nothing),
            None => Ok(CatalogueChange::End),
        }
    }
}

const fn collection_of(level: TreeLevel) -> &'static str {
    match level {
        TreeLevel::Brand => Brand::COLLECTION,
        TreeLevel::Model => Model::COLLECTION,
        TreeLevel::Category => Category::COLLECTION,
        TreeLevel::Product => products::NAME,
    }
}

/// Returns what an event has changed; `None` if no reader can see a difference.
fn changed_part(event: &Event) -> Option<ChangedPart> {
    let collection = event.ns.as_ref().and_then(|ns| ns.coll.as_deref());
    let Some(level) = TreeLevel::ALL.into_iter().find(|level| Some(collection_of(*level)) == collection) else {
        return Some(ChangedPart::Everything);
    };
    let document = match (&event.operation_type, &event.update_description) {
        (OperationType::Insert, _) => changed_document(event, level),
        (OperationType::Update, Some(update)) if only_counts_children(update) => return None,
        (OperationType::Update, Some(update)) if keeps_place(update) => changed_document(event, level),
        _ => None,
    };
    Some(document.unwrap_or(ChangedPart::Level(level)))
}

/// Returns the document of an event; `None` if it is gone in the meantime or its code cannot be read.
fn changed_document(event: &Event, level: TreeLevel) -> Option<ChangedPart> {
    let code = FullCode::of_level(level, event.full_document.as_ref()?.get_str("code").ok()?)?;
    match level {
        TreeLevel::Product => {
            let id = event.document_key.as_ref()?.get_object_id("_id").ok()?;
            Some(ChangedPart::Product(id.bytes().into(), code))
        }
        _ => Some(ChangedPart::Branch(code)),
    }
}

/// Returns whether an update did nothing but increment `children_rev`, which an insert below does (U7).
///
/// No answer shows that field.
fn only_counts_children(update: &UpdateDescription) -> bool {
    update.updated_fields.keys().all(|field| field == "children_rev")
        && update.removed_fields.is_empty()
        && update.truncated_arrays.as_ref().is_none_or(Vec::is_empty)
}

/// Returns whether an update left the document at its place in the tree.
///
/// The shop never moves a document. Somebody at the database's shell may, and the event does not tell the old place.
fn keeps_place(update: &UpdateDescription) -> bool {
    let mut fields = update.updated_fields.keys().chain(&update.removed_fields);
    fields.all(|field| !["code", "parent"].contains(&field.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, collection: &str, more: Document) -> Event {
        let mut event = doc! { "_id": { "_data": "82" }, "operationType": kind };
        event.insert("ns", doc! { "db": "shop", "coll": collection });
        event.extend(more);
        bson::deserialize_from_document(event).expect("an event")
    }

    fn update(fields: Document, code: Option<&str>) -> Document {
        let mut event = doc! { "updateDescription": { "updatedFields": fields, "removedFields": [] } };
        event.insert("documentKey", doc! { "_id": bson::oid::ObjectId::from_bytes([7; 12]) });
        if let Some(code) = code {
            event.insert("fullDocument", doc! { "code": code });
        }
        event
    }

    #[test]
    fn a_change_names_its_document() {
        let code = FullCode::join(["TATA", "NEXON", "BRK", "PAD"]);
        let changed = event("update", "products", update(doc! { "stock": 3_i64 }, Some(code.as_str())));
        assert_eq!(changed_part(&changed), Some(ChangedPart::Product(ProductId::from([7; 12]), code)));
        let changed = event("update", "brands", update(doc! { "name": "Tata" }, Some("TATA")));
        assert_eq!(changed_part(&changed), Some(ChangedPart::Branch(FullCode::join(["TATA"]))));
    }

    #[test]
    fn marks_on_parents_are_passed_over() {
        let marked = event("update", "brands", update(doc! { "children_rev": 3_i64 }, Some("TATA")));
        assert_eq!(changed_part(&marked), None);
        let both = update(doc! { "children_rev": 3_i64, "name": "Tata" }, Some("TATA"));
        assert!(changed_part(&event("update", "brands", both)).is_some());
    }

    #[test]
    fn what_cannot_be_placed_touches_its_whole_level() {
        for (kind, more) in [
            ("delete", doc! {}),
            ("replace", doc! { "fullDocument": { "code": "A-B-C-D" } }),
            ("update", update(doc! { "stock": 3_i64 }, None)),
            ("update", update(doc! { "code": "A-B-C-E" }, Some("A-B-C-E"))),
            ("insert", doc! { "fullDocument": { "code": "A-B" } }),
            ("drop", doc! {}),
        ] {
            assert_eq!(
                changed_part(&event(kind, "products", more)),
                Some(ChangedPart::Level(TreeLevel::Product)),
                "{kind}"
            );
        }
        assert_eq!(changed_part(&event("invalidate", "", doc! {})), Some(ChangedPart::Everything));
    }
}
