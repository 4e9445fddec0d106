//! Log lines. A separate thread writes them to standard output, so that no request waits for the terminal.

mod lines;

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    os::fd::AsFd,
    thread,
    time::Duration,
};

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

use self::lines::LogLines;
use crate::config::Config;

/// The time for which lines are collected before they are written together.
///
/// A busy server writes thousands of lines a second. If each line was written alone, it would cost one system call to
/// write it, and another one in the request to wake the writing thread.
const BATCH_TIME: Duration = Duration::from_millis(2);
/// The size of the buffer in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// Starts logging, and logs panics too. Lines that are not written yet are written when the guard is dropped.
pub fn start(config: &Config) -> io::Result<WorkerGuard> {
    let (writer, guard) = tracing_appender::non_blocking(BatchedOutput::stdout()?);
    let filter = EnvFilter::new(&config.log_filter);
    let lines = tracing_subscriber::fmt().event_format(LogLines(config.log_format));
    lines.with_env_filter(filter).with_writer(writer).init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic: {}", panic.payload_as_str().unwrap_or("without a message"));
    }));
    Ok(guard)
}

/// Keeps lines in a buffer until the writing thread has no more of them. `flush` then writes them and sleeps for
/// [`BATCH_TIME`], so that the thread finds several lines when it looks again.
struct BatchedOutput(BufWriter<File>);

impl BatchedOutput {
    /// Opens standard output without the buffer of the standard library, which is written at the end of every line.
    fn stdout() -> io::Result<Self> {
        let stdout = io::stdout().as_fd().try_clone_to_owned()?;
        Ok(Self(BufWriter::with_capacity(BUFFER_BYTES, File::from(stdout))))
    }
}

impl Write for BatchedOutput {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.0.write(lines)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        thread::sleep(BATCH_TIME);
        Ok(())
    }
}
