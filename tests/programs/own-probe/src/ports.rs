//! Sequences of accesses to ports, for which all other CPUs stand still: while those are busy with what needs interrupts of all kinds, and with arguments that make no sense.
//!
//! Prints `all sequences agree`.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use driver::port::{DevPort, Ports};
use scheme_abi::{PORT_SEQUENCE, PortAccess, PortSequence};

const SEQUENCES: usize = 2000;
/// Ports of the host bridge's configuration space: its address and what is there.
const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;
const HOST_BRIDGE: u32 = 1 << 31;

static IS_OVER: AtomicBool = AtomicBool::new(false);
static ROUNDS: AtomicU64 = AtomicU64::new(0);

/// Timers, wake-ups on other CPUs, page tables that change, and sequences of its own.
fn keep_busy(worker: usize) {
    while !IS_OVER.load(Ordering::Relaxed) {
        match worker % 3 {
            0 => thread::sleep(Duration::from_micros(200)),
            1 => drop(vec![1u8; 1 << 20]),
            _ => assert_eq!(vendor(&mut DevPort::open().unwrap()).unwrap(), bridge()),
        }
        thread::spawn(|| ROUNDS.fetch_add(1, Ordering::Relaxed)).join().expect("a thread panics");
    }
}

/// Vendor and device of the host bridge, as its files say.
fn bridge() -> u32 {
    let number = |file: &str| {
        let text = fs::read_to_string(format!("/sys/bus/pci/devices/0000:00:00.0/{file}")).expect("the host bridge");
        u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).expect("a number")
    };
    number("device") << 16 | number("vendor")
}

fn vendor(ports: &mut DevPort) -> io::Result<u32> {
    let mut accesses = [PortAccess::write(ADDRESS, 4, HOST_BRIDGE), PortAccess::read(DATA, 4), PortAccess::read(DATA + 2, 2), PortAccess::read(DATA, 1)];
    ports.sequence(&mut accesses)?;
    let [_, whole, device, low] = accesses.map(|access| access.value);
    if device != whole >> 16 || low != whole & 0xff {
        return Err(io::Error::other(format!("{whole:#x} in one, {device:#x} and {low:#x} in parts")));
    }
    Ok(whole)
}

fn refused(sequence: &PortSequence, expected: i32) -> io::Result<()> {
    let port = File::options().read(true).write(true).open("/dev/port")?;
    // SAFETY: the kernel reads one `PortSequence`; what it points to is no memory of this process, or is not looked at.
    let result = unsafe { libc::ioctl(port.as_raw_fd(), u64::from(PORT_SEQUENCE), &raw const *sequence) };
    let error = io::Error::last_os_error();
    if result == -1 && error.raw_os_error() == Some(expected) { Ok(()) } else { Err(io::Error::other(format!("{sequence:?}: {result}, {error}"))) }
}

/// All of it.
pub fn run() -> io::Result<()> {
    let expected = bridge();
    let mut ports = DevPort::open()?;
    let workers: Vec<_> = (0..6).map(|worker| thread::spawn(move || keep_busy(worker))).collect();
    for _ in 0..SEQUENCES {
        let found = vendor(&mut ports)?;
        if found != expected {
            return Err(io::Error::other(format!("{found:#x} instead of {expected:#x}")));
        }
    }
    // The others go on between them.
    let before = ROUNDS.load(Ordering::Relaxed);
    while ROUNDS.load(Ordering::Relaxed) < before + 100 {
        thread::sleep(Duration::from_millis(1));
    }
    IS_OVER.store(true, Ordering::Relaxed);
    workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| io::Error::other("a worker panics")))?;

    for kind in [0, 3, 8, PortAccess::WRITE, PortAccess::WRITE | 3, 0x201] {
        let odd = ports.sequence(&mut [PortAccess::read(DATA, 4), PortAccess { port: DATA, kind, value: 0 }]);
        if odd.as_ref().err().and_then(io::Error::raw_os_error) != Some(libc::EINVAL) {
            return Err(io::Error::other(format!("an access of kind {kind:#x}: {odd:?}")));
        }
    }
    refused(&PortSequence { accesses: 0, count: PortSequence::MOST + 1, reserved: 0 }, libc::EINVAL)?;
    refused(&PortSequence { accesses: 0, count: 1, reserved: 1 }, libc::EINVAL)?;
    refused(&PortSequence { accesses: 0x10, count: 1, reserved: 0 }, libc::EFAULT)?;
    refused(&PortSequence { accesses: u64::MAX, count: 1, reserved: 0 }, libc::EFAULT)?;
    println!("all sequences agree");
    Ok(())
}
