//! Notices codes that a spreadsheet has turned into numbers: `012` becomes `12`.

use crate::{
    catalogue::{rules::entry, store::tree::FoundEntries},
    values::{
        codes::{Code, FullCode},
        tree_level::TreeLevel,
    },
};

/// How many zeros may have been lost.
const MOST_ZEROS: usize = 5;

/// Returns the full codes that may have become this one in a spreadsheet; none unless the own code is a number.
pub(super) fn originals(level: TreeLevel, code: &FullCode, own_code: &Code) -> Vec<FullCode> {
    let own = own_code.as_str();
    let is_number = own.bytes().all(|byte| byte.is_ascii_digit()) && (own == "0" || !own.starts_with('0'));
    if !is_number {
        return Vec::new();
    }
    let longer = (1..=MOST_ZEROS).map(|zeros| format!("{}{own}", "0".repeat(zeros)));
    let codes = longer.filter_map(|text| entry::code(level, &text).ok());
    let parent = code.parents().next_back();
    codes
        .map(|own| parent.as_ref().map_or_else(|| FullCode::join([own.as_str()]), |parent| parent.child(&own)))
        .collect()
}

/// Returns the warning for a new entry whose code may have lost zeros; `None` if the catalogue has no such code.
pub(super) fn warning(found: &FoundEntries, level: TreeLevel, code: &FullCode, own_code: &Code) -> Option<String> {
    let original = originals(level, code, own_code).into_iter().find(|code| found.look_alikes.contains(code))?;
    let parent_length = original.parent().map_or(0, |parent| parent.len() + 1);
    let own_original = original.as_str().get(parent_length..)?;
    let word = level.word();
    Some(format!(
        "{word}_code {own_code} is new, but there is {own_original} already; a spreadsheet may have dropped its zeros"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_may_have_lost_zeros() {
        let of = |level, own: &str| {
            let code = entry::code(level, own).expect("a code");
            let full = FullCode::join(["TATA"]).child(&code);
            let found = originals(level, &full, &code);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let five = ["TATA-012", "TATA-0012", "TATA-00012", "TATA-000012", "TATA-0000012"];
        assert_eq!(of(TreeLevel::Model, "12"), five);
        assert_eq!(of(TreeLevel::Model, "123456789"), ["TATA-0123456789"]);
        assert_eq!(of(TreeLevel::Product, "0")[0], "TATA-00");
        for other in ["012", "A12", "12A"] {
            assert_eq!(of(TreeLevel::Model, other), [""; 0]);
        }
    }
}
