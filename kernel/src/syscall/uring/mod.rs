//! Rings of requests: `io_uring_setup(2)`, `io_uring_enter(2)`, and the way of a request from its submission to its result.
//!
//! * [`attempt`]: what the requests do.
//! * [`register`]: `io_uring_register(2)`.

mod attempt;
mod register;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use attempt::{Attempt, fails_chain};
pub use register::sys_io_uring_register;

use super::time::TimeSpec;
use super::Cx;
use crate::error::*;
use crate::fs::{Events, FdFlags, OpenFile, OpenFlags};
use crate::ipc::uring::request::{Chain, HARD_LINK, LINK, Request, SKIP_SUCCESS};
use crate::ipc::uring::waiting::{For, Waiting};
use crate::ipc::uring::{COMPLETION_OFFSETS, Completion, MOST_ENTRIES, Ring, RingFile, SUBMISSION_OFFSETS, Shape};
use crate::sync::PollTable;
use crate::task::Thread;
use crate::time::Clock;
use crate::user;
use call_flags::uring as names;

/// `IORING_SETUP_*`
const CQ_SIZE: u32 = 1 << 3;
const CLAMP: u32 = 1 << 4;
const ATTACH: u32 = 1 << 5;
const DISABLED: u32 = 1 << 6;
const SUBMIT_ALL: u32 = 1 << 7;
const COOP_TASKRUN: u32 = 1 << 8;
const TASKRUN_FLAG: u32 = 1 << 9;
const SINGLE_ISSUER: u32 = 1 << 12;
const DEFER_TASKRUN: u32 = 1 << 13;
/// `IORING_FEAT_*`: one mapping for both rings, no lost results, arguments are read when submitted, the file's position by -1, no thread waits for
/// what can be polled, 32 bits of events, longer arguments of `io_uring_enter`, results of success left out, files are looked up when their turn comes.
const FEATURES: u32 = 1 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 11 | 1 << 12;
/// `struct io_uring_params`
const PARAMS: usize = 120;

/// `IORING_ENTER_*`
const GET_EVENTS: u32 = 1;
const EXT_ARG: u32 = 1 << 3;
const REGISTERED_RING: u32 = 1 << 4;

/// `IORING_CQE_F_MORE`
const MORE: u32 = 1 << 1;

/// io_uring_setup(2)
pub fn sys_io_uring_setup(cx: &Cx<'_>, entries: u32, at: usize) -> Result<usize> {
    let mut params = user::read_bytes(at, PARAMS)?;
    let word = |at: usize| u32::from_le_bytes([params[at], params[at + 1], params[at + 2], params[at + 3]]);
    let (wanted_results, flags, attach_to) = (word(4), word(8), word(24));
    if params[28..40].iter().any(|byte| *byte != 0) {
        return Err(EINVAL);
    }
    names::SETUP.check(flags)?;
    if flags & TASKRUN_FLAG != 0 && flags & (COOP_TASKRUN | DEFER_TASKRUN) == 0 || flags & DEFER_TASKRUN != 0 && flags & SINGLE_ISSUER == 0 {
        return Err(EINVAL);
    }
    if flags & ATTACH != 0 {
        // There are no threads to be shared.
        let file = cx.process.files().get_real(attach_to as i32).map_err(|_| ENXIO)?;
        file.downcast::<RingFile>().ok_or(EINVAL)?;
    }
    let bounded = |count: u32, most: u32| match count {
        0 => Err(EINVAL),
        count if count <= most => Ok(count.next_power_of_two()),
        _ if flags & CLAMP != 0 => Ok(most),
        _ => Err(EINVAL),
    };
    let requests = bounded(entries, MOST_ENTRIES)?;
    let results = if flags & CQ_SIZE != 0 { bounded(wanted_results, 2 * MOST_ENTRIES)? } else { 2 * requests };
    if results < requests {
        return Err(EINVAL);
    }
    let shape = Shape { requests, results, submits_all: flags & SUBMIT_ALL != 0, single_issuer: flags & SINGLE_ISSUER != 0 };
    let ring = Ring::new(shape)?;
    ring.is_disabled.store(flags & DISABLED != 0, Ordering::SeqCst);
    if shape.single_issuer && flags & DISABLED == 0 {
        ring.issuer.store(cx.thread.tid(), Ordering::SeqCst);
    }
    let mut put = |at: usize, word: u32| params[at..at + 4].copy_from_slice(&word.to_le_bytes());
    put(0, requests);
    put(4, results);
    put(20, FEATURES);
    for (n, offset) in SUBMISSION_OFFSETS.into_iter().enumerate() {
        put(40 + n * 4, offset as u32);
    }
    put(64, crate::ipc::uring::numbers_at(results) as u32);
    for (n, offset) in COMPLETION_OFFSETS.into_iter().enumerate() {
        put(80 + n * 4, offset as u32);
    }
    params[68..80].fill(0);
    params[108..].fill(0);
    frame::user::copy_to_user(at as u64, &params)?;
    cx.thread.ring_work.joined(&ring);
    let file = OpenFile::new(Arc::new(RingFile(ring)), OpenFlags::RDWR);
    Ok(cx.process.files().insert(file, FdFlags::CLOEXEC)? as usize)
}

