//! Why an image is not kept.

use super::{homes::HomeUnavailable, picture::InvalidPicture};
use crate::db::StoreError;

/// Why an image isn't kept.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file is not a picture, or the picture is too large.
    #[error(transparent)]
    Invalid(#[from] InvalidPicture),
    /// The shop has no image at the URL.
    #[error("invalid image_url")]
    Missing,
    /// Too many images wait already, or the thread has ended.
    #[error("too many images at the moment, try again soon")]
    Busy,
    /// The rest of the disk is reserved for the database.
    #[error("there is no room for more files at the moment")]
    Full,
    /// The place where images are kept failed.
    #[error(transparent)]
    Unavailable(#[from] HomeUnavailable),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
