//! An offer as staff send it: as an object or, in a form, as the text of one.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchemaRef, Registry},
    types::{Example, ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    api::{
        catalogue_out::OfferOut,
        fields::{Decimal, Lines},
    },
    catalogue::rules::pricing::Offer,
    values::invalid::InvalidField,
};

/// The unchecked value of the field `offers`. [`Self::check`] accepts an object or the JSON text of one.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct OffersIn(Value);

impl OffersIn {
    /// Checks the value and returns the offer, or `None` for an empty object or text, which removes the offer.
    pub(super) fn check(self) -> Result<Option<Offer>, InvalidField> {
        let value = match self.0 {
            Value::String(text) if text.trim().is_empty() => return Ok(None),
            Value::String(text) => serde_json::from_str(&text).map_err(|_| fault("offers must be valid JSON"))?,
            value => value,
        };
        match value {
            Value::Object(fields) if fields.is_empty() => Ok(None),
            Value::Object(fields) => offer(&fields).map(Some),
            _ => Err(fault("offers must be an object with discount, validity, description")),
        }
    }
}

fn offer(fields: &Map<String, Value>) -> Result<Offer, InvalidField> {
    let field = |name: &str| fields.get(name).ok_or_else(|| fault(format!("missing offer field: {name}")));
    let (discount, validity, description) = (field("discount")?, field("validity")?, field("description")?);
    let discount = Decimal::deserialize(discount).map_err(|_| fault("discount must be a number"))?;
    if discount.0.parse::<f64>().is_err() {
        return Err(fault("discount must be a number"));
    }
    let validity = validity.as_object().filter(|validity| validity.contains_key("from") && validity.contains_key("to"));
    let validity =
        validity.ok_or_else(|| fault("validity must be an object with 'from' and 'to' fields (timestamps)"))?;
    let description = Lines::deserialize(description).map(|lines| lines.0).unwrap_or_default();
    let offer = Offer::check(&discount.0, validity["from"].as_i64(), validity["to"].as_i64(), description);
    offer.map_err(|why| fault(why.to_string()))
}

fn fault(text: impl Into<String>) -> InvalidField {
    InvalidField { field: "offers".into(), text: text.into() }
}

impl Type for OffersIn {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        OfferOut::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        OfferOut::schema_ref()
    }

    fn register(registry: &mut Registry) {
        OfferOut::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

/// Required by the derive of the body. It is not used for requests, because serde reads the bodies.
impl ParseFromJSON for OffersIn {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        value.map(Self).ok_or_else(ParseError::expected_input)
    }
}

impl ToJSON for OffersIn {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.clone())
    }
}

impl Example for OffersIn {
    fn example() -> Self {
        let validity = json!({ "from": 1_732_300_000, "to": 1_732_900_000 });
        Self(json!({ "discount": 10.5, "validity": validity, "description": "Festival offer" }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(offers: Value) -> String {
        OffersIn(offers).check().err().map_or_else(String::new, |invalid| invalid.text)
    }

    fn with(change: Value) -> Value {
        let Value::Object(mut offer) = OffersIn::example().0 else { unreachable!("the example is an object") };
        offer.extend(change.as_object().expect("an object").clone());
        Value::Object(offer)
    }

    #[test]
    fn each_fault_has_its_text() {
        assert_eq!(fault_of(json!("{")), "offers must be valid JSON");
        for no_object in [json!([]), json!(5), json!("[1]")] {
            assert_eq!(fault_of(no_object), "offers must be an object with discount, validity, description");
        }
        assert_eq!(fault_of(json!({ "discount": 5, "description": "x" })), "missing offer field: validity");
        for bad in [json!("ten"), json!(null), json!([5])] {
            assert_eq!(fault_of(with(json!({ "discount": bad }))), "discount must be a number", "{bad}");
        }
        for bad in [json!(150), json!(-1), json!(10.005), json!("NaN")] {
            assert!(fault_of(with(json!({ "discount": bad }))).starts_with("discount must be between"), "{bad}");
        }
        let validity = "validity must be an object with 'from' and 'to' fields (timestamps)";
        assert_eq!(fault_of(with(json!({ "validity": { "from": 1 } }))), validity);
        for bad in [json!(1.5), json!("1"), json!(-1), json!(1e20)] {
            let text = fault_of(with(json!({ "validity": { "from": bad, "to": 5 } })));
            assert_eq!(text, "'from' and 'to' inside validity must be integers (timestamps)", "{bad}");
        }
        let reversed = with(json!({ "validity": { "from": 6, "to": 5 } }));
        assert_eq!(fault_of(reversed), "'from' inside validity must not be after 'to'");
        assert_eq!(fault_of(with(json!({ "description": "" }))), "invalid offer description");
    }

    #[test]
    fn texts_and_objects_mean_the_same_and_empty_ones_end_the_offer() {
        let text = OffersIn::example().0.to_string();
        assert_eq!(OffersIn(json!(text)).check(), OffersIn::example().check());
        for none in [json!({}), json!(""), json!("{}")] {
            assert_eq!(OffersIn(none).check(), Ok(None));
        }
    }
}
