//! The cart as its owner sees it.

use poem_openapi::{Object, types::Example};
use serde::Serialize;

use crate::{
    api::fast_json::scalar,
    carts::{PricedCart, PricedLine},
    values::{
        ids::{CartId, ProductId, UserId},
        money::{Money, Percent},
        time::Timestamp,
    },
};

/// The answer of every call on the cart.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub(super) struct CartReply {
    cart: CartOut,
}

/// A cart with current prices.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Cart")]
struct CartOut {
    #[oai(rename = "_id")]
    #[serde(rename = "_id", serialize_with = "scalar")]
    id: CartId,
    #[serde(serialize_with = "scalar")]
    user_id: UserId,
    /// Lines of the cart, the oldest first. Products that are deleted or hidden are left out.
    items: Vec<CartItemOut>,
    /// Sum of all `line_total`.
    #[serde(serialize_with = "scalar")]
    subtotal: Money,
    /// Currency as an ISO 4217 code.
    currency: String,
    #[serde(serialize_with = "scalar")]
    created_at: Timestamp,
    #[serde(serialize_with = "scalar")]
    updated_at: Timestamp,
}

/// One product in the cart.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "CartItem")]
struct CartItemOut {
    #[serde(serialize_with = "scalar")]
    product_id: ProductId,
    quantity: u32,
    #[serde(serialize_with = "scalar")]
    added_at: Timestamp,
    product_name: String,
    /// Full code of the product.
    code: String,
    image_url: String,
    /// Price of one piece before the discount.
    #[serde(serialize_with = "scalar")]
    price: Money,
    /// Percentage of the discount that counts now; 0 if there is none.
    #[serde(serialize_with = "scalar")]
    discount: Percent,
    /// Price of one piece now, after the discount.
    #[serde(serialize_with = "scalar")]
    unit_price: Money,
    /// `unit_price` multiplied by `quantity`.
    #[serde(serialize_with = "scalar")]
    line_total: Money,
    /// Whether the stock is enough for all pieces.
    in_stock: bool,
    /// Whether `unit_price` differs from the price when the line was created. Later changes of the line do not change
    /// that price.
    price_changed: bool,
    /// Price of one piece when the line was created; null if it equals `unit_price`.
    #[serde(serialize_with = "scalar")]
    previous_unit_price: Option<Money>,
}

impl CartReply {
    /// Creates the answer for a cart. `currency` is an ISO 4217 code.
    pub(super) fn new(cart: PricedCart, currency: &str) -> Self {
        Self { cart: CartOut::new(cart, currency) }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::fast_json::assert_as_described;

    #[test]
    fn what_is_written_is_what_is_described() {
        let mut reply = CartReply::example();
        assert_as_described(&reply);
        reply.cart.items[0].previous_unit_price = Some(Money::from_minor(1));
        assert_as_described(&reply);
    }
}
