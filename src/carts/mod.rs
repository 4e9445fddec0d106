//! The cart: changed by single updates that also sign its owner in, priced whenever it is read.

pub mod redistribution;
pub mod share_out;
pub mod store;

use std::{collections::HashMap, sync::Arc};

use self::store::{Put, PutLimits, Removed, Wanted};
use crate::{
    accounts::sessions::is_alive,
    app::App,
    catalogue::{
        rules::pricing::discount_at,
        store::products::{CartProduct, StockNow},
    },
    db::StoreError,
    values::{
        cart::{CartDoc, CartLine},
        ids::{CartId, LineRev, ProductId, SessionRef, UserId},
        money::{Money, Percent},
        quantity::Quantity,
        time::Timestamp,
    },
};

/// A cart with the prices of this moment.
#[derive(Debug)]
pub struct PricedCart {
    /// Its id.
    pub id: CartId,
    /// Its owner.
    pub owner: UserId,
    /// The oldest first; lines whose product is gone or hidden are left out.
    pub lines: Vec<PricedLine>,
    /// The sum of all lines.
    pub subtotal: Money,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// One line with the price of this moment.
#[derive(Debug)]
pub struct PricedLine {
    /// The line as stored.
    pub line: CartLine,
    /// Its product.
    pub product: Arc<CartProduct>,
    /// The discount that counts now.
    pub discount: Percent,
    /// Price of a piece less the discount.
    pub unit_price: Money,
    /// `unit_price` for all pieces.
    pub total: Money,
}

/// Why a cart isn't read or changed.
#[derive(Debug, thiserror::Error)]
pub enum CartError {
    /// The session is not alive.
    #[error("invalid or expired access token")]
    SignedOut,
    /// No such product, or a hidden one.
    #[error("product not found")]
    ProductNotFound,
    /// Nothing left of it.
    #[error("product is out of stock")]
    OutOfStock,
    /// The line would hold more than there is.
    #[error("only {0} items available in stock")]
    NotEnoughStock(i64),
    /// Over 100 lines, or over 999 of one product.
    #[error("cart is full")]
    Full,
    /// There is no such line.
    #[error("cart or item not found")]
    LineNotFound,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The cart as it is.
pub async fn read(app: &App, owner: SessionRef) -> Result<PricedCart, CartError> {
    let cart = app.store.carts.find(owner).await?.ok_or(CartError::SignedOut)?;
    price(app, owner.user, cart).await
}

/// Puts more of a product into the cart: all of `quantity`, or nothing.
pub async fn add(
    app: &App,
    owner: SessionRef,
    product: ProductId,
    quantity: Quantity,
) -> Result<PricedCart, CartError> {
    put(app, owner, product, Wanted::More(quantity)).await
}

/// Has the cart hold exactly so many of a product, whatever it held of it before.
pub async fn set(
    app: &App,
    owner: SessionRef,
    product: ProductId,
    quantity: Quantity,
) -> Result<PricedCart, CartError> {
    put(app, owner, product, Wanted::Exactly(quantity)).await
}

/// By what is known of the product, which saves a round trip. A copy may be a moment behind: what is put by it is checked
/// afterwards, and what is refused by it is tried again by the product as it is stored.
async fn put(app: &App, owner: SessionRef, product: ProductId, wanted: Wanted) -> Result<PricedCart, CartError> {
    let now = app.clock.now();
    let known = products(app, &[product]).await?.remove(&product).filter(|product| product.is_active);
    if let Ok(limits) = limits(known.as_deref(), now) {
        match put_within(app, owner, product, wanted, limits, now).await {
            Err(CartError::ProductNotFound | CartError::OutOfStock | CartError::NotEnoughStock(_)) => {}
            outcome => return outcome,
        }
    }
    let stored = app.store.products.visible(product).await?;
    match limits(stored.as_ref(), now) {
        Ok(limits) => put_within(app, owner, product, wanted, limits, now).await,
        // Nothing was written, so nobody has looked yet whether the caller is signed in.
        Err(refusal) => {
            if is_alive(app, owner).await? {
                Err(refusal)
            } else {
                Err(CartError::SignedOut)
            }
        }
    }
}

async fn put_within(
    app: &App,
    owner: SessionRef,
    product: ProductId,
    wanted: Wanted,
    limits: PutLimits,
    now: Timestamp,
) -> Result<PricedCart, CartError> {
    let put = app.store.carts.put(owner, product, wanted, limits, now).await?;
    match put.ok_or(CartError::SignedOut)? {
        Put::NotEnoughStock => Err(CartError::NotEnoughStock(limits.available)),
        Put::Full => Err(CartError::Full),
        Put::Done { cart, rev, before } => {
            let cart = keep_to_stock(app, owner, product, cart, rev, before).await?;
            price(app, owner.user, cart).await
        }
    }
}

fn limits(product: Option<&CartProduct>, now: Timestamp) -> Result<PutLimits, CartError> {
    let product = product.ok_or(CartError::ProductNotFound)?;
    Ok(PutLimits { available: in_stock(product.stock)?, unit_price: unit_price(product, now).1 })
}

/// Takes some of a product out of the cart, the line with the last of them.
pub async fn remove(
    app: &App,
    owner: SessionRef,
    product: ProductId,
    quantity: Quantity,
) -> Result<PricedCart, CartError> {
    let removed = app.store.carts.remove(owner, product, quantity, app.clock.now()).await?;
    match removed.ok_or(CartError::SignedOut)? {
        Removed::NoLine(_) => Err(CartError::LineNotFound),
        Removed::Done(cart) => price(app, owner.user, cart).await,
    }
}

/// Takes all of a product out of the cart; that there is none of it is fine, and so is that the product is gone.
pub async fn drop_line(app: &App, owner: SessionRef, product: ProductId) -> Result<PricedCart, CartError> {
    let removed = app.store.carts.remove(owner, product, Quantity::ALL, app.clock.now()).await?;
    let (Removed::Done(cart) | Removed::NoLine(cart)) = removed.ok_or(CartError::SignedOut)?;
    price(app, owner.user, cart).await
}

/// Takes everything out of the cart.
pub async fn clear(app: &App, owner: SessionRef) -> Result<PricedCart, CartError> {
    let cart = app.store.carts.clear(owner, app.clock.now()).await?.ok_or(CartError::SignedOut)?;
    price(app, owner.user, cart).await
}

/// Stock may have fallen, or the product may be gone or hidden, since it was read. The redistribution that followed a fall
/// can have missed the new pieces, so the call takes them out itself. When the line was changed meanwhile by another call of
/// its owner, the pieces can't be told apart any more: then the line is cut to the stock.
async fn keep_to_stock(
    app: &App,
    owner: SessionRef,
    product: ProductId,
    mut cart: CartDoc,
    rev: LineRev,
    before: i64,
) -> Result<CartDoc, CartError> {
    loop {
        let gone = StockNow { stock: 0, is_active: true };
        let StockNow { stock, is_active } = app.store.products.stock(product).await?.unwrap_or(gone);
        let Some(line) = cart.items.iter().find(|line| line.product_id == product) else { return Ok(cart) };
        let untouched = line.rev == rev;
        // Lines of hidden products stay, but nothing is added to them.
        let is_refused = untouched && !is_active;
        if i64::from(line.quantity.get()) <= stock && !is_refused {
            return Ok(cart);
        }
        let left = match (untouched, is_refused) {
            (true, true) => before,
            (true, false) => before.min(stock),
            (false, _) => stock,
        };
        let cut = app.store.carts.clamp_line(owner.user, product, line.rev, left).await?;
        if cut && untouched {
            let refusal = in_stock(stock).map_or_else(|refusal| refusal, CartError::NotEnoughStock);
            return Err(if is_refused { CartError::ProductNotFound } else { refusal });
        }
        cart = app.store.carts.find(owner).await?.ok_or(CartError::SignedOut)?;
    }
}

fn in_stock(stock: i64) -> Result<i64, CartError> {
    if stock > 0 { Ok(stock) } else { Err(CartError::OutOfStock) }
}

/// The discount and the price of a piece that count at `now`.
fn unit_price(product: &CartProduct, now: Timestamp) -> (Percent, Money) {
    let discount = discount_at(product.offer.as_ref(), now);
    (discount, product.price.less(discount))
}

async fn price(app: &App, owner: UserId, cart: CartDoc) -> Result<PricedCart, CartError> {
    let ids: Vec<ProductId> = cart.items.iter().map(|line| line.product_id).collect();
    let mut products = products(app, &ids).await?;
    products.retain(|_, product| product.is_active);
    let now = app.clock.now();
    let lines = cart.items.into_iter();
    let lines: Vec<PricedLine> =
        lines.filter_map(|line| Some(price_line(products.remove(&line.product_id)?, line, now))).collect();
    let subtotal = lines.iter().map(|line| line.total).sum();
    Ok(PricedCart { id: cart.id, owner, lines, subtotal, created_at: cart.created_at, updated_at: cart.updated_at })
}

/// What is known of products, hidden ones too.
async fn products(app: &App, ids: &[ProductId]) -> Result<HashMap<ProductId, Arc<CartProduct>>, StoreError> {
    app.catalogue.products(ids, |missing| async move { app.store.products.among(&missing).await }).await
}

fn price_line(product: Arc<CartProduct>, line: CartLine, now: Timestamp) -> PricedLine {
    let (discount, unit_price) = unit_price(&product, now);
    PricedLine { total: unit_price.times(line.quantity.get()), line, product, discount, unit_price }
}
