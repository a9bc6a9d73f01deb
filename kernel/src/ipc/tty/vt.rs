//! Virtual terminals: which one is shown, and who draws on it (`ioctl_console(2)`, VT_* and KD*).
//!
//! The text console is a process (`fbcond`) that binds a pseudo-terminal to each number. What is here are the states that programs change by ioctls on
//! `/dev/tty<n>`: the one that is active, whether a program draws on it itself (KD_GRAPHICS), who is asked before it is left (VT_PROCESS), how the
//! keyboard is read. The console follows them (`VT_STATE`).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::pty;
use crate::error::*;
use crate::sync::{SpinLock, WaitQueue};
use crate::task::signal::{self, SigInfo};
use crate::task::{self, process};
use crate::user;

/// Highest number of a virtual terminal (Linux's MAX_NR_CONSOLES).
pub const LAST: u32 = 63;

const KD_TEXT: u32 = 0;
const KD_GRAPHICS: u32 = 1;
const K_XLATE: u32 = 1;
const K_UNICODE: u32 = 3;
const K_OFF: u32 = 4;
const K_METABIT: u32 = 3;
const K_ESCPREFIX: u32 = 4;
const VT_PROCESS: u8 = 1;
const VT_ACKACQ: usize = 2;
/// `VT_OPENQRY`'s answer where all are in use.
const NONE_FREE: u32 = u32::MAX;
/// `KDGKBTYPE`: a PC's keyboard.
const KB_101: u8 = 2;

/// `struct vt_mode`.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Mode {
    mode: u8,
    waitv: u8,
    release: u16,
    acquire: u16,
    /// Not used by anyone.
    force: u16,
}

/// `struct vt_stat`.
#[derive(Clone, Copy, IntoBytes, Immutable)]
#[repr(C)]
struct Stat {
    active: u16,
    signal: u16,
    state: u16,
}

#[derive(Clone, Copy)]
struct Terminal {
    kd: u32,
    keyboard: u32,
    meta: u32,
    /// Lamps; and the flags behind them (caps lock and so on).
    leds: u8,
    flags: u8,
    mode: Mode,
    /// Who is asked, in VT_PROCESS.
    owner: u32,
}

impl Default for Terminal {
    fn default() -> Self {
        Self { kd: KD_TEXT, keyboard: K_UNICODE, meta: K_ESCPREFIX, leds: 0, flags: 0, mode: Mode::default(), owner: 0 }
    }
}

struct State {
    active: u32,
    /// The terminal to be shown once the active one's owner agrees.
    wanted: Option<u32>,
    is_locked: bool,
    terminals: BTreeMap<u32, Terminal>,
    /// Counts changes.
    generation: u64,
}

impl State {
    fn get(&self, number: u32) -> Terminal {
        self.terminals.get(&number).copied().unwrap_or_default()
    }

    fn terminal(&mut self, number: u32) -> &mut Terminal {
        self.generation += 1;
        self.terminals.entry(number).or_default()
    }
}

static STATE: SpinLock<State> = SpinLock::new(State { active: 1, wanted: None, is_locked: false, terminals: BTreeMap::new(), generation: 1 });
/// Woken by every change.
static CHANGED: crate::sync::Once<WaitQueue> = crate::sync::Once::new();

/// Woken by every change of what [`snapshot`] tells.
pub fn changed() -> WaitQueue {
    if CHANGED.get().is_none() {
        // Two at a time: the first counts.
        let _ = CHANGED.set(WaitQueue::new());
    }
    CHANGED.get().cloned().unwrap_or_default()
}

/// The active terminal.
pub fn active() -> u32 {
    STATE.lock().active
}

/// What the text console follows: the active terminal, whether a program draws on it, how its keyboard is read, its lamps; and the number of changes so far.
pub fn snapshot() -> ([u32; 4], u64) {
    let state = STATE.lock();
    let active = state.get(state.active);
    ([state.active, active.kd, active.keyboard, active.leds.into()], state.generation)
}

/// How many changes there have been.
pub fn generation() -> u64 {
    STATE.lock().generation
}

