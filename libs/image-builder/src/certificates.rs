//! `/etc/ssl/certs/ca-certificates.crt`: all authorities that the package `ca-certificates` trusts, in one file, as its trigger makes it.

use crate::error::Result;
use crate::tree::{Entry, Kind, Tree};

/// Where the package has them, one a file.
const AUTHORITIES: &str = "usr/share/ca-certificates/";
const BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";

/// Makes the bundle; without the package there is none.
pub(crate) fn bundle(tree: &mut Tree, time: u64) -> Result<()> {
    let mut bytes = Vec::new();
    for (path, entry) in tree.iter() {
        if let Kind::File(content) = &entry.kind
            && path.starts_with(AUTHORITIES)
            && path.ends_with(".crt")
        {
            bytes.extend(content.read()?);
            // A certificate begins on its own line.
            if bytes.last() != Some(&b'\n') {
                bytes.push(b'\n');
            }
        }
    }
    if bytes.is_empty() {
        return Ok(());
    }
    tree.insert(BUNDLE, Entry::new(Kind::File(bytes.into()), 0o644, time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_authorities_are_in_the_bundle() {
        let mut tree = Tree::default();
        bundle(&mut tree, 5).expect("nothing to do");
        assert!(tree.get(BUNDLE).is_none());
        for (name, text) in [("a.crt", "one"), ("b.crt", "two\n"), ("README", "no")] {
            let entry = Entry::new(Kind::File(text.as_bytes().to_vec().into()), 0o644, 1);
            tree.insert(&format!("{AUTHORITIES}mozilla/{name}"), entry)
                .expect("inserts");
        }
        bundle(&mut tree, 5).expect("bundles");
        let Some(Kind::File(content)) = tree.get(BUNDLE).map(|entry| &entry.kind) else {
            panic!("there is no bundle")
        };
        assert_eq!(content.read().expect("readable"), b"one\ntwo\n");
    }
}
