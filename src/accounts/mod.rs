//! Accounts: sign-up, sign-in, sessions, codes and links, the profile, invitations, and the administration of accounts.

pub mod address;
pub mod administration;
pub mod change_number;
pub mod email_proof;
pub mod hashing;
mod hashing_load;
pub mod invitations;
pub mod letters;
pub mod links;
pub mod operator;
pub mod otp;
pub mod otp_registration;
pub mod own;
pub mod photo;
pub mod profile;
pub mod refresh;
pub mod registration;
pub mod reset_by_code;
pub mod reset_by_link;
pub mod rules;
pub mod sessions;
pub mod sign_in;
pub mod sms;
pub(crate) mod store;
pub mod tokens;

pub use self::store::{
    Account, AccountChange, EmailChange, Member, PhotoChange, Profile, Recoverable, SessionDoc, UserChange, UserDoc,
    UserOrder, UserPlace, UserQuery, UserRecord, Verification, Verified, WholeAccount, invitations::InvitationDoc,
    links::LinkDoc,
};