fn signal_owner(owner: u32, number: u16) -> bool {
    if number == 0 {
        return true;
    }
    process::find(owner).is_some_and(|process| !process.is_zombie() && signal::send_process(&process, SigInfo::kernel(number.into())).is_ok())
}

/// Asks for another terminal to be shown. Its owner is asked where there is one; a program that draws and cannot be asked keeps the screen.
///
/// # Errors
/// `ENXIO` where no terminal of that number is bound.
pub fn activate(number: u32) -> Result {
    if !pty::virtual_list().contains(&number) {
        return Err(ENXIO);
    }
    let (owner, release) = {
        let mut state = STATE.lock();
        if state.active == number || state.is_locked {
            return Ok(());
        }
        let now = state.get(state.active);
        match (now.mode.mode, now.kd) {
            (VT_PROCESS, _) => {
                state.wanted = Some(number);
                (now.owner, now.mode.release)
            }
            (_, KD_GRAPHICS) => return Ok(()),
            _ => {
                drop(state);
                complete(number);
                return Ok(());
            }
        }
    };
    if !signal_owner(owner, release) {
        // It is gone, and with it what it had set.
        let mut state = STATE.lock();
        let left = state.active;
        *state.terminal(left) = Terminal::default();
        state.wanted = None;
        drop(state);
        complete(number);
    }
    Ok(())
}

/// Shows a terminal.
fn complete(number: u32) {
    let next = {
        let mut state = STATE.lock();
        (state.active, state.wanted) = (number, None);
        state.generation += 1;
        state.get(number)
    };
    if next.mode.mode == VT_PROCESS && !signal_owner(next.owner, next.mode.acquire) {
        *STATE.lock().terminal(number) = Terminal::default();
    }
    changed().wake_all();
}

fn change(number: u32, what: impl FnOnce(&mut Terminal)) {
    what(STATE.lock().terminal(number));
    changed().wake_all();
}

/// The terminals in use: open by someone other than the text console.
fn in_use() -> Vec<u32> {
    pty::virtual_list().into_iter().filter(|n| pty::virtual_is_used(*n)).collect()
}

/// An ioctl on the virtual terminal `number`. `may_change`: it is the caller's controlling terminal, or the caller is privileged.
///
/// # Errors
/// Those of `ioctl_console(2)`; `ENOTTY` for what is none of these.
pub fn control(number: u32, cmd: u32, arg: usize, may_change: bool) -> Result<usize> {
    let terminal = STATE.lock().get(number);
    if needs_right(cmd) && !may_change {
        return Err(EPERM);
    }
    match cmd {
        KDGKBTYPE => user::write(arg, &KB_101)?,
        KDGETMODE => user::write(arg, &terminal.kd)?,
        KDSETMODE => {
            let mode = match arg {
                // KD_TEXT0 and KD_TEXT1 are old names.
                0 | 2 | 3 => KD_TEXT,
                1 => KD_GRAPHICS,
                _ => return Err(EINVAL),
            };
            change(number, |terminal| terminal.kd = mode);
        }
        KDGKBMODE => user::write(arg, &terminal.keyboard)?,
        KDSKBMODE => {
            // Scan codes as a PC's keyboard sends them (K_RAW, 0) are not kept.
            let mode = u32::try_from(arg).ok().filter(|mode| (K_XLATE..=K_OFF).contains(mode)).ok_or(EINVAL)?;
            change(number, |terminal| terminal.keyboard = mode);
        }
        KDGKBMETA => user::write(arg, &terminal.meta)?,
        KDSKBMETA => {
            let meta = u32::try_from(arg).ok().filter(|meta| matches!(*meta, K_METABIT | K_ESCPREFIX)).ok_or(EINVAL)?;
            change(number, |terminal| terminal.meta = meta);
        }
        KDGETLED => user::write(arg, &terminal.leds)?,
        // More than the lamps that there are: back to the flags.
        KDSETLED => change(number, |terminal| terminal.leds = if arg & !7 == 0 { arg as u8 } else { terminal.flags & 7 }),
        KDGKBLED => user::write(arg, &terminal.flags)?,
        KDSKBLED if arg & !0x77 == 0 => change(number, |terminal| terminal.flags = arg as u8),
        KDSKBLED => return Err(EINVAL),
        VT_OPENQRY => {
            let used = in_use();
            let free = pty::virtual_list().into_iter().find(|n| !used.contains(n));
            user::write(arg, &free.unwrap_or(NONE_FREE))?;
        }
        VT_GETMODE => user::write(arg, &terminal.mode)?,
        VT_SETMODE => {
            let mode: Mode = user::read(arg)?;
            if mode.mode > VT_PROCESS {
                return Err(EINVAL);
            }
            let owner = task::with_current(|t| t.process.pid);
            change(number, |terminal| (terminal.mode, terminal.owner) = (Mode { force: 0, ..mode }, owner));
        }
        VT_GETSTATE => {
            let active = active();
            let state = in_use().into_iter().filter(|n| *n < 16).fold(1u16, |bits, n| bits | 1 << n);
            user::write(arg, &Stat { active: active as u16, signal: 0, state })?;
        }
        VT_RELDISP => release(number, terminal, arg)?,
        VT_ACTIVATE => activate(valid(arg)?)?,
        VT_WAITACTIVE => {
            let wanted = valid(arg)?;
            changed().wait_until(|| (active() == wanted).then_some(()))?;
        }
        VT_DISALLOCATE => {
            if arg > LAST as usize {
                return Err(ENXIO);
            }
            // They are the text console's: one that nobody uses costs nothing worth freeing.
            if arg != 0 && (active() == arg as u32 || in_use().contains(&(arg as u32))) {
                return Err(EBUSY);
            }
        }
        VT_LOCKSWITCH | VT_UNLOCKSWITCH => STATE.lock().is_locked = cmd == VT_LOCKSWITCH,
        _ => return Err(ENOTTY),
    }
    Ok(0)
}

