//! Helpers for the tests: a shared mongod, a server for each test, callers that behave like frontends, and fake
//! services.

mod app;
mod binary;
mod bulk;
mod caller;
mod carts;
pub mod catalogue_file;
mod cloudinary;
mod collector;
mod fake;
mod form;
pub mod http2;
mod image;
mod letter;
mod line;
mod mongod;
mod people;
mod replica_set;
mod reply;
mod s3;
mod smtp;
mod stable;
mod twilio;
mod wire;

pub use self::{
    app::{TestApp, eventually},
    binary::{Server, TempFolder, WorkProcess, end, myspares, start},
    caller::Caller,
    carts::{chain_of, id_of, quantity},
    cloudinary::FakeCloudinary,
    collector::FakeCollector,
    form::Form,
    image::{picture, some_picture},
    letter::{Letter, letters_in},
    line::{Line, head_of},
    mongod::{fresh_database, shared_mongod_uri},
    people::NEW_PASSWORD,
    replica_set::ReplicaSet,
    reply::Reply,
    s3::FakeS3,
    smtp::MailServer,
    stable::{public, stable},
    twilio::{CODE, FakeTwilio, Mood},
    wire::Wire,
};

/// A password that satisfies the rules.
pub const PASSWORD: &str = "Str0ng!pass";
