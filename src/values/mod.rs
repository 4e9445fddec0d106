//! Values that two or more subjects share: ids, money, phone numbers, addresses, times. This module does no I/O and has
//! no `async` functions.

pub mod author;
pub mod backoff;
pub mod cart;
pub mod codes;
pub mod cursor;
pub mod email;
pub mod etag;
pub mod gzip;
pub mod ids;
pub mod invalid;
pub mod keys;
pub mod limits;
pub mod mask;
pub mod money;
pub mod net;
pub mod paging;
pub mod phone;
pub mod quantity;
pub mod role;
pub mod text;
pub mod text_value;
pub mod time;
pub mod tls;
pub mod tree_level;
pub mod url;
