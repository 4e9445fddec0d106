//! What entries of the audits tell of: the kinds of changes.

/// Declares the operations, each with its name.
macro_rules! audit_operations {
    ($($(#[$doc:meta])* $operation:ident = $name:literal,)+) => {
        /// What was done to a document.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum AuditOperation { $($(#[$doc])* $operation,)+ }

        impl AuditOperation {
            /// The names of all operations.
            pub const NAMES: &[&str] = &[$($name),+];

            /// Returns the name, which is stored and shown.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$operation => $name,)+ }
            }

            /// Returns the operation with this name, in any case; `None` if there is none.
            pub fn named(name: &str) -> Option<Self> {
                $(if name.eq_ignore_ascii_case($name) { return Some(Self::$operation); })+
                None
            }
        }
    };
}

audit_operations! {
    /// A document was inserted.
    Insert = "insert",
    /// Fields of a document changed.
    Update = "update",
    /// A document was deleted.
    Delete = "delete",
    /// All sessions of an account were ended.
    Logout = "logout",
    /// A locked account was unlocked.
    Unlock = "unlock",
    /// An operator or a reset set a new password.
    PasswordSet = "password_set",
    /// An invitation made an account one of staff.
    InvitationUsed = "invitation_used",
    /// A refresh token was used twice.
    SessionStolen = "session_stolen",
    /// Pieces that carts can no longer have were taken from them.
    StockRedistribution = "stock_redistribution",
}
