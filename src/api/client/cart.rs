//! `/api/client/{user_id}/cart/`: the cart, priced at every reading.

use std::sync::Arc;

use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    types::Example,
};
use serde::Deserialize;

use super::{cart_out::CartReply, signed_in_first};
use crate::{
    api::{
        Group,
        access::PathOwner,
        body::Tried,
        error::{ApiError, ApiResult, ErrorCode, Refusal},
        fields::{LineQuantityIn, QuantityIn},
        scalars::PathId,
        written::Written,
    },
    app::App,
    carts::{self, CartError, PricedCart},
    values::{ids::ProductId, invalid::InvalidField, quantity::Quantity},
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
        owner: PathOwner,
        #[oai(name = "user_id")] _user: Path<String>,
    ) -> ApiResult<Written<CartReply>, CartError> {
        Ok(self.reply(carts::read(&self.app, owner.0).await?))
    }

    /// Put more of a product into the cart
    ///
    /// All of `quantity` or nothing: what is acknowledged is in the cart.
    #[oai(path = "/:user_id/cart/add/:product_id", method = "post", operation_id = "addToCart")]
    async fn add(
        &self,
        owner: PathOwner,
        #[oai(name = "user_id")] _user: Path<String>,
        product_id: Path<PathId<ProductId>>,
        body: Tried<AddIn>,
    ) -> ApiResult<Written<CartReply>, CartError> {
        let asked = body.0.map(|body| body.quantity.map_or(Quantity::ONE, |quantity| quantity.0));
        let (product, quantity) = self.asked(&owner, product_id.0.or(CartError::ProductNotFound), asked).await?;
        Ok(self.reply(carts::add(&self.app, owner.0, product, quantity).await?))
    }

    /// Take some of a product out of the cart
    ///
    /// The line goes with its last piece.
    #[oai(path = "/:user_id/cart/remove/:product_id", method = "delete", operation_id = "removeFromCart")]
    async fn remove(
        &self,
        owner: PathOwner,
        #[oai(name = "user_id")] _user: Path<String>,
        product_id: Path<PathId<ProductId>>,
        /// How many, 1 to 999; 1 when left out.
        quantity: Query<Option<String>>,
    ) -> ApiResult<Written<CartReply>, CartError> {
        let asked = query_quantity(quantity.0.as_deref()).map_err(ApiError::from);
        let (product, quantity) = self.asked(&owner, product_id.0.or(CartError::LineNotFound), asked).await?;
        Ok(self.reply(carts::remove(&self.app, owner.0, product, quantity).await?))
    }

    /// Set how many of a product the cart holds
    ///
    /// 0 takes the product out, whether or not it is there or still sold. A line keeps its place and the price at which
    /// it was begun; a product that isn't in the cart yet is put there.
    #[oai(path = "/:user_id/cart/items/:product_id", method = "put", operation_id = "setCartItem")]
    async fn set(
        &self,
        owner: PathOwner,
        #[oai(name = "user_id")] _user: Path<String>,
        product_id: Path<PathId<ProductId>>,
        body: Tried<SetIn>,
    ) -> ApiResult<Written<CartReply>, CartError> {
        // What is no id names nothing, and neither does a new one.
        let product = product_id.0.or(()).unwrap_or_else(|()| ProductId::new());
        let quantity = signed_in_first(&self.app, &owner, body.0.and_then(SetIn::quantity)).await?;
        let cart = match quantity {
            Some(quantity) => carts::set(&self.app, owner.0, product, quantity).await?,
            None => carts::drop_line(&self.app, owner.0, product).await?,
        };
        Ok(self.reply(cart))
    }

    /// Take everything out of the cart
    #[oai(path = "/:user_id/cart", method = "delete", operation_id = "clearCart")]
    async fn clear(
        &self,
        owner: PathOwner,
        #[oai(name = "user_id")] _user: Path<String>,
    ) -> ApiResult<Written<CartReply>, CartError> {
        Ok(self.reply(carts::clear(&self.app, owner.0).await?))
    }
}

impl CartApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }

    /// What a call names.
    async fn asked(
        &self,
        owner: &PathOwner,
        product: Result<ProductId, CartError>,
        quantity: Result<Quantity, ApiError>,
    ) -> Result<(ProductId, Quantity), ApiError> {
        let asked = product.map_err(Refusal::into_error).and_then(|product| Ok((product, quantity?)));
        signed_in_first(&self.app, owner, asked).await
    }

    fn reply(&self, cart: PricedCart) -> Written<CartReply> {
        Written(CartReply::new(cart, &self.app.config.currency))
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

/// How many there are to be.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "SetCartItem", example)]
struct SetIn {
    /// 0 to 999; it must be given.
    quantity: Option<LineQuantityIn>,
}

impl SetIn {
    fn quantity(self) -> Result<Option<Quantity>, ApiError> {
        self.quantity.map(|quantity| quantity.0).ok_or_else(|| InvalidField::required("quantity").into())
    }
}

impl Example for SetIn {
    fn example() -> Self {
        Self { quantity: Some(LineQuantityIn(Some(Quantity::ONE))) }
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
