//! The one thread on which images are drawn.

use std::{
    io,
    panic::catch_unwind,
    sync::mpsc::{Sender, channel},
    thread,
};

use tokio::sync::{Semaphore, oneshot};

use super::{
    homes::HomeUnavailable,
    picture::{InvalidPicture, Picture, PictureKind},
};
use crate::{db::StoreError, release_freed_memory};

/// The most images that may be in the queue, including the one that is being drawn.
const PLACES: usize = 32;

/// The thread on which images are drawn, and the queue before it. An image file of a few kilobytes can take hundreds of
/// megabytes while it is drawn. Therefore one image is drawn at a time, and the thread gives the memory back to the
/// system before it draws the next.
pub struct Drawing {
    places: Semaphore,
    queue: Sender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

/// Why an image isn't kept.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file is not a picture, or the picture is too large.
    #[error(transparent)]
    Invalid(#[from] InvalidPicture),
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

impl Drawing {
    /// Starts the thread. It ends when the returned value is dropped. Fails if the system can't start a thread.
    pub fn start() -> io::Result<Self> {
        let (queue, jobs) = channel::<Job>();
        let work = move || jobs.into_iter().for_each(|job| job());
        thread::Builder::new().name("drawing".to_owned()).spawn(work)?;
        Ok(Self { places: Semaphore::new(PLACES), queue })
    }

    /// Draws a picture once all pictures before it are drawn. Fails at once with [`ImageError::Busy`] if the queue is
    /// full.
    pub async fn draw(&self, bytes: Vec<u8>, kind: PictureKind) -> Result<Picture, ImageError> {
        let _place = self.places.try_acquire().map_err(|_| ImageError::Busy)?;
        let (answer, drawn) = oneshot::channel();
        // If a decoder panics, the file is treated as one that isn't a picture, and the thread goes on.
        let draw = move || {
            let picture = catch_unwind(|| Picture::draw(bytes, kind)).unwrap_or(Err(InvalidPicture::Unreadable));
            release_freed_memory();
            picture
        };
        self.queue.send(Box::new(move || drop(answer.send(draw())))).map_err(|_| ImageError::Busy)?;
        Ok(drawn.await.map_err(|_| ImageError::Busy)??)
    }
}
