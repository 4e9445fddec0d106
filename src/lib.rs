//! The backend of myspares. The modules are listed from the top floor down: imports point to modules further down the list
//! only, which `tests/it/rooms.rs` checks.

/// Accounts: sign-up, sign-in, sessions, codes, links, profile, invitations.
mod accounts;
/// The URLs, one file a group; who may call, and what an error looks like.
mod api;
/// Everything that a request can reach.
pub mod app;
/// What happened, and who did it.
mod audits;
/// The cart, and sharing a fallen stock out among carts.
mod carts;
/// The tree of brands, models, categories and products; its cache, its search and its files.
mod catalogue;
/// The command line, one file a subcommand.
pub mod cli;
/// The clock.
pub mod clock;
/// The settings, read from the environment.
pub mod config;
/// What the stores of all subjects need.
mod db;
/// The private mongod.
pub mod embedded;
/// The numbers of the dashboard, which count everything.
mod figures;
/// The server: router, layers, and the pages beside the API.
pub mod http;
/// Images: drawing them anew, keeping them, removing them.
mod images;
/// Making collections and indexes at a start.
mod layouts;
/// How often something may be done.
mod limits;
/// The outbox, and sending what is in it.
mod mail;
/// What is counted for operators.
mod metrics;
/// The export and the deletion of an account, which touch every subject.
mod privacy;
/// Files that only the user who runs the server can read.
mod private_files;
/// All collections, in one list.
mod store;
/// Spans of calls for a collector.
mod traces;
/// Values that two subjects share.
mod values;
/// Work in the background, one thin file a worker.
pub mod workers;

/// A call that asks the database makes over two hundred allocations, four of them buffers of the driver's; glibc's allocator
/// takes 15 % of its time for them (decision 28).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Gives memory that was freed back to the system at once. mimalloc keeps it for a second and more, which is right for the
/// small blocks of calls and wrong for the hundreds of megabytes of a drawn image: the next image would take as much again.
#[allow(unsafe_code, reason = "a call into C without pointers, which mimalloc allows from any thread")]
pub(crate) fn release_freed_memory() {
    // SAFETY: mi_collect has no preconditions; it only looks at memory that nobody owns.
    unsafe { libmimalloc_sys::mi_collect(true) };
}
