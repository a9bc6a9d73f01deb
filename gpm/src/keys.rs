//! Ed25519 keys that sign packages and repositories.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digest::{from_hex, to_hex};

const SECRET: &str = "ed25519-secret:";
const PUBLIC: &str = "ed25519:";

/// What names a key: SHA-256 over its public half.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(pub [u8; 32]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0[..4]))
    }
}

impl TryFrom<String> for KeyId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        from_hex(&text).map(KeyId).ok_or_else(|| format!("{text:?} is no key id of 64 hexadecimal digits"))
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> String {
        id.to_string()
    }
}

/// The half of a key that verifies. As text: `ed25519:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// The half of a key that signs. Its file holds `ed25519-secret:` and 64 hexadecimal digits.
pub struct SecretKey(SigningKey);

/// A key that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file.
    #[error("cannot {action} the key {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The contents.
    #[error("{0} holds no {1} key (a line '{2}' and 64 hexadecimal digits)")]
    Syntax(String, &'static str, &'static str),
    /// Anybody could sign with it.
    #[error("the secret key {} can be read by others: chmod 600 it", .0.display())]
    Exposed(PathBuf),
    /// No random numbers.
    #[error("the kernel gives no random numbers: {0}")]
    Random(io::Error),
}

impl PublicKey {
    /// The key of these 32 bytes, where they are a point that is safe to verify with.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<PublicKey> {
        VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak()).map(PublicKey)
    }

    /// Its 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// What names it.
    pub fn id(&self) -> KeyId {
        KeyId(Sha256::digest(self.to_bytes()).into())
    }

    /// Whether `signature` is this key's over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }

    /// Parses `ed25519:` and 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<PublicKey> {
        PublicKey::from_bytes(&from_hex(text.trim().strip_prefix(PUBLIC)?)?)
    }

    /// Reads a key's file.
    ///
    /// # Errors
    /// When there is none, or it holds no public key.
    pub fn read(path: &Path) -> Result<PublicKey, KeyError> {
        let text = fs::read_to_string(path).map_err(|source| KeyError::Io { action: "read", path: path.into(), source })?;
        PublicKey::parse(&text).ok_or_else(|| KeyError::Syntax(path.display().to_string(), "public", PUBLIC))
    }

    /// The public keys of all files `*.pub` in a folder; none where there is no such folder.
    ///
    /// # Errors
    /// When one of them cannot be read or holds no key: a broken key is not skipped in silence.
    pub fn read_all(folder: &Path) -> Result<Vec<PublicKey>, KeyError> {
        let mut paths: Vec<PathBuf> = match fs::read_dir(folder) {
            Ok(entries) => entries.filter_map(|entry| entry.ok().map(|it| it.path())).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(KeyError::Io { action: "list", path: folder.into(), source }),
        };
        paths.retain(|path| path.extension().is_some_and(|it| it == "pub"));
        paths.sort();
        paths.iter().map(|path| PublicKey::read(path)).collect()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", to_hex(&self.to_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl SecretKey {
    /// A new key from the kernel's random numbers.
    ///
    /// # Errors
    /// When the kernel gives none.
    pub fn generate() -> Result<SecretKey, KeyError> {
        let mut seed = [0; 32];
        let mut filled = 0;
        while filled < seed.len() {
            filled += rustix::rand::getrandom(&mut seed[filled..], rustix::rand::GetRandomFlags::empty())
                .map_err(|error| KeyError::Random(error.into()))?;
        }
        Ok(SecretKey::from_seed(&seed))
    }

    /// The key that belongs to these 32 secret bytes.
    pub fn from_seed(seed: &[u8; 32]) -> SecretKey {
        SecretKey(SigningKey::from_bytes(seed))
    }

    /// The half that verifies.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// Reads a key's file.
    ///
    /// # Errors
    /// When there is none, others may read it, or it holds no secret key.
    pub fn read(path: &Path) -> Result<SecretKey, KeyError> {
        use std::os::unix::fs::PermissionsExt;
        let failed = |source| KeyError::Io { action: "read", path: path.into(), source };
        if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(KeyError::Exposed(path.into()));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        let seed = text.trim().strip_prefix(SECRET).and_then(from_hex);
        seed.map(|seed| SecretKey::from_seed(&seed)).ok_or_else(|| KeyError::Syntax(path.display().to_string(), "secret", SECRET))
    }

    /// Writes the key, which only its owner may read, and beside it the public half as `<path>.pub`. Never overwrites.
    ///
    /// # Errors
    /// When one of the files exists already or cannot be written.
    pub fn write(&self, path: &Path) -> Result<PathBuf, KeyError> {
        let public = PathBuf::from(format!("{}.pub", path.display()));
        let write = |path: &Path, mode: u32, text: String| {
            let result = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
            result.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|source| KeyError::Io { action: "write", path: path.into(), source })
        };
        write(path, 0o600, format!("{SECRET}{}\n", to_hex(self.0.as_bytes())))?;
        write(&public, 0o644, format!("{}\n", self.public()))?;
        Ok(public)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_round_trip_and_are_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("release.key");
        let key = SecretKey::generate().unwrap();
        let public = key.write(&path).unwrap();
        let signature = SecretKey::read(&path).unwrap().sign(b"text");
        assert!(PublicKey::read(&public).unwrap().verifies(b"text", &signature));
        assert!(!PublicKey::read(&public).unwrap().verifies(b"test", &signature));
        assert!(key.write(&path).is_err());
        assert_eq!(PublicKey::read_all(folder.path()).unwrap(), [key.public()]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(SecretKey::read(&path), Err(KeyError::Exposed(_))));
    }

    #[test]
    fn refuses_weak_and_broken_keys() {
        assert!(PublicKey::from_bytes(&[0; 32]).is_none());
        assert!(PublicKey::parse("ed25519:00").is_none());
        assert!(PublicKey::parse(&format!("rsa:{}", "0".repeat(64))).is_none());
    }
}
