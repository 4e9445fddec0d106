//! What opens an account beside its password and its sessions: links in mails, those that wait to be mailed too, and codes.

use bson::{Document, doc};
use mongodb::{ClientSession, Collection, error::Result};

use super::{links, otp_codes};
use crate::{
    db::schema::{Connection, StorePart},
    mail::store::Outbox,
    values::ids::UserId,
};

/// The collections that hold it.
#[derive(Clone)]
pub(crate) struct Openings {
    links: Collection<Document>,
    outbox: Outbox,
    codes: Collection<Document>,
}

impl StorePart for Openings {
    fn open(connection: &Connection) -> Self {
        Self {
            links: connection.collection(links::NAME),
            outbox: Outbox::open(connection),
            codes: connection.collection(otp_codes::NAME),
        }
    }
}

impl Openings {
    /// Voids all of it, in the transaction of the change that it must not outlive.
    pub(crate) async fn void_in(&self, tx: &mut ClientSession, user: UserId) -> Result<()> {
        self.links.delete_many(doc! { "user": user }).session(&mut *tx).await?;
        self.outbox.void_links_in(tx, user).await?;
        self.codes.delete_many(doc! { "user": user }).session(tx).await?;
        Ok(())
    }
}
