//! Walks everything and says what is wrong: for tests, and for people after an accident.

use crate::attr;
use crate::intent_log::{Area, EXTENT_BLOCKS};
use crate::device::Device;
use crate::mount::{look, open_with};
use crate::recovery;
use crate::visit::{Tx, Visitor, walk_lists, walk_tree};
use crate::xattrs::Xattrs;
use redoxfs::{BlockAddr, HEADER_RING, Node, TreePtr};
use scheme::abi::fs::NodeAttr;
use std::collections::{BTreeMap, HashMap, HashSet};
use syscall::error::{Error, Result};

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// The generation that was checked.
    pub generation: u64,
    /// Directories.
    pub directories: u64,
    /// Nodes that are no directories.
    pub files: u64,
    /// Blocks in use.
    pub used_blocks: u64,
    /// Free blocks.
    pub free_blocks: u64,
    /// Blocks that are neither: wasted, but harmless.
    pub lost_blocks: u64,
    /// Nodes that were deleted while open: the next mount frees them.
    pub unlinked: u64,
    /// Records of the log: changes that no commit holds, and that the next mount makes again.
    pub logged: u64,
    /// Everything that is wrong, as sentences.
    pub problems: Vec<String>,
}

impl Report {
    /// True if nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Unknown,
    Used,
    Free,
}

struct Collector {
    uses: Vec<Use>,
    /// Links by node, as the node says.
    links: BTreeMap<u32, u32>,
    dirs: Vec<u32>,
    /// Nodes with extended attributes.
    with_xattrs: Vec<u32>,
    report: Report,
}

impl Collector {
    fn mark(&mut self, index: u64, blocks: u64, mark: Use) {
        for block in index..index.saturating_add(blocks) {
            match self.uses.get_mut(block as usize) {
                None => self
                    .report
                    .problems
                    .push(format!("block {block} is beyond the end")),
                Some(before) if *before == Use::Unknown => *before = mark,
                Some(Use::Used) if mark == Use::Free => {
                    self.report
                        .problems
                        .push(format!("block {block} is in use, and free"));
                }
                Some(_) => self
                    .report
                    .problems
                    .push(format!("block {block} is used twice")),
            }
        }
    }
}

impl Visitor for Collector {
    fn block(&mut self, addr: BlockAddr) -> Result<()> {
        self.mark(addr.index(), addr.level().blocks::<u64>(), Use::Used);
        Ok(())
    }

    fn node(&mut self, id: u32, node: &Node) -> Result<()> {
        self.links.insert(id, node.links());
        if !attr::xattrs(node).is_null() {
            self.with_xattrs.push(id);
        }
        if node.is_dir() {
            self.dirs.push(id);
            self.report.directories += 1;
        } else {
            self.report.files += 1;
        }
        Ok(())
    }

    fn unreadable(&mut self, what: &str, addr: BlockAddr, error: Error) -> Result<()> {
        let block = addr.index();
        self.report
            .problems
            .push(format!("{what} at block {block} does not read: {error}"));
        Ok(())
    }
}

/// Counts the names of each node, and checks that what they name exists.
fn count_names<D: Device>(
    tx: &mut Tx<'_, D>,
    dirs: &[u32],
    problems: &mut Vec<String>,
    known: &BTreeMap<u32, u32>,
) -> HashMap<u32, u32> {
    let mut names = HashMap::from([(TreePtr::<Node>::root().id(), 1)]);
    for dir in dirs {
        let mut entries = Vec::new();
        if let Err(error) = tx.child_nodes(TreePtr::new(*dir), &mut entries) {
            problems.push(format!("directory {dir} does not read: {error}"));
        }
        let mut seen = HashSet::new();
        for entry in &entries {
            let id = entry.node_ptr().id();
            let name = entry.name().unwrap_or("(no UTF-8)");
            *names.entry(id).or_insert(0) += 1;
            if !known.contains_key(&id) {
                problems.push(format!(
                    "{name:?} in directory {dir} names node {id}, which is missing"
                ));
            }
            if !seen.insert(name) {
                problems.push(format!("{name:?} is twice in directory {dir}"));
            }
            if tx.find_node(TreePtr::new(*dir), name).is_err() {
                problems.push(format!(
                    "{name:?} in directory {dir} is listed but not found"
                ));
            }
        }
    }
    names
}

