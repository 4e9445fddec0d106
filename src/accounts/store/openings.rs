//! What opens an account beside its password and its sessions: links in mails, those that wait to be mailed too, and codes.

use bson::{Document, doc};
use mongodb::{ClientSession, Collection, Database, error::Result};

use super::{links, otp_codes, outbox};
use crate::domain::ids::UserId;

/// The collections that hold it.
#[derive(Clone)]
pub(super) struct Openings {
    links: Collection<Document>,
    outbox: Collection<Document>,
    codes: Collection<Document>,
}

impl Openings {
    pub(super) fn new(database: &Database) -> Self {
        Self {
            links: database.collection(links::NAME),
            outbox: database.collection(outbox::NAME),
            codes: database.collection(otp_codes::NAME),
        }
    }

    /// Voids all of it, in the transaction of the change that it must not outlive.
    pub(super) async fn void_in(&self, tx: &mut ClientSession, user: UserId) -> Result<()> {
        self.links.delete_many(doc! { "user": user }).session(&mut *tx).await?;
        self.outbox.delete_many(outbox::links_of(user)).session(&mut *tx).await?;
        self.codes.delete_many(doc! { "user": user }).session(tx).await?;
        Ok(())
    }
}
