//! Conversion of refusals of pictures into answers.

use crate::{
    accounts::photo::PhotoError, api::error::refusals, db::StoreError, images::ImageError, limits::LimitError,
};

refusals! {
    PhotoError {
        codes { SignedOut => InvalidAccessToken }
        causes { Image: ImageError, Limited: LimitError, Store: StoreError }
    }
    ImageError {
        codes {
            Invalid => InvalidInput ["image"],
            Missing => InvalidInput ["image_url"],
            Busy => TooBusy,
            Full => StorageFull,
            Unavailable => ImageStoreUnavailable,
        }
        causes { Store: StoreError }
    }
}
