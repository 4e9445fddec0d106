//! Reading and changing one cart. Each change that an owner asks for is one conditional update that also checks the
//! owner's session (U2). Setting a line back to the stock is an update of its own (U3).

use bson::{Bson, Document, doc};
use mongodb::options::{ReturnDocument, UpdateModifications};
use serde::Deserialize;

use super::{Carts, lines::clamp_update};
use crate::{
    accounts::store::alive,
    db::{
        StoreError,
        query::{SEARCH_LIMIT, find_part},
    },
    values::{
        cart::{CartDoc, CartLine, MAX_LINES, MAX_STORED_LINES},
        ids::{LineRev, ProductId, SessionRef, UserId},
        money::Money,
        quantity::Quantity,
        time::Timestamp,
    },
};

/// How many pieces a line is to hold.
#[derive(Debug, Clone, Copy)]
pub enum QuantityChange {
    /// This many more than it holds now.
    More(Quantity),
    /// Exactly this many.
    Exactly(Quantity),
}

/// What the shop knows of a product when pieces of it are put into a cart.
#[derive(Debug, Clone)]
pub struct PutLimits {
    /// The pieces in stock. The line may not hold more.
    pub available: i64,
    /// The current price of one piece, which a new line remembers.
    pub unit_price: Money,
    /// Products of the cart that are hidden. Their lines don't count among the [`MAX_LINES`].
    pub hidden: Vec<ProductId>,
}

/// The outcome of putting pieces into a cart.
#[derive(Debug)]
pub enum PutOutcome {
    /// The pieces are in the cart.
    Done {
        /// The cart after the change.
        cart: CartDoc,
        /// The state of the line after the change.
        rev: LineRev,
        /// The number of pieces in the line before the change.
        pieces_before: i64,
    },
    /// The line would hold more pieces than are in stock.
    NotEnoughStock,
    /// The line would hold too many pieces.
    TooManyPieces,
    /// The cart has no place for another line. Holds the unchanged cart.
    NoPlace(CartDoc),
}

/// The outcome of removing pieces from a cart.
#[derive(Debug)]
pub enum RemovalOutcome {
    /// They were removed. Holds the cart after the change.
    Done(CartDoc),
    /// The cart does not hold the product. Holds the unchanged cart.
    NoLine(CartDoc),
}

#[derive(Deserialize)]
struct WithCart {
    cart: CartDoc,
}

impl Carts {
    /// Returns the cart of an account; `None` if there is no such account.
    pub(in crate::carts) async fn find_of(&self, owner: UserId) -> Result<Option<CartDoc>, StoreError> {
        let found: Option<WithCart> = find_part(&self.docs, doc! { "_id": owner }, doc! { "cart": 1 }).await?;
        Ok(found.map(|account| account.cart))
    }

    /// Returns the owner's cart; `None` if the session has ended or does not exist.
    pub(in crate::carts) async fn find(&self, owner: SessionRef) -> Result<Option<CartDoc>, StoreError> {
        let found: Option<WithCart> = find_part(&self.docs, alive(owner), doc! { "cart": 1 }).await?;
        Ok(found.map(|user| user.cart))
    }

    /// Counts the carts that hold at least one product. Fails if that takes longer than two seconds.
    pub(in crate::carts) async fn count(&self) -> Result<u64, StoreError> {
        let filled = doc! { "cart.items.product_id": { "$exists": true } };
        Ok(self.docs.count_documents(filled).max_time(SEARCH_LIMIT).await?)
    }

    /// Makes a line hold the wanted pieces if the stock and the limits of carts allow it; `None` if the session has
    /// ended.
    ///
    /// A product that is not in the cart yet gets a new line. An existing line keeps `added_at` and the price that it
    /// remembers. Callers may leave `limits.hidden` empty at first: then all lines count, and the outcome is
    /// [`PutOutcome::NoPlace`] where the true answer depends on which products are hidden.
    pub(in crate::carts) async fn put(
        &self,
        owner: SessionRef,
        product: ProductId,
        change: QuantityChange,
        limits: &PutLimits,
        now: Timestamp,
    ) -> Result<Option<PutOutcome>, StoreError> {
        let (QuantityChange::More(quantity) | QuantityChange::Exactly(quantity)) = change;
        let (unit_price_at_add, rev) = (limits.unit_price, LineRev::new());
        let new_line = CartLine { product_id: product, quantity, added_at: now, unit_price_at_add, rev };
        let update = put_update(&new_line, change, limits).map_err(mongodb::error::Error::from)?;
        let cart_before = self.update_cart(owner, update, ReturnDocument::Before).await?;
        Ok(cart_before.map(|cart| put_outcome(cart, new_line, change, limits)))
    }