fn ring_of(file: &OpenFile) -> Result<Arc<Ring>> {
    file.downcast::<RingFile>().map(|it| it.0.clone()).ok_or(EOPNOTSUPP)
}

/// io_uring_enter(2)
pub fn sys_io_uring_enter(cx: &Cx<'_>, fd: i32, count: u32, least: u32, flags: u32, arg: usize, arg_size: usize) -> Result<usize> {
    names::ENTER.check(flags)?;
    let file = if flags & REGISTERED_RING != 0 { cx.thread.ring_work.registered(fd as u32 as usize)? } else { cx.process.files().get(fd)? };
    let ring = ring_of(&file)?;
    if ring.is_disabled.load(Ordering::SeqCst) {
        return Err(EBADFD);
    }
    let mut submitted = 0;
    if count > 0 {
        if ring.shape.single_issuer {
            let tid = cx.thread.tid();
            let issuer = ring.issuer.compare_exchange(0, tid, Ordering::SeqCst, Ordering::SeqCst).unwrap_or_else(|issuer| issuer);
            if issuer != 0 && issuer != tid {
                return Err(EEXIST);
            }
        }
        cx.thread.ring_work.joined(&ring);
        submitted = submit(cx, &ring, count);
    }
    let waited = if flags & GET_EVENTS != 0 { wait(cx, &ring, least, (arg, arg_size), flags & EXT_ARG != 0) } else { Ok(()) };
    match waited {
        _ if submitted > 0 => Ok(submitted),
        Ok(()) => Ok(0),
        Err(error) => Err(error),
    }
}

/// Waits for so many results.
fn wait(cx: &Cx<'_>, ring: &Arc<Ring>, least: u32, (arg, arg_size): (usize, usize), is_extended: bool) -> Result {
    let mut mask = (arg, arg_size);
    let mut deadline = None;
    if is_extended {
        // struct io_uring_getevents_arg: mask, its size, 0, time-out.
        if arg_size != 24 {
            return Err(EINVAL);
        }
        let [mask_at, size, time]: [u64; 3] = user::read(arg)?;
        if size >> 32 != 0 {
            return Err(EINVAL);
        }
        mask = (mask_at as usize, size as usize);
        if time != 0 {
            deadline = Some(frame::time::now_ns().saturating_add(user::read::<TimeSpec>(time as usize)?.to_ns()?));
        }
    }
    let least = least.min(ring.shape.results);
    let mut has_mask = mask.0 != 0;
    loop {
        run_due(cx.thread);
        ring.flush_overflow();
        if ring.ready() >= least {
            return Ok(());
        }
        if core::mem::take(&mut has_mask) {
            if mask.1 != 8 {
                return Err(EINVAL);
            }
            super::signal::with_mask(cx, user::read(mask.0)?);
        }
        match ring.event.wait_deadline(deadline, || (ring.ready() >= least).then_some(())) {
            Ok(()) => {}
            // What interrupted may have been work for the ring.
            Err(ERESTARTSYS) if cx.thread.ring_work.is_due() => {}
            Err(ERESTARTSYS) => return Err(EINTR),
            Err(ETIMEDOUT) => return Err(ETIME),
            Err(error) => return Err(error),
        }
    }
}

