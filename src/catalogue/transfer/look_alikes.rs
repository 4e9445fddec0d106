//! Notices codes that a spreadsheet has turned into other ones: `012` becomes `12`, `45.10` becomes `45.1`, `1E5`
//! becomes `100000`, and `MAR-1` becomes the date `01-Mar`.

use crate::{
    catalogue::{rules::entry, store::tree::FoundEntries},
    values::{
        codes::{Code, FullCode},
        tree_level::TreeLevel,
    },
};

/// How many zeros may have been lost, or may stand for a power of ten.
const MOST_ZEROS: usize = 5;
/// How many digits of a number spreadsheets keep.
const KEPT_DIGITS: usize = 15;
/// The months as spreadsheets write them in English.
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// Returns the full codes that may have become this one in a spreadsheet; none unless the own code is a number or a
/// date.
pub(super) fn originals(level: TreeLevel, code: &FullCode, own_code: &Code) -> Vec<FullCode> {
    let own = own_code.as_str();
    let texts = if is_number(own) { originals_of_number(own) } else { originals_of_date(own) };
    let codes = texts.iter().filter(|text| *text != own).filter_map(|text| entry::code(level, text).ok());
    let parent = code.parents().next_back();
    codes
        .map(|own| parent.as_ref().map_or_else(|| FullCode::join([own.as_str()]), |parent| parent.child(&own)))
        .collect()
}

/// Returns whether a code is a number as spreadsheets show it. Zeros may follow the point, but none comes first.
fn is_number(own: &str) -> bool {
    let whole = own.split_once('.').map_or(own, |(whole, _)| whole);
    value(own).is_some() && (whole == "0" || !whole.starts_with('0'))
}

/// Returns the digits of a number before and behind the point, without the zeros that do not count; `None` if the text
/// is no number.
fn value(text: &str) -> Option<(&str, &str)> {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = is_digits(whole) && is_digits(decimals);
    is_number.then(|| (whole.trim_start_matches('0'), decimals.trim_end_matches('0')))
}

/// Returns the ways to write a number with more zeros, and with a power of ten.
fn originals_of_number(own: &str) -> Vec<String> {
    let Some((digits, decimals)) = value(own) else { return Vec::new() };
    let whole = if digits.is_empty() { "0" } else { digits };
    let written = |before: usize, behind: usize| {
        let point = if decimals.is_empty() && behind == 0 { "" } else { "." };
        format!("{}{whole}{point}{decimals}{}", "0".repeat(before), "0".repeat(behind))
    };
    let mut texts: Vec<String> = (0..=MOST_ZEROS).map(|before| written(before, 0)).collect();
    texts.extend((1..=MOST_ZEROS).map(|behind| written(0, behind)));
    texts.extend([(1, 1), (1, 2), (2, 1), (2, 2)].map(|(before, behind)| written(before, behind)));
    if decimals.is_empty() {
        let zeros = whole.bytes().rev().take_while(|byte| *byte == b'0').count().min(whole.len() - 1);
        let power = |power: usize| format!("{}E{power}", &whole[..whole.len() - power]);
        texts.extend((1..=zeros.min(3 * MOST_ZEROS)).map(power));
    }
    texts
}

/// Returns what may have become a date: `1-MAR` or `MAR-21`, `2021-03-01`, `01-03-2021` or `01.03.2021`.
fn originals_of_date(own: &str) -> Vec<String> {
    let parts: Vec<&str> = own.split(['-', '.']).collect();
    let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.len() <= 2 && !text.is_empty());
    let month = |text: &str| MONTHS.iter().position(|name| *name == text).and_then(|at| u32::try_from(at + 1).ok());
    match parts[..] {
        [day, name] if month(name).is_some() => month(name).zip(number(day)).map(|(m, d)| of_pair(m, d)),
        [name, year] => month(name).zip(number(year)).map(|(m, y)| of_pair(m, y)),
        [year, m, d] if year.len() == 4 => number(m).zip(number(d)).map(|(m, d)| of_triple(m, d, year)),
        [d, m, year] if year.len() == 4 => number(m).zip(number(d)).map(|(m, d)| of_triple(m, d, year)),
        _ => None,
    }
    .unwrap_or_default()
}

/// Returns the ways to write a month and a day, or a month and a year of two digits.
fn of_pair(month: u32, number: u32) -> Vec<String> {
    let index = usize::try_from(month).unwrap_or_default();
    let Some(name) = index.checked_sub(1).and_then(|index| MONTHS.get(index)) else { return Vec::new() };
    let mut texts = Vec::new();
    for (m, n) in [(month.to_string(), number.to_string()), (format!("{month:02}"), format!("{number:02}"))] {
        texts.extend([format!("{m}-{n}"), format!("{n}-{m}"), format!("{m}.{n}"), format!("{n}.{m}")]);
        texts.extend([format!("{name}{n}"), format!("{name}-{n}"), format!("{n}{name}"), format!("{n}-{name}")]);
    }
    texts
}

fn of_triple(month: u32, day: u32, year: &str) -> Vec<String> {
    let short = &year[2..];
    let mut texts = of_pair(month, day);
    for (m, d) in [(month.to_string(), day.to_string()), (format!("{month:02}"), format!("{day:02}"))] {
        texts.extend([format!("{d}-{m}-{short}"), format!("{m}-{d}-{short}"), format!("{short}-{m}-{d}")]);
        texts.extend([format!("{d}.{m}.{short}"), format!("{d}-{m}-{year}"), format!("{m}-{d}-{year}")]);
    }
    texts
}

