//! The answers to inserts and changes on each level: what was done, and the entry afterwards.

use poem_openapi::{Object, types::Example};

use super::entries_out::{BrandEntryOut, CategoryEntryOut, ModelEntryOut, ProductEntryOut};

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
    BrandInserted, brand, "inserted", BrandEntryOut;
    ModelInserted, model, "inserted", ModelEntryOut;
    CategoryInserted, category, "inserted", CategoryEntryOut;
    ProductInserted, product, "inserted", ProductEntryOut;
    BrandUpdated, brand, "updated", BrandEntryOut;
    ModelUpdated, model, "updated", ModelEntryOut;
    CategoryUpdated, category, "updated", CategoryEntryOut;
    ProductUpdated, product, "updated", ProductEntryOut;
}
