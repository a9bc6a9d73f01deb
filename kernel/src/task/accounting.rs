//! Process accounting (`acct(2)`, `acct(5)`): a record of each process that ends, version 3.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use super::process::Process;
use crate::error::*;
use crate::fs::{IoSource, OpenFile};
use crate::sync::SpinLock;

/// Where records go; `None`: accounting is off.
static FILE: SpinLock<Option<Arc<OpenFile>>> = SpinLock::new(None);
static IS_ON: AtomicBool = AtomicBool::new(false);

/// Ticks in a second (`AHZ`).
const TICKS: u64 = 100;
const VERSION: u8 = 3;
/// It was forked and ran no other program; it used the rights of the super-user; it dumped core; a signal ended it.
const AFORK: u8 = 1;
const ASU: u8 = 2;
const ACORE: u8 = 8;
const AXSIG: u8 = 16;
/// Bytes of a record.
const RECORD: usize = 64;

/// Sends records to a file from now on, or nowhere.
pub fn switch(file: Option<Arc<OpenFile>>) {
    IS_ON.store(file.is_some(), Ordering::Release);
    let old = core::mem::replace(&mut *FILE.lock(), file);
    drop(old);
}

/// A number in 13 bits with an exponent of base 8 in 3 (`comp_t`).
fn compressed(mut value: u64) -> u16 {
    let mut exponent = 0;
    let mut rounds = false;
    while value > 0x1fff {
        rounds = value & 4 != 0;
        value >>= 3;
        exponent += 1;
    }
    value += u64::from(rounds);
    if value > 0x1fff {
        value >>= 3;
        exponent += 1;
    }
    if exponent > 7 { u16::MAX } else { (exponent << 13) as u16 | value as u16 }
}

/// `ac_etime`: a float, made without floating point.
fn float_bits(value: u64) -> u32 {
    if value == 0 {
        return 0;
    }
    let exponent = 63 - value.leading_zeros();
    let fraction = if exponent > 23 { value >> (exponent - 23) } else { value << (23 - exponent) };
    (exponent + 127) << 23 | (fraction as u32 & 0x7f_ffff)
}

fn record(process: &Process, peak_kib: u64) -> [u8; RECORD] {
    let usage = process.usage();
    let creds = process.creds();
    let status = process.exit_status.load(Ordering::SeqCst);
    let age_ns = frame::time::now_ns().saturating_sub(process.start_ns);
    let ticks = |ns: u64| ns / (1_000_000_000 / TICKS);
    let begin_s = crate::time::realtime_ns().saturating_sub(age_ns) / 1_000_000_000;
    let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
    let flags = flag(!process.execed.load(Ordering::Relaxed), AFORK)
        | flag(creds.euid == 0, ASU)
        | flag(status & 0x80 != 0, ACORE)
        | flag(status & 0x7f != 0, AXSIG);
    let mut out: Vec<u8> = alloc::vec![flags, VERSION, 0, 0];
    for word in [status as u32, creds.uid, creds.gid, process.pid, process.parent_pid(), begin_s as u32, float_bits(ticks(age_ns))] {
        out.extend(word.to_le_bytes());
    }
    // User and system time, memory, bytes, blocks, faults, swaps.
    for value in [ticks(usage.utime_ns), ticks(usage.stime_ns), peak_kib, 0, 0, usage.min_flt, usage.maj_flt, 0] {
        out.extend(compressed(value).to_le_bytes());
    }
    out.extend(*process.final_name.lock());
    let mut record = [0; RECORD];
    record.copy_from_slice(&out[..RECORD]);
    record
}

/// Writes the record of a process that is ending. A full disk loses it.
pub fn process_exit(process: &Process, peak_kib: u64) {
    if !IS_ON.load(Ordering::Acquire) {
        return;
    }
    let file = FILE.lock().clone();
    if let Some(file) = file {
        let record = record(process, peak_kib);
        let _: Result<_> = file.ops.append(&file, &mut IoSource::kernel(&record));
    }
}