    /// Removes `quantity` pieces of a product; `None` if the session has ended. If none are left, the line is removed
    /// too.
    pub(in crate::carts) async fn remove(
        &self,
        owner: SessionRef,
        product: ProductId,
        quantity: Quantity,
        now: Timestamp,
    ) -> Result<Option<RemovalOutcome>, StoreError> {
        let rev = LineRev::new();
        let update = removal_update(product, quantity, rev, now);
        let cart_before = self.update_cart(owner, update, ReturnDocument::Before).await?;
        Ok(cart_before.map(|cart| removal_outcome(cart, product, quantity, rev, now)))
    }

    /// Removes everything and returns the empty cart; `None` if the session has ended.
    pub(in crate::carts) async fn clear(
        &self,
        owner: SessionRef,
        now: Timestamp,
    ) -> Result<Option<CartDoc>, StoreError> {
        let update = doc! { "$set": { "cart.items": [], "cart.updated_at": now } };
        self.update_cart(owner, update, ReturnDocument::After).await
    }

    /// Removes the lines of products that do not exist any more. Succeeds also if the session has ended.
    ///
    /// Ids of products are never given twice, so a line that is removed here can't become valid again.
    pub(in crate::carts) async fn remove_gone(&self, owner: SessionRef, gone: &[ProductId]) -> Result<(), StoreError> {
        let ids: Vec<Bson> = gone.iter().copied().map(Bson::from).collect();
        let update = doc! { "$pull": { "cart.items": { "product_id": { "$in": ids } } } };
        self.docs.update_one(alive(owner), update).await?;
        Ok(())
    }

    /// Sets one line to `pieces`, or removes it for 0, if its state is still `rev` (U3). Returns `false` if it is not.
    pub(in crate::carts) async fn clamp_line(
        &self,
        user: UserId,
        product: ProductId,
        rev: LineRev,
        pieces: i64,
    ) -> Result<bool, StoreError> {
        let (filter, update) = clamp_update(user, product, rev, pieces);
        Ok(self.docs.update_one(filter, update).await?.matched_count == 1)
    }

    /// Updates the cart behind a living session. Returns it as it was before or after the update; `None` without a
    /// session.
    async fn update_cart(
        &self,
        owner: SessionRef,
        update: impl Into<UpdateModifications>,
        before_or_after: ReturnDocument,
    ) -> Result<Option<CartDoc>, StoreError> {
        let docs = self.docs.clone_with_type::<WithCart>();
        let query = docs.find_one_and_update(alive(owner), update).projection(doc! { "cart": 1 });
        Ok(query.return_document(before_or_after).await?.map(|user| user.cart))
    }
}

/// Returns the update for [`Carts::put`] (U2).
///
/// The decision is a part of the update, so two calls at the same time cannot both pass the same check. `new_line` is
/// what is appended if the product is not in the cart yet. `$_held` is the number of pieces that the cart holds of the
/// product. It exists only while the update runs.
fn put_update(new_line: &CartLine, change: QuantityChange, limits: &PutLimits) -> bson::error::Result<Vec<Document>> {
    let pieces = match change {
        QuantityChange::More(quantity) => Bson::from(doc! { "$add": ["$_held", quantity] }),
        QuantityChange::Exactly(quantity) => quantity.into(),
    };
    let is_line = doc! { "$eq": ["$$i.product_id", new_line.product_id] };
    let own_lines = doc! { "$filter": { "input": "$cart.items", "as": "i", "cond": is_line.clone() } };
    let held = doc! { "$sum": { "$map": { "input": own_lines, "as": "i", "in": "$$i.quantity" } } };
    let is_refused = doc! { "$or": [
        { "$gt": [pieces.clone(), limits.available.min(i64::from(Quantity::MAX))] },
        { "$and": [{ "$eq": ["$_held", 0] }, has_no_place(&limits.hidden)] },
    ] };
    let changed_line = doc! { "$mergeObjects": ["$$i", { "quantity": pieces, "rev": new_line.rev }] };
    let items_with_change = map_items(&is_line, changed_line);
    let new_item = doc! { "$literal": bson::serialize_to_bson(new_line)? };
    let items_with_new_line = doc! { "$concatArrays": ["$cart.items", [new_item]] };
    let items = doc! { "$cond": [{ "$gt": ["$_held", 0] }, items_with_change, items_with_new_line] };
    let cart = doc! { "$mergeObjects": ["$cart", { "updated_at": new_line.added_at, "items": items }] };
    Ok(vec![
        doc! { "$set": { "_held": held } },
        doc! { "$set": { "cart": { "$cond": [is_refused, "$cart", cart] } } },
        doc! { "$unset": "_held" },
    ])
}

