//! What a mail is about; the words are made when it is sent.

use serde::{Deserialize, Serialize};

/// The occasions on which the shop writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// To an owner: the password was changed.
    PasswordChanged,
    /// To the address that an account had until now: it has another one.
    EmailChanged,
    /// To the address that an account has removed and that stays good for a while.
    EmailRemoved,
    /// To the remaining address: another account has proven the lost one.
    EmailLost,
    /// To an owner: another account has proven the number.
    NumberLost,
    /// To the address that an account has from now on.
    EmailSet,
    /// To an owner: the number was changed.
    NumberChanged,
    /// To an owner: a session was ended, since somebody else seems to have had a copy of it.
    SessionStolen,
    /// With a link that proves that its receiver has the address.
    VerifyEmail,
    /// With a link that sets a new password.
    ResetPassword,
    /// To somebody who may become staff.
    StaffInvitation,
}
