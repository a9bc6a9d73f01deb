//! Extended attributes: against a model over remounts and crashes, and at their limits.

mod common;

use common::{Daemon, Raw, TestDisk, make, noise};
use proptest::collection::vec;
use proptest::prelude::*;
use redoxfsd::check::Report;
use scheme::Errno;
use scheme::abi::fs::{NodeAttr, ROOT_NODE, RenameFlags, RenameRequest, SetAttr, SetXattr};
use std::collections::BTreeMap;

const SIZE: u64 = 64 << 20;
const CAPABILITIES: &[u8] = b"security.capability";
/// Names of files. Name 0 is of a directory.
const FILES: usize = 5;

type Xattrs = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Debug)]
enum Op {
    Create(usize),
    /// File, attribute, length of the value, create, replace.
    Set(usize, usize, usize, bool, bool),
    Remove(usize, usize),
    Unlink(usize),
    Rename(usize, usize),
    Link(usize, usize),
    Write(usize, usize),
    Chown(usize),
    Sync,
    Remount,
    /// The power goes: what no sync has seen is lost.
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    let (f, a) = (0..FILES, 0usize..6);
    let len = prop_oneof![4 => 0usize..100, 2 => 0usize..9000, 1 => 0usize..=65536, 1 => Just(65536)];
    prop_oneof![
        5 => f.clone().prop_map(Op::Create),
        12 => (f.clone(), a.clone(), len, prop::bool::weighted(0.2), prop::bool::weighted(0.2))
            .prop_map(|(f, a, len, create, replace)| Op::Set(f, a, len, create, replace)),
        5 => (f.clone(), a).prop_map(|(f, a)| Op::Remove(f, a)),
        2 => f.clone().prop_map(Op::Unlink),
        2 => (f.clone(), f.clone()).prop_map(|(f, g)| Op::Rename(f, g)),
        1 => (f.clone(), f.clone()).prop_map(|(f, g)| Op::Link(f, g)),
        3 => (f.clone(), 1usize..20_000).prop_map(|(f, len)| Op::Write(f, len)),
        1 => f.prop_map(Op::Chown),
        2 => Just(Op::Sync),
        1 => Just(Op::Remount),
        1 => Just(Op::Crash),
    ]
}

fn attribute(a: usize) -> Vec<u8> {
    match a {
        0 => CAPABILITIES.to_vec(),
        1 => [b"user.".as_slice(), &[b'n'; 250]].concat(),
        a => format!("trusted.a{a}").into_bytes(),
    }
}

fn file(f: usize) -> String {
    format!("name{f}")
}

/// The filesystem as it should be.
#[derive(Clone, Default)]
struct Model {
    /// Node by name.
    names: BTreeMap<usize, u64>,
    xattrs: BTreeMap<u64, Xattrs>,
}

struct Test {
    disk: TestDisk,
    daemon: Option<Daemon>,
    model: Model,
    /// As of the last sync.
    synced: Model,
}

impl Test {
    fn new() -> Self {
        let disk = TestDisk::formatted(SIZE);
        let daemon = Some(Daemon::start(&disk));
        Self { disk, daemon, model: Model::default(), synced: Model::default() }
    }

    fn kernel(&mut self) -> &mut scheme::testing::Harness {
        &mut self.daemon.as_mut().unwrap().kernel
    }

    fn dropped(&mut self, node: u64) {
        if !self.model.names.values().any(|other| *other == node) {
            self.model.xattrs.remove(&node);
            self.kernel().close(node);
        }
    }

