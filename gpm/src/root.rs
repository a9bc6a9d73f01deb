//! The tree that is managed: `/`, or another by `--root`. A path in it is resolved as if the tree were `/`: its links never lead out.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How many symbolic links one path may pass, as in Linux.
const MAX_LINKS: usize = 40;

/// A root folder.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// The tree below `folder`, which must exist.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn new(folder: &Path) -> io::Result<Root> {
        let folder = folder.canonicalize()?;
        if folder.is_dir() { Ok(Root(folder)) } else { Err(io::Error::from(io::ErrorKind::NotADirectory)) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether it is the running system's.
    pub fn is_system(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// `path`, relative to the root and without `..`, as a path of the running system. Nothing is resolved: only for gpm's own folders.
    pub fn join(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// Where the file `path` lies in the end: the links in its folders are followed, within the root; the last name is not. Folders that do
    /// not exist yet are taken as they are written.
    ///
    /// # Errors
    /// When a folder on the way is none, cannot be searched, or the links go in circles.
    pub fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        self.resolve_with(path, &HashMap::new())
    }

    /// The same, as if these links were there already: targets by where they will lie.
    ///
    /// # Errors
    /// As [`Root::resolve`].
    pub fn resolve_with(&self, path: &str, links: &HashMap<PathBuf, String>) -> io::Result<PathBuf> {
        let mut parts: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at: Vec<String> = Vec::new();
        let mut passed = 0;
        while let Some(part) = parts.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    at.pop();
                    continue;
                }
                _ => at.push(part),
            }
            if parts.is_empty() {
                break;
            }
            let place = self.place(&at);
            let planned = links.get(&place);
            let found = if planned.is_some() { Ok(true) } else { fs::symlink_metadata(&place).map(|it| it.is_symlink()) };
            match found {
                Ok(true) => {
                    passed += 1;
                    if passed > MAX_LINKS {
                        return Err(io::Error::from_raw_os_error(rustix::io::Errno::LOOP.raw_os_error()));
                    }
                    let target = match planned {
                        Some(target) => target.clone(),
                        None => fs::read_link(&place)?.into_os_string().into_string().map_err(|_| io::Error::from(io::ErrorKind::InvalidFilename))?,
                    };
                    at.pop();
                    if target.starts_with('/') {
                        at.clear();
                    }
                    parts.extend(target.split('/').rev().map(str::to_owned));
                }
                Ok(false) if place.is_dir() => {}
                Ok(false) => return Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{} is no folder", place.display()))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.place(&at))
    }

    fn place(&self, parts: &[String]) -> PathBuf {
        let mut place = self.0.clone();
        place.extend(parts);
        place
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_never_lead_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path()).unwrap();
        fs::create_dir_all(root.join("usr/lib")).unwrap();
        symlink("usr/lib", root.join("lib")).unwrap();
        symlink("/etc", root.join("absolute")).unwrap();
        symlink("../../../../../etc", root.join("up")).unwrap();
        symlink("round", root.join("round")).unwrap();
        symlink("/lib", root.join("twice")).unwrap();
        fs::write(root.join("file"), "").unwrap();
        assert_eq!(root.resolve("lib/libc.so").unwrap(), root.join("usr/lib/libc.so"));
        assert_eq!(root.resolve("twice/a/b").unwrap(), root.join("usr/lib/a/b"));
        assert_eq!(root.resolve("absolute/passwd").unwrap(), root.join("etc/passwd"));
        assert_eq!(root.resolve("up/passwd").unwrap(), root.join("etc/passwd"));
        // The last name is the link itself.
        assert_eq!(root.resolve("lib").unwrap(), root.join("lib"));
        assert!(root.resolve("round/a").is_err());
        assert!(root.resolve("file/a").is_err());
    }
}
