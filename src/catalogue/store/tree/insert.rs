//! Inserting into the tree.
//!
//! A child is inserted together with a change of its parent. So the deletion of the parent conflicts with the insert,
//! and no child is left without a parent.

use bson::{Document, doc};
use futures_util::FutureExt;
use mongodb::{ClientSession, error::Result};

use super::{Child, GoneImage, Node, Tree, audit_entries};
use crate::{
    audits::store::Trail,
    catalogue::store::branches::{BranchDoc, Brand, Level},
    db::{StoreError, transaction::transact},
    values::codes::FullCode,
};

/// The outcome of an insert.
#[derive(Debug)]
pub enum InsertOutcome<N> {
    /// It was inserted and looks like this.
    Done(N),
    /// Nothing has the code of the parent.
    NoParent,
    /// Another entry has the code, or had it and its products are still being removed.
    CodeTaken,
    /// The image was removed before the entry could claim it.
    ImageGone(GoneImage),
}

impl Tree {
    /// Inserts a brand, claims its image and writes an entry to the audits.
    pub(in crate::catalogue) async fn insert_brand(
        &self,
        brand: &BranchDoc<Brand>,
        trail: &Trail,
    ) -> std::result::Result<InsertOutcome<BranchDoc<Brand>>, StoreError> {
        let _guard = self.write_lock.lock().await;
        let insertion = transact(&self.connection.client, (self, brand, trail), move |tx, &(tree, brand, trail)| {
            async move { tree.insert_node(brand.clone(), trail, tx).await }.boxed()
        });
        code_taken_if_duplicate(insertion.await)
    }

    /// Inserts a child below the entry with the full code `parent`, claims its image and writes an entry to the audits.
    ///
    /// `child` makes the document from the id of the parent. It may be called several times, because a transaction that
    /// conflicts with another one starts again.
    pub(in crate::catalogue) async fn insert<C: Child>(
        &self,
        parent: &FullCode,
        child: impl Fn(<C::Parent as Level>::Id) -> C + Send + Sync,
        trail: &Trail,
    ) -> std::result::Result<InsertOutcome<C>, StoreError> {
        let _guard = self.write_lock.lock().await;
        let insertion = transact(
            &self.connection.client,
            (self, parent, &child, trail),
            move |tx, &(tree, parent, child, trail)| {
                async move {
                    let Some(id) = tree.mark_parent::<C::Parent>(parent, tx).await? else {
                        return Ok(InsertOutcome::NoParent);
                    };
                    tree.insert_node(child(id), trail, tx).await
                }
                .boxed()
            },
        );
        code_taken_if_duplicate(insertion.await)
    }

    /// Increments the counter of a parent, which makes a deletion of it conflict with this insert. Returns the parent's
    /// id.
    async fn mark_parent<L: Level>(&self, code: &FullCode, tx: &mut ClientSession) -> Result<Option<L::Id>> {
        let increment = doc! { "$inc": { "children_rev": 1_i64 } };
        let parent =
            self.docs::<BranchDoc<L>>().find_one_and_update(doc! { "code": code }, increment).session(tx).await?;
        Ok(parent.map(|parent| parent.id))
    }

    async fn insert_node<N: Node>(
        &self,
        mut node: N,
        trail: &Trail,
        tx: &mut ClientSession,
    ) -> Result<InsertOutcome<N>> {
        if self.purges.find_one(doc! { "_id": node.code() }).session(&mut *tx).await?.is_some() {
            return Ok(InsertOutcome::CodeTaken);
        }
        if let Err(gone) = self.claim_images(None, &mut node, tx).await? {
            return Ok(InsertOutcome::ImageGone(gone));
        }
        self.docs::<N>().clone_with_type::<Document>().insert_one(node.stored_document()?).session(&mut *tx).await?;
        self.audits.append_in(tx, audit_entries::inserted(&node, trail)).await?;
        Ok(InsertOutcome::Done(node))
    }
}

fn code_taken_if_duplicate<N>(
    outcome: std::result::Result<InsertOutcome<N>, StoreError>,
) -> std::result::Result<InsertOutcome<N>, StoreError> {
    match outcome {
        Err(StoreError::Duplicate) => Ok(InsertOutcome::CodeTaken),
        _ => outcome,
    }
}
