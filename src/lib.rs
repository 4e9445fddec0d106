//! The backend of myspares, in reading order.

/// Who may call: argument types.
mod access;
/// The URLs, one file a group.
mod api;
/// Everything that a request can reach.
pub mod app;
/// The command line.
pub mod cli;
/// The settings, read from the environment.
pub mod config;
/// Pure rules.
mod domain;
/// The private mongod.
pub mod embedded;
/// The API's errors and their envelope.
mod error;
/// Router, middleware, documentation and health pages.
pub mod http;
/// The world outside the process.
pub mod integrations;
/// Numbers for operators.
mod metrics;
/// The flows of the shop.
mod services;
/// The database, one file a collection.
mod store;
/// Work in the background.
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