    fn run(&mut self, op: &Op) {
        match *op {
            Op::Create(f) => {
                if self.model.names.contains_key(&f) {
                    return;
                }
                let mode = if f == 0 { 0o040755 } else { 0o100755 };
                let attr = self.kernel().create(ROOT_NODE, &make(&file(f), mode)).unwrap();
                assert_eq!(attr.flags, 0);
                self.model.names.insert(f, attr.node);
                self.model.xattrs.insert(attr.node, Xattrs::new());
            }
            Op::Set(f, a, len, create, replace) => {
                let Some(&node) = self.model.names.get(&f) else { return };
                let (name, value) = (attribute(a), noise(len, (f + 10 * a + len) as u64));
                let set = self.kernel().set_xattr(node, SetXattr { create, replace, name: &name, value: &value });
                let all = self.model.xattrs.get_mut(&node).unwrap();
                match all.contains_key(&name) {
                    true if create => return assert_eq!(set, Err(Errno::EXIST)),
                    false if replace => return assert_eq!(set, Err(Errno::NODATA)),
                    _ => {}
                }
                let others = all.iter().filter(|(other, _)| **other != name);
                let bytes: usize = others.map(|(name, value)| 6 + name.len() + value.len()).sum();
                if 28 + bytes + 6 + name.len() + value.len() > 128 << 10 {
                    return assert_eq!(set, Err(Errno::NOSPC));
                }
                all.insert(name, value);
                let flags = flags(all);
                assert_eq!(set.unwrap().flags & OF_XATTRS, flags);
            }
            Op::Remove(f, a) => {
                let Some(&node) = self.model.names.get(&f) else { return };
                let removed = self.kernel().remove_xattr(node, &attribute(a));
                let all = self.model.xattrs.get_mut(&node).unwrap();
                match all.remove(&attribute(a)) {
                    None => assert_eq!(removed, Err(Errno::NODATA)),
                    Some(_) => assert_eq!(removed.unwrap().flags & OF_XATTRS, flags(all)),
                }
            }
            Op::Unlink(f) => {
                let Some(node) = self.model.names.remove(&f) else { return };
                let flags = if f == 0 { 0x200 } else { 0 };
                self.kernel().unlink(ROOT_NODE, file(f).as_bytes(), flags).unwrap();
                self.dropped(node);
            }
            Op::Rename(f, g) => {
                let Some(&node) = self.model.names.get(&f).filter(|_| f != 0 && g != 0) else { return };
                let (old, new) = (file(f), file(g));
                let (old_name, new_name) = (old.as_bytes(), new.as_bytes());
                let request = RenameRequest { new_dir: ROOT_NODE, flags: RenameFlags::Replace, old_name, new_name };
                self.kernel().rename(ROOT_NODE, &request).unwrap();
                if self.model.names.get(&g) == Some(&node) {
                    return;
                }
                self.model.names.remove(&f);
                if let Some(replaced) = self.model.names.insert(g, node) {
                    self.dropped(replaced);
                }
            }
            Op::Link(f, g) => {
                let Some(&node) = self.model.names.get(&f).filter(|_| f != 0 && g != 0) else { return };
                if !self.model.names.contains_key(&g) {
                    self.kernel().link(node, ROOT_NODE, file(g).as_bytes()).unwrap();
                    self.model.names.insert(g, node);
                }
            }
            Op::Write(f, len) => {
                if let Some(&node) = self.model.names.get(&f).filter(|_| f != 0) {
                    let data = noise(len, f as u64);
                    assert_eq!(self.kernel().write(node, &data, 0), Ok(len));
                }
            }
            Op::Chown(f) => {
                if let Some(&node) = self.model.names.get(&f) {
                    let changes = SetAttr { uid: Some(5), ..SetAttr::default() };
                    let attr = self.kernel().set_attr(node, &changes).unwrap();
                    assert_eq!(attr.flags & OF_XATTRS, flags(&self.model.xattrs[&node]));
                }
            }
            Op::Sync => {
                self.kernel().sync().unwrap();
                self.synced = self.model.clone();
            }
            Op::Remount => {
                self.daemon.take().unwrap().stop();
                self.daemon = Some(Daemon::start(&self.disk));
                self.synced = self.model.clone();
            }
            Op::Crash => {
                let disk = TestDisk::from_bytes(self.disk.snapshot());
                self.daemon.take().unwrap().stop();
                assert_sound(&disk.check());
                self.daemon = Some(Daemon::start(&disk));
                self.disk = disk;
                self.model = self.synced.clone();
            }
        }
    }

    fn compare(&mut self) {
        for (f, node) in self.model.names.clone() {
            let (found, _) = self.kernel().lookup(ROOT_NODE, file(f).as_bytes(), 1).unwrap();
            let all = self.model.xattrs[&node].clone();
            assert_eq!((found[0].node, found[0].flags & OF_XATTRS), (node, flags(&all)));
            assert_eq!(self.kernel().list_xattr(node).unwrap(), all.keys().cloned().collect::<Vec<_>>());
            for (name, value) in &all {
                assert!(self.kernel().get_xattr(node, name, 65536).unwrap() == *value);
            }
            assert_eq!(self.kernel().get_xattr(node, b"user.none", 100), Err(Errno::NODATA));
        }
    }

