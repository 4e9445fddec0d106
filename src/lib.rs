//! The backend of myspares. The modules are listed from the top floor down: imports point to modules further down the
//! list only, which `tests/it/rooms.rs` checks.

/// The command line, one file a subcommand.
pub mod cli;

/// The server: router, layers, and the pages beside the API.
pub mod http;

/// Work in the background, one thin file a worker.
pub mod workers;

/// The URLs, one file a group; who may call, and what an error looks like.
mod api;

/// The numbers of the dashboard, which count everything.
mod figures;

/// The export and the deletion of an account, which touch every subject.
mod privacy;

/// The cart, and sharing a fallen stock out among carts.
mod carts;

/// The tree of brands, models, categories and products; its cache, its search and its files.
mod catalogue;

/// Accounts: sign-up, sign-in, sessions, codes, links, profile, invitations.
mod accounts;

/// The outbox, and sending what is in it.
mod mail;

/// How often something may be done.
mod limits;

/// Requests that are sent again.
mod idempotency;

/// Images: drawing them anew, keeping them, removing them.
mod images;

/// What happened, and who did it.
mod audits;

/// Everything that a request can reach.
pub mod app;

/// Making collections and indexes at a start.
mod layouts;

/// All collections, in one list.
mod store;

/// The settings, read from the environment.
pub mod config;

/// Spans of calls for a collector.
mod traces;

/// What is counted for operators.
mod metrics;

/// The clock.
pub mod clock;

/// The private mongod.
pub mod embedded;

/// What the stores of all subjects need.
mod db;

/// Files that only the user who runs the server can read.
mod private_files;

/// Values that two subjects share.
mod values;

/// A call that asks the database makes over two hundred allocations, four of them buffers of the driver's; glibc's
/// allocator takes 15 % of its time for them (decision 28).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Gives memory that was freed back to the system at once. mimalloc keeps it for a second and more, which is right for
/// the small blocks of calls and wrong for the hundreds of megabytes of a drawn image: the next image would take as
/// much again.
#[allow(unsafe_code, reason = "a call into C without pointers, which mimalloc allows from any thread")]
pub(crate) fn release_freed_memory() {
    // SAFETY: mi_collect has no preconditions; it only looks at memory that nobody owns.
    unsafe { libmimalloc_sys::mi_collect(true) };
}
