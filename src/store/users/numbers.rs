//! Numbers that were proven, and the passwords that a proof allows to set. Proof beats claim: who proves a number takes
//! it from an account that only claimed it.

use bson::{Bson, Document, doc};
use futures_util::FutureExt;
use mongodb::{ClientSession, Collection};

use super::{Account, UserDoc, Users, alive};
use crate::{
    domain::{
        ids::{SessionRef, UserId},
        password::PasswordHash,
        phone::E164,
        time::Timestamp,
        tokens::sealed::HashedToken,
    },
    store::{StoreError, transaction::transact},
};

impl Users {
    /// Whether an account other than `except` has proven a number.
    pub async fn is_proven(&self, number: &E164, except: Option<UserId>) -> Result<bool, StoreError> {
        let mut filter = doc! { "phone_number": number, "verification.phone.value": number };
        if let Some(user) = except {
            filter.insert("_id", doc! { "$ne": user });
        }
        self.exists(filter).await
    }

    /// Inserts an account that has proven its number, taking it from one that only claimed it.
    pub async fn insert_proven(&self, user: &UserDoc, number: &E164) -> Result<(), StoreError> {
        let (docs, user, number) = (self.docs.clone(), user.clone(), number.clone());
        transact(&self.client, move |session| {
            let (docs, user, number) = (docs.clone(), user.clone(), number.clone());
            async move {
                release(&docs, &number, user.id, session).await?;
                docs.insert_one(&user).session(session).await.map(drop)
            }
            .boxed()
        })
        .await
    }

    /// Gives an account a number that its owner has proven, taking it from one that only claimed it; voids every open
    /// link, code and reset. `None` when the session is not alive.
    pub async fn change_number(
        &self,
        caller: SessionRef,
        number: &E164,
        now: Timestamp,
    ) -> Result<Option<Account>, StoreError> {
        let (users, number) = (self.clone(), number.clone());
        transact(&self.client, move |session| {
            let (users, number) = (users.clone(), number.clone());
            async move {
                release(&users.docs, &number, caller.user, session).await?;
                let update = doc! { "$set": {
                    "phone_number": &number,
                    "profile.phone": { "number": &number, "created_at": now },
                    "verification.phone": { "value": &number, "verified_at": now },
                    "updated_at": now,
                }, "$unset": { "reset": "" } };
                users.update_and_void_in(session, alive(caller), update).await
            }
            .boxed()
        })
        .await
    }

    /// Allows one new password to whoever has the token of this hash; a later one takes its place.
    pub async fn allow_reset(
        &self,
        user: UserId,
        number: &E164,
        token: &HashedToken,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let reset = doc! { "token_hash": token, "number": number, "expires_at": expires_at };
        let filter = doc! { "_id": user, "is_active": true, "phone_number": number };
        Ok(self.docs.update_one(filter, doc! { "$set": { "reset": reset } }).await?.matched_count == 1)
    }

    /// Whether a token allows a new password.
    pub async fn may_reset(&self, user: UserId, token: &[HashedToken], now: Timestamp) -> Result<bool, StoreError> {
        self.exists(resettable(user, token, now)).await
    }

    /// Sets a new password and uses the token up (U6): ends every session, marks the number as proven and drops an
    /// address that was never proven; links and codes are void. False when the token is not good any more.
    pub async fn reset_password(
        &self,
        user: UserId,
        token: &[HashedToken],
        new: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let still_theirs = doc! { "$eq": ["$phone_number", "$reset.number"] };
        let proven = doc! { "value": "$reset.number", "verified_at": now };
        let address_stays = doc! { "$or": [
            { "$ne": ["$phone_number", "$reset.number"] },
            { "$eq": ["$email", "$verification.email.value"] },
        ] };
        let update = vec![
            doc! { "$set": {
                "password_hash": { "$literal": new },
                "sessions": [],
                "last_reset_at": now,
                "verification.phone": { "$cond": [still_theirs, proven, "$verification.phone"] },
                "email": { "$cond": [address_stays, "$email", "$$REMOVE"] },
                "updated_at": now,
            } },
            doc! { "$unset": "reset" },
        ];
        Ok(self.update_and_void(resettable(user, token, now), update).await?.is_some())
    }
}

fn resettable(user: UserId, token: &[HashedToken], now: Timestamp) -> Document {
    let hashes: Vec<Bson> = token.iter().map(Bson::from).collect();
    doc! {
        "_id": user,
        "is_active": true,
        "reset.token_hash": { "$in": hashes },
        "reset.expires_at": { "$gt": now },
    }
}

/// Takes a number from accounts that have not proven it.
async fn release(
    docs: &Collection<UserDoc>,
    number: &E164,
    except: UserId,
    session: &mut ClientSession,
) -> mongodb::error::Result<()> {
    let claims = doc! {
        "phone_number": number,
        "_id": { "$ne": except },
        "verification.phone.value": { "$ne": number },
    };
    let update = doc! { "$unset": { "phone_number": "", "profile.phone": "", "reset": "" } };
    docs.update_many(claims, update).session(session).await.map(drop)
}
