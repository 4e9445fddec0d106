//! The cart as its owner sees it.

use poem_openapi::{Object, types::Example};
use serde::Serialize;

use crate::{
    api::examples,
    api::fast_json::Scalar,
    carts::{PricedCart, PricedLine, UnavailableLine},
    config::Config,
    values::{
        ids::{CartId, ProductId, UserId},
        money::{Money, Percent},
        time::Timestamp,
        url::PublicUrl,
    },
};

/// The answer of every call on the cart.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub(in crate::api) struct CartReply {
    cart: CartOut,
}

/// A cart with current prices.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Cart")]
struct CartOut {
    #[oai(rename = "_id")]
    #[serde(rename = "_id")]
    id: Scalar<CartId>,
    user_id: Scalar<UserId>,
    /// Lines of the cart, the oldest first: at most 100 can be added.
    items: Vec<CartItemOut>,
    /// Lines whose product is not sold at the moment, the oldest first. They have no price and are no part of
    /// `subtotal`. When the product is sold again, its line is back in `items`.
    unavailable: Vec<UnavailableItemOut>,
    /// Sum of all `line_total`.
    subtotal: Scalar<Money>,
    /// Currency as an ISO 4217 code.
    currency: String,
    created_at: Scalar<Timestamp>,
    updated_at: Scalar<Timestamp>,
}

/// One product in the cart.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "CartItem")]
struct CartItemOut {
    product_id: Scalar<ProductId>,
    quantity: u32,
    added_at: Scalar<Timestamp>,
    product_name: String,
    /// Full code of the product.
    code: String,
    image_url: String,
    /// Price of one piece before the discount.
    price: Scalar<Money>,
    /// Percentage of the discount that counts now; 0 if there is none.
    discount: Scalar<Percent>,
    /// Price of one piece now, after the discount.
    unit_price: Scalar<Money>,
    /// `unit_price` multiplied by `quantity`.
    line_total: Scalar<Money>,
    /// Whether the stock is enough for all pieces.
    in_stock: bool,
    /// Whether `unit_price` differs from the price when the line was created. Later changes of the line do not change
    /// that price.
    price_changed: bool,
    /// Price of one piece when the line was created; null if it equals `unit_price`.
    previous_unit_price: Option<Scalar<Money>>,
}

/// A product in the cart that is not sold at the moment.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "UnavailableCartItem")]
struct UnavailableItemOut {
    product_id: Scalar<ProductId>,
    product_name: String,
    quantity: u32,
}

impl CartReply {
    /// Creates the answer for a cart. The settings name the currency and the URL of the images of this server.
    pub(in crate::api) fn new(cart: PricedCart, config: &Config) -> Self {
        Self { cart: CartOut::new(cart, config) }
    }
}

impl CartOut {
    fn new(cart: PricedCart, config: &Config) -> Self {
        let item = |line| CartItemOut::new(line, &config.shop.public_url);
        Self {
            id: cart.id.into(),
            user_id: cart.owner.into(),
            items: cart.lines.into_iter().map(item).collect(),
            unavailable: cart.unavailable.into_iter().map(UnavailableItemOut::from).collect(),
            subtotal: cart.subtotal.into(),
            currency: config.currency.clone(),
            created_at: cart.created_at.into(),
            updated_at: cart.updated_at.into(),
        }
    }
}

impl CartItemOut {
    fn new(priced: PricedLine, public_url: &PublicUrl) -> Self {
        let PricedLine { line, product, discount, unit_price, total } = priced;
        let previous = Some(line.unit_price_at_add).filter(|then| *then != unit_price);
        Self {
            product_id: line.product_id.into(),
            quantity: line.quantity.get(),
            added_at: line.added_at.into(),
            product_name: product.name.to_string(),
            code: product.code.to_string(),
            image_url: public_url.shown(product.image_url.as_str()),
            price: product.price.into(),
            discount: discount.into(),
            unit_price: unit_price.into(),
            line_total: total.into(),
            in_stock: product.stock >= i64::from(line.quantity.get()),
            price_changed: previous.is_some(),
            previous_unit_price: previous.map(Scalar),
        }
    }
}

impl From<UnavailableLine> for UnavailableItemOut {
    fn from(unavailable: UnavailableLine) -> Self {
        let UnavailableLine { line, product } = unavailable;
        Self {
            product_id: line.product_id.into(),
            product_name: product.name.to_string(),
            quantity: line.quantity.get(),
        }
    }
}

impl Example for CartReply {
    fn example() -> Self {
        let at = examples::NOW;
        let item = CartItemOut {
            product_id: ProductId::from([0x67; 12]).into(),
            quantity: 2,
            added_at: at.into(),
            product_name: "Front brake pad set".to_owned(),
            code: "TATA-NEXON-BRK-PADF".to_owned(),
            image_url: "https://images.example.com/brake-pad.webp".to_owned(),
            price: Money::from_minor(249_900).into(),
            discount: Percent::default().into(),
            unit_price: Money::from_minor(249_900).into(),
            line_total: Money::from_minor(499_800).into(),
            in_stock: true,
            price_changed: false,
            previous_unit_price: None,
        };
        let cart = CartOut {
            id: CartId::from([0x66; 12]).into(),
            user_id: UserId::from([0x65; 12]).into(),
            items: vec![item],
            unavailable: vec![],
            subtotal: Money::from_minor(499_800).into(),
            currency: "INR".to_owned(),
            created_at: at.into(),
            updated_at: at.into(),
        };
        Self { cart }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::fast_json::assert_as_described;

    #[test]
    fn what_is_written_is_what_is_described() {
        let mut reply = CartReply::example();
        assert_as_described(&reply);
        reply.cart.items[0].previous_unit_price = Some(Money::from_minor(1).into());
        reply.cart.unavailable.push(UnavailableItemOut {
            product_id: ProductId::from([0x68; 12]).into(),
            product_name: "Rear brake pad set".to_owned(),
            quantity: 1,
        });
        assert_as_described(&reply);
    }
}
