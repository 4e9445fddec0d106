//! The page of a list that a caller asks for.

use std::borrow::Cow;

use super::Text;
use crate::{
    api::{error::ApiError, paging},
    app::App,
    catalogue::{View, rules::search::SearchText},
    values::{
        codes::FullCode,
        paging::{Page, Slice},
    },
};

/// A page of the entries right below a parent.
pub struct PageRequest<Id> {
    parent: Option<FullCode>,
    /// Text that the entries must contain; `None` for all entries.
    pub text: Option<SearchText>,
    /// The part of the list.
    pub slice: Slice<Id>,
}

impl<Id: TryFrom<Vec<u8>> + Into<[u8; 12]> + Copy> PageRequest<Id> {
    /// Reads the parameters of a list. Without a parent the list is that of all brands.
    pub fn list(app: &App, parent: Option<&FullCode>, limit: Text, cursor: Text) -> Result<Self, ApiError> {
        Self::of(app, parent, None, limit, cursor)
    }

    /// Reads the parameters of a search among the entries below `parent`; without a parent among all brands.
    pub fn search(app: &App, parent: Option<&FullCode>, q: Text, limit: Text, cursor: Text) -> Result<Self, ApiError> {
        Self::of(app, parent, Some(SearchText::parse(q.0.as_deref())?), limit, cursor)
    }

    fn of(
        app: &App,
        parent: Option<&FullCode>,
        text: Option<SearchText>,
        limit: Text,
        cursor: Text,
    ) -> Result<Self, ApiError> {
        let slice = paging::slice(app, &list_name(parent, text.as_ref()), limit.0, cursor.0)?;
        Ok(Self { parent: parent.cloned(), text, slice })
    }

    /// Returns what the answer shows. The cache keeps the answer under this key.
    pub fn view(&self) -> View {
        View::Page {
            parent: self.parent.clone(),
            text: self.text.clone(),
            after: self.slice.after.map(Into::into),
            limit: self.slice.limit,
        }
    }

    /// Returns the cursor of the next page, or `None` on the last page. `id` returns the id of an entry.
    pub fn next_cursor<T>(&self, app: &App, page: &Page<T>, id: impl Fn(&T) -> Id) -> Option<String> {
        let list = list_name(self.parent.as_ref(), self.text.as_ref());
        paging::next_cursor(app, &list, page, |item| -> [u8; 12] { id(item).into() })
    }
}

/// Returns the name of the list to which cursors are bound: the parent and the search text, such as `TATA-NEXON brake`.
/// Codes contain no spaces, so the first space always separates the two.
fn list_name<'a>(parent: Option<&'a FullCode>, text: Option<&SearchText>) -> Cow<'a, str> {
    let parent = parent.map_or("brands", FullCode::as_str);
    match text {
        Some(text) => format!("{parent} {}", text.as_str()).into(),
        None => parent.into(),
    }
}
