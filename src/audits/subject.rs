//! The kinds of documents that audits tell of, and what staff may see of each.

/// What staff who aren't admins see of the documents of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaffView {
    /// Everything.
    Whole,
    /// Everything but personal data, which is masked.
    Masked,
}

/// Declares the subjects, each with the name of its collection and what staff see of it. A name that isn't listed, such
/// as one of a newer version, is masked.
macro_rules! audit_subjects {
    ($($(#[$doc:meta])* $subject:ident = $name:literal => $view:ident,)+) => {
        /// What an entry of the audits is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum AuditSubject { $($(#[$doc])* $subject,)+ }

        impl AuditSubject {
            /// The names of the collections.
            pub const NAMES: &[&str] = &[$($name),+];

            /// Returns the name of the collection, which is stored and shown.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$subject => $name,)+ }
            }

            /// Returns the subject whose collection has this name, in any case; `None` if there is none.
            pub fn named(name: &str) -> Option<Self> {
                $(if name.eq_ignore_ascii_case($name) { return Some(Self::$subject); })+
                None
            }

            /// Returns what staff see of the documents of a collection.
            pub fn staff_view(collection: &str) -> StaffView {
                match collection {
                    $($name => StaffView::$view,)+
                    _ => StaffView::Masked,
                }
            }
        }
    };
}

audit_subjects! {
    /// Accounts.
    Users = "users" => Masked,
    /// Invitations to become staff.
    Invitations = "invitations" => Masked,
    /// Vehicle brands.
    Brands = "brands" => Whole,
    /// Models of brands.
    Models = "models" => Whole,
    /// Categories of models.
    Categories = "categories" => Whole,
    /// Products, their stock included.
    Products = "products" => Whole,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staff_see_the_catalogue_whole_and_anything_else_masked() {
        assert_eq!(AuditSubject::staff_view(AuditSubject::Products.name()), StaffView::Whole);
        for collection in [AuditSubject::Users.name(), "invitations", "orders", "payments", ""] {
            assert_eq!(AuditSubject::staff_view(collection), StaffView::Masked, "{collection}");
        }
    }
}