/// Returns the warning for a new entry whose code a spreadsheet may have changed; `None` if nothing points to that.
pub(super) fn warning(found: &FoundEntries, level: TreeLevel, code: &FullCode, own_code: &Code) -> Option<String> {
    let (word, own) = (level.word(), own_code.as_str());
    let Some(original) = originals(level, code, own_code).into_iter().find(|code| found.look_alikes.contains(code))
    else {
        let is_whole = is_number(own) && !own.contains('.');
        let is_rounded = is_whole && own.get(KEPT_DIGITS..).is_some_and(|rest| !rest.is_empty() && is_zero(rest));
        return is_rounded.then(|| format!("{word}_code {own} is new; a spreadsheet may have rounded its last digits"));
    };
    let parent_length = original.parent().map_or(0, |parent| parent.len() + 1);
    let own_original = original.as_str().get(parent_length..)?;
    let what = if value(own_original) == value(own) && own_original.len() > own.len() {
        "dropped its zeros"
    } else {
        "made a number or a date of it"
    };
    Some(format!("{word}_code {own} is new, but there is {own_original} already; a spreadsheet may have {what}"))
}

/// Returns whether a spreadsheet may have made one text of another: both are nothing but numbers, dates or times, as
/// `00123` and `123`, `5%` and `5.00%`, or `Mar 1` and `03/01/26`.
pub(super) fn may_be_remade(before: &str, after: &str) -> bool {
    before != after && is_number_or_date(before) && is_number_or_date(after)
}

fn is_number_or_date(text: &str) -> bool {
    let without_months = MONTHS.iter().fold(text.to_ascii_uppercase(), |text, month| text.replace(month, ""));
    let rest = without_months.replace("AM", "").replace("PM", "");
    let has_digit = rest.bytes().any(|byte| byte.is_ascii_digit());
    has_digit && rest.chars().all(|c| c.is_ascii_digit() || "/:.,-+%()E ".contains(c))
}

fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(level: TreeLevel, own: &str) -> Vec<String> {
        let code = entry::code(level, own).expect("a code");
        let parents = ["TATA", "N1", "B1"];
        let parent = FullCode::join(parents.into_iter().take(level as usize));
        let found = originals(level, &parent.child(&code), &code);
        found.iter().map(|full| full.as_str()[parent.as_str().len() + 1..].to_owned()).collect()
    }

    #[test]
    fn only_numbers_may_have_lost_zeros() {
        let five = ["012", "0012", "00012", "000012", "0000012"];
        assert_eq!(of(TreeLevel::Model, "12"), five);
        assert_eq!(of(TreeLevel::Model, "123456789"), ["0123456789"]);
        assert_eq!(of(TreeLevel::Product, "0")[0], "00");
        for other in ["012", "A12", "12A"] {
            assert_eq!(of(TreeLevel::Model, other), [""; 0]);
        }
        for (own, original) in [
            ("45.1", "45.10"),
            ("1.5", "1.500"),
            ("350.0", "0350"),
            ("350.0", "350"),
            ("12.00", "012"),
            ("0.5", "0.50"),
            ("0", "0.00"),
            ("0.0", "000"),
            ("1", "1.0"),
            ("7.1", "007.10"),
            ("1000.0", "1E3"),
        ] {
            let texts = of(TreeLevel::Product, own);
            assert!(texts.contains(&original.to_owned()) && !texts.contains(&own.to_owned()), "{own}: {texts:?}");
        }
        for other in ["045.1", "45.1A", "1.2.3", "1-5"] {
            assert_eq!(of(TreeLevel::Product, other), [""; 0], "{other}");
        }
    }

    #[test]
    fn texts_may_be_remade() {
        for (before, after) in [
            ("00123", "123"),
            ("1,234.50", "1234.5"),
            ("1e-7", "1.00E-07"),
            ("(5)", "-5"),
            ("5%", "5.00%"),
            ("12:30", "12:30:00 PM"),
            ("Mar 1", "03/01/26"),
            ("1/2", "2-Jan"),
        ] {
            assert!(may_be_remade(before, after), "{before}");
        }
        for (before, after) in [("123", "123"), ("A1", "1"), ("", "0"), ("NaN", "1"), ("5 mm", "6 mm"), ("E", "1")] {
            assert!(!may_be_remade(before, after), "{before}");
        }
    }

    #[test]
    fn powers_and_dates_have_originals() {
        for (own, original) in [
            ("100000", "1E5"),
            ("1200", "12E2"),
            ("01-MAR", "MAR-1"),
            ("1-MAR", "3-1"),
            ("MAR-21", "03-21"),
            ("MAR-21", "MAR21"),
            ("2024-10-05", "10-5"),
            ("2024-10-05", "05-10-24"),
            ("05.10.2024", "5.10"),
        ] {
            let texts = of(TreeLevel::Product, own);
            assert!(texts.contains(&original.to_owned()), "{own}: {texts:?}");
            assert!(!texts.contains(&own.to_owned()), "{own}");
        }
        for other in ["A-MAR", "13-2024", "MAR", "2024-1", "1.2.3.4", "BRK-PAD"] {
            assert_eq!(of(TreeLevel::Product, other), [""; 0], "{other}");
        }
    }
}
