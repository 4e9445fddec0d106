//! Files that only the user who runs the server can read, because they contain secrets.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

const OWNER_ONLY: u32 = 0o600;

/// Creates a file for writing. A file that exists is emptied and keeps its permissions.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(path)
}

/// Creates a file for writing. Fails if it exists.
pub fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_owner_can_read_the_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        for file in [create_new(&path), create(&path)] {
            let permissions = file.expect("a file").metadata().expect("the file").permissions();
            assert_eq!(permissions.mode() & 0o777, 0o600);
        }
        assert!(create_new(&path).is_err());
    }
}
