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

use super::{Node, Tree, audit_entries, update::changes};
use crate::{
    audits::store::{AuditDoc, Trail},
    catalogue::store::{
        branches::{BranchDoc, Brand, Category, Model},
        catalogue_changes::ChangedPart,
        products::ProductDoc,
    },
    db::{StoreError, bulk, transaction::transact},
    images::key::ImageKey,
    values::codes::FullCode,
};

/// The full codes of the entries that may be inserted or changed.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    pub brands: BTreeSet<FullCode>,
    pub models: BTreeSet<FullCode>,
    pub categories: BTreeSet<FullCode>,
    pub products: BTreeSet<FullCode>,
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
}

/// The entries of one level, each with its stored and its new state.
#[derive(Debug)]
pub struct Entries<N>(BTreeMap<FullCode, Entry<N>>);

#[derive(Debug)]
struct Entry<N> {
    /// The stored state; `None` for an entry that is to be inserted.
    before: Option<N>,
    now: N,
}

impl<N: Node> Entries<N> {
    /// Returns the new state of the entry with a full code.
    pub fn get(&self, code: &FullCode) -> Option<&N> {
        self.0.get(code).map(|entry| &entry.now)
    }

    /// Sets the new state of an entry, which is inserted if it does not exist.
    pub fn put(&mut self, node: N) {
        match self.0.get_mut(node.code()) {
            Some(entry) => entry.now = node,
            None => drop(self.0.insert(node.code().clone(), Entry { before: None, now: node })),
        }
    }

    /// Returns the full codes of the parents of new entries.
    fn parents_of_new(&self) -> impl Iterator<Item = FullCode> {
        self.0
            .values()
            .filter(|entry| entry.before.is_none())
            .filter_map(|entry| entry.now.code().parents().next_back())
    }
}

/// What is collected while the levels are written: entries for the audits, changes for the cache, and old images.
#[derive(Default)]
struct WriteRecord {
    audit_entries: Vec<AuditDoc>,
    touched: Vec<ChangedPart>,
    discarded: Vec<ImageKey>,
}

impl Tree {
    /// Reads the entries with these codes, lets `merge` change them, and writes what differs.
    ///
    /// Returns what `merge` returned, and what was written, for the cache. `merge` may be called several times: if
    /// another process changes one of the entries at the same time, the transaction starts again.
    pub(in crate::catalogue) async fn import<T: Send + 'static>(
        &self,
        codes: &Codes,
        merge: impl Fn(&mut FoundEntries) -> T + Clone + Send + Sync + 'static,
        trail: &Trail,
    ) -> std::result::Result<(T, Vec<ChangedPart>), StoreError> {
        let _turn = self.turns.lock().await;
        transact(&self.connection.client, (self, codes, &merge, trail), move |tx, &(tree, codes, merge, trail)| {
            async move {
                let mut found = tree.find(codes, tx).await?;
                let merged = merge(&mut found);
                let touched = tree.write(found, trail, tx).await?;
                Ok((merged, touched))
            }
            .boxed()
        })
        .await
    }

    async fn find(&self, codes: &Codes, tx: &mut ClientSession) -> Result<FoundEntries> {
        let brands = self.entries(&codes.brands, tx).await?;
        let models = self.entries(&codes.models, tx).await?;
        let categories = self.entries(&codes.categories, tx).await?;
        let products = self.entries(&codes.products, tx).await?;
        let all = [&codes.brands, &codes.models, &codes.categories];
        let all: Vec<&FullCode> = all.into_iter().flatten().collect();
        let mut jobs = self.purges.find(doc! { "_id": { "$in": all } }).session(&mut *tx).await?;
        let purged = jobs.stream(tx).map_ok(|job| job.code).try_collect().await?;
        Ok(FoundEntries { brands, models, categories, products, purged })
    }

    async fn entries<N: Node>(&self, codes: &BTreeSet<FullCode>, tx: &mut ClientSession) -> Result<Entries<N>> {
        if codes.is_empty() {
            return Ok(Entries(BTreeMap::new()));
        }
        let codes: Vec<&FullCode> = codes.iter().collect();
        let mut found = self.docs::<N>().find(doc! { "code": { "$in": codes } }).session(&mut *tx).await?;
        let entry = |node: N| (node.code().clone(), Entry { before: Some(node.clone()), now: node });
        Ok(Entries(found.stream(tx).map_ok(entry).try_collect().await?))
    }

    async fn write(&self, found: FoundEntries, trail: &Trail, tx: &mut ClientSession) -> Result<Vec<ChangedPart>> {
        let FoundEntries { brands, models, categories, products, purged: _ } = found;
        let marked: BTreeSet<FullCode> =
            models.parents_of_new().chain(categories.parents_of_new()).chain(products.parents_of_new()).collect();
        let mut beside = WriteRecord::default();
        self.write_level(brands, &marked, trail, &mut beside, tx).await?;
        self.write_level(models, &marked, trail, &mut beside, tx).await?;
        self.write_level(categories, &marked, trail, &mut beside, tx).await?;
        self.write_level(products, &marked, trail, &mut beside, tx).await?;
        self.trash.discard_in(tx, &beside.discarded, trail.now).await?;
        self.audits.append_all_in(tx, beside.audit_entries).await?;
        Ok(beside.touched)
    }

    async fn write_level<N: Node>(
        &self,
        entries: Entries<N>,
        marked: &BTreeSet<FullCode>,
        trail: &Trail,
        beside: &mut WriteRecord,
        tx: &mut ClientSession,
    ) -> Result<()> {
        let (mut new, mut updates) = (Vec::new(), Vec::new());
        for Entry { before, now } in entries.0.into_values() {
            let Some(before) = before else {
                beside.audit_entries.push(audit_entries::inserted(&now, trail));
                beside.touched.push(now.touched());
                new.push(now.stored()?);
                continue;
            };
            let mut update = difference(&before, now, trail, beside)?;
            if marked.contains(before.code()) {
                update.insert("$inc", doc! { "children_rev": 1_i64 });
            }
            if !update.is_empty() {
                updates.push(doc! { "q": { "_id": before.id() }, "u": update });
            }
        }
        if !new.is_empty() {
            self.docs::<N>().clone_with_type::<Document>().insert_many(new).session(&mut *tx).await?;
        }
        self.update_all::<N>(updates, tx).await
    }

    async fn update_all<N: Node>(&self, updates: Vec<Document>, tx: &mut ClientSession) -> Result<()> {
        if updates.is_empty() {
            return Ok(());
        }
        let expected = i64::try_from(updates.len()).unwrap_or(i64::MAX);
        let updated = bulk::update_each_in(tx, &self.connection, N::COLLECTION, updates).await?;
        if updated.n == expected && updated.errors.is_empty() {
            return Ok(());
        }
        Err(Error::custom("an update of many documents was not carried out"))
    }
}

/// Returns the update from the stored to the new state, which is empty if they are the same.
fn difference<N: Node>(before: &N, mut now: N, trail: &Trail, beside: &mut WriteRecord) -> Result<Document> {
    let changes = changes(before, &mut now, trail.now)?;
    if changes.is_empty() {
        return Ok(Document::new());
    }
    if before.image_key() != now.image_key() {
        beside.discarded.extend(before.image_key().cloned());
    }
    beside.audit_entries.push(audit_entries::updated(before, &now, trail));
    beside.touched.push(now.touched());
    Ok(changes.update())
}
