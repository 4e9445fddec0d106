//! The answers to inserts and changes on each level: what was done, and the entry afterwards.

use poem_openapi::{Object, types::Example};

use crate::api::catalogue_out::{BrandOut, CategoryOut, ModelOut, ProductOut};

macro_rules! replies {
    ($($reply:ident, $item:ident, $done:literal, $out:ty;)+) => {$(
        /// A sentence that says what was done, and the entry afterwards.
        #[derive(Debug, Object)]
        #[oai(example)]
        pub(super) struct $reply {
            message: String,
            $item: $out,
        }

        impl $reply {
            /// Creates the answer for the entry.
            pub(super) fn new($item: $out) -> Self {
                Self { message: concat!(stringify!($item), " ", $done, " successfully").to_owned(), $item }
            }
        }

        impl Example for $reply {
            fn example() -> Self {
                Self::new(<$out>::example())
            }
        }
    )+};
}

replies! {
    BrandInserted, brand, "inserted", BrandOut;
    ModelInserted, model, "inserted", ModelOut;
    CategoryInserted, category, "inserted", CategoryOut;
    ProductInserted, product, "inserted", ProductOut;
    BrandUpdated, brand, "updated", BrandOut;
    ModelUpdated, model, "updated", ModelOut;
    CategoryUpdated, category, "updated", CategoryOut;
    ProductUpdated, product, "updated", ProductOut;
}
