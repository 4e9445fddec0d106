//! `/api/client/{user_id}/cart/`: the cart. Prices are computed anew for every answer.

use std::sync::Arc;

use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    types::Example,
};
use serde::Deserialize;

use super::{cart_out::CartReply, signed_in_first};
use crate::api::error::Refusal;
use crate::db::StoreError;
use crate::{
    api::{
        Group,
        access::PathOwner,
        body::DeferredBody,
        error::{ApiError, ApiResult, refusals},
        fast_json::FastJson,
        fields::{LineQuantityIn, QuantityIn},
        scalars::PathId,
    },
    app::App,
    carts::{self, CartError, PricedCart},
    values::{ids::ProductId, invalid::InvalidField, quantity::Quantity},
};

/// Handlers of `/api/client/{user_id}/cart/`.
pub struct CartApi {
    app: Arc<App>,
}

#[OpenApi(prefix_path = "/api/client", tag = "Group::Client")]
impl CartApi {
    /// Returns the cart with current prices
    #[oai(path = "/:user_id/cart", method = "get", operation_id = "readCart")]
    async fn read(
        &self,
        owner: PathOwner,
        #[oai(name = "user_id")] _user: Path<String>,
    ) -> ApiResult<FastJson<CartReply>, CartError> {
        Ok(self.reply(carts::read(&self.app, owner.0).await?))
    }

    /// Adds pieces of a product to the cart
    ///
    /// Adds all of `quantity` or, if the call fails, nothing.
    #[oai(path = "/:user_id/cart/add/:product_id", method = "post", operation_id = "addToCart")]
    async fn add(
        &self,
        owner: PathOwner,
        #[oai(name = "user_id")] _user: Path<String>,
        product_id: Path<PathId<ProductId>>,
        body: DeferredBody<AddIn>,
    ) -> ApiResult<FastJson<CartReply>, CartError> {
        let asked = body.0.map(|body| body.quantity.map_or(Quantity::ONE, |quantity| quantity.0));
        let (product, quantity) = self.asked(&owner, product_id.0.or(CartError::ProductNotFound), asked).await?;
        Ok(self.reply(carts::add(&self.app, owner.0, product, quantity).await?))
    }

    /// Removes pieces of a product from the cart
    ///
    /// The line is removed with its last piece.
    #[oai(path = "/:user_id/cart/remove/:product_id", method = "delete", operation_id = "removeFromCart")]
    async fn remove(
        &self,
        owner: PathOwner,
        #[oai(name = "user_id")] _user: Path<String>,
        product_id: Path<PathId<ProductId>>,
        /// Number of pieces, 1 to 999; 1 if left out.
        quantity: Query<Option<String>>,
    ) -> ApiResult<FastJson<CartReply>, CartError> {
        let asked = query_quantity(quantity.0.as_deref()).map_err(ApiError::from);
        let (product, quantity) = self.asked(&owner, product_id.0.or(CartError::LineNotFound), asked).await?;
        Ok(self.reply(carts::remove(&self.app, owner.0, product, quantity).await?))
    }

    /// Sets the number of pieces of a product in the cart
    ///
    /// 0 removes the product, and also succeeds if the product is not in the cart or is no longer sold. A line keeps
    /// its place and the price that was stored when it was created. A product that is not in the cart yet is added.
    #[oai(path = "/:user_id/cart/items/:product_id", method = "put", operation_id = "setCartItem")]
    async fn set(
        &self,
        owner: PathOwner,
        #[oai(name = "user_id")] _user: Path<String>,
        product_id: Path<PathId<ProductId>>,
        body: DeferredBody<SetIn>,
    ) -> ApiResult<FastJson<CartReply>, CartError> {
        // A text that is not an id names no product. A new id names none either, and so leads to the same answer.
        let product = product_id.0.or(()).unwrap_or_else(|()| ProductId::new());
        let quantity = signed_in_first(&self.app, &owner, body.0.and_then(SetIn::quantity)).await?;
        let cart = match quantity {
            Some(quantity) => carts::set(&self.app, owner.0, product, quantity).await?,
            None => carts::drop_line(&self.app, owner.0, product).await?,
        };
        Ok(self.reply(cart))
    }

    /// Removes everything from the cart
    #[oai(path = "/:user_id/cart", method = "delete", operation_id = "clearCart")]
    async fn clear(
        &self,
        owner: PathOwner,
        #[oai(name = "user_id")] _user: Path<String>,
    ) -> ApiResult<FastJson<CartReply>, CartError> {
        Ok(self.reply(carts::clear(&self.app, owner.0).await?))
    }
}

impl CartApi {
    /// Creates the handlers; they share `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }

    /// Returns the product and the quantity of a call. An error in the product comes before one in the quantity; see
    /// [`signed_in_first`] for callers whose session has ended.
    async fn asked(
        &self,
        owner: &PathOwner,
        product: Result<ProductId, CartError>,
        quantity: Result<Quantity, ApiError>,
    ) -> Result<(ProductId, Quantity), ApiError> {
        let asked = product.map_err(Refusal::into_error).and_then(|product| Ok((product, quantity?)));
        signed_in_first(&self.app, owner, asked).await
    }

    fn reply(&self, cart: PricedCart) -> FastJson<CartReply> {
        FastJson(CartReply::new(cart, &self.app.config.currency))
    }
}

fn query_quantity(text: Option<&str>) -> Result<Quantity, InvalidField> {
    let Some(text) = text else { return Ok(Quantity::ONE) };
    let quantity = QuantityIn::parse(text).map(|quantity| quantity.0);
    quantity
        .ok_or_else(|| InvalidField { field: "quantity".into(), text: format!("quantity {}", QuantityIn::EXPECTED) })
}

/// The number of pieces to add.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "AddToCart", example)]
struct AddIn {
    /// Number of pieces, 1 to 999; 1 if left out.
    quantity: Option<QuantityIn>,
}

impl Example for AddIn {
    fn example() -> Self {
        Self { quantity: Some(QuantityIn(Quantity::ONE)) }
    }
}

/// The number of pieces that the cart is to contain.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "SetCartItem", example)]
struct SetIn {
    /// Number of pieces, 0 to 999; required.
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

refusals! {
    CartError {
        codes {
            SignedOut => InvalidAccessToken,
            ProductNotFound => ProductNotFound,
            OutOfStock => OutOfStock,
            NotEnoughStock => NotEnoughStock,
            Full => CartFull,
            LineNotFound => CartItemNotFound,
        }
        causes { Store: StoreError }
    }
}
