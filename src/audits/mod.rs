//! The audits: a record of what happened, who did it, and what it changed.

pub mod diff;
pub mod operation;
pub(crate) mod store;
pub mod subject;

use bson::{Bson, Document};

pub use self::store::{Actor, AuditActor, AuditDoc, AuditPlace, AuditQuery, Trail};
use self::subject::{AuditSubject, StaffView};
use crate::{
    app::App,
    db::StoreError,
    values::{
        mask,
        paging::{Page, Slice, Total},
        role::Role,
    },
};

/// Appends an entry about something that has happened already. For a change made in a transaction, use
/// `Audits::append_in` in the same transaction instead.
pub async fn record(app: &App, entry: AuditDoc) -> Result<(), StoreError> {
    app.store.audits.append(entry).await
}

/// Returns a page of the entries that `wanted` matches, and the number of entries on all pages. For readers who aren't
/// admins, personal data is masked.
pub async fn read(
    app: &App,
    reader: Role,
    wanted: &AuditQuery,
    slice: Slice<AuditPlace>,
) -> Result<(Page<AuditDoc>, Total), StoreError> {
    let found = app.store.audits.page(wanted, slice.after, slice.probe()).await?;
    let total = app.store.audits.count(wanted).await?;
    let mut page = Page::of(found, slice.limit);
    if reader != Role::Admin {
        page.items.iter_mut().for_each(mask_personal_data);
    }
    Ok((page, total))
}

/// Masks the personal data in an entry, unless its subject is shown whole. Only admins manage accounts; other staff see
/// what happened to an account, but not its owner's name, number and e-mail address.
fn mask_personal_data(entry: &mut AuditDoc) {
    if AuditSubject::staff_view(&entry.collection) == StaffView::Masked {
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
