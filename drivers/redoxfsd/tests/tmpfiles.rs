//! Files that are made without a name: against a model over remounts and crashes.

mod common;

use common::{Daemon, Raw, TestDisk, make, noise};
use proptest::collection::vec;
use proptest::prelude::*;
use scheme::Errno;
use scheme::abi::fs::{LinkRequest, ROOT_NODE, SetXattr};
use std::collections::BTreeMap;

const FILE: u32 = 0o100640;

#[derive(Clone, Debug)]
enum Op {
    Make,
    /// The n-th open file.
    Write(usize, usize),
    Attribute(usize),
    /// The n-th open file, name.
    Link(usize, usize),
    Unlink(usize),
    Close(usize),
    Sync,
    /// All files are closed, and the filesystem mounted again.
    Remount,
    /// The power goes: what no sync has seen is lost, and all files are closed.
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    let (file, name) = (0usize..8, 0usize..5);
    prop_oneof![
        6 => Just(Op::Make),
        6 => (file.clone(), 1usize..100_000).prop_map(|(file, len)| Op::Write(file, len)),
        2 => file.clone().prop_map(Op::Attribute),
        6 => (file.clone(), name.clone()).prop_map(|(file, name)| Op::Link(file, name)),
        3 => name.prop_map(Op::Unlink),
        4 => file.prop_map(Op::Close),
        2 => Just(Op::Sync),
        1 => Just(Op::Remount),
        1 => Just(Op::Crash),
    ]
}

#[derive(Clone, Default)]
struct Model {
    names: BTreeMap<usize, u64>,
    content: BTreeMap<u64, Vec<u8>>,
}

struct Test {
    disk: TestDisk,
    daemon: Option<Daemon>,
    model: Model,
    synced: Model,
    /// What a program has open, and whether it never had a name.
    open: Vec<(u64, bool)>,
}

fn name(n: usize) -> String {
    format!("name{n}")
}

impl Test {
    fn kernel(&mut self) -> &mut scheme::testing::Harness {
        &mut self.daemon.as_mut().unwrap().kernel
    }

    fn nth(&self, n: usize) -> Option<usize> {
        n.checked_rem(self.open.len())
    }

    fn is_named(&self, node: u64) -> bool {
        self.model.names.values().any(|other| *other == node)
    }

    /// The kernel forgets a node that nobody has open; without names it is gone.
    fn closed(&mut self, node: u64) {
        self.kernel().close(node);
        if !self.is_named(node) {
            self.model.content.remove(&node);
        }
    }

    fn run(&mut self, op: &Op) {
        match *op {
            Op::Make => {
                let attr = self.kernel().create(ROOT_NODE, &make("", FILE)).unwrap();
                assert_eq!((attr.mode, attr.nlink, attr.size), (FILE, 0, 0));
                assert_eq!(self.kernel().get_attr(attr.node).unwrap(), attr);
                assert!(self.model.content.insert(attr.node, Vec::new()).is_none(), "an id in use");
                self.open.push((attr.node, true));
            }
            Op::Write(n, len) => {
                let Some(n) = self.nth(n) else { return };
                let node = self.open[n].0;
                let data = noise(len, node);
                assert_eq!(self.kernel().write(node, &data, 0), Ok(len));
                let content = self.model.content.get_mut(&node).unwrap();
                content.resize(content.len().max(len), 0);
                content[..len].copy_from_slice(&data);
            }
            Op::Attribute(n) => {
                let Some(n) = self.nth(n) else { return };
                let request = SetXattr { create: false, replace: false, name: b"user.a", value: &[9; 5000] };
                let node = self.open[n].0;
                self.kernel().set_xattr(node, request).unwrap();
            }
            Op::Link(n, new) => {
                let Some(n) = self.nth(n) else { return };
                let (node, unnamed) = self.open[n];
                let new_name = name(new);
                let request = LinkRequest { dir: ROOT_NODE, unnamed, name: new_name.as_bytes() };
                let linked = self.kernel().link_with(node, request);
                if !unnamed && !self.is_named(node) {
                    return assert_eq!(linked, Err(Errno::NOENT));
                }
                if self.model.names.contains_key(&new) {
                    return assert_eq!(linked, Err(Errno::EXIST));
                }
                self.model.names.insert(new, node);
                let names = self.model.names.values().filter(|other| **other == node).count();
                assert_eq!(linked.unwrap().nlink as usize, names);
                self.open[n].1 = false;
            }
            Op::Unlink(n) => {
                let Some(node) = self.model.names.remove(&n) else { return };
                self.kernel().unlink(ROOT_NODE, name(n).as_bytes(), 0).unwrap();
                if !self.open.iter().any(|(open, _)| *open == node) {
                    self.closed(node);
                }
            }
            Op::Close(n) => {
                let Some(n) = self.nth(n) else { return };
                let (node, _) = self.open.remove(n);
                self.closed(node);
            }
            Op::Sync => {
                self.kernel().sync().unwrap();
                self.synced = self.model.clone();
            }
            Op::Remount => {
                self.daemon.take().unwrap().stop();
                let disk = self.disk.clone();
                let model = self.model.clone();
                self.start(disk, model);
            }
            Op::Crash => {
                let disk = TestDisk::from_bytes(self.disk.snapshot());
                self.daemon.take().unwrap().stop();
                let model = self.synced.clone();
                self.start(disk, model);
            }
        }
    }

