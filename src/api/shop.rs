//! `/api/utils/shop/`: what a frontend must know about the shop before anybody signs in.

use std::sync::Arc;

use poem_openapi::{Object, OpenApi, types::Example};
use serde::Serialize;

use super::{
    Group,
    etag::{Audience, IfNoneMatch, Tagged},
};
use crate::{app::App, catalogue::Rendered, config::Config};

/// Handler of `/api/utils/shop/`.
pub struct ShopApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/utils", tag = "Group::Utils")]
impl ShopApi {
    /// Returns what a frontend must know about the shop
    ///
    /// The answer depends on the settings of the server alone.
    #[oai(path = "/shop", method = "get", operation_id = "readShop")]
    async fn shop(&self, known: IfNoneMatch) -> Tagged<ShopOut> {
        let body = serde_json::to_string(&ShopOut::of(&self.0.config)).expect("texts, switches and lists of them");
        Tagged::new(Rendered::new(body, None), known, Audience::All)
    }
}

/// What a frontend must know about the shop.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Shop", example)]
struct ShopOut {
    /// Name of the shop.
    name: String,
    /// Currency of all prices as an ISO 4217 code.
    currency: String,
    /// Country of phone numbers without a country code, as an ISO 3166-1 alpha-2 code.
    region: String,
    /// Languages of the texts of the server, as BCP 47 tags.
    languages: Vec<String>,
    sign_up: SignUpOut,
    /// Ways to pay; empty as long as nothing can be ordered.
    payment_methods: Vec<String>,
    /// Whether the cart can be ordered.
    checkout: bool,
}

/// Ways to sign up.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "SignUp")]
struct SignUpOut {
    /// With a code that is sent by SMS.
    otp: bool,
    /// Without a code.
    direct: bool,
}

impl ShopOut {
    fn of(config: &Config) -> Self {
        Self {
            name: config.shop.name.clone(),
            currency: config.currency.clone(),
            region: config.default_region.to_string(),
            languages: vec!["en".to_owned()],
            sign_up: SignUpOut { otp: true, direct: true },
            payment_methods: vec![],
            checkout: false,
        }
    }
}

impl Example for ShopOut {
    fn example() -> Self {
        Self {
            name: "Asha Spares".to_owned(),
            currency: "INR".to_owned(),
            region: "IN".to_owned(),
            languages: vec!["en".to_owned()],
            sign_up: SignUpOut { otp: true, direct: true },
            payment_methods: vec![],
            checkout: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::fast_json::assert_as_described;

    #[test]
    fn what_is_written_is_what_is_described() {
        assert_as_described(&ShopOut::example());
    }
}
