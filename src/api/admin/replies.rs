//! What an insert and a change answer with on each level: what was done, and what is there now.

use poem_openapi::{Object, types::Example};

use crate::api::catalogue_out::{BrandOut, CategoryOut, ModelOut, ProductOut};

macro_rules! replies {
    ($($reply:ident, $item:ident, $done:literal, $out:ty;)+) => {$(
        /// What was done, and what is there now.
        #[derive(Debug, Object)]
        #[oai(example)]
        pub(super) struct $reply {
            message: String,
            $item: $out,
        }

        impl $reply {
            /// Says it.
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