/// Returns the condition that a cart takes no new line. [`takes_no_line`] is the same condition here.
fn has_no_place(hidden: &[ProductId]) -> Document {
    let ids: Vec<Bson> = hidden.iter().copied().map(Bson::from).collect();
    let is_counted = doc! { "$not": [{ "$in": ["$$i.product_id", { "$literal": ids }] }] };
    let counted = doc! { "$filter": { "input": "$cart.items", "as": "i", "cond": is_counted } };
    doc! { "$or": [
        { "$gte": [{ "$size": "$cart.items" }, MAX_STORED_LINES] },
        { "$gte": [{ "$size": counted }, MAX_LINES] },
    ] }
}

/// Returns whether a cart takes no new line, as [`has_no_place`] decides it in the database.
fn takes_no_line(items: &[CartLine], hidden: &[ProductId]) -> bool {
    let counted = items.iter().filter(|item| !hidden.contains(&item.product_id)).count();
    items.len() >= MAX_STORED_LINES as usize || counted >= MAX_LINES as usize
}

/// Works out what [`put_update`] did from the cart before the update. It must decide exactly as the update does.
fn put_outcome(mut cart: CartDoc, new_line: CartLine, change: QuantityChange, limits: &PutLimits) -> PutOutcome {
    let position = cart.items.iter().position(|item| item.product_id == new_line.product_id);
    let pieces_before = position.map_or(0, |at| i64::from(cart.items[at].quantity.get()));
    let pieces = match change {
        QuantityChange::More(quantity) => pieces_before + i64::from(quantity.get()),
        QuantityChange::Exactly(quantity) => i64::from(quantity.get()),
    };
    if pieces > limits.available {
        return PutOutcome::NotEnoughStock;
    }
    let Some(quantity) = Quantity::new(pieces) else { return PutOutcome::TooManyPieces };
    if position.is_none() && takes_no_line(&cart.items, &limits.hidden) {
        return PutOutcome::NoPlace(cart);
    }
    let rev = new_line.rev;
    cart.updated_at = new_line.added_at;
    match position {
        Some(at) => cart.items[at] = CartLine { quantity, rev, ..cart.items[at].clone() },
        None => cart.items.push(new_line),
    }
    PutOutcome::Done { cart, rev, pieces_before }
}

/// Returns the update for [`Carts::remove`]. It changes nothing if the product is not in the cart.
fn removal_update(product: ProductId, quantity: Quantity, rev: LineRev, now: Timestamp) -> Vec<Document> {
    let is_line = doc! { "$eq": ["$$i.product_id", product] };
    let pieces_left = doc! { "$subtract": ["$$i.quantity", quantity] };
    let lowered_line = doc! { "$mergeObjects": ["$$i", { "quantity": pieces_left, "rev": rev }] };
    let lowered_items = map_items(&is_line, lowered_line);
    let items_left = doc! { "$filter": { "input": lowered_items, "as": "i", "cond": { "$gt": ["$$i.quantity", 0] } } };
    let is_in_cart = doc! { "$in": [Bson::from(product), "$cart.items.product_id"] };
    let cart = doc! { "$mergeObjects": ["$cart", { "updated_at": now, "items": items_left }] };
    vec![doc! { "$set": { "cart": { "$cond": [is_in_cart, cart, "$cart"] } } }]
}

/// Returns the lines of the cart, with `replacement` in place of each line for which `is_line` holds.
fn map_items(is_line: &Document, replacement: Document) -> Document {
    let item = doc! { "$cond": [is_line, replacement, "$$i"] };
    doc! { "$map": { "input": "$cart.items", "as": "i", "in": item } }
}

/// Works out what [`removal_update`] did from the cart before the update.
fn removal_outcome(
    mut cart: CartDoc,
    product: ProductId,
    quantity: Quantity,
    rev: LineRev,
    now: Timestamp,
) -> RemovalOutcome {
    let Some(at) = cart.items.iter().position(|item| item.product_id == product) else {
        return RemovalOutcome::NoLine(cart);
    };
    let pieces_left = i64::from(cart.items[at].quantity.get()) - i64::from(quantity.get());
    match Quantity::new(pieces_left) {
        Some(quantity) => cart.items[at] = CartLine { quantity, rev, ..cart.items[at].clone() },
        None => drop(cart.items.remove(at)),
    }
    cart.updated_at = now;
    RemovalOutcome::Done(cart)
}
