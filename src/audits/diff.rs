//! The difference between two states of a document, field by field.

use bson::{Bson, Document, doc};

/// The top-level fields in which two states of a document differ.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Diff {
    /// Fields that were added or changed, with their new values.
    set: Document,
    /// Names of the fields that were removed.
    unset: Vec<String>,
    /// Fields that were changed or removed, with their old values.
    before: Document,
}

impl Diff {
    pub(crate) fn between(before: &Document, after: &Document) -> Self {
        let mut diff = Self::default();
        for (name, value) in after.iter().filter(|(name, value)| before.get(name) != Some(*value)) {
            diff.set.insert(name, value.clone());
            if let Some(old) = before.get(name) {
                diff.before.insert(name, old.clone());
            }
        }
        for (name, old) in before.iter().filter(|(name, _)| !after.contains_key(name)) {
            diff.unset.push(name.clone());
            diff.before.insert(name, old.clone());
        }
        diff
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }

    /// Returns the update that turns the first state into the second. If they are equal, the update is an empty
    /// document, which must not be sent: MongoDB refuses it.
    pub(crate) fn update(&self) -> Document {
        let mut update = Document::new();
        if !self.set.is_empty() {
            update.insert("$set", self.set.clone());
        }
        if !self.unset.is_empty() {
            update.insert("$unset", self.unset.iter().map(|name| (name.clone(), Bson::from(""))).collect::<Document>());
        }
        update
    }

    /// Returns the description for the audits. It has the fields `updatedFields` and `removedFields`, as MongoDB's
    /// change events do, and `before` with the old values.
    pub(crate) fn into_description(self) -> Document {
        doc! { "updatedFields": self.set, "removedFields": self.unset, "before": self.before }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let before = doc! { "a": 1, "b": 2, "c": 3 };
        let after = doc! { "a": 1, "b": 5, "d": 4 };
        let diff = Diff::between(&before, &after);
        assert_eq!(diff.update(), doc! { "$set": { "b": 5, "d": 4 }, "$unset": { "c": "" } });
        let described = diff.into_description();
        assert_eq!(described.get_document("before").expect("what was there"), &doc! { "b": 2, "c": 3 });
        assert!(Diff::between(&before, &before.clone()).is_empty());
    }
}
