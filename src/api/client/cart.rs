//! `/api/client/{user_id}/cart/`: the cart. Prices are computed anew for every answer.

use std::sync::Arc;

use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    types::Example,
};
use serde::Deserialize;

use super::cart_out::CartReply;
use crate::{
    api::{
        Group,
        access::{OwnerBody, owner},
        error::{ApiResult, refusals},
        fast_json::FastJson,
        fields::{LineQuantityIn, QuantityIn},
        scalars::PathId,
    },
    app::App,
    carts::{self, CartError, PricedCart},
    db::StoreError,
    values::{ids::ProductId, invalid::InvalidField, quantity::Quantity},
};

/// Handlers of `/api/client/{user_id}/cart/`.
pub struct CartApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/client", tag = "Group::Client")]
impl CartApi {
    /// Returns the cart with current prices
    #[oai(path = "/:user_id/cart", method = "get", operation_id = "readCart")]
    async fn read(&self, #[oai(name = "user_id")] owner: owner::Path) -> ApiResult<FastJson<CartReply>, CartError> {
        Ok(self.reply(carts::read(&self.0, owner.0).await?))
    }

    /// Adds pieces of a product to the cart
    ///
    /// Adds all of `quantity` or, if the call fails, nothing.
    #[oai(path = "/:user_id/cart/add/:product_id", method = "post", operation_id = "addToCart")]
    async fn add(
        &self,
        #[oai(name = "user_id")] owner: owner::Path,
        product_id: Path<PathId<ProductId>>,
        body: OwnerBody<AddIn>,
    ) -> ApiResult<FastJson<CartReply>, CartError> {
        let quantity = body.0.quantity.map_or(Quantity::ONE, |quantity| quantity.0);
        Ok(self.reply(carts::add(&self.0, owner.0, product_id.0.or_absent(), quantity).await?))
    }

    /// Removes pieces of a product from the cart
    ///
    /// The line is removed with its last piece.
    #[oai(path = "/:user_id/cart/remove/:product_id", method = "delete", operation_id = "removeFromCart")]
    async fn remove(
        &self,
        #[oai(name = "user_id")] owner: owner::Path,
        product_id: Path<PathId<ProductId>>,
        /// Number of pieces, 1 to 999; 1 if left out.
        quantity: Query<Option<String>>,
    ) -> ApiResult<FastJson<CartReply>, CartError> {
        let asked = query_quantity(quantity.0.as_deref());
        let quantity = owner.signed_in_first(&self.0, asked).await?;
        Ok(self.reply(carts::remove(&self.0, owner.0, product_id.0.or_absent(), quantity).await?))
    }

    /// Sets the number of pieces of a product in the cart
    ///
    /// 0 removes the product, and also succeeds if the product is not in the cart or is no longer sold. A line keeps
    /// its place and the price that was stored when it was created. A product that is not in the cart yet is added.
    #[oai(path = "/:user_id/cart/items/:product_id", method = "put", operation_id = "setCartItem")]
    async fn set(
        &self,
        #[oai(name = "user_id")] owner: owner::Path,
        product_id: Path<PathId<ProductId>>,
        body: OwnerBody<SetIn>,
    ) -> ApiResult<FastJson<CartReply>, CartError> {
        let product = product_id.0.or_absent();
        let quantity = owner.signed_in_first(&self.0, body.0.quantity()).await?;
        let cart = match quantity {
            Some(quantity) => carts::set(&self.0, owner.0, product, quantity).await?,
            None => carts::drop_line(&self.0, owner.0, product).await?,
        };
        Ok(self.reply(cart))
    }

    /// Removes everything from the cart
    #[oai(path = "/:user_id/cart", method = "delete", operation_id = "clearCart")]
    async fn clear(&self, #[oai(name = "user_id")] owner: owner::Path) -> ApiResult<FastJson<CartReply>, CartError> {
        Ok(self.reply(carts::clear(&self.0, owner.0).await?))
    }
}

impl CartApi {
    fn reply(&self, cart: PricedCart) -> FastJson<CartReply> {
        FastJson(CartReply::new(cart, &self.0.config))
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
    fn quantity(self) -> Result<Option<Quantity>, InvalidField> {
        self.quantity.map(|quantity| quantity.0).ok_or_else(|| InvalidField::required("quantity"))
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
