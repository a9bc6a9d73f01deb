//! The root filesystem: a tree into a RedoxFS, and back for the tests and for verification.

use std::collections::HashMap;

use gpm::xattr::{Value, Xattrs};
use redoxfs::{DIR_ENTRY_MAX_LENGTH, Disk, FileSystem, Node, Transaction, TreePtr};

use crate::error::{Error, Result};
use crate::tree::{Content, Entry, Kind, Tree};

/// Entries a transaction: the allocation log, which the crate searches linearly, stays short, and the copy-on-write of shared
/// directory blocks is still shared by many entries.
const ENTRIES_PER_TRANSACTION: usize = 200;

/// How a filesystem is made.
#[derive(Default)]
pub struct Options<'o> {
    /// The root directory's time, seconds since 1970.
    pub time: u64,
    /// What it is encrypted with, if it is to be.
    pub password: Option<&'o [u8]>,
    /// Hears how many of the tree's entries have been written.
    pub progress: Option<&'o mut dyn FnMut(usize)>,
}

/// Makes a RedoxFS on `disk` that holds `tree`.
/// Owners, modes with setuid, modification times, extended attributes, symbolic and hard links are as in the tree.
pub fn create<D: Disk>(disk: D, tree: &Tree, options: Options<'_>) -> Result<()> {
    let Options { time, password, mut progress } = options;
    let mut fs = FileSystem::create(disk, password, time, 0).map_err(|error| Error::image("RedoxFS", error))?;
    let mut done = 0;
    let mut nodes: HashMap<&str, TreePtr<Node>> = HashMap::from([("", TreePtr::root())]);
    let (links, rest): (Vec<_>, Vec<_>) = tree
        .iter()
        .partition(|(_, entry)| matches!(entry.kind, Kind::HardLink(_)));
    let all: Vec<_> = rest.into_iter().chain(links).collect();
    for batch in all.chunks(ENTRIES_PER_TRANSACTION) {
        // The crate's closure can only return its own error; ours comes out beside it.
        let mut failure = None;
        let committed = fs.tx(|tx| {
            for (path, entry) in batch {
                if let Err(error) = add(tx, &mut nodes, path, entry) {
                    failure = Some(error);
                    return Err(syscall::Error::new(syscall::EIO));
                }
            }
            Ok(())
        });
        match (failure, committed) {
            (Some(error), _) => return Err(error),
            (None, Err(error)) => return Err(Error::image("RedoxFS", error)),
            (None, Ok(())) => {}
        }
        done += batch.len();
        if let Some(progress) = &mut progress {
            progress(done);
        }
    }
    // One short allocation log: the first mount need not replay the whole build.
    fs.cleanup().map_err(|error| Error::image("RedoxFS", error))
}

fn add<'t, D: Disk>(
    tx: &mut Transaction<'_, D>,
    nodes: &mut HashMap<&'t str, TreePtr<Node>>,
    path: &'t str,
    entry: &Entry,
) -> Result<()> {
    let on = |error: syscall::Error| Error::tree(path, error);
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    if name.len() > DIR_ENTRY_MAX_LENGTH {
        return Err(Error::tree(
            path,
            format!("a name has more than {DIR_ENTRY_MAX_LENGTH} bytes"),
        ));
    }
    let parent = *nodes
        .get(parent)
        .ok_or_else(|| Error::tree(path, "its directory is missing"))?;
    let (kind, data) = match &entry.kind {
        Kind::Directory => (Node::MODE_DIR, None),
        Kind::File(content) => (Node::MODE_FILE, Some(content.read()?)),
        Kind::Symlink(target) => (Node::MODE_SYMLINK, Some(target.clone().into_bytes())),
        Kind::HardLink(target) => {
            let node = *nodes
                .get(target.as_str())
                .ok_or_else(|| Error::tree(path, "its link target is missing"))?;
            return tx.link_node(parent, name, node).map_err(on);
        }
    };
    let mode = kind | (entry.mode & Node::MODE_PERM);
    let mut node = tx
        .create_node(parent, name, mode, entry.mtime, 0)
        .map_err(on)?;
    nodes.insert(path, node.ptr());
    let mut changed = false;
    if (node.data().uid(), node.data().gid()) != (entry.uid, entry.gid) {
        node.data_mut().set_uid(entry.uid);
        node.data_mut().set_gid(entry.gid);
        changed = true;
    }
    if let Some(data) = data.filter(|data| !data.is_empty()) {
        changed |= tx.write_node_inner(&mut node, &mut 0, &data).map_err(on)?;
    }
    if !entry.xattrs.is_empty() {
        let mut xattrs = redoxfsd::xattrs::Xattrs::default();
        entry.xattrs.iter().for_each(|(name, value)| xattrs.insert(name.as_bytes(), &value.0));
        if !xattrs.fit() {
            return Err(Error::tree(path, "its extended attributes are too large"));
        }
        xattrs.store_first(tx, &mut node).map_err(on)?;
        changed = true;
    }
    if changed {
        tx.sync_tree(node).map_err(on)?;
    }
    Ok(())
}

