//! The export of all data of an account, for its owner.

use poem_openapi::{ApiResponse, Object, payload::Json, types::Example};

use super::account_out::AccountOut;
use crate::{
    accounts::WholeAccount,
    api::auth::SessionsOut,
    api::examples,
    values::{
        cart::{CartDoc, CartLine},
        ids::{CartId, ProductId, SessionId},
        money::Money,
        time::Timestamp,
        url::PublicUrl,
    },
};

/// Everything that is stored about an account, except its secrets.
#[derive(Object)]
#[oai(rename = "AccountExport", example)]
pub(super) struct ExportOut {
    account: AccountOut,
    #[oai(flatten)]
    sessions: SessionsOut,
    cart: StoredCartOut,
    last_sign_in_at: Option<Timestamp>,
    /// Time of the last change of the account.
    updated_at: Timestamp,
}

/// The cart as it is stored.
#[derive(Object)]
#[oai(rename = "StoredCart")]
struct StoredCartOut {
    #[oai(rename = "_id")]
    id: CartId,
    /// Lines of the cart, the oldest first.
    items: Vec<StoredLineOut>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// One product in the cart.
#[derive(Object)]
#[oai(rename = "StoredCartItem")]
struct StoredLineOut {
    product_id: ProductId,
    quantity: u32,
    added_at: Timestamp,
    /// Price of one piece when the line was created.
    unit_price_at_add: Money,
}

#[derive(ApiResponse)]
pub(super) enum Exported {
    /// All data of the account.
    #[oai(status = 200)]
    Ok(
        Json<ExportOut>,
        /// `attachment`, with a name for the file.
        #[oai(header = "Content-Disposition")]
        String,
    ),
}

impl Exported {
    pub(super) fn new(whole: WholeAccount, current: SessionId, now: Timestamp, public_url: &PublicUrl) -> Self {
        let out = ExportOut {
            account: AccountOut::new(whole.account, now, public_url),
            sessions: SessionsOut::new(whole.sessions, current),
            cart: whole.cart.into(),
            last_sign_in_at: whole.last_sign_in_at,
            updated_at: whole.updated_at,
        };
        Self::Ok(Json(out), "attachment; filename=\"myspares-account.json\"".to_owned())
    }
}

impl From<CartDoc> for StoredCartOut {
    fn from(cart: CartDoc) -> Self {
        Self {
            id: cart.id,
            items: cart.items.into_iter().map(StoredLineOut::from).collect(),
            created_at: cart.created_at,
            updated_at: cart.updated_at,
        }
    }
}

impl From<CartLine> for StoredLineOut {
    fn from(line: CartLine) -> Self {
        Self {
            product_id: line.product_id,
            quantity: line.quantity.get(),
            added_at: line.added_at,
            unit_price_at_add: line.unit_price_at_add,
        }
    }
}

impl Example for ExportOut {
    fn example() -> Self {
        let at = examples::NOW;
        let line = StoredLineOut {
            product_id: ProductId::from([0x67; 12]),
            quantity: 2,
            added_at: at,
            unit_price_at_add: Money::from_minor(249_900),
        };
        Self {
            account: AccountOut::example(),
            sessions: SessionsOut::example(),
            cart: StoredCartOut { id: CartId::from([0x66; 12]), items: vec![line], created_at: at, updated_at: at },
            last_sign_in_at: Some(at),
            updated_at: at,
        }
    }
}
