//! The signing secret in development. It is created once and kept on disk, so that nobody is signed out by a restart.

use std::{fs, io, io::Write, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;

use crate::private_files;

const FILE: &str = "jwt_secret";

/// Reads the secret in `data_dir`, or creates it there if it is missing. Only the owner of the file can read it. Fails
/// if the secret is shorter than 32 bytes.
pub fn read_or_create_secret(data_dir: &Path) -> io::Result<SecretString> {
    let path = data_dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= 32 => Ok(text.trim().into()),
        Ok(_) => Err(io::Error::other(format!(
            "{} is shorter than 32 bytes; remove it to have a new one made",
            path.display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create_secret(data_dir, &path),
        Err(error) => Err(error),
    }
}

/// Creates the secret. The file is first written under another name and then linked, so that two processes that start
/// at the same time use the same secret: only one of the links succeeds.
fn create_secret(data_dir: &Path, path: &Path) -> io::Result<SecretString> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let draft = data_dir.join(format!("{FILE}.{}", std::process::id()));
    let mut file = private_files::create(&draft)?;
    file.write_all(URL_SAFE_NO_PAD.encode(bytes).as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(fs::read_to_string(path)?.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn is_made_once_and_readable_by_its_owner_only() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = read_or_create_secret(dir.path()).expect("a secret");
        let second = read_or_create_secret(dir.path()).expect("the same secret");
        assert_eq!(first.expose_secret(), second.expose_secret());
        assert!(first.expose_secret().len() >= 32);
        let mode = fs::metadata(dir.path().join(FILE)).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).expect("the folder").count(), 1);
    }
}
