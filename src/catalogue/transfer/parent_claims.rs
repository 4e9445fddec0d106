//! Remembers what the rows of a file say about parents, so that no two rows contradict each other.
//!
//! Each row of a product repeats the names and images of its parents. Example: line 2 calls the brand `TATA` "Tata
//! Motors". If line 900 calls it "Tata", that row fails, because nobody can know which name is right. A row without a
//! name for the brand agrees with both.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::check::DesiredBranch;
use crate::{catalogue::rules::names::Name, values::url::ImageUrl};

/// What rows say about each parent. The first statement counts, and a row that contradicts it fails.
///
/// The keys are digests of full codes. Each parent takes 32 bytes, since there may be as many parents as rows.
#[derive(Debug, Default, Clone)]
pub(super) struct ParentClaims(HashMap<[u8; 16], Statement>);

/// Digests of the name and of the image's URL; [`NOTHING`] if the row left them out.
#[derive(Debug, Default, Clone, Copy)]
struct Statement {
    name: [u8; 8],
    image_url: [u8; 8],
}

const NOTHING: [u8; 8] = [0; 8];
/// The most brands, models and categories that one file may name.
const MOST_PARENTS: usize = 500_000;

impl ParentClaims {
    /// Takes over what the rows of a batch say.
    pub(super) fn learn(&mut self, new: ParentClaims) {
        for (key, statement) in new.0 {
            self.0.entry(key).or_default().complete(statement);
        }
    }

    /// Returns why a row fails because of a parent that it names; `None` if it does not.
    ///
    /// It fails if it contradicts an earlier row, or if the file names too many parents. `self` holds what the batches
    /// before this one say, and `batch` what the rows of this batch say.
    pub(super) fn refusal(&self, branch: &DesiredBranch, batch: &Self) -> Option<String> {
        if let Some(column) = self.contradicted(branch).or_else(|| batch.contradicted(branch)) {
            return Some(format!("{}_{column} differs from that of an earlier line", branch.level.word()));
        }
        let is_one_too_many = self.0.len() + batch.0.len() >= MOST_PARENTS
            && [self, batch].iter().all(|said| !said.0.contains_key(&digest(branch.code.as_str())));
        is_one_too_many.then(|| format!("the file has more than {MOST_PARENTS} brands, models and categories"))
    }

    /// Returns the column in which a row contradicts an earlier one; `None` if it does not.
    fn contradicted(&self, branch: &DesiredBranch) -> Option<&'static str> {
        let earlier = self.0.get(&digest(branch.code.as_str()))?;
        let now = Statement::of(branch);
        let differs = |earlier, now| earlier != NOTHING && now != NOTHING && earlier != now;
        if differs(earlier.name, now.name) {
            return Some("name");
        }
        differs(earlier.image_url, now.image_url).then_some("image_url")
    }

    /// Remembers what a row says about a parent.
    pub(super) fn add(&mut self, branch: &DesiredBranch) {
        self.0.entry(digest(branch.code.as_str())).or_default().complete(Statement::of(branch));
    }
}

impl Statement {
    fn of(branch: &DesiredBranch) -> Self {
        let part = |text: Option<String>| text.map_or(NOTHING, |text| digest(&text));
        Self {
            name: part(branch.name.as_ref().map(Name::to_string)),
            image_url: part(branch.image_url.as_ref().map(ImageUrl::to_string)),
        }
    }

    /// Fills in what this statement left out.
    fn complete(&mut self, other: Self) {
        for (mine, other) in [(&mut self.name, other.name), (&mut self.image_url, other.image_url)] {
            if *mine == NOTHING {
                *mine = other;
            }
        }
    }
}

/// Returns the first bytes of the SHA-256 digest of a text.
fn digest<const BYTES: usize>(text: &str) -> [u8; BYTES] {
    let whole = Sha256::digest(text);
    std::array::from_fn(|n| whole[n])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::rules::entry,
        values::{codes::FullCode, tree_level::TreeLevel},
    };

    fn brand(name: Option<&str>, image_url: Option<&str>) -> DesiredBranch {
        let own_code = entry::code(TreeLevel::Brand, "TATA").expect("a code");
        DesiredBranch {
            level: TreeLevel::Brand,
            code: FullCode::join([own_code.as_str()]),
            own_code,
            name: name.map(|name| Name::parse(name).expect("a name")),
            image_url: image_url.map(|url| ImageUrl::parse(url).expect("a URL")),
        }
    }

    #[test]
    fn what_was_said_first_counts_and_what_was_left_out_may_follow() {
        let (mut said, mut batch) = (ParentClaims::default(), ParentClaims::default());
        batch.add(&brand(Some("Tata"), None));
        said.learn(batch);
        let mut batch = ParentClaims::default();
        assert_eq!(said.refusal(&brand(None, Some("/media/a.png")), &batch), None);
        batch.add(&brand(None, Some("/media/a.png")));
        assert_eq!(said.refusal(&brand(Some("Tata"), Some("/media/a.png")), &batch), None);
        let name = said.refusal(&brand(Some("Other"), None), &batch);
        assert_eq!(name.as_deref(), Some("brand_name differs from that of an earlier line"));
        let url = said.refusal(&brand(Some("Tata"), Some("/media/b.png")), &batch);
        assert_eq!(url.as_deref(), Some("brand_image_url differs from that of an earlier line"));
    }
}
