//! Slow changes of the time of day (`adjtime(3)`): half a millisecond in a second until the whole change is made, so that the clock never jumps nor goes back.

use alloc::sync::Arc;

use super::timer::{Expire, Timer};
use crate::sync::SpinLock;

/// How often a part of the change is made, ns.
const PERIOD_NS: u64 = 100_000_000;
/// That part, ns: 500 parts in a million, as Linux does it (`kernel/time/ntp.c`, MAX_TICKADJ).
const STEP_NS: i64 = 50_000;

#[derive(Default)]
struct Slew {
    /// What is left of the change, ns.
    left_ns: i64,
    timer: Option<Timer>,
}

static SLEW: SpinLock<Slew> = SpinLock::new(Slew { left_ns: 0, timer: None });

struct Step;

impl Expire for Step {
    fn expire(self: Arc<Self>) {
        let (step, old) = {
            let mut slew = SLEW.lock();
            let step = slew.left_ns.clamp(-STEP_NS, STEP_NS);
            slew.left_ns -= step;
            let next = (slew.left_ns != 0).then(|| Timer::new(frame::time::now_ns() + PERIOD_NS, self));
            (step, core::mem::replace(&mut slew.timer, next))
        };
        drop(old);
        super::shift_realtime(step);
    }
}

/// What is left of the change, ns.
pub fn left_ns() -> i64 {
    SLEW.lock().left_ns
}

/// Changes the time of day by so much, ns, in place of what was left of an earlier change. Returns that.
pub fn start(change_ns: i64) -> i64 {
    let (before, old) = {
        let mut slew = SLEW.lock();
        let before = core::mem::replace(&mut slew.left_ns, change_ns);
        let timer = (change_ns != 0).then(|| Timer::new(frame::time::now_ns() + PERIOD_NS, Arc::new(Step)));
        (before, core::mem::replace(&mut slew.timer, timer))
    };
    drop(old);
    before
}
