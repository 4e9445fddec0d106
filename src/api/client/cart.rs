//! `/api/client/{user_id}/cart/`: the cart, priced at every reading.

use std::sync::Arc;

use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::Example,
};
use serde::Deserialize;

use crate::{
    access::CartOwner,
    api::{Group, body::Tried, fields::QuantityIn, scalars::PathId},
    app::App,
    domain::{
        ids::{CartId, ProductId, UserId},
        invalid::InvalidField,
        money::{Money, Percent},
        quantity::Quantity,
        time::Timestamp,
    },
    error::{ApiError, ApiResult, ErrorCode, Refusal},
    services::cart::{self, CartError, PricedCart, PricedLine},
};

/// The handlers.
pub struct CartApi {
    app: Arc<App>,
}

#[OpenApi(prefix_path = "/api/client", tag = "Group::Client")]
impl CartApi {
    /// The cart with the prices of this moment
    #[oai(path = "/:user_id/cart", method = "get", operation_id = "readCart")]
    async fn read(
        &self,
        owner: CartOwner,
        #[oai(name = "user_id")] _user: Path<String>,
    ) -> ApiResult<Json<CartReply>, CartError> {
        Ok(self.reply(cart::read(&self.app, owner.0).await?))
    }

    /// Put more of a product into the cart
    ///
    /// All of `quantity` or nothing: what is acknowledged is in the cart.
    #[oai(path = "/:user_id/cart/add/:product_id", method = "post", operation_id = "addToCart")]
    async fn add(
        &self,
        owner: CartOwner,
        #[oai(name = "user_id")] _user: Path<String>,
        product_id: Path<PathId<ProductId>>,
        body: Tried<AddIn>,
    ) -> ApiResult<Json<CartReply>, CartError> {
        let asked = body.0.map(|body| body.quantity.map_or(Quantity::ONE, |quantity| quantity.0));
        let (product, quantity) = self.asked(&owner, product_id.0.or(CartError::ProductNotFound), asked).await?;
        Ok(self.reply(cart::add(&self.app, owner.0, product, quantity).await?))
    }

    /// Take some of a product out of the cart
    ///
    /// The line goes with its last piece.
    #[oai(path = "/:user_id/cart/remove/:product_id", method = "delete", operation_id = "removeFromCart")]
    async fn remove(
        &self,
        owner: CartOwner,
        #[oai(name = "user_id")] _user: Path<String>,
        product_id: Path<PathId<ProductId>>,
        /// How many, 1 to 999; 1 when left out.
        quantity: Query<Option<String>>,
    ) -> ApiResult<Json<CartReply>, CartError> {
        let asked = query_quantity(quantity.0.as_deref()).map_err(ApiError::from);
        let (product, quantity) = self.asked(&owner, product_id.0.or(CartError::LineNotFound), asked).await?;
        Ok(self.reply(cart::remove(&self.app, owner.0, product, quantity).await?))
    }
}

impl CartApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }

    /// What a call names. The update that follows signs the caller in; where there is none to follow, a caller who isn't
    /// signed in must still hear that first.
    async fn asked(
        &self,
        owner: &CartOwner,
        product: Result<ProductId, CartError>,
        quantity: Result<Quantity, ApiError>,
    ) -> Result<(ProductId, Quantity), ApiError> {
        match (product.map_err(Refusal::into_error), quantity) {
            (Ok(product), Ok(quantity)) => Ok((product, quantity)),
            (Err(refusal), _) | (_, Err(refusal)) => {
                cart::require_session(&self.app, owner.0).await.map_err(Refusal::into_error)?;
                Err(refusal)
            }
        }
    }

    fn reply(&self, cart: PricedCart) -> Json<CartReply> {
        Json(CartReply { cart: CartOut::new(cart, &self.app.config.currency) })
    }
}

fn query_quantity(text: Option<&str>) -> Result<Quantity, InvalidField> {
    let Some(text) = text else { return Ok(Quantity::ONE) };
    let quantity = QuantityIn::parse(text).map(|quantity| quantity.0);
    quantity
        .ok_or_else(|| InvalidField { field: "quantity".into(), text: format!("quantity {}", QuantityIn::EXPECTED) })
}

/// What to add.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "AddToCart", example)]
struct AddIn {
    /// How many, 1 to 999; 1 when left out.
    quantity: Option<QuantityIn>,
}

impl Example for AddIn {
    fn example() -> Self {
        Self { quantity: Some(QuantityIn(Quantity::ONE)) }
    }
}

