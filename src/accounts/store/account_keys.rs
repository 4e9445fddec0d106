//! Everything that opens an account besides its password and its sessions: the links that were mailed, the queued mails
//! that will hold a link, and the codes.
//!
//! They become void together when the password or a contact changes. An example of what would happen otherwise:
//!
//! 1. Mallory can read Asha's mails, and asks for a link to reset her password.
//! 2. Asha notices this and sets a new password. All sessions end.
//! 3. Mallory uses the link and sets another password.
//!
//! So the transaction of step 2 also deletes the link. It deletes queued mails too, because their links are made later.

use bson::{Document, doc};
use mongodb::{ClientSession, Collection, error::Result};

use super::{links, otp_codes};
use crate::{
    db::schema::{Connection, StorePart},
    mail::store::Outbox,
    values::ids::UserId,
};

/// The collections that hold links, queued mails and codes.
#[derive(Clone)]
pub(super) struct AccountKeys {
    links: Collection<Document>,
    outbox: Outbox,
    codes: Collection<Document>,
}

impl StorePart for AccountKeys {
    fn open(connection: &Connection) -> Self {
        Self {
            links: connection.collection(links::NAME),
            outbox: Outbox::open(connection),
            codes: connection.collection(otp_codes::NAME),
        }
    }
}

impl AccountKeys {
    /// Deletes all links, queued mails with links, and codes of an account. Call this in the transaction of the change
    /// after which they must not be valid.
    pub(in crate::accounts) async fn void_in(&self, tx: &mut ClientSession, user: UserId) -> Result<()> {
        self.links.delete_many(doc! { "user": user }).session(&mut *tx).await?;
        self.outbox.void_links_in(tx, user).await?;
        self.codes.delete_many(doc! { "user": user }).session(tx).await?;
        Ok(())
    }
}