    fn finish(mut self) {
        self.compare();
        self.daemon.take().unwrap().stop();
        assert_sound(&self.disk.check());
        self.daemon = Some(Daemon::start(&self.disk));
        self.compare();
        for (f, node) in std::mem::take(&mut self.model.names) {
            let flags = if f == 0 { 0x200 } else { 0 };
            self.kernel().unlink(ROOT_NODE, file(f).as_bytes(), flags).unwrap();
            self.kernel().close(node);
        }
        self.daemon.take().unwrap().stop();
        let report = self.disk.check();
        assert_sound(&report);
        // The same as a disk on which nothing ever was.
        assert_eq!((report.directories, report.files), (1, 0));
    }
}

/// What of a node's flags is about extended attributes.
const OF_XATTRS: u32 = NodeAttr::XATTRS | NodeAttr::CAPABILITIES;

fn flags(all: &Xattrs) -> u32 {
    let has_some = if all.is_empty() { 0 } else { NodeAttr::XATTRS };
    has_some | if all.contains_key(CAPABILITIES) { NodeAttr::CAPABILITIES } else { 0 }
}

fn assert_sound(report: &Report) {
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(report.lost_blocks, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(48) })]
    #[test]
    fn behaves_like_the_model(ops in vec(op(), 1..100)) {
        let mut test = Test::new();
        for op in &ops {
            test.run(op);
        }
        test.finish();
    }
}

fn set<'a>(name: &'a [u8], value: &'a [u8]) -> SetXattr<'a> {
    SetXattr { create: false, replace: false, name, value }
}