/// Reads a whole RedoxFS into a tree (contents in memory); every block's checksum is verified on the way.
/// `block` is where its header ring begins when that is known.
pub fn read<D: Disk>(disk: D, block: Option<u64>) -> Result<Tree> {
    let mut fs = FileSystem::open(disk, None, block, false)
        .map_err(|error| Error::image("RedoxFS", error))?;
    let mut tree = Tree::default();
    let mut seen: HashMap<u32, String> = HashMap::new();
    let mut failure = None;
    let walked = fs.tx(|tx| {
        // Not by recursion: how deep the directories go is up to whoever wrote the disk.
        let mut directories = vec![(TreePtr::root(), String::new())];
        while let Some((directory, path)) = directories.pop() {
            list(tx, directory, &path, &mut tree, &mut seen, &mut directories).map_err(
                |error| {
                    failure = Some(error);
                    syscall::Error::new(syscall::EIO)
                },
            )?;
        }
        Ok(())
    });
    match (failure, walked) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(Error::image("RedoxFS", error)),
        (None, Ok(())) => Ok(tree),
    }
}

/// Puts the entries of one directory into the tree, and its directories on the list of those still to do.
fn list<D: Disk>(
    tx: &mut Transaction<'_, D>,
    directory: TreePtr<Node>,
    prefix: &str,
    tree: &mut Tree,
    seen: &mut HashMap<u32, String>,
    directories: &mut Vec<(TreePtr<Node>, String)>,
) -> Result<()> {
    let on = |error: syscall::Error| Error::tree(prefix, error);
    let mut children = Vec::new();
    tx.child_nodes(directory, &mut children).map_err(on)?;
    for child in children {
        let name = child
            .name()
            .ok_or_else(|| Error::tree(prefix, "holds a name that is not UTF-8"))?;
        let path = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}/{name}")
        };
        let node = tx.read_tree(child.node_ptr()).map_err(on)?;
        let data = node.data();
        let kind = if data.is_dir() {
            Kind::Directory
        } else if let Some(first) = seen.get(&child.node_ptr().id()) {
            Kind::HardLink(first.clone())
        } else {
            let mut bytes = vec![0; usize::try_from(data.size()).unwrap_or(usize::MAX)];
            let count = tx.read_node_inner(&node, 0, &mut bytes).map_err(on)?;
            if count != bytes.len() {
                return Err(Error::tree(
                    path,
                    format!("{count} of {} bytes read", bytes.len()),
                ));
            }
            seen.insert(child.node_ptr().id(), path.clone());
            if node.data().is_symlink() {
                let target = String::from_utf8(bytes)
                    .map_err(|_| Error::tree(&path, "link target is not UTF-8"))?;
                Kind::Symlink(target)
            } else {
                Kind::File(Content::from(bytes))
            }
        };
        let is_directory = matches!(kind, Kind::Directory);
        let mut xattrs = Xattrs::new();
        if matches!(kind, Kind::File(_)) {
            for (name, value) in redoxfsd::xattrs::Xattrs::load(tx, &node).map_err(on)?.iter() {
                xattrs.insert(String::from_utf8_lossy(name).into_owned(), Value(value.to_vec()));
            }
        }
        let data = node.data();
        let entry = Entry {
            kind,
            mode: data.mode() & Node::MODE_PERM,
            uid: data.uid(),
            gid: data.gid(),
            mtime: data.mtime().0,
            xattrs,
        };
        tree.insert_exact(path.clone(), entry);
        if is_directory {
            directories.push((child.node_ptr(), path));
        }
    }
    Ok(())
}
