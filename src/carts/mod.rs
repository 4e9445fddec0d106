//! Shopping carts.
//!
//! A cart is a part of its owner's account. Each change that an owner asks for is a single update that also checks the
//! owner's session. Prices are computed at every read; a line only remembers what its product cost when it was added.

pub mod redistribution;
pub mod share_out;
pub mod stock_watch;
pub(crate) mod store;

use std::sync::Arc;

pub use self::store::stock_changes::Interrupted;
use self::store::{PutLimits, PutOutcome, QuantityChange, RemovalOutcome};
use crate::{
    accounts::sessions::is_alive,
    app::App,
    catalogue::{CartProduct, StockNow, rules::pricing::PriceNow, stock},
    db::StoreError,
    values::{
        cart::{CartDoc, CartLine},
        ids::{CartId, LineRev, ProductId, SessionRef, UserId},
        money::{Money, Percent},
        quantity::Quantity,
        time::Timestamp,
    },
};

/// A cart with current prices.
#[derive(Debug)]
pub struct PricedCart {
    pub id: CartId,
    pub owner: UserId,
    /// The lines of visible products, the oldest first.
    pub lines: Vec<PricedLine>,
    /// The lines of hidden products, the oldest first.
    pub unavailable: Vec<UnavailableLine>,
    /// The sum of `lines`.
    pub subtotal: Money,
    /// The time when the cart was made.
    pub created_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

/// A line of a cart with its current price.
#[derive(Debug)]
pub struct PricedLine {
    /// The line as it is stored.
    pub line: CartLine,
    pub product: Arc<CartProduct>,
    /// The discount that applies now.
    pub discount: Percent,
    /// The price of one piece with the discount.
    pub unit_price: Money,
    /// The price of all pieces of the line.
    pub total: Money,
}

/// A line of a cart whose product is hidden. It has no price, and nobody can buy it until the product is shown again.
#[derive(Debug)]
pub struct UnavailableLine {
    /// The line as it is stored.
    pub line: CartLine,
    pub product: Arc<CartProduct>,
}

/// Why a cart was not read or not changed.
#[derive(Debug, thiserror::Error)]
pub enum CartError {
    /// The session has ended or does not exist.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The product does not exist or is hidden.
    #[error("product not found")]
    ProductNotFound,
    /// No piece of the product is in stock.
    #[error("product is out of stock")]
    OutOfStock,
    /// The line would hold more pieces than are in stock. Holds the pieces in stock.
    #[error("only {0} items available in stock")]
    NotEnoughStock(i64),
    /// The cart would have more than 100 lines of visible products, more than 200 lines in all, or more than 999 pieces
    /// of one product.
    #[error("cart is full")]
    Full,
    /// The cart does not hold the product.
    #[error("cart or item not found")]
    LineNotFound,
    /// The database could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Counts the carts that hold at least one product.
pub async fn count(app: &App) -> Result<u64, StoreError> {
    app.store.carts.count().await
}

/// Returns the cart with current prices.
pub async fn read(app: &App, owner: SessionRef) -> Result<PricedCart, CartError> {
    let cart = app.store.carts.find(owner).await?.ok_or(CartError::SignedOut)?;
    Ok(price(app, owner.user, cart).await?)
}

/// Returns the cart of an account with current prices, for staff; `None` if there is no such account.
pub async fn of_account(app: &App, owner: UserId) -> Result<Option<PricedCart>, StoreError> {
    match app.store.carts.find_of(owner).await? {
        Some(cart) => price(app, owner, cart).await.map(Some),
        None => Ok(None),
    }
}

/// Adds `quantity` pieces of a product to the cart: all of them, or none if that fails.
///
/// Fails if the line would then hold more pieces than are in stock.
pub async fn add(
    app: &App,
    owner: SessionRef,
    product: ProductId,
    quantity: Quantity,
) -> Result<PricedCart, CartError> {
    put(app, owner, product, QuantityChange::More(quantity)).await
}

/// Sets the number of pieces of a product in the cart, whatever it was before. Doing it twice is the same as once.
///
/// Fails if that is more than the pieces in stock.
pub async fn set(
    app: &App,
    owner: SessionRef,
    product: ProductId,
    quantity: Quantity,
) -> Result<PricedCart, CartError> {
    put(app, owner, product, QuantityChange::Exactly(quantity)).await
}

/// Puts pieces of a product into the cart, as far as its stock allows.
///
/// The limits come from the product in memory, which saves a round trip to the database. The copy may be a moment old.
/// So a success is checked against the stored product afterwards, and a refusal because of the product or its stock is
/// tried again with the stored product.
async fn put(
    app: &App,
    owner: SessionRef,
    product: ProductId,
    change: QuantityChange,
) -> Result<PricedCart, CartError> {
    let now = app.clock.now();
    let cached = stock::for_carts(app, &[product]).await?.remove(&product).filter(|product| product.is_active);
    if let Ok(limits) = put_limits(cached.as_deref(), now) {
        match put_within_limits(app, owner, product, change, limits, now).await {
            Err(CartError::ProductNotFound | CartError::OutOfStock | CartError::NotEnoughStock(_)) => {}
            outcome => return outcome,
        }
    }
    let stored = stock::visible(app, product).await?;
    match put_limits(stored.as_ref(), now) {
        Ok(limits) => put_within_limits(app, owner, product, change, limits, now).await,
        // Nothing was written, so the session was not checked yet.
        Err(refusal) => {
            if is_alive(app, owner).await? {
                Err(refusal)
            } else {
                Err(CartError::SignedOut)
            }
        }
    }
}

/// Puts pieces into the cart within known limits, then checks the limits again.
async fn put_within_limits(
    app: &App,
    owner: SessionRef,
    product: ProductId,
    change: QuantityChange,
    mut limits: PutLimits,
    now: Timestamp,
) -> Result<PricedCart, CartError> {
    loop {
        let outcome = app.store.carts.put(owner, product, change, &limits, now).await?;
        match outcome.ok_or(CartError::SignedOut)? {
            PutOutcome::NotEnoughStock => return Err(CartError::NotEnoughStock(limits.available)),
            PutOutcome::TooManyPieces => return Err(CartError::Full),
            PutOutcome::NoPlace(cart) => limits.hidden = make_place(app, owner, &cart, &limits.hidden).await?,
            PutOutcome::Done { cart, rev, pieces_before } => {
                let checked_cart = keep_to_stock(app, owner, product, cart, rev, pieces_before).await?;
                return Ok(price(app, owner.user, checked_cart).await?);
            }
        }
    }
}

/// Looks for place in a cart that took no new line. Returns its hidden products, which don't count at the next try.
///
/// Lines of products that are gone are removed. Fails with [`CartError::Full`] if none are gone and no other products
/// are hidden than those in `known_hidden`, which the try has left out already. So each further try follows from a
/// change that somebody made.
async fn make_place(
    app: &App,
    owner: SessionRef,
    cart: &CartDoc,
    known_hidden: &[ProductId],
) -> Result<Vec<ProductId>, CartError> {
    let ids: Vec<ProductId> = cart.items.iter().map(|line| line.product_id).collect();
    let products = stock::for_carts(app, &ids).await?;
    let (existing, gone): (Vec<_>, Vec<_>) = ids.into_iter().partition(|id| products.contains_key(id));
    let hidden: Vec<ProductId> = existing.into_iter().filter(|id| !products[id].is_active).collect();
    if !gone.is_empty() {
        app.store.carts.remove_gone(owner, &gone).await?;
    } else if hidden.iter().all(|id| known_hidden.contains(id)) {
        return Err(CartError::Full);
    }
    Ok(hidden)
}

/// Returns the limits for a product, or why none of it can be put into a cart.
fn put_limits(product: Option<&CartProduct>, now: Timestamp) -> Result<PutLimits, CartError> {
    let product = product.ok_or(CartError::ProductNotFound)?;
    if product.stock <= 0 {
        return Err(CartError::OutOfStock);
    }
    let unit_price = product.price_at(now).unit_price;
    Ok(PutLimits { available: product.stock, unit_price, hidden: Vec::new() })
}

/// Removes `quantity` pieces of a product from the cart. If none are left, the line is removed too.
///
/// Fails with [`CartError::LineNotFound`] if the cart does not hold the product.
pub async fn remove(
    app: &App,
    owner: SessionRef,
    product: ProductId,
    quantity: Quantity,
) -> Result<PricedCart, CartError> {
    let outcome = app.store.carts.remove(owner, product, quantity, app.clock.now()).await?;
    match outcome.ok_or(CartError::SignedOut)? {
        RemovalOutcome::NoLine(_) => Err(CartError::LineNotFound),
        RemovalOutcome::Done(cart) => Ok(price(app, owner.user, cart).await?),
    }
}

/// Removes all pieces of a product from the cart. Succeeds also if the cart holds none, or if the product is gone.
pub async fn drop_line(app: &App, owner: SessionRef, product: ProductId) -> Result<PricedCart, CartError> {
    let outcome = app.store.carts.remove(owner, product, Quantity::ALL, app.clock.now()).await?;
    let (RemovalOutcome::Done(cart) | RemovalOutcome::NoLine(cart)) = outcome.ok_or(CartError::SignedOut)?;
    Ok(price(app, owner.user, cart).await?)
}

/// Removes everything from the cart.
pub async fn clear(app: &App, owner: SessionRef) -> Result<PricedCart, CartError> {
    let empty_cart = app.store.carts.clear(owner, app.clock.now()).await?.ok_or(CartError::SignedOut)?;
    Ok(price(app, owner.user, empty_cart).await?)
}

/// Checks the stored product after pieces of it were put into the cart, and takes them out again if necessary.
///
/// Since the product was read, its stock may have fallen, or it may have been hidden or deleted. The redistribution
/// after a fall may have run before the new pieces were in the cart, so this call must take them out itself. `rev` is
/// the state of the line that this call made, and `pieces_before` the number of pieces before it. If the line was
/// removed in the meantime, the call succeeds.
async fn keep_to_stock(
    app: &App,
    owner: SessionRef,
    product: ProductId,
    mut cart: CartDoc,
    rev: LineRev,
    pieces_before: i64,
) -> Result<CartDoc, CartError> {
    loop {
        let deleted = StockNow { stock: 0, is_active: true };
        let current = stock::now(app, product).await?.unwrap_or(deleted);
        let Some(line) = cart.items.iter().find(|line| line.product_id == product) else { return Ok(cart) };
        match correct(line, rev, pieces_before, current) {
            Correction::None => return Ok(cart),
            Correction::TakeOut { pieces_left, refusal } => {
                if app.store.carts.clamp_line(owner.user, product, line.rev, pieces_left).await? {
                    return Err(refusal);
                }
            }
            Correction::CutTo(stock) => {
                app.store.carts.clamp_line(owner.user, product, line.rev, stock).await?;
            }
        }
        cart = app.store.carts.find(owner).await?.ok_or(CartError::SignedOut)?;
    }
}

/// What must be done about a line after pieces were put into it.
enum Correction {
    /// Nothing.
    None,
    /// The pieces of this call are taken out, so that `pieces_left` remain, and the call fails with `refusal`.
    TakeOut { pieces_left: i64, refusal: CartError },
    /// The line is cut to this number of pieces, and checked again.
    CutTo(i64),
}

/// Decides what [`keep_to_stock`] does about a line that is in the cart. The first row that fits applies:
///
/// | the line since this call | the product | the line is cut to | the call |
/// |---|---|---|---|
/// | unchanged | is hidden | `pieces_before` | fails: product not found |
/// | any | has enough pieces | | succeeds |
/// | unchanged | has fewer pieces than the line | `pieces_before`, at most the stock | fails: not enough or no stock |
/// | changed by another call | has fewer pieces than the line | the stock | checks again |
///
/// If another call changed the line, its own pieces and those of this call cannot be told apart any more.
fn correct(line: &CartLine, rev: LineRev, pieces_before: i64, product: StockNow) -> Correction {
    let StockNow { stock, is_active } = product;
    let is_unchanged = line.rev == rev;
    // A line whose product is hidden stays in the cart, but pieces cannot be added to it.
    if is_unchanged && !is_active {
        return Correction::TakeOut { pieces_left: pieces_before, refusal: CartError::ProductNotFound };
    }
    if i64::from(line.quantity.get()) <= stock {
        return Correction::None;
    }
    if is_unchanged {
        let refusal = if stock > 0 { CartError::NotEnoughStock(stock) } else { CartError::OutOfStock };
        return Correction::TakeOut { pieces_left: pieces_before.min(stock), refusal };
    }
    Correction::CutTo(stock)
}

/// Adds current prices to the lines of visible products, and sets those of hidden products apart.
///
/// Lines whose product is gone are left out. The worker `stock` removes them.
async fn price(app: &App, owner: UserId, cart: CartDoc) -> Result<PricedCart, StoreError> {
    let ids: Vec<ProductId> = cart.items.iter().map(|line| line.product_id).collect();
    let mut products = stock::for_carts(app, &ids).await?;
    let now = app.clock.now();
    let (mut lines, mut unavailable) = (Vec::with_capacity(cart.items.len()), Vec::new());
    for line in cart.items {
        match products.remove(&line.product_id) {
            Some(product) if product.is_active => lines.push(price_line(product, line, now)),
            Some(product) => unavailable.push(UnavailableLine { line, product }),
            None => {}
        }
    }
    let subtotal = lines.iter().map(|line| line.total).sum();
    let CartDoc { id, created_at, updated_at, .. } = cart;
    Ok(PricedCart { id, owner, lines, unavailable, subtotal, created_at, updated_at })
}

fn price_line(product: Arc<CartProduct>, line: CartLine, now: Timestamp) -> PricedLine {
    let PriceNow { discount, unit_price, .. } = product.price_at(now);
    PricedLine { total: unit_price.times(line.quantity.get()), line, product, discount, unit_price }
}
