//! The tree over simulated functions.

use super::*;
use crate::bus::{enumerate, tests::machine};
use scheme_abi::MsiMessage;
use std::fs::File;

const DISK: &str = "0000:02:00.0";
const PID: u64 = 42;

/// Resources without a kernel: descriptors of `/dev/null`, the MSI-X table in memory.
struct Fake(Mmio);

fn null() -> io::Result<OwnedFd> {
    Ok(File::open("/dev/null")?.into())
}

impl Resources for Fake {
    fn interrupt(&self) -> io::Result<(OwnedFd, MsiMessage)> {
        Ok((
            null()?,
            MsiMessage {
                address: 0x1_fee0_0000,
                data: 0x51,
                reserved: 0,
            },
        ))
    }
    fn legacy_interrupt(&self, _line: u8) -> io::Result<OwnedFd> {
        null()
    }
    fn dma(&self, _bytes: u64) -> io::Result<OwnedFd> {
        null()
    }
    fn physical(&self, start: u64, len: u64) -> io::Result<OwnedFd> {
        assert_eq!((start % 4096, len % 4096), (0, 0));
        null()
    }
    fn map(&self, start: u64, len: usize) -> io::Result<Mmio> {
        assert_eq!((start, len), (0xfebd_0000, 32));
        Ok(self.0.clone())
    }
}

fn tree() -> (Tree<Fake>, Mmio) {
    let table = Mmio::heap(32);
    (
        Tree::new(enumerate(&machine(), &|_| None).unwrap(), Fake(table.clone())),
        table,
    )
}

fn open(tree: &mut Tree<Fake>, name: &str, pid: u64) -> Result<Opened, Errno> {
    tree.open(&format!("{DISK}/{name}"), pid, 0)
}

fn handle(opened: Opened) -> u64 {
    match opened {
        Opened::Handle(handle) => handle,
        Opened::Fd(_) => panic!("expected a handle"),
    }
}

fn command(tree: &Tree<Fake>) -> u16 {
    tree.functions()[3].config.read16(config::COMMAND).unwrap()
}

#[test]
fn only_the_holder_gets_registers_interrupts_and_memory() {
    let (mut tree, _) = tree();
    for name in ["bar1", "msix/0", "dma/4096", "intx"] {
        assert_eq!(
            open(&mut tree, name, PID).unwrap_err(),
            libc::EACCES,
            "{name} before device"
        );
    }
    open(&mut tree, "device", PID).unwrap();
    assert_eq!(open(&mut tree, "device", PID).unwrap_err(), libc::EBUSY);
    for name in ["bar1", "msix/0", "dma/4096"] {
        assert_eq!(
            open(&mut tree, name, PID + 1).unwrap_err(),
            libc::EACCES,
            "{name} by another"
        );
        open(&mut tree, name, PID).unwrap();
    }
    assert_eq!(
        tree.open(&format!("{DISK}/device"), PID, 1000).unwrap_err(),
        libc::EACCES
    );
    assert_eq!(open(&mut tree, "bar0", PID).unwrap_err(), libc::ENODEV);
    assert_eq!(open(&mut tree, "dma/0", PID).unwrap_err(), libc::EINVAL);
}

#[test]
fn vectors_are_programmed_and_msix_is_switched_on() {
    let (mut tree, table) = tree();
    table.write(12, 0u32);
    open(&mut tree, "device", PID).unwrap();
    open(&mut tree, "msix/1", PID).unwrap();
    assert_eq!(table.read::<u32>(16), 0xfee0_0000);
    assert_eq!(table.read::<u32>(20), 1);
    assert_eq!(table.read::<u32>(24), 0x51);
    assert_eq!(table.read::<u32>(28), 0, "unmasked");
    assert_eq!(table.read::<u32>(12), 1, "the other entry is masked");
    assert_eq!(
        tree.functions()[3].config.read16(0x9a).unwrap() & 0xc000,
        MSIX_ENABLE
    );
    assert_eq!(open(&mut tree, "msix/1", PID).unwrap_err(), libc::EBUSY);
    assert_eq!(open(&mut tree, "msix/2", PID).unwrap_err(), libc::ENOENT);
}

