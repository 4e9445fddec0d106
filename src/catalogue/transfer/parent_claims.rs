//! Remembers what the rows of a file say about parents, so that no two rows contradict each other.
//!
//! Each row of a product repeats the names and images of its parents. Example: line 2 calls the brand `TATA` "Tata
//! Motors". If line 900 calls it "Tata", that row fails, because nobody can know which name is right. A row without a
//! name for the brand agrees with both.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{check::DesiredBranch, fault::Fault, rows::Column};
use crate::{catalogue::rules::names::Name, values::url::ImageUrl};

/// What rows say about each parent. The first statement counts, and a row that contradicts it fails.
///
/// The keys are digests of full codes. Each parent takes 32 bytes, since there may be as many parents as rows.
#[derive(Debug, Default, Clone)]
pub(super) struct ParentClaims(HashMap<[u8; 16], Claim>);

/// What rows say about one parent: digests of the name and of the image's URL. [`NOT_SAID`] stands for what they left
/// out.
#[derive(Debug, Default, Clone, Copy)]
struct Claim {
    name: [u8; 8],
    image_url: [u8; 8],
}

const NOT_SAID: [u8; 8] = [0; 8];
/// The most brands, models and categories that one file may name.
const MOST_PARENTS: usize = 500_000;

impl ParentClaims {
    /// Adds what the rows of a batch say.
    pub(super) fn add_all(&mut self, batch: ParentClaims) {
        for (key, claim) in batch.0 {
            self.0.entry(key).or_default().fill_in(claim);
        }
    }

    /// Adds what a row says about a parent.
    pub(super) fn add(&mut self, branch: &DesiredBranch) {
        self.0.entry(key(branch)).or_default().fill_in(Claim::of(branch));
    }

    /// Checks a parent that a row names. The error tells why the row fails.
    ///
    /// It fails if it contradicts an earlier row, or if the file names too many parents. `self` holds what the batches
    /// before this one say, and `batch` what the earlier rows of this batch say.
    pub(super) fn check(&self, branch: &DesiredBranch, batch: &Self) -> Result<(), Fault> {
        if let Some(column) = self.contradicted_column(branch).or_else(|| batch.contradicted_column(branch)) {
            let name = format!("{}_{column}", branch.level.word());
            let text = format!("{name} differs from that of an earlier line");
            return Err(Fault { column: Column::named(&name), text });
        }
        let is_new = [self, batch].iter().all(|claims| !claims.0.contains_key(&key(branch)));
        if is_new && self.0.len() + batch.0.len() >= MOST_PARENTS {
            return Err(Fault::of_row(format!("the file has more than {MOST_PARENTS} brands, models and categories")));
        }
        Ok(())
    }

    /// Returns the column in which a row contradicts an earlier one; `None` if it does not.
    fn contradicted_column(&self, branch: &DesiredBranch) -> Option<&'static str> {
        let earlier = self.0.get(&key(branch))?;
        let claim = Claim::of(branch);
        let differ = |earlier, later| earlier != NOT_SAID && later != NOT_SAID && earlier != later;
        if differ(earlier.name, claim.name) {
            return Some("name");
        }
        differ(earlier.image_url, claim.image_url).then_some("image_url")
    }
}

impl Claim {
    fn of(branch: &DesiredBranch) -> Self {
        let digest_or_not_said = |text: Option<String>| text.map_or(NOT_SAID, |text| digest(&text));
        Self {
            name: digest_or_not_said(branch.name.as_ref().map(Name::to_string)),
            image_url: digest_or_not_said(branch.image_url.as_ref().map(ImageUrl::to_string)),
        }
    }

    /// Adds those parts of another claim that this one leaves out.
    fn fill_in(&mut self, other: Self) {
        for (own_part, other_part) in [(&mut self.name, other.name), (&mut self.image_url, other.image_url)] {
            if *own_part == NOT_SAID {
                *own_part = other_part;
            }
        }
    }
}

/// Returns the key under which the claim about a parent is stored.
fn key(branch: &DesiredBranch) -> [u8; 16] {
    digest(branch.code.as_str())
}

/// Returns the first bytes of the SHA-256 digest of a text.
fn digest<const BYTES: usize>(text: &str) -> [u8; BYTES] {
    let whole = Sha256::digest(text);
    std::array::from_fn(|index| whole[index])
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
            garbled_name: None,
        }
    }

    #[test]
    fn what_was_said_first_counts_and_what_was_left_out_may_follow() {
        let (mut claims, mut batch) = (ParentClaims::default(), ParentClaims::default());
        batch.add(&brand(Some("Tata"), None));
        claims.add_all(batch);
        let mut batch = ParentClaims::default();
        assert_eq!(claims.check(&brand(None, Some("/media/a.png")), &batch), Ok(()));
        batch.add(&brand(None, Some("/media/a.png")));
        assert_eq!(claims.check(&brand(Some("Tata"), Some("/media/a.png")), &batch), Ok(()));
        let other_name = claims.check(&brand(Some("Other"), None), &batch);
        assert_eq!(other_name.expect_err("another name").text, "brand_name differs from that of an earlier line");
        let other_url = claims.check(&brand(Some("Tata"), Some("/media/b.png")), &batch);
        assert_eq!(other_url.expect_err("another URL").text, "brand_image_url differs from that of an earlier line");
    }
}
