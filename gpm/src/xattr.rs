//! Extended attributes that packages carry: a program's capabilities, and what its makers say of a file (`user.*`). Others are about one
//! machine (labels of its security policy, access control lists with its users) and stay there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{XattrFlags, fsetxattr, lgetxattr, llistxattr, lsetxattr};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::digest::to_hex;

/// A program's capabilities, setcap(8).
pub const CAPABILITY: &str = "security.capability";
/// The longest value, as Linux has it.
const MAX_VALUE: usize = 64 << 10;
/// The longest name, as Linux has it.
const MAX_NAME: usize = 255;

/// A file's extended attributes by name.
pub type Xattrs = BTreeMap<String, Value>;

/// The value of an extended attribute: any bytes, hexadecimal digits where it is written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Value(pub Vec<u8>);

impl TryFrom<String> for Value {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Value, Self::Error> {
        let digits = text.as_bytes();
        let is_hex = digits.len() % 2 == 0 && digits.iter().all(|it| it.is_ascii_hexdigit() && !it.is_ascii_uppercase());
        let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).ok().and_then(|it| u8::from_str_radix(it, 16).ok()));
        Some(()).filter(|()| is_hex).and_then(|()| pairs.collect()).map(Value).ok_or("an extended attribute's value is no hexadecimal digits")
    }
}

impl From<Value> for String {
    fn from(value: Value) -> String {
        to_hex(&value.0)
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

/// Whether packages carry it.
pub fn is_carried(name: &str) -> bool {
    let is_ours = name == CAPABILITY || name.strip_prefix("user.").is_some_and(|rest| !rest.is_empty());
    is_ours && name.len() <= MAX_NAME && !name.contains('\0')
}

/// Whether a value may be that of one.
pub(crate) fn is_value(value: &Value) -> bool {
    value.0.len() <= MAX_VALUE
}

fn names(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut list = vec![0; 1 << 10];
    let length = loop {
        match llistxattr(path, &mut list) {
            Ok(length) => break length,
            Err(Errno::RANGE) => list.resize(list.len() * 4, 0),
            Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
    };
    Ok(list[..length].split(|it| *it == 0).filter(|it| !it.is_empty()).map(<[u8]>::to_vec).collect())
}

fn value(path: &Path, name: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; 256];
    loop {
        match lgetxattr(path, name, &mut bytes) {
            Ok(length) => {
                bytes.truncate(length);
                return Ok(Some(bytes));
            }
            Err(Errno::RANGE) if bytes.len() < MAX_VALUE => bytes.resize(MAX_VALUE, 0),
            // Gone since it was listed.
            Err(Errno::NODATA) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// What packages carry of a file's extended attributes.
///
/// # Errors
/// When they cannot be read.
pub fn of_file(path: &Path) -> io::Result<Xattrs> {
    let mut found = Xattrs::new();
    for name in names(path)? {
        if let Ok(name) = String::from_utf8(name)
            && is_carried(&name)
            && let Some(bytes) = value(path, name.as_bytes())?
        {
            found.insert(name, Value(bytes));
        }
    }
    Ok(found)
}

/// Gives a file extended attributes. Without privileges it gets no capabilities, as it gets no other owner either.
pub(crate) fn set(file: &File, xattrs: &Xattrs) -> io::Result<()> {
    for (name, value) in xattrs.iter().filter(|(name, _)| *name != CAPABILITY || rustix::process::geteuid().is_root()) {
        fsetxattr(file, name.as_str(), &value.0, XattrFlags::empty()).map_err(|error| failed(name, error))?;
    }
    Ok(())
}

fn failed(name: &str, error: Errno) -> io::Error {
    let error = io::Error::from(error);
    io::Error::new(error.kind(), format!("its extended attribute {name}: {error}"))
}

/// Gives a copy all that its original has. What only the system may set is left out, but for what packages carry.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for name in names(from)? {
        let Some(bytes) = value(from, &name)? else { continue };
        match lsetxattr(to, name.as_slice(), &bytes, XattrFlags::empty()) {
            Ok(()) => {}
            Err(Errno::PERM | Errno::OPNOTSUPP) if !std::str::from_utf8(&name).is_ok_and(is_carried) || !rustix::process::geteuid().is_root() => {}
            Err(error) => return Err(failed(&String::from_utf8_lossy(&name), error)),
        }
    }
    Ok(())
}
