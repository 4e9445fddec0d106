//! What can go wrong with the database, without the driver's words.

use mongodb::error::{Error, ErrorKind, RETRYABLE_WRITE_ERROR, TRANSIENT_TRANSACTION_ERROR, WriteFailure};

/// MongoDB's code for a violated unique index.
const DUPLICATE_KEY: i32 = 11_000;
/// MongoDB's code for a transaction that lost against another one.
const WRITE_CONFLICT: i32 = 112;
/// Codes of a server that is stepping down, shutting down or overloaded: NotWritablePrimary, NotPrimaryNoSecondaryOk,
/// InterruptedAtShutdown, InterruptedDueToReplStateChange, PrimarySteppedDown, ShutdownInProgress.
const TEMPORARY: [i32; 6] = [10_107, 13_435, 11_600, 11_602, 189, 91];
/// MongoDB's code for a query that took longer than it may.
const OUT_OF_TIME: i32 = 50;

/// A driver's error in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief(String);

impl std::fmt::Display for Brief {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The error behind a code that stood in the answer to a command which the driver took for a success.
pub fn with_code(code: i32) -> StoreError {
    let brief = Brief(format!("the server answered with code {code}"));
    match code {
        WRITE_CONFLICT => StoreError::Contended,
        OUT_OF_TIME => StoreError::OutOfTime,
        code if TEMPORARY.contains(&code) => StoreError::Unavailable(brief),
        _ => StoreError::Failed(brief),
    }
}

/// What a driver's error says without the server's reply, which its own text repeats whole, stored values included.
pub fn brief(error: &Error) -> String {
    match code_of(error) {
        Some(code) => format!("the server answered with code {code}"),
        None => error.kind.to_string(),
    }
}

/// Why a query failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database can't be reached or is changing its primary; the same call may work soon.
    #[error("the database is unavailable: {0}")]
    Unavailable(Brief),
    /// A unique index forbids the write. Which one is for the caller to find out: the driver's text holds the values.
    #[error("the document exists already")]
    Duplicate,
    /// Too many transactions wanted to change the same document at once.
    #[error("too many changes at once, try again soon")]
    Contended,
    /// Too many calls wait for the database already.
    #[error("too much is asked for at the moment")]
    Overloaded,
    /// A query took longer than it may.
    #[error("this takes too long at the moment, ask for something narrower or try again soon")]
    OutOfTime,
    /// The database is no replica set.
    #[error("the database at MONGO_URI is neither a replica set nor a sharded cluster")]
    Standalone,
    /// Anything else: our own bug, or a broken deployment.
    #[error("the database refused a command: {0}")]
    Failed(Brief),
}

impl StoreError {
    /// Nobody answered in time.
    pub fn silent() -> Self {
        Self::Unavailable(Brief("no answer in time".to_owned()))
    }

    /// Whether any other write would fail in the same way at this moment.
    pub fn concerns_all(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Overloaded | Self::OutOfTime | Self::Standalone => true,
            Self::Duplicate | Self::Contended | Self::Failed(_) => false,
        }
    }

    /// There is no primary at the moment.
    pub fn no_primary() -> Self {
        Self::Unavailable(Brief("there is no primary".to_owned()))
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if code_of(&error) == Some(DUPLICATE_KEY) {
            return Self::Duplicate;
        }
        if code_of(&error) == Some(WRITE_CONFLICT) {
            return Self::Contended;
        }
        if code_of(&error) == Some(OUT_OF_TIME) {
            return Self::OutOfTime;
        }
        let brief = Brief(brief(&error));
        if is_temporary(&error) { Self::Unavailable(brief) } else { Self::Failed(brief) }
    }
}

/// The server's code for an error, wherever the driver keeps it.
pub fn code_of(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some(write.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(concern)) => Some(concern.code),
        ErrorKind::InsertMany(many) => {
            many.write_errors.as_ref().and_then(|errors| errors.first()).map(|error| error.code)
        }
        _ => None,
    }
}

fn is_temporary(error: &Error) -> bool {
    let unreachable = matches!(
        error.kind.as_ref(),
        ErrorKind::ServerSelection { .. }
            | ErrorKind::Io(_)
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::DnsResolve { .. }
            | ErrorKind::Transaction { .. }
            | ErrorKind::Shutdown
    );
    let labelled = error.contains_label(RETRYABLE_WRITE_ERROR) || error.contains_label(TRANSIENT_TRANSACTION_ERROR);
    unreachable || labelled || code_of(error).is_some_and(|code| TEMPORARY.contains(&code))
}
