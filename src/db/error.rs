//! Errors of the database. They leave out the driver's messages, which may contain stored values.

use mongodb::error::{Error, ErrorKind, RETRYABLE_WRITE_ERROR, TRANSIENT_TRANSACTION_ERROR, WriteFailure};

/// MongoDB's code for a violated unique index.
const DUPLICATE_KEY: i32 = 11_000;
/// MongoDB's code for a write that conflicts with another transaction.
const WRITE_CONFLICT: i32 = 112;
/// MongoDB's codes of a server that isn't primary, steps down or shuts down: NotWritablePrimary,
/// NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary, InterruptedAtShutdown, InterruptedDueToReplStateChange,
/// PrimarySteppedDown, ShutdownInProgress. The same call may succeed soon.
const CHANGING_PRIMARY: [i32; 7] = [10_107, 13_435, 13_436, 11_600, 11_602, 189, 91];
/// MongoDB's codes of a server that can't reach another one in time: HostUnreachable, HostNotFound, NetworkTimeout,
/// SocketException, ReadConcernMajorityNotAvailableYet, ExceededTimeLimit.
const OUT_OF_REACH: [i32; 6] = [6, 7, 89, 9_001, 134, 262];
/// MongoDB's codes of a query that somebody or something ended: CursorNotFound, QueryPlanKilled, CursorKilled,
/// Interrupted. It was not the query's fault, so the same call may succeed.
const INTERRUPTED: [i32; 4] = [43, 175, 237, 11_601];
/// MongoDB's code for a query that exceeded its time limit.
const OUT_OF_TIME: i32 = 50;

/// A short text about a driver's error, without stored values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorSummary(String);

impl std::fmt::Display for ErrorSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the error for a code inside an answer that the driver treats as a success, such as a refused update of a
/// bulk command.
pub fn with_code(code: i32) -> StoreError {
    let brief = ErrorSummary(format!("the server answered with code {code}"));
    match code {
        WRITE_CONFLICT => StoreError::Contended,
        OUT_OF_TIME => StoreError::OutOfTime,
        code if is_temporary_code(code) => StoreError::Unavailable(brief),
        _ => StoreError::Failed(brief),
    }
}

/// Describes a driver's error in a few words. The driver's own text would repeat the server's whole reply, including
/// stored values.
pub fn brief(error: &Error) -> String {
    match code_of(error) {
        Some(code) => format!("the server answered with code {code}"),
        None => error.kind.to_string(),
    }
}

/// Why a query failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database can't be reached, is changing its primary, or ended the query. The same call may succeed soon.
    #[error("the database is unavailable: {0}")]
    Unavailable(ErrorSummary),
    /// A unique index forbids the write. The error doesn't name the index, because the driver's text would also contain
    /// the values; a caller with several unique indexes has to find out which one it was.
    #[error("the document exists already")]
    Duplicate,
    /// Other transactions changed the same document at the same time, and retries did not help.
    #[error("too many changes at once, try again soon")]
    Contended,
    /// The call would wait too long for a connection, so it was refused at once (`Store::admit`).
    #[error("too much is asked for at the moment")]
    Overloaded,
    /// A query exceeded its time limit.
    #[error("this takes too long at the moment, ask for something narrower or try again soon")]
    OutOfTime,
    /// The database is a single server without replication, which has no transactions.
    #[error("the database at MONGO_URI is neither a replica set nor a sharded cluster")]
    Standalone,
    /// Any other error: a bug in this program, or a broken deployment.
    #[error("the database refused a command: {0}")]
    Failed(ErrorSummary),
}

impl StoreError {
    /// Returns the error for a database that didn't answer in time.
    pub fn silent() -> Self {
        Self::Unavailable(ErrorSummary("no answer in time".to_owned()))
    }

    /// Returns whether every other write would fail in the same way now. A caller with many writes should stop then.
    pub fn concerns_all(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Overloaded | Self::OutOfTime | Self::Standalone => true,
            Self::Duplicate | Self::Contended | Self::Failed(_) => false,
        }
    }

    /// Returns the error for a replica set that has no primary at the moment.
    pub fn no_primary() -> Self {
        Self::Unavailable(ErrorSummary("there is no primary".to_owned()))
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
        let brief = ErrorSummary(brief(&error));
        if is_temporary(&error) { Self::Unavailable(brief) } else { Self::Failed(brief) }
    }
}

/// Returns MongoDB's code of an error; `None` if the error didn't come from the server. For a refused insert of many
/// documents, returns the code of the first refusal.
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
    unreachable || labelled || code_of(error).is_some_and(is_temporary_code)
}

fn is_temporary_code(code: i32) -> bool {
    [&CHANGING_PRIMARY[..], &OUT_OF_REACH, &INTERRUPTED].iter().any(|codes| codes.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_query_may_be_asked_again_and_a_wrong_one_may_not() {
        for temporary in [10_107, 13_436, 89, 134, 43, 175, 237, 11_601] {
            assert!(matches!(with_code(temporary), StoreError::Unavailable(_)), "{temporary}");
        }
        // BadValue, Unauthorized, DocumentValidationFailure.
        for lasting in [2, 13, 121] {
            assert!(matches!(with_code(lasting), StoreError::Failed(_)), "{lasting}");
        }
    }
}
