//! The answers of each level: a page of a list, a page of search results, and a single entry.

use poem_openapi::{Object, types::Example};
use serde::Serialize;

use super::rendered;
use crate::{
    api::catalogue_out::{BrandOut, CategoryOut, ModelOut, ProductOut, Showing, Timed, first_end},
    catalogue::{BranchDoc, Brand, Category, Model, ProductDoc, Rendered},
    values::time::Timestamp,
};

macro_rules! replies {
    ($($page:ident, $items:ident, $found:ident, $reply:ident, $item:ident, $out:ty, $one:ident, $doc:ty;)+) => {$(
        /// A page of a list.
        #[derive(Debug, Object, Serialize)]
        #[oai(example)]
        pub struct $page {
            /// Entries, in the order in which they were inserted.
            pub $items: Vec<$out>,
            /// Cursor of the next page; null on the last page.
            pub next_cursor: Option<String>,
        }

        impl Example for $page {
            fn example() -> Self {
                Self { $items: vec![<$out>::example()], next_cursor: None }
            }
        }

        /// A page of search results.
        #[derive(Debug, Object, Serialize)]
        #[oai(example)]
        pub struct $found {
            /// Entries that match, in the order in which they were inserted.
            pub results: Vec<$out>,
            /// Cursor of the next page; null on the last page.
            pub next_cursor: Option<String>,
        }

        impl Example for $found {
            fn example() -> Self {
                Self { results: vec![<$out>::example()], next_cursor: None }
            }
        }

        /// A single entry.
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

        impl Timed for $page {
            fn ends_at(&self) -> Option<Timestamp> {
                first_end(&self.$items)
            }
        }

        impl Timed for $found {
            fn ends_at(&self) -> Option<Timestamp> {
                first_end(&self.results)
            }
        }

        impl Timed for $reply {
            fn ends_at(&self) -> Option<Timestamp> {
                self.$item.ends_at()
            }
        }

        /// Renders the answer that shows a stored document. An update compares `If-Match` with the entity tag of this
        /// answer.
        pub fn $one(doc: $doc, showing: Showing<'_>) -> Rendered {
            rendered(&$reply { $item: <$out>::new(doc, showing) })
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
    use crate::api::{catalogue_out::OfferOut, fast_json::assert_as_described};

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
