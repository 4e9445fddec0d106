//! Searching and listing accounts, for staff and admins.

use bson::{Document, doc};
use futures_util::TryStreamExt;
use mongodb::Collection;
use serde::Deserialize;

use super::{Account, Users};
use crate::{
    accounts::rules::username::UsernameKey,
    db::{
        StoreError,
        query::{SEARCH_LIMIT, containing, count_all, find_part},
    },
    values::{email::Email, ids::UserId, phone::E164, time::Timestamp},
};

/// An account with the times of its sign-ins.
#[derive(Debug, Clone, Deserialize)]
pub struct UserRecord {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    sessions: Vec<SessionTimes>,
    last_sign_in_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Deserialize)]
struct SessionTimes {
    signed_in_at: Timestamp,
    expires_at: Timestamp,
}

impl UserRecord {
    /// Returns the number of sessions that have not expired.
    pub fn living_sessions(&self, now: Timestamp) -> usize {
        self.sessions.iter().filter(|session| session.expires_at > now).count()
    }

    /// Returns the time of the last sign-in. For accounts of older versions, which did not store it, this is the newest
    /// sign-in among the sessions that are left.
    pub fn last_sign_in_at(&self) -> Option<Timestamp> {
        self.last_sign_in_at.or_else(|| self.sessions.iter().map(|session| session.signed_in_at).max())
    }

    pub(in crate::accounts) fn projection() -> Document {
        let mut fields = Account::projection();
        fields.extend(doc! { "sessions.signed_in_at": 1, "sessions.expires_at": 1, "last_sign_in_at": 1 });
        fields
    }
}

/// A search for accounts.
#[derive(Debug, Clone)]
pub struct UserQuery {
    /// The text that was typed, without leading and trailing spaces.
    pub text: String,
    /// The text read as a phone number in any spelling; `None` if it is not a complete number.
    pub number: Option<E164>,
    /// Whether a part of a number or address is enough to find an account. A part of a username always is.
    pub by_parts: bool,
}

impl UserQuery {
    fn filter(&self) -> Document {
        let email = Email::parse(&self.text).map_or_else(|_| self.text.to_lowercase(), |email| email.to_string());
        let mut alternatives = Vec::new();
        alternatives.extend(UsernameKey::of(&self.text).map(|key| doc! { "username_key": containing(key.as_str()) }));
        alternatives.extend(self.number.as_ref().map(|number| doc! { "phone_number": number }));
        if self.by_parts {
            alternatives.push(doc! { "email": containing(&email) });
            alternatives.extend(part_of_number(&self.text).map(|part| doc! { "phone_number": containing(&part) }));
        } else {
            alternatives.push(doc! { "email": email });
        }
        doc! { "$or": alternatives }
    }
}

/// Returns the text without spaces, hyphens, brackets and dots, if it can be a part of a phone number. `None`
/// otherwise.
fn part_of_number(text: &str) -> Option<String> {
    let part: String = text.chars().filter(|c| !" -().".contains(*c)).collect();
    let digits = part.strip_prefix('+').unwrap_or(&part);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(part)
}

impl Users {
    /// Returns up to `limit` accounts that match `query`, the newest first, beginning after `after`. Without `query`
    /// all accounts match. Fails after [`SEARCH_LIMIT`].
    pub(in crate::accounts) async fn records(
        &self,
        query: Option<&UserQuery>,
        after: Option<UserId>,
        limit: i64,
    ) -> Result<Vec<UserRecord>, StoreError> {
        let mut filter = query.map_or_else(Document::new, UserQuery::filter);
        if let Some(after) = after {
            filter.insert("_id", doc! { "$lt": after });
        }
        let docs = self.user_records();
        let found = docs.find(filter).projection(UserRecord::projection());
        Ok(found.sort(doc! { "_id": -1 }).limit(limit).max_time(SEARCH_LIMIT).await?.try_collect().await?)
    }

    /// Counts the accounts that match `query`. Without `query` all accounts match. Fails after [`SEARCH_LIMIT`].
    pub(in crate::accounts) async fn count(&self, query: Option<&UserQuery>) -> Result<u64, StoreError> {
        let Some(query) = query else { return count_all(&self.docs).await };
        Ok(self.docs.count_documents(query.filter()).max_time(SEARCH_LIMIT).await?)
    }

    /// Returns an account, active or not.
    pub(in crate::accounts) async fn record(&self, user: UserId) -> Result<Option<UserRecord>, StoreError> {
        find_part(&self.docs, doc! { "_id": user }, UserRecord::projection()).await
    }

    pub(in crate::accounts) fn user_records(&self) -> Collection<UserRecord> {
        self.docs.clone_with_type()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_numbers_are_read_as_people_write_them() {
        for (typed, part) in [("98765 43", "9876543"), ("+91 (98)", "+9198"), ("0-1.2", "012")] {
            assert_eq!(part_of_number(typed).as_deref(), Some(part), "{typed}");
        }
        for no_number in ["", "+", " - ", "98a", "1+2", "٣"] {
            assert_eq!(part_of_number(no_number), None, "{no_number}");
        }
    }

    #[test]
    fn who_may_not_see_numbers_and_addresses_finds_them_whole_only() {
        let query = |by_parts| UserQuery { text: "98765".to_owned(), number: None, by_parts };
        let parts = |by_parts| query(by_parts).filter().get_array("$or").expect("parts").len();
        assert_eq!((parts(true), parts(false)), (3, 2));
        assert_eq!(query(false).filter().to_string().matches("regex").count(), 1);
    }
}