/// Checks that blocks of extended attributes are those of the nodes that point to them. (Those that do not read were told of already.)
fn check_xattrs<D: Device>(tx: &mut Tx<'_, D>, ids: &[u32], problems: &mut Vec<String>) -> Result<()> {
    for id in ids {
        let node = tx.read_tree(TreePtr::<Node>::new(*id))?;
        if tx.read_block(attr::xattrs(node.data())).is_err() {
            continue;
        }
        match Xattrs::load(tx, &node) {
            Ok(xattrs) if xattrs.is_empty() => problems.push(format!("node {id} has a block for no extended attributes")),
            Ok(xattrs) if xattrs.has_capabilities() != (attr::of_node(*id, node.data()).flags & NodeAttr::CAPABILITIES != 0) => {
                problems.push(format!("node {id} does not say truly whether it has capabilities"));
            }
            Ok(_) => {}
            Err(_) => problems.push(format!("the extended attributes of node {id} are damaged, or another's")),
        }
    }
    Ok(())
}

/// Checks the filesystem on a device. Nothing is written.
///
/// # Errors
///
/// Where no generation opens at all.
pub fn check<D: Device>(open_again: impl FnMut() -> anyhow::Result<D>) -> anyhow::Result<Report> {
    check_with(open_again, None)
}

/// As [`check`], with the password of one that is encrypted.
///
/// # Errors
///
/// As [`check`].
pub fn check_with<D: Device>(open_again: impl FnMut() -> anyhow::Result<D>, password: Option<&[u8]>) -> anyhow::Result<Report> {
    let mut fs = open_with(open_again, password)?;
    let blocks = fs.header.size() / redoxfs::BLOCK_SIZE;
    let mut all = Collector {
        uses: vec![Use::Unknown; blocks as usize],
        links: BTreeMap::new(),
        dirs: Vec::new(),
        with_xattrs: Vec::new(),
        report: Report::default(),
    };
    // The ring, and the block behind it, which the format leaves empty.
    all.mark(0, HEADER_RING + 1, Use::Used);
    for first in Area::named(&fs.header) {
        all.mark(first, EXTENT_BLOCKS, Use::Used);
    }
    all.report.logged = recovery::records(&mut fs).len() as u64;
    let walked = look(&mut fs, |tx| {
        walk_tree(tx, None, &mut all)?;
        let listed = walk_lists(tx, &mut all)?;
        let Collector {
            dirs,
            report,
            links,
            with_xattrs,
            ..
        } = &mut all;
        check_xattrs(tx, with_xattrs, &mut report.problems)?;
        let names = count_names(tx, dirs, &mut report.problems, links);
        let listed: HashSet<u32> = listed.iter().map(|node| node.id()).collect();
        report.unlinked = listed.len() as u64;
        for (id, links) in links {
            let names = names.get(id).copied().unwrap_or(0);
            // A node on the list may still say that it has the one name that was removed last.
            if names != *links && !(names == 0 && listed.contains(id)) {
                let text = format!("node {id} has {names} names and says {links}");
                report.problems.push(text);
            }
            if names == 0 && !listed.contains(id) {
                report.problems.push(format!(
                    "node {id} has no name and is not listed to be freed"
                ));
            }
        }
        Ok(())
    });
    if let Err(error) = walked {
        all.report
            .problems
            .push(format!("the walk ended early: {error}"));
    }
    for (level, free) in fs.allocator().levels().iter().enumerate() {
        for index in free {
            all.mark(*index, 1 << level, Use::Free);
        }
    }
    let count = |wanted: Use| all.uses.iter().filter(|used| **used == wanted).count() as u64;
    let (used, free, lost) = (count(Use::Used), count(Use::Free), count(Use::Unknown));
    let mut report = all.report;
    report.generation = fs.header.generation();
    (report.used_blocks, report.free_blocks, report.lost_blocks) = (used, free, lost);
    Ok(report)
}
