//! The one thread on which images are drawn.

use std::{
    io,
    panic::catch_unwind,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    error::ImageError,
    picture::{InvalidPicture, Picture, PictureKind},
};
use crate::release_freed_memory;

/// The most images that may be in the queue, including the one that is being drawn.
const PLACES: usize = 32;

/// The thread on which images are drawn, and the queue before it. An image file of a few kilobytes can take hundreds of
/// megabytes while it is drawn. Therefore one image is drawn at a time, and the thread gives the memory back to the
/// system before it draws the next.
pub struct Drawing {
    places: Arc<Semaphore>,
    queue: Sender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Drawing {
    /// Starts the thread. It ends when the returned value is dropped. Fails if the system can't start a thread.
    pub fn start() -> io::Result<Self> {
        let (drawing, jobs) = Self::with_places(PLACES);
        let run_jobs = move || jobs.into_iter().for_each(|job| job());
        thread::Builder::new().name("drawing".to_owned()).spawn(run_jobs)?;
        Ok(drawing)
    }

    /// Creates the queue without its thread. Returns the jobs that the thread has to run.
    fn with_places(places: usize) -> (Self, Receiver<Job>) {
        let (queue, jobs) = channel();
        (Self { places: Arc::new(Semaphore::new(places)), queue }, jobs)
    }

    /// Draws a picture once all pictures before it are drawn. Fails at once with [`ImageError::Busy`] if the queue is
    /// full. If the caller stops waiting, the picture keeps its place in the queue and is drawn all the same.
    pub async fn draw(&self, bytes: Vec<u8>, kind: PictureKind) -> Result<Picture, ImageError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| ImageError::Busy)?;
        let (answer, drawn) = oneshot::channel();
        let job = move || drop(answer.send(draw_in(place, bytes, kind)));
        self.queue.send(Box::new(job)).map_err(|_| ImageError::Busy)?;
        Ok(drawn.await.map_err(|_| ImageError::Busy)??)
    }
}

/// Draws a picture and then frees its place. If a decoder panics, the file is treated as one that isn't a picture, and
/// the thread goes on.
fn draw_in(place: OwnedSemaphorePermit, bytes: Vec<u8>, kind: PictureKind) -> Result<Picture, InvalidPicture> {
    let picture = catch_unwind(|| Picture::draw(bytes, kind)).unwrap_or(Err(InvalidPicture::Unreadable));
    release_freed_memory();
    drop(place);
    picture
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_picture_keeps_its_place_until_it_is_drawn_even_if_nobody_waits_for_it() {
        let (drawing, jobs) = Drawing::with_places(1);
        let draw = || drawing.draw(b"no picture".to_vec(), PictureKind::Photo);
        // The first poll queues the picture, and then the caller leaves.
        assert!(draw().now_or_never().is_none());
        assert!(matches!(draw().now_or_never(), Some(Err(ImageError::Busy))));
        let job = jobs.try_recv().expect("the job of the caller who left");
        job();
        assert!(draw().now_or_never().is_none(), "there is room again");
    }
}
