//! The entries of the catalogue as staff see them: with the time of the last change, and in lists with what is above or
//! below them.

use poem_openapi::{Object, types::Example};

use crate::{
    api::{
        catalogue_out::{BrandOut, CategoryOut, ModelOut, ProductOut, Showing},
        examples,
    },
    catalogue::{
        BelowCounts, BranchDoc, Brand, Category, Model, ProductDoc, TreeLevel,
        staff_lists::{BranchNames, BranchRow},
    },
    values::time::Timestamp,
};

macro_rules! entries {
    ($($(#[$doc:meta])* $entry:ident, $name:literal, $field:ident, $out:ty, $stored:ty;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Object)]
        #[oai(rename = $name, example)]
        pub(super) struct $entry {
            #[oai(flatten)]
            $field: $out,
            /// Time of the last change.
            updated_at: Timestamp,
        }

        impl $entry {
            /// Creates the entry as staff see it.
            pub(super) fn new($field: $stored, showing: Showing<'_>) -> Self {
                Self { updated_at: $field.updated_at, $field: <$out>::new($field, showing) }
            }
        }

        impl Example for $entry {
            fn example() -> Self {
                Self { $field: <$out>::example(), updated_at: examples::NOW }
            }
        }
    )+};
}

entries! {
    /// A brand as staff see it.
    BrandEntryOut, "BrandEntry", brand, BrandOut, BranchDoc<Brand>;
    /// A model as staff see it.
    ModelEntryOut, "ModelEntry", model, ModelOut, BranchDoc<Model>;
    /// A category as staff see it.
    CategoryEntryOut, "CategoryEntry", category, CategoryOut, BranchDoc<Category>;
    /// A product as staff see it.
    ProductEntryOut, "ProductEntry", product, ProductOut, ProductDoc;
}

macro_rules! rows {
    ($($(#[$doc:meta])* $row:ident, $name:literal, $entry:ident, $level:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Object)]
        #[oai(rename = $name, example)]
        pub(super) struct $row {
            #[oai(flatten)]
            entry: $entry,
            children: ChildrenOut,
        }

        impl $row {
            /// Creates the row of a list.
            pub(super) fn new(row: BranchRow<$level>, showing: Showing<'_>) -> Self {
                Self { entry: $entry::new(row.branch, showing), children: row.children.into() }
            }
        }

        impl Example for $row {
            fn example() -> Self {
                let children = BelowCounts { models: 0, categories: 0, products: 480 };
                Self { entry: $entry::example(), children: children.into() }
            }
        }
    )+};
}

rows! {
    /// A brand in a list.
    BrandRowOut, "BrandRow", BrandEntryOut, Brand;
    /// A model in a list.
    ModelRowOut, "ModelRow", ModelEntryOut, Model;
    /// A category in a list.
    CategoryRowOut, "CategoryRow", CategoryEntryOut, Category;
}

/// How many entries are below another one, hidden products too. Each number ends at 10,000: there may be more.
#[derive(Debug, Object)]
#[oai(rename = "Children")]
struct ChildrenOut {
    /// 0 for models and categories.
    models: u64,
    /// 0 for categories.
    categories: u64,
    products: u64,
}

impl From<BelowCounts> for ChildrenOut {
    fn from(BelowCounts { models, categories, products }: BelowCounts) -> Self {
        Self { models, categories, products }
    }
}

/// A product in a list.
#[derive(Debug, Object)]
#[oai(rename = "ProductRow", example)]
pub(super) struct ProductRowOut {
    #[oai(flatten)]
    entry: ProductEntryOut,
    /// Name of its brand; null if the brand is just being deleted.
    brand_name: Option<String>,
    /// Name of its model; null if the model is just being deleted.
    model_name: Option<String>,
    /// Name of its category; null if the category is just being deleted.
    category_name: Option<String>,
}

impl ProductRowOut {
    /// Creates the row of a list.
    pub(super) fn new(product: ProductDoc, names: &BranchNames, showing: Showing<'_>) -> Self {
        let branches: Vec<_> = product.code.parents().collect();
        let name_of = |level: TreeLevel| {
            let code = branches.iter().find(|code| code.level() == level)?;
            names.get(code).map(ToString::to_string)
        };
        Self {
            brand_name: name_of(TreeLevel::Brand),
            model_name: name_of(TreeLevel::Model),
            category_name: name_of(TreeLevel::Category),
            entry: ProductEntryOut::new(product, showing),
        }
    }
}

impl Example for ProductRowOut {
    fn example() -> Self {
        Self {
            entry: ProductEntryOut::example(),
            brand_name: Some("Tata Motors".to_owned()),
            model_name: Some("Nexon".to_owned()),
            category_name: Some("Brakes".to_owned()),
        }
    }
}
