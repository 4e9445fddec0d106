//! The query parameters by which staff choose products.

use poem_openapi::param::Query;

use crate::{
    catalogue::rules::product_filter::{ProductFilter, ProductFilterTexts},
    values::invalid::Faults,
};

/// A parameter of the query that may be left out.
pub(super) type Text = Query<Option<String>>;

/// The parameters as they were sent.
pub(super) struct ProductFilterQuery {
    pub q: Text,
    pub brand: Text,
    pub model: Text,
    pub category: Text,
    pub is_active: Text,
    pub in_stock: Text,
    pub stock_max: Text,
    pub has_offer: Text,
    pub updated_from: Text,
}

impl ProductFilterQuery {
    /// Checks the parameters and adds what is wrong to `faults`. An empty parameter counts as left out, because forms
    /// send an empty text for a field that nobody filled in.
    pub fn checked(self, faults: &mut Faults) -> ProductFilter {
        let texts = ProductFilterTexts {
            q: given(self.q),
            brand: given(self.brand),
            model: given(self.model),
            category: given(self.category),
            is_active: given(self.is_active),
            in_stock: given(self.in_stock),
            stock_max: given(self.stock_max),
            has_offer: given(self.has_offer),
            updated_from: given(self.updated_from),
        };
        texts.checked(faults)
    }
}

/// Returns the text of a parameter; `None` if it is empty.
pub(super) fn given(parameter: Text) -> Option<String> {
    parameter.0.filter(|text| !text.trim().is_empty())
}
