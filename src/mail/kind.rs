//! The kinds of mails. The outbox stores only the kind of a mail; its text is composed when it is sent.

use serde::{Deserialize, Serialize};

/// A subject that composes mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composer {
    /// `accounts::letters`.
    Accounts,
}

/// Declares the kinds of mails, each with the subject that composes it.
macro_rules! mail_kinds {
    ($($(#[$doc:meta])* $kind:ident => $composer:ident,)+) => {
        /// The occasions on which the shop writes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum MailKind { $($(#[$doc])* $kind,)+ }

        impl MailKind {
            /// Returns who knows what a mail of this kind says.
            pub const fn composer(self) -> Composer {
                match self { $(Self::$kind => Composer::$composer,)+ }
            }
        }
    };
}

mail_kinds! {
    /// To the owner of an account: the password was changed.
    PasswordChanged => Accounts,
    /// To the address that an account had until now: the account has another one.
    EmailChanged => Accounts,
    /// To the address that was removed from an account. It can still reset the password for a while.
    EmailRemoved => Accounts,
    /// To the owner of an account that lost an address to another account. It goes to another address that the account
    /// has proven, or to the lost address itself if the account had proven that one before.
    EmailLost => Accounts,
    /// To the owner of an account: another account has proven the number and has it now.
    NumberLost => Accounts,
    /// To the address that an account has from now on, which is not proven yet.
    EmailSet => Accounts,
    /// To the owner of an account: the number was changed.
    NumberChanged => Accounts,
    /// To the owner of an account: a session was ended, because somebody else seems to have a copy of its token.
    SessionStolen => Accounts,
    /// A mail with a link that proves that its recipient has the address.
    VerifyEmail => Accounts,
    /// A mail with a link for setting a new password.
    ResetPassword => Accounts,
    /// An invitation to become staff.
    StaffInvitation => Accounts,
}
