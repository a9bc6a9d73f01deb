//! Out of memory: who has to go.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use crate::task::{Process, lifecycle, process, sched};

/// Frames freed by the page cache's reclaim at one go.
const RECLAIM_BATCH: usize = 64;

/// Tries to make memory available: reclaims clean page-cache pages, else kills the process that uses most.
/// Returns `false` where the caller itself has been chosen (or nobody is left): it must give up.
pub fn relieve() -> bool {
    if crate::fs::reclaim(RECLAIM_BATCH) > 0 {
        return true;
    }
    let me = crate::task::current();
    if me.is_killed() {
        return false;
    }
    let Some(victim) = worst() else { return false };
    if victim.exiting.load(Ordering::SeqCst) {
        // Someone is dying already: give it time to release its memory.
        wait_a_little();
        return true;
    }
    let rss_kib = victim.mm().map_or(0, |mm| mm.rss_pages() * 4);
    crate::log::error!("out of memory: killing process {} ({}), {} KiB resident", victim.pid, victim.main_thread().map(|t| t.comm()).unwrap_or_default(), rss_kib);
    lifecycle::kill_threads(&victim, 9);
    if Arc::ptr_eq(&victim, &me.process) {
        return false;
    }
    wait_a_little();
    true
}

fn wait_a_little() {
    let thread = crate::task::current();
    sched::prepare_to_sleep(&thread, false);
    sched::sleep(Some(frame::time::now_ns() + 2_000_000));
}

/// The process with the largest share of memory, adjusted by `oom_score_adj`; never the first process or one exempted by -1000.
fn worst() -> Option<Arc<Process>> {
    let total = frame::mm::stats().total as i64;
    process::all()
        .into_iter()
        .filter(|p| p.pid > 1 && !p.is_zombie() && p.oom_score_adj.load(Ordering::Relaxed) > -1000)
        .filter_map(|p| {
            let pages = p.mm().ok()?.rss_pages() as i64;
            Some((pages + i64::from(p.oom_score_adj.load(Ordering::Relaxed)) * total / 1000, p))
        })
        .max_by_key(|(badness, _)| *badness)
        .map(|(_, p)| p)
}
