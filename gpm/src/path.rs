//! The paths of a package's files: relative to the root, and never out of it.

/// Why a path cannot be one of a package's.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum PathError {
    /// It has an empty, `.` or `..` component, begins or ends with a slash, or holds a NUL.
    #[error("{0:?} is no path of a package: write it relative to the root, without '.', '..' and doubled slashes")]
    Unsafe(String),
    /// It is too long for Linux.
    #[error("a path is longer than 4095 bytes, or one of its names than 255")]
    Long,
    /// An absolute one is wanted.
    #[error("{0:?} must begin with a slash")]
    Relative(String),
    /// The package manager's own.
    #[error("{0:?} belongs to gpm itself")]
    Reserved(String),
}

/// Where gpm keeps its own state, relative to the root: no package may hold files there.
pub const STATE: &str = "var/lib/gpm";

/// Checks that `path` is relative, normal and short enough.
///
/// # Errors
/// What is wrong with it.
pub fn check_path(path: &str) -> Result<(), PathError> {
    if path.len() > 4095 || path.split('/').any(|name| name.len() > 255) {
        return Err(PathError::Long);
    }
    if path.contains('\0') || path.split('/').any(|name| matches!(name, "" | "." | "..")) {
        return Err(PathError::Unsafe(path.into()));
    }
    if path == STATE || path.strip_prefix(STATE).is_some_and(|rest| rest.starts_with('/')) {
        return Err(PathError::Reserved(path.into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_paths() {
        for path in ["usr/bin/a", "etc/.hidden", "a b/ü"] {
            assert_eq!(check_path(path), Ok(()));
        }
        for path in ["", "/etc", "a/", "a//b", "./a", "a/../b", "..", "a\0", "var/lib/gpm", "var/lib/gpm/journal", &"x/".repeat(3000), &"x".repeat(256)] {
            assert!(check_path(path).is_err(), "{path:?}");
        }
        assert_eq!(check_path("var/lib/gpm-extra"), Ok(()));
    }
}