#[test]
fn limits_are_told() {
    let disk = TestDisk::formatted(SIZE);
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    let node = kernel.create(ROOT_NODE, &make("file", 0o100644)).unwrap().node;
    let blocks = kernel.get_attr(node).unwrap().blocks512;
    let long = [b'n'; 256];
    assert_eq!(kernel.set_xattr(node, set(&long, b"")), Err(Errno::RANGE));
    assert_eq!(kernel.set_xattr(node, set(b"", b"")), Err(Errno::RANGE));
    assert_eq!(kernel.set_xattr(node, set(b"user.\0", b"")), Err(Errno::RANGE));
    assert_eq!(kernel.set_xattr(node, set(b"user.a", &vec![0; 65537])), Err(Errno::TOOBIG));
    kernel.set_xattr(node, set(&long[1..], &vec![7; 65536])).unwrap();
    assert_eq!(kernel.set_xattr(node, set(b"user.a", &vec![0; 65536])), Err(Errno::NOSPC));
    assert_eq!(kernel.get_xattr(node, &long[1..], 65535), Err(Errno::RANGE));
    assert_eq!(kernel.get_xattr(node, &long[1..], 65536), Ok(vec![7; 65536]));
    assert_eq!(kernel.get_attr(node).unwrap().blocks512, blocks + 256);
    kernel.remove_xattr(node, &long[1..]).unwrap();
    assert_eq!(kernel.get_attr(node).unwrap().blocks512, blocks);
    assert_eq!(kernel.set_xattr(0x1234_5678, set(b"user.a", b"")), Err(Errno::STALE));
    // Names: as many bytes as listxattr(2) can tell.
    let mut told = 0;
    let refused = loop {
        let name = format!("user.{:0250}", told);
        match kernel.set_xattr(node, set(name.as_bytes(), b"")) {
            Ok(_) => told += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((told, refused), (256, Errno::NOSPC));
    assert_eq!(kernel.list_xattr(node).unwrap().len(), 256);
    daemon.stop();
    assert_sound(&disk.check());
}

#[test]
fn a_full_disk_refuses_and_lets_remove() {
    let disk = TestDisk::formatted(8 << 20);
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    let mut nodes = Vec::new();
    let refused = loop {
        let name = format!("file{}", nodes.len());
        let node = match kernel.create(ROOT_NODE, &make(&name, 0o100644)) {
            Ok(attr) => attr.node,
            Err(error) => break error,
        };
        nodes.push(node);
        if let Err(error) = kernel.set_xattr(node, set(b"user.large", &noise(60_000, node))) {
            break error;
        }
    };
    assert_eq!(refused, Errno::NOSPC);
    assert!(nodes.len() > 20, "{}", nodes.len());
    for node in &nodes[..nodes.len() - 1] {
        assert_eq!(kernel.get_xattr(*node, b"user.large", 65536).unwrap(), noise(60_000, *node));
        kernel.remove_xattr(*node, b"user.large").unwrap();
    }
    kernel.set_xattr(nodes[0], set(b"user.large", &noise(60_000, 1))).unwrap();
    daemon.stop();
    assert_sound(&disk.check());
}

#[test]
fn a_flipped_bit_is_an_error_and_no_more() {
    let disk = TestDisk::formatted(SIZE);
    let mut daemon = Daemon::start(&disk);
    let node = daemon.kernel.create(ROOT_NODE, &make("file", 0o100644)).unwrap().node;
    daemon.kernel.set_xattr(node, set(b"user.mark", b"easy to find, this is")).unwrap();
    daemon.kernel.sync().unwrap();
    // So that the last transaction, which mounting reads, is another.
    daemon.kernel.create(ROOT_NODE, &make("other", 0o100644)).unwrap();
    daemon.stop();
    {
        let mut content = disk.0.lock().unwrap();
        let at = content.bytes.windows(12).rposition(|bytes| bytes == b"easy to find").unwrap();
        content.bytes[at] ^= 1;
    }
    assert!(!disk.check().is_clean());
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    assert_eq!(kernel.get_xattr(node, b"user.mark", 100), Err(Errno::IO));
    assert_eq!(kernel.set_xattr(node, set(b"user.other", b"")), Err(Errno::IO));
    assert_eq!(kernel.write(node, b"data", 0), Ok(4));
    kernel.unlink(ROOT_NODE, b"file", 0).unwrap();
    kernel.close(node);
    kernel.sync().unwrap();
    daemon.stop();
    // The block cannot be told to be its own, so it is wasted.
    let report = disk.check();
    assert!(report.is_clean(), "{:?}", report.problems);
    assert_eq!(report.lost_blocks, 1);
}

/// The crate's own functions on a disk, as Redox's tools use them.
fn by_the_crate<T>(disk: &TestDisk, f: impl FnOnce(&mut redoxfs::Transaction<'_, Raw>) -> syscall::error::Result<T>) -> T {
    let mut fs = redoxfs::FileSystem::open(Raw(disk.clone()), None, None, true).unwrap();
    fs.tx(f).unwrap()
}

#[test]
fn tools_that_know_nothing_of_them_do_no_harm() {
    let disk = TestDisk::formatted(SIZE);
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    let nodes = ["kept", "removed"].map(|name| {
        let node = kernel.create(ROOT_NODE, &make(name, 0o100644)).unwrap().node;
        kernel.set_xattr(node, set(b"user.a", name.as_bytes())).unwrap();
        node
    });
    daemon.stop();
    by_the_crate(&disk, |tx| {
        let kept = tx.find_node(redoxfs::TreePtr::root(), "kept")?.ptr();
        tx.write_node(kept, 0, &noise(10_000, 1), 2_000_000_000, 0)?;
        tx.rename_node(redoxfs::TreePtr::root(), "kept", redoxfs::TreePtr::root(), "moved")?;
        tx.remove_node(redoxfs::TreePtr::root(), "removed", redoxfs::Node::MODE_FILE).map(drop)
    });
    let report = disk.check();
    assert!(report.is_clean(), "{:?}", report.problems);
    assert_eq!(report.lost_blocks, 1);
    let mut daemon = Daemon::start(&disk);
    assert_eq!(daemon.kernel.get_xattr(nodes[0], b"user.a", 100).unwrap(), b"kept");
    assert_eq!(daemon.kernel.get_attr(nodes[1]), Err(Errno::STALE));
    daemon.stop();
}

#[test]
fn a_pointer_to_another_nodes_block_is_refused_and_frees_nothing() {
    let disk = TestDisk::formatted(SIZE);
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    let owner = kernel.create(ROOT_NODE, &make("owner", 0o100644)).unwrap().node;
    let other = kernel.create(ROOT_NODE, &make("other", 0o100644)).unwrap().node;
    kernel.set_xattr(owner, set(b"user.a", b"mine")).unwrap();
    daemon.stop();
    by_the_crate(&disk, |tx| {
        let owner = tx.find_node(redoxfs::TreePtr::root(), "owner")?;
        let mut other = tx.find_node(redoxfs::TreePtr::root(), "other")?;
        other.data_mut().padding = owner.data().padding;
        tx.sync_tree(other)
    });
    let problems = disk.check().problems;
    assert!(problems.iter().any(|problem| problem.contains("another's")), "{problems:?}");
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    assert_eq!(kernel.get_xattr(other, b"user.a", 100), Err(Errno::IO));
    assert_eq!(kernel.remove_xattr(other, b"user.a"), Err(Errno::IO));
    kernel.unlink(ROOT_NODE, b"other", 0).unwrap();
    kernel.close(other);
    kernel.sync().unwrap();
    assert_eq!(kernel.get_xattr(owner, b"user.a", 100).unwrap(), b"mine");
    daemon.stop();
    assert_sound(&disk.check());
}
