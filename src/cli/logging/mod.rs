//! Log lines: written to standard output by a thread of their own, so that no request waits for the terminal.

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

use self::lines::Lines;
use crate::config::Config;

/// How long lines are gathered before they are written together. A busy server writes thousands a second; one by one they
/// cost a system call each, and the waking of the thread another one at the request's expense.
const GATHERED_FOR: Duration = Duration::from_millis(2);
/// Bytes that are written at once.
const TOGETHER: usize = 64 * 1024;

/// Starts logging; lines are flushed when the guard goes.
pub fn start(config: &Config) -> io::Result<WorkerGuard> {
    let (writer, guard) = tracing_appender::non_blocking(Gathered::stdout()?);
    let filter = EnvFilter::new(&config.log_filter);
    let lines = tracing_subscriber::fmt().event_format(Lines(config.log_format));
    lines.with_env_filter(filter).with_writer(writer).init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic: {}", panic.payload_as_str().unwrap_or("without a message"));
    }));
    Ok(guard)
}

/// Keeps lines until the writing thread has no more of them, and then lets some gather before it looks again.
struct Gathered(BufWriter<File>);

impl Gathered {
    /// Past the buffer that the standard library has for a terminal, which it empties at the end of every line.
    fn stdout() -> io::Result<Self> {
        let stdout = io::stdout().as_fd().try_clone_to_owned()?;
        Ok(Self(BufWriter::with_capacity(TOGETHER, File::from(stdout))))
    }
}

impl Write for Gathered {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.0.write(lines)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        thread::sleep(GATHERED_FOR);
        Ok(())
    }
}
