//! The kinds of mails. The outbox stores only the kind of a mail; its text is composed when it is sent.

use serde::{Deserialize, Serialize};

/// A subject that composes mails when they are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composer {
    /// The subject `accounts`, whose mails are composed in `accounts::letters`.
    Accounts,
}

/// Declares the kinds of mails, each with the subject that composes it.
macro_rules! mail_kinds {
    ($($(#[$doc:meta])* $kind:ident => $composer:ident,)+) => {
        /// A kind of mail that the shop sends.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum MailKind { $($(#[$doc])* $kind,)+ }

        impl MailKind {
            /// Returns the subject that composes mails of this kind.
            pub const fn composer(self) -> Composer {
                match self { $(Self::$kind => Composer::$composer,)+ }
            }
        }
    };
}

mail_kinds! {
    /// Tells the owner of an account that the password was changed.
    PasswordChanged => Accounts,
    /// Tells the address that an account had until now that the account has another one.
    EmailChanged => Accounts,
    /// Tells an address that it was removed from an account. It can still reset the password for a while.
    EmailRemoved => Accounts,
    /// Tells the owner of an account that another account has taken over an address. It goes to another address that
    /// the account has proven, or to the lost address itself if the account had proven that one before.
    EmailLost => Accounts,
    /// Tells the owner of an account that another account has proven the number and has it now.
    NumberLost => Accounts,
    /// Tells an address that an account has it from now on, not proven yet.
    EmailSet => Accounts,
    /// Tells the owner of an account that the number was changed.
    NumberChanged => Accounts,
    /// Tells the owner of an account that a session was ended, because somebody else seems to have a copy of its token.
    SessionStolen => Accounts,
    /// Contains a link by which the recipient proves to have the address.
    VerifyEmail => Accounts,
    /// Contains a link for setting a new password.
    ResetPassword => Accounts,
    /// Invites somebody to become staff.
    StaffInvitation => Accounts,
}
