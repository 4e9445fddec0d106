//! The answers of each level: a page of it, what a search found, and a single one.

use poem_openapi::{Object, types::Example};
use serde::Serialize;

use super::rendered;
use crate::{
    api::catalogue_out::{BrandOut, CategoryOut, ModelOut, ProductOut},
    catalogue::{
        Rendered,
        store::{
            branches::{BranchDoc, Brand, Category, Model},
            products::ProductDoc,
        },
    },
};

macro_rules! replies {
    ($($page:ident, $items:ident, $found:ident, $reply:ident, $item:ident, $out:ty, $one:ident, $doc:ty;)+) => {$(
        /// A page of the list.
        #[derive(Debug, Object, Serialize)]
        #[oai(example)]
        pub struct $page {
            /// In the order of their insertion.
            pub $items: Vec<$out>,
            /// Where the next page starts; null at the end.
            pub next_cursor: Option<String>,
        }

        impl Example for $page {
            fn example() -> Self {
                Self { $items: vec![<$out>::example()], next_cursor: None }
            }
        }

        /// A page of what was found.
        #[derive(Debug, Object, Serialize)]
        #[oai(example)]
        pub struct $found {
            /// In the order of their insertion.
            pub results: Vec<$out>,
            /// Where the next page starts; null at the end.
            pub next_cursor: Option<String>,
        }

        impl Example for $found {
            fn example() -> Self {
                Self { results: vec![<$out>::example()], next_cursor: None }
            }
        }

        /// A single one.
        #[derive(Debug, Object, Serialize)]
        #[oai(example)]
        pub struct $reply {
            $item: $out,
        }

        impl Example for $reply {
            fn example() -> Self {
                Self { $item: <$out>::example() }
            }
        }

        /// The answer that shows a stored document, and with it its entity tag.
        pub fn $one(doc: $doc) -> Rendered {
            rendered(&$reply { $item: doc.into() })
        }
    )+};
}

replies! {
    BrandsOut, brands, BrandsFound, BrandReply, brand, BrandOut, one_brand, BranchDoc<Brand>;
    ModelsOut, models, ModelsFound, ModelReply, model, ModelOut, one_model, BranchDoc<Model>;
    CategoriesOut, categories, CategoriesFound, CategoryReply, category, CategoryOut, one_category, BranchDoc<Category>;
    ProductsOut, products, ProductsFound, ProductReply, product, ProductOut, one_product, ProductDoc;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{catalogue_out::OfferOut, written::assert_as_described};

    #[test]
    fn what_is_written_is_what_is_described() {
        assert_as_described(&BrandsOut::example());
        assert_as_described(&ModelsFound::example());
        assert_as_described(&CategoryReply::example());
        assert_as_described(&ProductReply::example());
        assert_as_described(&ProductsOut { products: vec![], next_cursor: Some("next".to_owned()) });
        assert_as_described(&OfferOut::default());
    }
}
