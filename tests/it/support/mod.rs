//! What tests stand on: a shared mongod, a server a test, and callers that speak like frontends.

mod app;
mod binary;
mod caller;
mod mongod;
mod reply;
mod twilio;

pub use self::{
    app::TestApp,
    binary::{Server, TempFolder, myspares},
    caller::Caller,
    mongod::{fresh_database, shared_mongod_uri},
    reply::Reply,
    twilio::{CODE, FakeTwilio, Mood},
};

/// A password that keeps the rules.
pub const PASSWORD: &str = "Str0ng!pass";
