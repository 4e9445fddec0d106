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
    picture::{InvalidPicture, Kind, Picture},
};
use crate::{db::StoreError, release_freed_memory};

/// Images that may wait to be drawn, the one that is drawn included.
const PLACES: usize = 32;

/// The one place where images are drawn, and who waits for it. An image of a few kilobytes can take hundreds of megabytes
/// while it is drawn, so one image is drawn at a time, on a thread of its own, which gives that memory back to the system
/// before it begins the next.
pub struct Drawing {
    places: Semaphore,
    queue: Sender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

/// Why an image isn't kept.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It is no picture, or too large a one.
    #[error(transparent)]
    Invalid(#[from] InvalidPicture),
    /// Too many wait already.
    #[error("too many images at the moment, try again soon")]
    Busy,
    /// The disk has to keep what is left for the database.
    #[error("there is no room for more files at the moment")]
    Full,
    /// The place where images are kept.
    #[error(transparent)]
    Unavailable(#[from] HomeUnavailable),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Drawing {
    /// Starts the thread; it ends when this is dropped.
    pub fn start() -> io::Result<Self> {
        let (queue, jobs) = channel::<Job>();
        let work = move || jobs.into_iter().for_each(|job| job());
        thread::Builder::new().name("drawing".to_owned()).spawn(work)?;
        Ok(Self { places: Semaphore::new(PLACES), queue })
    }

    /// Draws a picture when its turn comes.
    pub async fn draw(&self, bytes: Vec<u8>, kind: Kind) -> Result<Picture, ImageError> {
        let _place = self.places.try_acquire().map_err(|_| ImageError::Busy)?;
        let (answer, drawn) = oneshot::channel();
        // A decoder that panics has met something that is no picture.
        let draw = move || {
            let picture = catch_unwind(|| Picture::draw(bytes, kind)).unwrap_or(Err(InvalidPicture::Unreadable));
            release_freed_memory();
            picture
        };
        self.queue.send(Box::new(move || drop(answer.send(draw())))).map_err(|_| ImageError::Busy)?;
        Ok(drawn.await.map_err(|_| ImageError::Busy)??)
    }
}
