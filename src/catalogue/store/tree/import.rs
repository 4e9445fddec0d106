//! Writing to many entries in one transaction.
//!
//! It reads the entries, lets the caller change them in memory, and writes the differences. Each change gets an entry
//! in the audits. The counter of a parent is incremented once, however many children are new (U7).

use std::collections::{BTreeMap, BTreeSet};

use bson::{Document, doc};
use futures_util::{FutureExt, TryStreamExt};
use mongodb::{
    ClientSession,
    error::{Error, Result},
};
use serde::Deserialize;

use super::{BelowCounts, Node, Tree, audit_entries, images::discarded_images, update::date_change};
use crate::{
    audits::store::{AuditDoc, Trail},
    catalogue::store::{
        branches::{BranchDoc, Brand, Category, Model},
        catalogue_changes::ChangedPart,
        products::ProductDoc,
    },
    db::{
        StoreError, bulk,
        transaction::{transact, transact_on_snapshot},
    },
    images::store::{ShownFile, ShownImage},
    values::codes::FullCode,
};

/// The full codes of the entries that may be inserted or changed.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    pub brands: BTreeSet<FullCode>,
    pub models: BTreeSet<FullCode>,
    pub categories: BTreeSet<FullCode>,
    pub products: BTreeSet<FullCode>,
    /// Further codes on each level of which the caller only wants to know whether they exist.
    pub look_alikes: [BTreeSet<FullCode>; 4],
}

/// The existing entries among those of [`Codes`].
#[derive(Debug)]
pub struct FoundEntries {
    pub brands: Entries<BranchDoc<Brand>>,
    pub models: Entries<BranchDoc<Model>>,
    pub categories: Entries<BranchDoc<Category>>,
    pub products: Entries<ProductDoc>,
    /// Codes of deleted branches whose products are still being removed. Nothing can be inserted with these codes.
    pub purged: BTreeSet<FullCode>,
    /// Those of [`Codes::look_alikes`] that exist.
    pub look_alikes: BTreeSet<FullCode>,
}

/// The entries of one level, each with its stored and its new state.
#[derive(Debug)]
pub struct Entries<N>(BTreeMap<FullCode, Entry<N>>);

impl<N> Default for Entries<N> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// The code of an entry.
#[derive(Deserialize)]
struct CodeOnly {
    code: FullCode,
}

#[derive(Debug)]
struct Entry<N> {
    /// The stored state; `None` for an entry that is to be inserted.
    before: Option<N>,
    after: N,
}

impl<N: Node> Entries<N> {
    /// Returns the new state of the entry with a full code.
    pub fn get(&self, code: &FullCode) -> Option<&N> {
        self.0.get(code).map(|entry| &entry.after)
    }

    /// Sets the new state of an entry, which is inserted if it does not exist.
    pub fn put(&mut self, node: N) {
        match self.0.get_mut(node.code()) {
            Some(entry) => entry.after = node,
            None => drop(self.0.insert(node.code().clone(), Entry { before: None, after: node })),
        }
    }

    /// Adds an existing entry with its new state.
    pub(super) fn change(&mut self, before: N, after: N) {
        self.0.insert(before.code().clone(), Entry { before: Some(before), after });
    }

    /// Returns the entries that show another image than before, or are new.
    fn with_new_image(&mut self) -> impl Iterator<Item = &mut N> {
        let shows_another = |entry: &&mut Entry<N>| {
            entry.before.as_ref().is_none_or(|before| before.image_url() != entry.after.image_url())
        };
        self.0.values_mut().filter(shows_another).map(|entry| &mut entry.after)
    }

    fn add_new_urls(&mut self, urls: &mut BTreeSet<String>) {
        urls.extend(self.with_new_image().map(|node| node.image_url().to_string()));
    }

    fn set_keys(&mut self, files: &BTreeMap<&str, ShownFile>) {
        for node in self.with_new_image() {
            let url = node.image_url().to_string();
            if let Some(ShownFile::Kept(key)) = files.get(url.as_str()) {
                node.set_image_key(&url, key);
            }
        }
    }

    /// Returns the full codes of the parents of new entries.
    fn parents_of_new(&self) -> impl Iterator<Item = FullCode> {
        self.0
            .values()
            .filter(|entry| entry.before.is_none())
            .filter_map(|entry| entry.after.code().parents().next_back())
    }
}

/// What an import has written.
#[derive(Debug)]
pub struct Written<T> {
    /// What `merge` returned.
    pub merged: T,
    /// What was changed, for the cache.
    pub changed_parts: Vec<ChangedPart>,
    /// URLs that were stored although their images are removed.
    pub gone_images: BTreeSet<String>,
}