#[test]
fn closing_silences_the_function_and_frees_it() {
    let (mut tree, _) = tree();
    let device = handle(open(&mut tree, "device", PID).unwrap());
    open(&mut tree, "msix/0", PID).unwrap();
    assert_eq!(command(&tree) & 0b111, 0b111);
    tree.close(device).unwrap();
    assert_eq!(command(&tree) & config::COMMAND_BUS_MASTER, 0);
    assert_eq!(
        tree.functions()[3].config.read16(0x9a).unwrap() & MSIX_ENABLE,
        0
    );
    assert_eq!(open(&mut tree, "bar1", PID).unwrap_err(), libc::EACCES);
    open(&mut tree, "device", PID + 1).unwrap();
    open(&mut tree, "msix/0", PID + 1).unwrap();
}

#[test]
fn configuration_is_written_by_the_holder_only_and_never_the_bars() {
    let (mut tree, _) = tree();
    let config = handle(open(&mut tree, "config", PID).unwrap());
    let mut id = [0; 4];
    assert_eq!(tree.read(config, 0, &mut id), Ok(4));
    assert_eq!(id, [0xf4, 0x1a, 0x42, 0x10]);
    assert_eq!(tree.read(config, 4094, &mut id), Ok(2));
    assert_eq!(tree.read(config, u64::MAX, &mut id), Ok(0));
    assert_eq!(tree.write(config, 0x3c, &[5]), Err(libc::EACCES));
    open(&mut tree, "device", PID).unwrap();
    assert_eq!(tree.write(config, 0x3c, &[5]), Ok(1));
    assert_eq!(tree.write(config, 0x0e, &[0; 4]), Err(libc::EPERM));
    assert_eq!(tree.write(config, 4095, &[0; 2]), Err(libc::EINVAL));
    assert_eq!(tree.write(config, u64::MAX, &[0; 2]), Err(libc::EINVAL));
}

#[test]
fn directories_list_what_can_be_opened() {
    let (mut tree, _) = tree();
    let root = handle(tree.open("", PID, 1000).unwrap());
    assert_eq!(tree.list(root).unwrap().len(), 4);
    let function = handle(tree.open(DISK, PID, 1000).unwrap());
    let names: Vec<String> = tree
        .list(function)
        .unwrap()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["config", "device", "bar1", "bar4", "msix"]);
    let msix = handle(tree.open(&format!("{DISK}/msix"), PID, 1000).unwrap());
    assert_eq!(tree.list(msix).unwrap().len(), 2);
    for path in [
        "0000:09:00.0",
        "x",
        "0000:02:00.0/bar9",
        "0000:02:00.0/msix/x",
        "0000:02:00.0/a/b/c",
    ] {
        assert_eq!(tree.open(path, PID, 0).unwrap_err(), libc::ENOENT, "{path}");
    }
    tree.close(root).unwrap();
    assert_eq!(tree.list(root), Err(libc::EBADF));
}

#[test]
fn looking_takes_nothing_and_lets_nothing_be_read() {
    let (mut tree, _) = tree();
    let before = command(&tree);
    for (name, kind) in [
        ("device", libc::S_IFCHR),
        ("bar1", libc::S_IFCHR),
        ("msix", libc::S_IFDIR),
        ("msix/1", libc::S_IFCHR),
    ] {
        let handle = tree.look(&format!("{DISK}/{name}")).unwrap();
        assert_eq!(tree.stat(handle).unwrap().0 & libc::S_IFMT, kind, "{name}");
        tree.close(handle).unwrap();
    }
    assert_eq!(command(&tree), before);
    let config = tree.look(&format!("{DISK}/config")).unwrap();
    assert_eq!(tree.stat(config).unwrap().1, 4096);
    assert_eq!(tree.read(config, 0, &mut [0; 4]), Err(libc::EBADF));
    for name in ["bar0", "bar7", "msix/2", "other", "device/x"] {
        assert_eq!(
            tree.look(&format!("{DISK}/{name}")),
            Err(libc::ENOENT),
            "{name}"
        );
    }
    open(&mut tree, "device", PID).unwrap();
    tree.look(&format!("{DISK}/device")).unwrap();
}
