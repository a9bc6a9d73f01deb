//! The sets of capabilities (`capabilities(7)`).

use alloc::vec::Vec;

use capabilities::{Set, State, bits};

use super::Cx;
use super::creds::change;
use crate::error::*;
use crate::task::{Capability, pid_ns};
use crate::user;

/// The versions of the interface: of one word a set, and of two, which older programs name in another way.
const VERSION_1: u32 = 0x1998_0330;
const VERSION_2: u32 = 0x2007_1026;
const VERSION_3: u32 = 0x2008_0522;

/// How many words a set has in the version that a header names; in an unknown one's place goes the one to use.
fn words(header: usize) -> Result<usize> {
    match user::read::<u32>(header)? {
        VERSION_1 => Ok(1),
        VERSION_2 | VERSION_3 => Ok(2),
        _ => {
            user::write(header, &VERSION_3)?;
            Err(EINVAL)
        }
    }
}

fn thread_id(header: usize) -> Result<i32> {
    user::read(header.checked_add(4).ok_or(EFAULT)?)
}

/// capget(2)
pub fn sys_capget(cx: &Cx<'_>, header: usize, data: usize) -> Result<usize> {
    let words = match words(header) {
        Err(EINVAL) if data == 0 => return Ok(0),
        words => words?,
    };
    if data == 0 {
        return Ok(0);
    }
    let tid = u32::try_from(thread_id(header)?).map_err(|_| EINVAL)?;
    let caps = if tid == 0 || tid == cx.thread.own_tid() { cx.thread.creds() } else { pid_ns::find_thread(tid).ok_or(ESRCH)?.creds() }.caps;
    for i in 0..words {
        let word = |set: Set| (set.bits() >> (32 * i)) as u32;
        user::write(data + 12 * i, &[word(caps.effective), word(caps.permitted), word(caps.inheritable)])?;
    }
    Ok(0)
}

/// capset(2): the caller's own only.
pub fn sys_capset(cx: &Cx<'_>, header: usize, data: usize) -> Result<usize> {
    let words = words(header)?;
    let tid = thread_id(header)?;
    if tid != 0 && tid as u32 != cx.thread.own_tid() {
        return Err(EPERM);
    }
    let wanted: Vec<[u32; 3]> = user::read_vec(data, words)?;
    let set = |which: usize| Set::from_bits(wanted.iter().rev().fold(0, |bits, word| bits << 32 | u64::from(word[which])));
    update(cx, |caps| caps.change(set(0), set(1), set(2)))
}

fn update(cx: &Cx<'_>, f: impl FnOnce(&State) -> Option<State>) -> Result<usize> {
    change(cx, |creds| {
        creds.caps = f(&creds.caps).ok_or(EPERM)?;
        Ok(())
    })
}

/// The options of prctl(2) about capabilities.
pub(super) fn prctl(cx: &Cx<'_>, option: i32, args: [usize; 4]) -> Result<usize> {
    let caps = cx.thread.creds().caps;
    let [arg, arg3, arg4, arg5] = args;
    match option {
        // PR_GET_KEEPCAPS, PR_SET_KEEPCAPS
        7 => Ok(caps.is_set(bits::KEEP_CAPS).into()),
        8 if arg <= 1 => update(cx, |caps| caps.with_keep_caps(arg == 1)),
        // PR_CAPBSET_READ, PR_CAPBSET_DROP
        23 => Ok(caps.bounding.has(Capability::from_number(arg).ok_or(EINVAL)?).into()),
        24 if !cx.thread.has_own(Capability::SETPCAP) => Err(EPERM),
        24 => {
            let capability = Capability::from_number(arg).ok_or(EINVAL)?;
            update(cx, |caps| Some(State { bounding: caps.bounding.without(capability), ..*caps }))
        }
        // PR_GET_SECUREBITS, PR_SET_SECUREBITS
        27 => Ok(caps.secure_bits as usize),
        28 => update(cx, |caps| caps.with_secure_bits(arg)),
        // PR_CAP_AMBIENT
        47 => ambient(cx, arg, [arg3, arg4, arg5]),
        _ => Err(EINVAL),
    }
}

fn ambient(cx: &Cx<'_>, operation: usize, args: [usize; 3]) -> Result<usize> {
    call_flags::processes::CAP_AMBIENT.check(operation as u64)?;
    // CLEAR_ALL
    if operation == 4 {
        return if args == [0; 3] { update(cx, |caps| Some(State { ambient: Set::EMPTY, ..*caps })) } else { Err(EINVAL) };
    }
    let [number, 0, 0] = args else { return Err(EINVAL) };
    let capability = Capability::from_number(number).ok_or(EINVAL)?;
    match operation {
        1 => Ok(cx.thread.creds().caps.ambient.has(capability).into()),
        2 => update(cx, |caps| caps.with_ambient(capability)),
        3 => update(cx, |caps| Some(State { ambient: caps.ambient.without(capability), ..*caps })),
        _ => Err(EINVAL),
    }
}
