//! `SCHEME_COPY`: a daemon reaches the memory of the process whose request it works on.
//!
//! Structures of some ioctls hold pointers to further memory (DRM's do). The request carries only the structure itself; the daemon fetches and fills the rest
//! by its own copies, as a driver in a kernel would. They go through the pages of the caller's address space, with the caller's rights, and
//! only while the caller waits for the answer.

use alloc::sync::Arc;

use frame::mm::USER_END;
use scheme_abi::CallerCopy;
use scheme_table::Tag;

use super::user::UserScheme;
use crate::error::*;
use crate::fs::{IoSink, IoSource};
use crate::mm::{AddressSpace, ObjectPage, PAGE};

/// Copies between the current process, the scheme's daemon, and the client of a request.
///
/// # Errors
/// `EFAULT` where either memory cannot be accessed; what was copied before stays. `EINVAL` for a bad direction or length, `ESRCH` where no client
/// waits for the answer to a request of that tag, or the scheme is not CALLER_MEMORY.
pub fn between(scheme: &Arc<UserScheme>, copy: &CallerCopy) -> Result<usize> {
    if copy.len > CallerCopy::MOST || copy.direction > CallerCopy::WRITE || copy.reserved != 0 {
        return Err(EINVAL);
    }
    let caller = scheme.client_memory(Tag(copy.tag)).ok_or(ESRCH)?;
    if copy.caller.checked_add(copy.len).is_none_or(|end| end > USER_END) {
        return Err(EFAULT);
    }
    let (at, len) = (copy.caller as usize, copy.len as usize);
    let daemon = usize::try_from(copy.daemon).map_err(|_| EFAULT)?;
    if copy.direction == CallerCopy::READ { read(&caller, at, len, daemon)? } else { write(&caller, at, len, daemon)? };
    Ok(0)
}

/// The pieces of a range, none of which crosses a page: address and length.
fn pieces(start: usize, len: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut done = 0;
    core::iter::from_fn(move || {
        let at = start + done;
        let piece = (PAGE - at % PAGE).min(len - done);
        done += piece;
        (piece > 0).then_some((at, piece))
    })
}

fn read(caller: &Arc<AddressSpace>, start: usize, len: usize, daemon: usize) -> Result {
    let mut sink = IoSink::user(daemon, len);
    for (at, piece) in pieces(start, len) {
        let ObjectPage::Ram(frame) = caller.frame_at(at, false)? else { return Err(EFAULT) };
        if sink.write_frame(&frame, at % PAGE, piece)? < piece {
            return Err(EFAULT);
        }
    }
    Ok(())
}

fn write(caller: &Arc<AddressSpace>, start: usize, len: usize, daemon: usize) -> Result {
    let mut source = IoSource::user(daemon, len);
    for (at, piece) in pieces(start, len) {
        let ObjectPage::Ram(frame) = caller.frame_at(at, true)? else { return Err(EFAULT) };
        if source.read_into_frame(&frame, at % PAGE, piece)? < piece {
            return Err(EFAULT);
        }
    }
    Ok(())
}