fn valid(arg: usize) -> Result<u32> {
    if (1..=LAST as usize).contains(&arg) { Ok(arg as u32) } else { Err(ENXIO) }
}

/// VT_RELDISP: the owner lets the terminal be left (or not), or has seen that it was entered.
fn release(number: u32, terminal: Terminal, answer: usize) -> Result {
    if terminal.mode.mode != VT_PROCESS {
        return Err(EINVAL);
    }
    let wanted = {
        let mut state = STATE.lock();
        if state.active == number { state.wanted.take() } else { None }
    };
    match (wanted, answer) {
        (None, VT_ACKACQ) | (Some(_), 0) => Ok(()),
        (None, _) => Err(EINVAL),
        (Some(next), _) => {
            complete(next);
            Ok(())
        }
    }
}

fn needs_right(cmd: u32) -> bool {
    matches!(
        cmd,
        KDSETMODE | KDSKBMODE | KDSKBMETA | KDSETLED | KDSKBLED | VT_SETMODE | VT_RELDISP | VT_ACTIVATE | VT_WAITACTIVE | VT_LOCKSWITCH | VT_UNLOCKSWITCH
    )
}

const KDGETLED: u32 = 0x4b31;
const KDSETLED: u32 = 0x4b32;
const KDGKBTYPE: u32 = 0x4b33;
const KDSETMODE: u32 = 0x4b3a;
const KDGETMODE: u32 = 0x4b3b;
const KDGKBMODE: u32 = 0x4b44;
const KDSKBMODE: u32 = 0x4b45;
const KDGKBMETA: u32 = 0x4b62;
const KDSKBMETA: u32 = 0x4b63;
const KDGKBLED: u32 = 0x4b64;
const KDSKBLED: u32 = 0x4b65;
const VT_OPENQRY: u32 = 0x5600;
const VT_GETMODE: u32 = 0x5601;
const VT_SETMODE: u32 = 0x5602;
const VT_GETSTATE: u32 = 0x5603;
const VT_RELDISP: u32 = 0x5605;
const VT_ACTIVATE: u32 = 0x5606;
const VT_WAITACTIVE: u32 = 0x5607;
const VT_DISALLOCATE: u32 = 0x5608;
const VT_LOCKSWITCH: u32 = 0x560b;
const VT_UNLOCKSWITCH: u32 = 0x560c;
