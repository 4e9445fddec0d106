//! Pure rules of the shop: no I/O, no await, no clock of their own.

pub mod author;
pub mod codes;
pub mod cursor;
pub mod email;
pub mod ids;
pub mod image_key;
pub mod invalid;
pub mod limits;
pub mod mail_kind;
pub mod mask;
pub mod money;
pub mod names;
pub mod net;
pub mod otp;
pub mod password;
pub mod phone;
pub mod picture;
pub mod pricing;
pub mod profile;
pub mod quantity;
pub mod role;
pub mod time;
pub mod tokens;
pub mod tree_level;
pub mod url;
pub mod username;