/// Takes up to `count` requests; how many were.
fn submit(cx: &Cx<'_>, ring: &Arc<Ring>, count: u32) -> usize {
    let _one_at_a_time = ring.submission.lock();
    let mut chain = Chain::default();
    let mut taken = 0;
    while taken < count as usize {
        let Some(entry) = ring.take() else { break };
        taken += 1;
        let outcome = attempt::check(&entry);
        chain.0.push_back(Request::new(entry));
        if let Err(error) = outcome {
            // All of its chain fails with it.
            let all = core::mem::take(&mut chain.0);
            let last = all.len() - 1;
            for (n, request) in all.into_iter().enumerate() {
                let error = if n == last { error } else { ECANCELED };
                post(ring, Completion { user_data: request.entry.user_data, result: -error.0, flags: 0 });
            }
            if !ring.shape.submits_all {
                break;
            }
            continue;
        }
        if entry.flags & (LINK | HARD_LINK) == 0 {
            start(cx, ring, core::mem::take(&mut chain));
        }
    }
    if !chain.0.is_empty() {
        start(cx, ring, chain);
    }
    taken
}

/// Begins a chain, now or when those before it have ended.
fn start(cx: &Cx<'_>, ring: &Arc<Ring>, chain: Chain) {
    let waits = chain.waits_for_others();
    if let Some(chain) = ring.drain(chain, waits) {
        run(cx, ring, chain);
        run_drained(cx, ring);
    }
}

fn run_drained(cx: &Cx<'_>, ring: &Arc<Ring>) {
    while let Some(chain) = ring.take_drained() {
        run(cx, ring, chain);
    }
}

/// Posts a result, and has those looked at that wait for so many.
fn post(ring: &Arc<Ring>, completion: Completion) {
    ring.post(completion);
    if ring.waits_for_results() {
        let posted = ring.posted();
        for waiting in ring.waiting() {
            if matches!(waiting.what, For::Timeout { posted: wanted } if wanted <= posted) {
                waiting.queue();
            }
        }
    }
}

/// Ends a request with its result; whether those behind it in its chain may go on.
fn finish(ring: &Arc<Ring>, request: &Request, result: i32, flags: u32) -> bool {
    let entry = &request.entry;
    let fails = fails_chain(entry, result);
    if fails || entry.flags & SKIP_SUCCESS == 0 {
        post(ring, Completion { user_data: entry.user_data, result, flags });
    }
    !fails || entry.flags & HARD_LINK != 0
}

/// Runs a chain as far as it goes without waiting.
fn run(cx: &Cx<'_>, ring: &Arc<Ring>, mut chain: Chain) {
    while let Some(mut request) = chain.0.pop_front() {
        ring.begin();
        match attempt::first(cx, ring, &mut request) {
            Attempt::Done(result, flags) => {
                ring.end();
                let goes_on = finish(ring, &request, result, flags);
                // One that would have been given up at a time is not any more.
                if let Some(limit) = take_limit(&mut chain) {
                    post(ring, Completion { user_data: limit.entry.user_data, result: -ECANCELED.0, flags: 0 });
                }
                if !goes_on {
                    cancel_all(ring, chain);
                    return;
                }
            }
            Attempt::Wait(events) => return wait_for(cx, ring, (request, chain), For::File, events),
            Attempt::Poll { events, again } => return wait_for(cx, ring, (request, chain), For::Events { events, again }, events),
            Attempt::Timeout { deadline_ns, results } => {
                let posted = if results == 0 { u64::MAX } else { ring.posted() + u64::from(results) };
                let waiting = Waiting::new(ring, cx.thread, For::Timeout { posted }, request, chain);
                if results > 0 {
                    ring.add_counted();
                }
                if let Some(waiting) = begin(ring, &waiting) {
                    waiting.set_timer(deadline_ns);
                }
                return;
            }
        }
    }
}

/// Takes the time-out at which the request before it is given up, if one is next.
fn take_limit(chain: &mut Chain) -> Option<Request> {
    chain.0.pop_front_if(|next| next.entry.opcode == attempt::LINK_TIMEOUT)
}

/// Has a request wait for events of its file, and those behind it for its end.
fn wait_for(cx: &Cx<'_>, ring: &Arc<Ring>, (request, mut chain): (Request, Chain), what: For, events: Events) {
    let limit = take_limit(&mut chain);
    let Some(file) = request.file.clone() else { return ring.end() };
    let waiting = Waiting::new(ring, cx.thread, what, request, chain);
    if let Some(waiting) = begin(ring, &waiting) {
        with_limit(cx, ring, waiting, limit);
        waiting.watch(&file, events);
    }
}

/// Enters a request among those that wait; where that cannot be it ends.
fn begin<'a>(ring: &Arc<Ring>, waiting: &'a Arc<Waiting>) -> Option<&'a Arc<Waiting>> {
    match ring.add_waiting(waiting) {
        Ok(()) => Some(waiting),
        Err(error) => {
            ring.end();
            waiting.uncount(ring);
            if let Some(held) = waiting.take() {
                finish(ring, &held.request, -error.0, 0);
                cancel_all(ring, held.rest);
            }
            None
        }
    }
}

