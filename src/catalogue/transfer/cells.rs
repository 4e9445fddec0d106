//! Reads single cells of a row: texts, numbers and flags, as spreadsheets write them.

use super::{
    garbling::Garbling,
    rows::{Column, Row},
};
use crate::values::{invalid::InvalidField, text};

/// How spreadsheets write `true` in the language of their users: German, French and Romanian, Spanish and Italian,
/// Portuguese, Dutch, Swedish and Danish, Polish, Czech, Finnish, Hungarian, Turkish, Russian.
const TRUE: [&str; 14] = [
    "true",
    "wahr",
    "vrai",
    "adevărat",
    "verdadero",
    "vero",
    "verdadeiro",
    "waar",
    "sant",
    "sand",
    "prawda",
    "pravda",
    "doğru",
    "истина",
];
/// The same for `false`.
const FALSE: [&str; 13] = [
    "false", "falsch", "faux", "fals", "falso", "onwaar", "falskt", "falsk", "fałsz", "nepravda", "yanliş", "yanlış",
    "ложь",
];

pub(super) fn boolean(text: &str) -> Result<bool, InvalidField> {
    let text = text.to_lowercase();
    match (TRUE.contains(&text.as_str()), FALSE.contains(&text.as_str())) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(invalid(Column::IsActive, "must be true or false")),
    }
}

/// Returns the trimmed text in a column, which must be a single line; `None` if the file does not have the column.
///
/// An empty text is an error. To leave a value as it is, a file must leave out the column.
pub(super) fn optional(row: &Row, column: Column) -> Result<Option<&str>, InvalidField> {
    optional_text(row, column, text::trimmed_line)
}

/// Works like [`optional`] for a number. A number such as `12.000` fails: in many languages it means twelve thousand.
pub(super) fn optional_number(row: &Row, column: Column) -> Result<Option<&str>, InvalidField> {
    let number = optional(row, column)?;
    match number.filter(|text| is_grouped(text)) {
        Some(text) => {
            let (name, plain) = (column.name(), text.replace('.', ""));
            let text = format!("invalid {name}: it may have separators of thousands; write {plain} or {}", whole(text));
            Err(InvalidField { field: name.into(), text })
        }
        None => Ok(number),
    }
}

/// Returns whether the zeros behind the point of a number may be thousands: `12.000`, but not `12.00` or `1234.000`.
fn is_grouped(text: &str) -> bool {
    let parts = text.split_once('.').filter(|(_, decimals)| *decimals == "000");
    parts.is_some_and(|(whole, _)| (1..=3).contains(&whole.len()) && !whole.starts_with('0'))
}

/// Works like [`optional`] for a text that may have several lines.
pub(super) fn optional_lines(row: &Row, column: Column) -> Result<Option<&str>, InvalidField> {
    optional_text(row, column, text::trimmed_lines)
}

fn optional_text(
    row: &Row,
    column: Column,
    trim: impl Fn(&str) -> Result<&str, text::ControlCharacters>,
) -> Result<Option<&str>, InvalidField> {
    let Some(cell) = row.get(column) else { return Ok(None) };
    match trim(cell) {
        Ok("") => Err(InvalidField::required(column.name())),
        Ok(trimmed) => Ok(Some(trimmed)),
        // Some letters become control characters if they are read in the wrong encoding.
        Err(why) => match Garbling::of(cell) {
            Some(garbling) => Err(InvalidField { field: column.name().into(), text: garbling.fault(column.name()) }),
            None => Err(invalid(column, why)),
        },
    }
}

/// Works like [`optional`], but fails if the file does not have the column.
pub(super) fn required(row: &Row, column: Column) -> Result<&str, InvalidField> {
    optional(row, column)?.ok_or_else(|| InvalidField::required(column.name()))
}

fn invalid(column: Column, why: impl std::fmt::Display) -> InvalidField {
    InvalidField { field: column.name().into(), text: format!("{} {why}", column.name()) }
}

/// Returns a whole number without the decimals that spreadsheets may add: `10` for `10.0`.
pub(super) fn whole(text: &str) -> &str {
    let parts = text.split_once('.').filter(|(_, decimals)| !decimals.is_empty());
    parts.filter(|(_, decimals)| decimals.bytes().all(|byte| byte == b'0')).map_or(text, |(whole, _)| whole)
}
