//! Mails in the form in which their receivers read them.

use std::{fs, path::Path};

/// A decoded mail.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The headers and the body.
    pub text: String,
}

impl Letter {
    /// Decodes the source of a mail.
    pub fn of(source: &str) -> Self {
        Self { text: unquoted(source) }
    }

    /// Returns the text of a header, or an empty text if it is missing.
    pub fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        self.text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default()
    }

    /// Returns the rest of the first link that begins with `start`.
    pub fn link(&self, start: &str) -> Option<String> {
        let from = &self.text[self.text.find(start)?..];
        let end = from.find(|c: char| c.is_whitespace() || "\"<".contains(c)).unwrap_or(from.len());
        Some(from[start.len()..end].to_owned())
    }
}

/// Returns the mails that a server wrote to its folder, the oldest first. The file names begin with the time.
pub fn letters_in(data: &Path) -> Vec<Letter> {
    let Ok(entries) = fs::read_dir(data.join("mail")) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.iter().map(|file| Letter::of(&fs::read_to_string(file).expect("a mail"))).collect()
}

/// Decodes the parts of quoted-printable (RFC 2045, section 6.7) that these mails use.
fn unquoted(source: &str) -> String {
    source.replace("\r\n", "\n").replace("=\n", "").replace("=3D", "=")
}
