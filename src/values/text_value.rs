//! What all checked texts have in common.

/// Implements, for newtypes over a checked `String`: `as_str`, `Display`, and the conversion of a reference into BSON
/// for queries. Their `parse` functions check the text.
macro_rules! text_values {
    ($($type:ident),+ $(,)?) => {$(
        impl $type {
            /// Returns the text.
            #[allow(dead_code, reason = "some types are only stored and shown")]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&$type> for bson::Bson {
            fn from(value: &$type) -> Self {
                value.0.as_str().into()
            }
        }
    )+};
}
pub(crate) use text_values;
