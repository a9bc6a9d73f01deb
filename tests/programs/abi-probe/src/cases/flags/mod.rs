//! One bit at a time: what each flag argument makes of every bit of 32, and each command argument of small values.
//!
//! A line is a map from results to the bits that gave them, as a hexadecimal mask. Bits are left out where the result says more of the file
//! system, of the machine or of a feature that is known to be missing (`docs/src/system-calls.md`) than of the call.

pub mod events;
pub mod files;
pub mod memory;
pub mod processes;
pub mod sockets;

use std::collections::BTreeMap;

use super::util::{close, error};
use crate::harness::Out;

/// A call with each single bit but those of `without`; the results with their masks.
fn bits(o: &mut Out, without: u32, mut call: impl FnMut(u32) -> i64) {
    let all = (0..32).map(|bit| 1u32 << bit).filter(|bit| without & bit == 0);
    table(o, all.map(|bit| (u64::from(bit), call(bit))));
}

/// A call with each value below 64 but those of `without`; the results with masks of the values.
fn values(o: &mut Out, without: &[u32], mut call: impl FnMut(u32) -> i64) {
    let all = (0..64).filter(|value| !without.contains(value));
    table(o, all.map(|value| (1u64 << value, call(value))));
}

fn table(o: &mut Out, results: impl Iterator<Item = (u64, i64)>) {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for (bit, result) in results {
        *found.entry(if result < 0 { error() } else { "ok".to_owned() }).or_default() |= bit;
    }
    for (result, mask) in found {
        o.s(format_args!("{result}:{mask:x}"));
    }
}

/// Does something after a call, and leaves its error as it was.
fn then(result: i64, after: impl FnOnce()) -> i64 {
    let code = super::util::code(result);
    after();
    fail(code, result)
}

/// Ends as a call does: with an error, or with a result where `code` is 0.
fn fail(code: i32, result: i64) -> i64 {
    if code == 0 {
        return result;
    }
    // SAFETY: the thread's own.
    unsafe { *libc::__errno_location() = code };
    -1
}

/// A call that makes a descriptor, which is closed.
fn made(result: i64) -> i64 {
    if result >= 0 {
        close(result as i32);
    }
    result
}
