//! Reads single variables and collects their problems, so that all problems are reported together.

use std::{collections::HashMap, fmt, ops::RangeInclusive, str::FromStr, time::Duration};

use secrecy::SecretString;

/// The problems of the configuration, each with the name of its variable.
#[derive(Debug)]
pub struct ConfigProblems(Vec<String>);

impl std::error::Error for ConfigProblems {}

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is wrong:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// The variables that are set, and the problems found so far.
pub(super) struct Reader {
    variables: HashMap<String, String>,
    /// The names of all variables that were read.
    names_read: Vec<&'static str>,
    problems: Vec<String>,
}

impl Reader {
    pub(super) fn new(variables: HashMap<String, String>) -> Self {
        Self { variables, names_read: Vec::new(), problems: Vec::new() }
    }

    /// Returns the trimmed text of a variable, or `None` if it is unset or empty.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.names_read.push(name);
        self.variables.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Returns the value that `parse` makes of a variable. If the variable is unset, returns `default`. If it is wrong,
    /// returns `default` and notes a problem.
    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        default: T,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        let Some(text) = self.text(name) else { return default };
        parse(&text).unwrap_or_else(|| {
            self.problem(name, &format!("expected {expected}, not \"{text}\""));
            default
        })
    }

    /// Like [`Reader::parsed`], for types with `FromStr`.
    pub(super) fn value<T: FromStr>(&mut self, name: &'static str, default: T, expected: &str) -> T {
        self.parsed(name, default, expected, |text| text.parse().ok())
    }

    /// Reads a number within a range. `what` names it in the problem, such as "number of days".
    pub(super) fn number<T>(&mut self, name: &'static str, default: T, what: &str, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let expected = format!("a {what} from {} to {}", range.start(), range.end());
        self.parsed(name, default, &expected, |text| text.parse().ok().filter(|number| range.contains(number)))
    }

    /// Reads a switch: `true`, `1`, `yes` or `on`, or the opposite.
    pub(super) fn switch(&mut self, name: &'static str, default: bool) -> bool {
        self.parsed(name, default, "true or false", |text| match text.to_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        })
    }

    /// Reads a duration such as `30s`, `15m` or `7d`. Zero is a problem.
    pub(super) fn duration(&mut self, name: &'static str, default: Duration) -> Duration {
        self.parsed(name, default, "a duration such as 30s, 15m or 7d", |text| {
            humantime::parse_duration(text).ok().filter(|duration| !duration.is_zero())
        })
    }

    /// Reads a duration that may be zero.
    pub(super) fn duration_or_zero(&mut self, name: &'static str, default: Duration) -> Duration {
        self.parsed(name, default, "a duration such as 5s, or 0s", |text| humantime::parse_duration(text).ok())
    }

    /// Reads a secret of 32 bytes or more. Problems never repeat its text.
    pub(super) fn secret(&mut self, name: &'static str) -> Option<SecretString> {
        let text = self.text(name)?;
        if text.len() < 32 {
            self.problem(name, "must be 32 bytes or longer");
        }
        Some(text.into())
    }

    /// Returns all variables whose names begin with one of `prefixes`, sorted by name. They are settings of other
    /// libraries, so their values are not checked.
    pub(super) fn variables_with_prefix(&self, prefixes: &[&str]) -> Vec<(String, SecretString)> {
        let has_prefix = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let matching = self.variables.iter().filter(|(name, value)| has_prefix(name) && !value.trim().is_empty());
        let mut sorted: Vec<_> = matching.map(|(name, value)| (name.clone(), value.trim().into())).collect();
        sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
        sorted
    }

    /// Notes a problem that was found elsewhere, for example in the combination of two variables.
    pub(super) fn problem(&mut self, name: &str, what: &str) {
        self.problems.push(format!("{name}: {what}"));
    }

    /// Returns the names of all variables that were read.
    #[cfg(test)]
    pub(super) fn names_read(&self) -> &[&'static str] {
        &self.names_read
    }

    pub(super) fn finish(self) -> Result<(), ConfigProblems> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigProblems(self.problems)) }
    }
}