/// Gives a request up at a time (`IORING_OP_LINK_TIMEOUT`).
fn with_limit(cx: &Cx<'_>, ring: &Arc<Ring>, waiting: &Arc<Waiting>, limit: Option<Request>) {
    let Some(limit) = limit else { return };
    let deadline = attempt::deadline(&limit.entry);
    let other = Waiting::new(ring, cx.thread, For::Other, limit, Chain::default());
    ring.begin();
    match deadline {
        Ok(deadline) => {
            other.pair(waiting);
            if let Some(other) = begin(ring, &other) {
                other.set_timer(deadline);
            }
        }
        Err(error) => {
            ring.end();
            if let Some(held) = other.take() {
                finish(ring, &held.request, -error.0, 0);
            }
        }
    }
}

fn cancel_all(ring: &Arc<Ring>, chain: Chain) {
    for request in chain.0 {
        post(ring, Completion { user_data: request.entry.user_data, result: -ECANCELED.0, flags: 0 });
    }
}

/// Ends a request that has waited, and goes on with what is behind it.
fn end(cx: &Cx<'_>, ring: &Arc<Ring>, waiting: &Waiting, held: crate::ipc::uring::waiting::Held, result: i32, flags: u32) {
    waiting.stop();
    ring.end();
    waiting.uncount(ring);
    let goes_on = finish(ring, &held.request, result, flags);
    if waiting.what != For::Other
        && let Some(limit) = waiting.other()
    {
        limit.cancel(ring);
    }
    if goes_on {
        run(cx, ring, held.rest);
    } else {
        cancel_all(ring, held.rest);
    }
    run_drained(cx, ring);
}

/// Does what the thread's requests that waited have to do now.
pub fn run_due(thread: &Arc<Thread>) {
    let cx = Cx { thread, process: &thread.process, given: None };
    while thread.ring_work.is_due() {
        for waiting in thread.ring_work.take() {
            if let Some(ring) = waiting.ring.upgrade() {
                waiting.rearm();
                look(&cx, &ring, &waiting);
            }
        }
    }
}

fn look(cx: &Cx<'_>, ring: &Arc<Ring>, waiting: &Arc<Waiting>) {
    let Some(mut held) = waiting.take() else { return };
    match waiting.what {
        For::File => match attempt::again(cx, ring, &mut held.request) {
            Attempt::Done(result, flags) => end(cx, ring, waiting, held, result, flags),
            _ => waiting.put_back(held),
        },
        For::Events { events, again } => {
            let Some(file) = held.request.file.clone() else { return waiting.put_back(held) };
            let now = file.ops.poll(&file, &mut PollTable::none()) & (events | Events::ERR | Events::HUP);
            let result = attempt::poll_result(now);
            match (now.is_empty(), again) {
                (true, _) => waiting.put_back(held),
                (false, false) => end(cx, ring, waiting, held, result, 0),
                (false, true) => {
                    post(ring, Completion { user_data: held.request.entry.user_data, result, flags: MORE });
                    waiting.put_back(held);
                }
            }
        }
        For::Timeout { posted } => {
            if ring.posted() >= posted {
                end(cx, ring, waiting, held, 0, 0);
            } else if waiting.is_over() {
                end(cx, ring, waiting, held, -ETIME.0, 0);
            } else {
                waiting.put_back(held);
            }
        }
        For::Other if !waiting.is_over() => waiting.put_back(held),
        For::Other => {
            let given_up = waiting.other().is_some_and(|other| other.cancel(ring));
            let result = if given_up { -ETIME.0 } else { -ENOENT.0 };
            end(cx, ring, waiting, held, result, 0);
        }
    }
}

/// Requests that wait and are of this kind.
fn found(ring: &Ring, is_it: impl Fn(&Waiting) -> bool) -> Vec<Arc<Waiting>> {
    ring.waiting().into_iter().filter(|it| is_it(it)).collect()
}

/// The time on the monotonic clock that a request's `struct __kernel_timespec` means.
fn monotonic(time: TimeSpec, is_absolute: bool, is_real: bool) -> Result<u64> {
    let ns = time.to_ns()?;
    match (is_absolute, is_real) {
        (false, _) => Ok(frame::time::now_ns().saturating_add(ns)),
        (true, false) => Ok(ns),
        (true, true) => Clock::Realtime.to_monotonic(ns),
    }
}
