//! Reads single variables and collects their problems, so that all problems are reported together.

use std::{collections::HashMap, fmt, str::FromStr, time::Duration};

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
    set: HashMap<String, String>,
    known: Vec<&'static str>,
    problems: Vec<String>,
}

impl Reader {
    pub(super) fn new(set: HashMap<String, String>) -> Self {
        Self { set, known: Vec::new(), problems: Vec::new() }
    }

    /// Returns the trimmed text of a variable, or `None` if it is unset or empty.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        self.set.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
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

    /// Reads a switch: `true`, `1`, `yes` or `on`, or the opposite.
    pub(super) fn switch(&mut self, name: &'static str, default: bool) -> bool {
        self.parsed(name, default, "true or false", |text| match text.to_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        })
    }

    /// Reads a duration such as `30s`, `15m` or `7d`. Zero is a problem.
    pub(super) fn span(&mut self, name: &'static str, default: Duration) -> Duration {
        self.parsed(name, default, "a duration such as 30s, 15m or 7d", |text| {
            humantime::parse_duration(text).ok().filter(|span| !span.is_zero())
        })
    }

    /// Reads a duration that may be zero.
    pub(super) fn span_or_none(&mut self, name: &'static str, default: Duration) -> Duration {
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

    /// Returns all variables whose names begin with one of `beginnings`, sorted by name. They are settings of other
    /// libraries, so their values are not checked.
    pub(super) fn family(&self, beginnings: &[&str]) -> Vec<(String, SecretString)> {
        let belongs = |name: &str| beginnings.iter().any(|beginning| name.starts_with(beginning));
        let found = self.set.iter().filter(|(name, value)| belongs(name) && !value.trim().is_empty());
        let mut found: Vec<_> = found.map(|(name, value)| (name.clone(), value.trim().into())).collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        found
    }

    /// Notes a problem that was found elsewhere, for example in the combination of two variables.
    pub(super) fn problem(&mut self, name: &str, what: &str) {
        self.problems.push(format!("{name}: {what}"));
    }

    /// Returns the names of all variables that were read.
    #[cfg(test)]
    pub(super) fn known(&self) -> &[&'static str] {
        &self.known
    }

    pub(super) fn finish(self) -> Result<(), ConfigProblems> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigProblems(self.problems)) }
    }
}
