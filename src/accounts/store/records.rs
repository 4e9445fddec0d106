//! Searching and listing accounts, for staff and admins.

use bson::{Document, doc};
use futures_util::TryStreamExt;
use mongodb::Collection;
use serde::Deserialize;

use super::{Account, Member, Users};
use crate::{
    accounts::rules::username::UsernameKey,
    db::{
        StoreError,
        query::{SEARCH_LIMIT, all_of, containing, count_all, count_some, find_part},
    },
    values::{
        email::Email,
        ids::{InvalidId, UserId},
        paging::Total,
        phone::E164,
        role::Role,
        time::Timestamp,
    },
};

/// An account with the times of its sign-ins.
#[derive(Debug, Clone, Deserialize)]
pub struct UserRecord {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    sessions: Vec<SessionTimes>,
    last_sign_in_at: Option<Timestamp>,
    username_key: UsernameKey,
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
        fields.extend(
            doc! { "sessions.signed_in_at": 1, "sessions.expires_at": 1, "last_sign_in_at": 1, "username_key": 1 },
        );
        fields
    }
}

/// Which accounts are wanted, and in which order. A condition that is `None` is met by all accounts.
#[derive(Debug, Clone, Default)]
pub struct UserQuery {
    /// What is searched for.
    pub text: Option<UserText>,
    /// The role.
    pub role: Option<Role>,
    /// Whether the owner may sign in.
    pub is_active: Option<bool>,
    /// The order.
    pub order: UserOrder,
}

/// A text by which accounts are searched for.
#[derive(Debug, Clone)]
pub struct UserText {
    /// The text that was typed, without leading and trailing spaces.
    pub text: String,
    /// The text read as a phone number in any spelling; `None` if it is not a complete number.
    pub number: Option<E164>,
    /// Whether a part of a number or address is enough to find an account. A part of a username always is.
    pub by_parts: bool,
}

/// An order of accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UserOrder {
    /// By the time of the sign-up, the newest first.
    #[default]
    Newest,
    /// By the time of the sign-up, the oldest first.
    Oldest,
    /// By the form of the username in which it is unique.
    Name,
    /// The same, the last first.
    NameDescending,
}

/// The place in an order of accounts at which a page ended.
#[derive(Debug, Clone)]
pub enum UserPlace {
    /// A place in the order of time.
    Time(Timestamp, UserId),
    /// A place in the order of names.
    Name(String),
}

impl UserOrder {
    fn is_by_name(self) -> bool {
        matches!(self, Self::Name | Self::NameDescending)
    }

    fn is_descending(self) -> bool {
        matches!(self, Self::Newest | Self::NameDescending)
    }

    fn sort(self) -> Document {
        let direction = if self.is_descending() { -1 } else { 1 };
        match self.is_by_name() {
            true => doc! { "username_key": direction },
            false => doc! { "created_at": direction, "_id": direction },
        }
    }

    /// Returns the conditions for accounts after a place.
    fn conditions_after(self, place: UserPlace) -> Vec<Document> {
        let (beyond, from) = if self.is_descending() { ("$lt", "$lte") } else { ("$gt", "$gte") };
        match place {
            UserPlace::Name(key) => vec![doc! { "username_key": { beyond: key } }],
            UserPlace::Time(at, id) => {
                let is_beyond = doc! { "created_at": { beyond: at } };
                vec![doc! { "created_at": { from: at } }, doc! { "$or": [is_beyond, { "_id": { beyond: id } }] }]
            }
        }
    }
}

impl UserRecord {
    /// Returns the account's place in an order as bytes, for a cursor. [`UserPlace`] is read from the same bytes: 0, the
    /// time in milliseconds (big-endian) and the id, or 1 and the username.
    pub fn place(&self, order: UserOrder) -> Vec<u8> {
        if order.is_by_name() {
            return [&[1], self.username_key.as_str().as_bytes()].concat();
        }
        [&[0], &self.account.created_at.millis().to_be_bytes()[..], &self.account.id.bytes()].concat()
    }
}

impl TryFrom<Vec<u8>> for UserPlace {
    type Error = InvalidId;

    fn try_from(bytes: Vec<u8>) -> Result<Self, InvalidId> {
        match bytes.split_first() {
            Some((0, place)) => {
                let (millis, id) = place.split_first_chunk::<8>().ok_or(InvalidId)?;
                let at = Timestamp::from_millis(i64::from_be_bytes(*millis));
                Ok(Self::Time(at, id.to_vec().try_into()?))
            }
            Some((1, key)) => String::from_utf8(key.to_vec()).map(Self::Name).map_err(|_| InvalidId),
            _ => Err(InvalidId),
        }
    }
}

impl UserQuery {
    fn conditions(&self) -> Vec<Document> {
        let conditions = [
            self.text.as_ref().map(UserText::condition),
            self.role.map(|role| doc! { "role": role.as_str() }),
            self.is_active.map(|is_active| doc! { "is_active": is_active }),
        ];
        conditions.into_iter().flatten().collect()
    }
}

impl UserText {
    fn condition(&self) -> Document {
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
    /// Returns up to `limit` accounts that match `query`, beginning after `after`. Fails after [`SEARCH_LIMIT`].
    pub(in crate::accounts) async fn records(
        &self,
        query: &UserQuery,
        after: Option<UserPlace>,
        limit: i64,
    ) -> Result<Vec<UserRecord>, StoreError> {
        let mut conditions = query.conditions();
        conditions.extend(after.into_iter().flat_map(|place| query.order.conditions_after(place)));
        let docs = self.user_records();
        let found = docs.find(all_of(conditions)).projection(UserRecord::projection());
        Ok(found.sort(query.order.sort()).limit(limit).max_time(SEARCH_LIMIT).await?.try_collect().await?)
    }

    /// Counts the accounts that match `query`. Fails after [`SEARCH_LIMIT`].
    pub(in crate::accounts) async fn count(&self, query: &UserQuery) -> Result<Total, StoreError> {
        count_some(&self.docs, all_of(query.conditions())).await
    }

    /// Counts all accounts. Fails after [`SEARCH_LIMIT`].
    pub(in crate::accounts) async fn count_all(&self) -> Result<u64, StoreError> {
        count_all(&self.docs).await
    }

    /// Returns the id of the account with a username; `None` if there is none.
    pub(in crate::accounts) async fn named(&self, name: &UsernameKey) -> Result<Option<UserId>, StoreError> {
        let found: Option<Member> = find_part(&self.docs, doc! { "username_key": name }, Member::projection()).await?;
        Ok(found.map(|member| member.id))
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
        let query = |by_parts| UserText { text: "98765".to_owned(), number: None, by_parts };
        let parts = |by_parts| query(by_parts).condition().get_array("$or").expect("parts").len();
        assert_eq!((parts(true), parts(false)), (3, 2));
        assert_eq!(query(false).condition().to_string().matches("regex").count(), 1);
    }
}