/// What is collected while the levels are written: entries for the audits, changes for the cache, and old images.
#[derive(Default)]
pub(super) struct WriteRecord {
    audit_entries: Vec<AuditDoc>,
    changed_parts: Vec<ChangedPart>,
    discarded_images: Vec<ShownImage>,
}

impl WriteRecord {
    fn add_insertion<N: Node>(&mut self, node: &N, trail: &Trail) {
        self.audit_entries.push(audit_entries::inserted(node, trail));
        self.changed_parts.push(node.changed_part());
    }

    pub(super) fn add_deletion<N: Node>(&mut self, node: &N, trail: &Trail) {
        self.discarded_images.extend(node.shown_images());
        self.audit_entries.push(audit_entries::deleted(node, BelowCounts::default(), trail));
        self.changed_parts.push(ChangedPart::Level(N::LEVEL));
    }

    fn add_change<N: Node>(&mut self, before: &N, after: &N, trail: &Trail) {
        self.discarded_images.extend(discarded_images(before, after));
        self.audit_entries.push(audit_entries::updated(before, after, trail));
        self.changed_parts.push(after.changed_part());
    }
}

impl Tree {
    /// Reads the entries with these codes, lets `merge` change them, and writes what differs.
    ///
    /// `merge` may be called several times: if another process changes one of the entries at the same time, the
    /// transaction starts again. A URL of an image that is removed is stored all the same, and is told.
    pub(in crate::catalogue) async fn import<T: Send + 'static>(
        &self,
        codes: &Codes,
        merge: impl Fn(&mut FoundEntries) -> T + Send + Sync,
        trail: &Trail,
    ) -> std::result::Result<Written<T>, StoreError> {
        let _guard = self.write_lock.lock().await;
        transact(&self.connection.client, (self, codes, &merge, trail), move |tx, &(tree, codes, merge, trail)| {
            async move {
                let mut found = tree.find(codes, tx).await?;
                let merged = merge(&mut found);
                let gone_images = tree.claim_all_images(&mut found, tx).await?;
                let changed_parts = tree.write(found, trail, tx).await?;
                Ok(Written { merged, changed_parts, gone_images })
            }
            .boxed()
        })
        .await
    }

    /// Reads the entries with these codes as they are at one moment.
    pub(in crate::catalogue) async fn find_at_once(
        &self,
        codes: &Codes,
    ) -> std::result::Result<FoundEntries, StoreError> {
        let mut session = self.connection.client.start_session().await?;
        transact_on_snapshot(&mut session, (self, codes), |tx, &(tree, codes)| tree.find(codes, tx).boxed()).await
    }

    async fn find(&self, codes: &Codes, tx: &mut ClientSession) -> Result<FoundEntries> {
        let brands = self.find_level(&codes.brands, tx).await?;
        let models = self.find_level(&codes.models, tx).await?;
        let categories = self.find_level(&codes.categories, tx).await?;
        let products = self.find_level(&codes.products, tx).await?;
        let branches: Vec<&FullCode> =
            [&codes.brands, &codes.models, &codes.categories].into_iter().flatten().collect();
        let mut jobs = self.purges.find(doc! { "_id": { "$in": branches } }).session(&mut *tx).await?;
        let purged = jobs.stream(tx).map_ok(|job| job.code).try_collect().await?;
        let [brand_codes, model_codes, category_codes, product_codes] = &codes.look_alikes;
        let mut look_alikes = self.existing_codes::<BranchDoc<Brand>>(brand_codes, tx).await?;
        look_alikes.extend(self.existing_codes::<BranchDoc<Model>>(model_codes, tx).await?);
        look_alikes.extend(self.existing_codes::<BranchDoc<Category>>(category_codes, tx).await?);
        look_alikes.extend(self.existing_codes::<ProductDoc>(product_codes, tx).await?);
        Ok(FoundEntries { brands, models, categories, products, purged, look_alikes })
    }

    /// Returns those of some codes that entries of one level have.
    async fn existing_codes<N: Node>(
        &self,
        codes: &BTreeSet<FullCode>,
        tx: &mut ClientSession,
    ) -> Result<BTreeSet<FullCode>> {
        if codes.is_empty() {
            return Ok(BTreeSet::new());
        }
        let has_code = doc! { "code": { "$in": codes.iter().collect::<Vec<_>>() } };
        let documents = self.docs::<N>().clone_with_type::<CodeOnly>();
        let mut cursor = documents.find(has_code).projection(doc! { "_id": 0, "code": 1 }).session(&mut *tx).await?;
        cursor.stream(tx).map_ok(|entry| entry.code).try_collect().await
    }

    async fn find_level<N: Node>(&self, codes: &BTreeSet<FullCode>, tx: &mut ClientSession) -> Result<Entries<N>> {
        if codes.is_empty() {
            return Ok(Entries::default());
        }
        let has_code = doc! { "code": { "$in": codes.iter().collect::<Vec<_>>() } };
        let mut cursor = self.docs::<N>().find(has_code).session(&mut *tx).await?;
        let unchanged = |node: N| (node.code().clone(), Entry { before: Some(node.clone()), after: node });
        Ok(Entries(cursor.stream(tx).map_ok(unchanged).try_collect().await?))
    }

    /// Claims the images that entries did not show before, and sets their keys. Returns the URLs whose images are
    /// removed.
    async fn claim_all_images(&self, found: &mut FoundEntries, tx: &mut ClientSession) -> Result<BTreeSet<String>> {
        let mut urls = BTreeSet::new();
        found.brands.add_new_urls(&mut urls);
        found.models.add_new_urls(&mut urls);
        found.categories.add_new_urls(&mut urls);
        found.products.add_new_urls(&mut urls);
        let files = self.trash.claim_shown_in(tx, urls.iter().map(String::as_str)).await?;
        found.brands.set_keys(&files);
        found.models.set_keys(&files);
        found.categories.set_keys(&files);
        found.products.set_keys(&files);
        let gone = files.into_iter().filter(|(_, file)| *file == ShownFile::Gone);
        Ok(gone.map(|(url, _)| url.to_owned()).collect())
    }

    async fn write(&self, found: FoundEntries, trail: &Trail, tx: &mut ClientSession) -> Result<Vec<ChangedPart>> {
        let FoundEntries { brands, models, categories, products, .. } = found;
        let parents_of_new: BTreeSet<FullCode> =
            models.parents_of_new().chain(categories.parents_of_new()).chain(products.parents_of_new()).collect();
        let mut record = WriteRecord::default();
        self.write_level(brands, &parents_of_new, trail, &mut record, tx).await?;
        self.write_level(models, &parents_of_new, trail, &mut record, tx).await?;
        self.write_level(categories, &parents_of_new, trail, &mut record, tx).await?;
        self.write_level(products, &parents_of_new, trail, &mut record, tx).await?;
        self.finish_record(record, trail, tx).await
    }

    /// Discards the old images and writes the entries of the audits. Returns what was changed.
    pub(super) async fn finish_record(
        &self,
        record: WriteRecord,
        trail: &Trail,
        tx: &mut ClientSession,
    ) -> Result<Vec<ChangedPart>> {
        self.trash.discard_in(tx, &record.discarded_images, trail.now).await?;
        self.audits.append_all_in(tx, record.audit_entries).await?;
        Ok(record.changed_parts)
    }

    pub(super) async fn write_level<N: Node>(
        &self,
        entries: Entries<N>,
        parents_of_new: &BTreeSet<FullCode>,
        trail: &Trail,
        record: &mut WriteRecord,
        tx: &mut ClientSession,
    ) -> Result<()> {
        let (mut new_documents, mut updates) = (Vec::new(), Vec::new());
        for Entry { before, after } in entries.0.into_values() {
            let Some(before) = before else {
                record.add_insertion(&after, trail);
                new_documents.push(after.stored_document()?);
                continue;
            };
            let (after, diff) = date_change(&before, after, trail.now)?;
            let mut update = diff.update();
            if !diff.is_empty() {
                record.add_change(&before, &after, trail);
            }
            if parents_of_new.contains(before.code()) {
                update.insert("$inc", doc! { "children_rev": 1_i64 });
            }
            if !update.is_empty() {
                updates.push(doc! { "q": { "_id": before.id() }, "u": update });
            }
        }
        self.insert_all::<N>(new_documents, tx).await?;
        self.update_all::<N>(updates, tx).await
    }

    async fn insert_all<N: Node>(&self, documents: Vec<Document>, tx: &mut ClientSession) -> Result<()> {
        if !documents.is_empty() {
            self.docs::<N>().clone_with_type::<Document>().insert_many(documents).session(tx).await?;
        }
        Ok(())
    }

    async fn update_all<N: Node>(&self, updates: Vec<Document>, tx: &mut ClientSession) -> Result<()> {
        if updates.is_empty() {
            return Ok(());
        }
        let expected = i64::try_from(updates.len()).unwrap_or(i64::MAX);
        let result = bulk::update_each_in(tx, &self.connection, N::COLLECTION, updates).await?;
        if result.n == expected && result.errors.is_empty() {
            return Ok(());
        }
        Err(Error::custom("an update of many documents was not carried out"))
    }
}
