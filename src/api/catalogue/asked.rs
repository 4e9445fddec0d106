//! Which page of which list a caller asks for.

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

/// A page of what is below a parent.
pub struct Asked<Id> {
    parent: Option<FullCode>,
    /// Only what holds this.
    pub text: Option<SearchText>,
    /// Which part.
    pub slice: Slice<Id>,
}

impl<Id: TryFrom<Vec<u8>> + Into<[u8; 12]> + Copy> Asked<Id> {
    /// A page of all.
    pub fn list(app: &App, parent: Option<&FullCode>, limit: Text, cursor: Text) -> Result<Self, ApiError> {
        Self::of(app, parent, None, limit, cursor)
    }

    /// A page of what holds `q`.
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

    /// What the answer shows.
    pub fn view(&self) -> View {
        View::Page {
            parent: self.parent.clone(),
            text: self.text.clone(),
            after: self.slice.after.map(Into::into),
            limit: self.slice.limit,
        }
    }

    /// Where the next page starts.
    pub fn next_cursor<T>(&self, app: &App, page: &Page<T>, id: impl Fn(&T) -> Id) -> Option<String> {
        let list = list_name(self.parent.as_ref(), self.text.as_ref());
        paging::next_cursor(app, &list, page, |item| -> [u8; 12] { id(item).into() })
    }
}

/// What cursors are bound to: a parent and a text. No code holds the space that parts them.
fn list_name<'a>(parent: Option<&'a FullCode>, text: Option<&SearchText>) -> Cow<'a, str> {
    let parent = parent.map_or("brands", FullCode::as_str);
    match text {
        Some(text) => format!("{parent} {}", text.as_str()).into(),
        None => parent.into(),
    }
}
