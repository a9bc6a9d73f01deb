//! Data of files: whole and partial records, compressed and not, near and far, against a copy in memory.

mod common;

use common::{Daemon, TestDisk, make, noise, read_all};
use proptest::prelude::*;
use redoxfsd::mount;
use scheme::abi::fs::{ROOT_NODE, SetAttr};
use std::collections::BTreeMap;

const REG: u32 = 0o100644;
/// Bytes of the files, at most: beyond what a node with records of 4 KiB points to by one list (66 MiB).
const MOST: u64 = 72 << 20;

#[derive(Clone, Debug)]
enum Op {
    /// To the file, at an offset, so many bytes of noise or of text.
    Write(usize, u64, usize, bool),
    Resize(usize, u64),
    Sync,
    Remount,
}

fn op() -> impl Strategy<Value = Op> {
    let len = prop_oneof![1..9000usize, Just(4096usize), Just(65_536usize), 60_000..262_145usize, Just(262_144usize)];
    // Mostly near the beginning and where the next kind of list begins, on the borders of records and off them.
    let place = prop_oneof![4 => 0..600_000u64, 2 => (500u64..620).prop_map(|block| block * 1024), 1 => (16_500u64..16_530).prop_map(|block| block * 4096), 1 => 0..MOST - 300_000];
    let offset = (place, any::<bool>()).prop_map(|(place, aligned)| if aligned { place & !0xffff } else { place });
    prop_oneof![
        12 => (0..3usize, offset.clone(), len, any::<bool>()).prop_map(|(file, offset, len, text)| Op::Write(file, offset, len, text)),
        2 => (0..3usize, offset).prop_map(|(file, size)| Op::Resize(file, size)),
        2 => Just(Op::Sync),
        1 => Just(Op::Remount),
    ]
}

fn data(len: usize, is_text: bool, seed: u64) -> Vec<u8> {
    match is_text {
        true => format!("line {seed} of a text that gets shorter\n").into_bytes().into_iter().cycle().take(len).collect(),
        false => noise(len, seed),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_hold_what_was_written(first in proptest::array::uniform3(prop_oneof![1..3000usize, 4000..20_000usize, 100_000..262_145usize]), ops in proptest::collection::vec(op(), 1..40)) {
        let disk = TestDisk::formatted(160 << 20);
        let mut daemon = Daemon::start(&disk);
        let mut model: Vec<Vec<u8>> = Vec::new();
        let mut nodes = Vec::new();
        // The first write decides about the size of a file's records.
        for (n, len) in first.into_iter().enumerate() {
            let node = daemon.kernel.create(ROOT_NODE, &make(&format!("file{n}"), REG)).unwrap().node;
            let bytes = data(len, n == 1, n as u64);
            assert_eq!(daemon.kernel.write(node, &bytes, 0), Ok(len));
            nodes.push(node);
            model.push(bytes);
        }
        for (seed, op) in ops.into_iter().enumerate() {
            match op {
                Op::Write(file, offset, len, is_text) => {
                    let bytes = data(len, is_text, seed as u64);
                    assert_eq!(daemon.kernel.write(nodes[file], &bytes, offset), Ok(len));
                    let end = offset as usize + len;
                    if model[file].len() < end {
                        model[file].resize(end, 0);
                    }
                    model[file][offset as usize..end].copy_from_slice(&bytes);
                }
                Op::Resize(file, size) => {
                    daemon.kernel.set_attr(nodes[file], &SetAttr { size: Some(size), ..SetAttr::default() }).unwrap();
                    model[file].resize(size as usize, 0);
                }
                Op::Sync => daemon.kernel.sync().unwrap(),
                Op::Remount => {
                    daemon.stop();
                    daemon = Daemon::start(&disk);
                }
            }
            // What was touched last, and a piece elsewhere.
            for (node, file) in nodes.iter().zip(&model) {
                let at = (seed * 77_777) % file.len().max(1);
                let want = &file[at..file.len().min(at + 10_000)];
                assert!(daemon.kernel.read(*node, 10_000, at as u64).unwrap() == want);
            }
        }
        daemon.stop();
        let report = disk.check();
        prop_assert_eq!(report.problems, Vec::<String>::new());
        prop_assert_eq!((report.lost_blocks, report.unlinked), (0, 0));
        let expected: BTreeMap<String, Option<Vec<u8>>> = model.into_iter().enumerate().map(|(n, data)| (format!("/file{n}"), Some(data))).collect();
        prop_assert!(read_all(&mut mount::open(|| Ok(disk.clone())).unwrap()) == expected);
    }
}