    /// A new start of the system: nobody has anything open.
    fn start(&mut self, disk: TestDisk, mut model: Model) {
        let report = disk.check();
        assert_eq!((report.problems, report.lost_blocks), (Vec::new(), 0));
        model.content.retain(|node, _| model.names.values().any(|other| other == node));
        self.open.clear();
        self.daemon = Some(Daemon::start(&disk));
        self.disk = disk;
        (self.model, self.synced) = (model.clone(), model);
    }

    fn compare(&mut self) {
        for (node, content) in self.model.content.clone() {
            assert!(self.kernel().read(node, 100_000, 0).unwrap() == content, "node {node}");
            let names = self.model.names.values().filter(|other| **other == node).count();
            assert_eq!(self.kernel().get_attr(node).unwrap().nlink as usize, names);
        }
        for (n, node) in self.model.names.clone() {
            let (found, _) = self.kernel().lookup(ROOT_NODE, name(n).as_bytes(), 1).unwrap();
            assert_eq!(found[0].node, node);
        }
    }

    fn finish(mut self) {
        self.compare();
        self.run(&Op::Crash);
        self.compare();
        self.daemon.take().unwrap().stop();
        let report = self.disk.check();
        assert_eq!((report.problems, report.lost_blocks, report.unlinked), (Vec::new(), 0, 0));
        // Nothing is left of what had no names.
        assert_eq!(report.files, self.model.content.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(48) })]
    #[test]
    fn behave_like_the_model(ops in vec(op(), 1..100)) {
        let disk = TestDisk::formatted(64 << 20);
        let daemon = Some(Daemon::start(&disk));
        let mut test = Test { disk, daemon, model: Model::default(), synced: Model::default(), open: Vec::new() };
        for op in &ops {
            test.run(op);
        }
        test.finish();
    }
}

#[test]
fn only_regular_files_have_no_name() {
    let disk = TestDisk::formatted(16 << 20);
    let mut daemon = Daemon::start(&disk);
    for mode in [0o040755, 0o120777, 0o010644, 0o140644, 0o020644] {
        assert_eq!(daemon.kernel.create(ROOT_NODE, &make("", mode)), Err(Errno::INVAL));
    }
    let dir = daemon.kernel.create(ROOT_NODE, &make("dir", 0o040755)).unwrap().node;
    daemon.kernel.unlink(ROOT_NODE, b"dir", 0x200).unwrap();
    assert_eq!(daemon.kernel.create(dir, &make("", FILE)), Err(Errno::NOENT));
    daemon.stop();
}

/// As many as the disk's list holds survive a crash only to be freed, also where there is hardly any room.
#[test]
fn hundreds_are_freed_after_a_crash() {
    let disk = TestDisk::formatted(20 << 20);
    let mut daemon = Daemon::start(&disk);
    let kernel = &mut daemon.kernel;
    for n in 0..1000 {
        let node = kernel.create(ROOT_NODE, &make("", FILE)).unwrap().node;
        if n % 50 == 0 {
            kernel.write(node, &noise(9000, n), 0).unwrap();
        }
    }
    kernel.sync().unwrap();
    let full = kernel.create(ROOT_NODE, &make("full", FILE)).unwrap().node;
    let mut at = 0;
    while kernel.write(full, &noise(65_536, at), at).is_ok() {
        at += 65_536;
    }
    assert!(at > 1 << 20, "{at}");
    kernel.sync().unwrap();
    let disk = TestDisk::from_bytes(disk.snapshot());
    daemon.stop();
    let report = disk.check();
    assert_eq!((report.problems, report.unlinked, report.lost_blocks), (Vec::new(), 1000, 0));
    // Also by the crate's own functions, as Redox's tools do it.
    let by_the_crate = TestDisk::from_bytes(disk.snapshot());
    redoxfs::FileSystem::open(Raw(by_the_crate.clone()), None, None, true).unwrap();
    let report = by_the_crate.check();
    assert_eq!((report.problems, report.unlinked), (Vec::new(), 0));
    Daemon::start(&disk).stop();
    let report = disk.check();
    assert_eq!((report.problems, report.unlinked, report.lost_blocks, report.files), (Vec::new(), 0, 0, 1));
}