/// The answer of every call on the cart.
#[derive(Debug, Object)]
#[oai(example)]
struct CartReply {
    cart: CartOut,
}

/// A cart with the prices of this moment.
#[derive(Debug, Object)]
#[oai(rename = "Cart")]
struct CartOut {
    #[oai(rename = "_id")]
    id: CartId,
    user_id: UserId,
    /// The oldest line first.
    items: Vec<CartItemOut>,
    /// The sum of the lines.
    subtotal: Money,
    /// ISO 4217.
    currency: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// One product in the cart.
#[derive(Debug, Object)]
#[oai(rename = "CartItem")]
struct CartItemOut {
    product_id: ProductId,
    quantity: u32,
    added_at: Timestamp,
    product_name: String,
    /// Full code.
    code: String,
    image_url: String,
    /// Price of a piece before any discount.
    price: Money,
    /// Percentage that counts now.
    discount: Percent,
    /// Price of a piece now.
    unit_price: Money,
    /// `unit_price` for all pieces.
    line_total: Money,
    /// Whether the stock holds all pieces.
    in_stock: bool,
    /// Whether a piece cost something else when it was added.
    price_changed: bool,
    /// What it cost then; null when that is what it costs now.
    previous_unit_price: Option<Money>,
}

impl CartOut {
    fn new(cart: PricedCart, currency: &str) -> Self {
        Self {
            id: cart.id,
            user_id: cart.owner,
            items: cart.lines.into_iter().map(CartItemOut::from).collect(),
            subtotal: cart.subtotal,
            currency: currency.to_owned(),
            created_at: cart.created_at,
            updated_at: cart.updated_at,
        }
    }
}

impl From<PricedLine> for CartItemOut {
    fn from(priced: PricedLine) -> Self {
        let PricedLine { line, product, discount, unit_price, total } = priced;
        let previous = Some(line.unit_price_at_add).filter(|then| *then != unit_price);
        Self {
            product_id: line.product_id,
            quantity: line.quantity.get(),
            added_at: line.added_at,
            product_name: product.name.to_string(),
            code: product.code.to_string(),
            image_url: product.image_url.to_string(),
            price: product.price,
            discount,
            unit_price,
            line_total: total,
            in_stock: product.stock >= i64::from(line.quantity.get()),
            price_changed: previous.is_some(),
            previous_unit_price: previous,
        }
    }
}

impl Example for CartReply {
    fn example() -> Self {
        let at = Timestamp::from_millis(1_732_374_690_000);
        let item = CartItemOut {
            product_id: ProductId::from([0x67; 12]),
            quantity: 2,
            added_at: at,
            product_name: "Front brake pad set".to_owned(),
            code: "TATA-NEXON-BRK-PADF".to_owned(),
            image_url: "https://images.example.com/brake-pad.webp".to_owned(),
            price: Money::from_minor(249_900),
            discount: Percent::default(),
            unit_price: Money::from_minor(249_900),
            line_total: Money::from_minor(499_800),
            in_stock: true,
            price_changed: false,
            previous_unit_price: None,
        };
        let cart = CartOut {
            id: CartId::from([0x66; 12]),
            user_id: UserId::from([0x65; 12]),
            items: vec![item],
            subtotal: Money::from_minor(499_800),
            currency: "INR".to_owned(),
            created_at: at,
            updated_at: at,
        };
        Self { cart }
    }
}

impl Refusal for CartError {
    const CODES: &'static [ErrorCode] = &[
        ErrorCode::InvalidAccessToken,
        ErrorCode::UserMismatch,
        ErrorCode::ProductNotFound,
        ErrorCode::CartItemNotFound,
        ErrorCode::OutOfStock,
        ErrorCode::NotEnoughStock,
        ErrorCode::CartFull,
    ];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::SignedOut => ApiError::new(ErrorCode::InvalidAccessToken, text),
            Self::ProductNotFound => ApiError::new(ErrorCode::ProductNotFound, text),
            Self::OutOfStock => ApiError::new(ErrorCode::OutOfStock, text),
            Self::NotEnoughStock(_) => ApiError::new(ErrorCode::NotEnoughStock, text),
            Self::Full => ApiError::new(ErrorCode::CartFull, text),
            Self::LineNotFound => ApiError::new(ErrorCode::CartItemNotFound, text),
            Self::Store(error) => error.into(),
        }
    }
}
