//! Reading the audits: what happened, by whom, and what it changed.

pub mod diff;
pub(crate) mod store;

use bson::{Bson, Document};

use self::store::AuditPlace;
pub use self::store::{Actor, AuditDoc, AuditQuery, Trail};
use crate::{
    app::App,
    db::StoreError,
    values::{
        mask,
        paging::{Page, Slice},
        role::Role,
    },
};

/// Appends an entry about something that has happened already. What happens in a transaction is told in it, by
/// `Audits::append_in`.
pub async fn record(app: &App, entry: AuditDoc) -> Result<(), StoreError> {
    app.store.audits.append(entry).await
}

/// A page of entries as `reader` may see them, and how many there are on all pages.
pub async fn read(
    app: &App,
    reader: Role,
    wanted: &AuditQuery,
    slice: Slice<AuditPlace>,
) -> Result<(Page<AuditDoc>, u64), StoreError> {
    let found = app.store.audits.page(wanted, slice.after, slice.probe()).await?;
    let total = app.store.audits.count(wanted).await?;
    let mut page = Page::of(found, slice.limit);
    if reader != Role::Admin {
        page.items.iter_mut().for_each(mask_personal_data);
    }
    Ok((page, total))
}

/// Only admins run the accounts; staff see that something happened to one, not whose it is.
fn mask_personal_data(entry: &mut AuditDoc) {
    if entry.collection == "users" || entry.collection == "invitations" {
        entry.full_document.iter_mut().for_each(mask_fields);
        entry.update_description.iter_mut().for_each(mask_fields);
    }
}

fn mask_fields(document: &mut Document) {
    for (name, value) in document.iter_mut() {
        mask_value(name, value);
    }
}

fn mask_value(name: &str, value: &mut Bson) {
    match (name, &mut *value) {
        ("email", Bson::String(text)) => *text = mask::email(text),
        ("phone_number" | "number", Bson::String(text)) => *text = mask::phone(text),
        ("username" | "name", Bson::String(text)) => *text = mask::name(text),
        (_, Bson::Document(inner)) => mask_fields(inner),
        (_, Bson::Array(items)) => items.iter_mut().for_each(|item| mask_value(name, item)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn personal_data_are_masked_however_deep_they_are() {
        let mut document = doc! { "role": "staff", "email": "asha@example.com",
        "before": { "phone_number": "+919876540010", "names": [{ "username": "Asha" }] } };
        mask_fields(&mut document);
        let expected = doc! { "role": "staff", "email": "a***@example.com",
        "before": { "phone_number": "+91******0010", "names": [{ "username": "A***" }] } };
        assert_eq!(document, expected);
    }
}
