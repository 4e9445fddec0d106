//! Conversion of refusals of pictures into answers.

use crate::db::StoreError;
use crate::limits::LimitError;
use crate::{accounts::photo::PhotoError, api::error::refusals, images::drawing::ImageError};

refusals! {
    PhotoError {
        codes { SignedOut => InvalidAccessToken }
        causes { Image: ImageError, Limited: LimitError, Store: StoreError }
    }
    ImageError {
        codes {
            Invalid => InvalidInput ["image"],
            Busy => TooBusy,
            Full => StorageFull,
            Unavailable => ImageStoreUnavailable,
        }
        causes { Store: StoreError }
    }
}
