//! Event devices (`/dev/input/event*`), read without libinput: keyboards, mice, pointers that say where they are, and touch screens.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use input_event::code::{ABS_X, ABS_Y, EV_ABS, EV_LED, LED_CAPS_LOCK, LED_NUM_LOCK, LED_SCROLL_LOCK, REL_HWHEEL, REL_HWHEEL_HI_RES, REL_WHEEL_HI_RES};
use input_event::{EV_KEY, EV_REL, EV_SYN, EVENT_BYTES, InputEvent, REL_WHEEL, REL_X, REL_Y, SYN_DROPPED, SYN_REPORT};
use smithay::input::keyboard::LedState;

use super::Input;
use super::slots::{ABS_MT_POSITION_X, ABS_MT_POSITION_Y, ABS_MT_SLOT, Slots};
use super::touch::Touch;
use crate::sys;

/// Codes from here to `BTN_GEAR_UP` are buttons.
const BUTTONS: std::ops::RangeInclusive<u16> = 0x100..=0x15f;

/// `BTN_TOOL_PEN` to `BTN_TOOL_QUADTAP`, with `BTN_TOUCH` among them.
const TOOLS: std::ops::RangeInclusive<u16> = 0x140..=0x14f;

fn request(direction: u64, number: u64, bytes: usize) -> u64 {
    direction << 30 | (bytes as u64) << 16 | 0x45 << 8 | number
}

const READ: u64 = 2;
const WRITE: u64 = 1;

/// `struct input_absinfo`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct AbsInfo {
    value: i32,
    minimum: i32,
    maximum: i32,
    fuzz: i32,
    flat: i32,
    resolution: i32,
}

impl AbsInfo {
    /// A value as a part of the range.
    fn part(&self, value: i32) -> f64 {
        let range = f64::from(self.maximum) - f64::from(self.minimum);
        if range <= 0.0 { 0.0 } else { (f64::from(value) - f64::from(self.minimum)) / range }
    }
}

/// What has come since the last group was complete.
#[derive(Debug, Default)]
struct Group {
    motion: (i32, i32),
    position: (Option<i32>, Option<i32>),
    clicks: (i32, i32),
    fine: (i32, i32),
    keys: Vec<(u16, bool)>,
}

/// An event device.
#[derive(Debug)]
pub struct Device {
    file: File,
    path: PathBuf,
    axes: Option<(AbsInfo, AbsInfo)>,
    at: (i32, i32),
    /// Of a touch screen.
    slots: Option<Slots>,
    has_leds: bool,
    group: Group,
    has_lost: bool,
    pressed: Vec<u16>,
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Device {
    /// Opens a device; nothing where it is neither a keyboard nor a pointer.
    ///
    /// # Errors
    /// The kernel's.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        let options = |is_writable| File::options().read(true).write(is_writable).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path);
        let file = options(true).or_else(|_| options(false))?;
        let types = bits::<8>(&file, 0)?;
        let has = |bits: &[u8], code: u16| bits.get(usize::from(code) / 8).is_some_and(|byte| byte >> (code % 8) & 1 == 1);
        let keys = bits::<96>(&file, u64::from(EV_KEY)).unwrap_or([0; 96]);
        let is_keyboard = has(&types, EV_KEY) && (1..=0xff).any(|code| has(&keys, code));
        let is_mouse = has(&types, EV_REL) && has(&bits::<8>(&file, u64::from(EV_REL))?, REL_X);
        let abs = bits::<8>(&file, u64::from(EV_ABS)).unwrap_or([0; 8]);
        // Pads and joysticks say where a finger is, not where the pointer is: only what has a left button and no finger is a pointer.
        const BTN_LEFT: u16 = 0x110;
        const BTN_TOOL_FINGER: u16 = 0x145;
        let is_pointer = has(&types, EV_ABS) && has(&abs, ABS_X) && has(&abs, ABS_Y) && has(&keys, BTN_LEFT) && !has(&keys, BTN_TOOL_FINGER);
        // Fingers on a screen are where they point; those on a pad move the pointer.
        const DIRECT: u16 = 1;
        let has_slots = has(&abs, ABS_MT_SLOT) && has(&abs, ABS_MT_POSITION_X) && has(&abs, ABS_MT_POSITION_Y);
        let is_touch_screen = has_slots && has(&properties(&file)?, DIRECT);
        if !is_keyboard && !is_mouse && !is_pointer && !is_touch_screen {
            return Ok(None);
        }
        let mut clock = libc::CLOCK_MONOTONIC;
        sys::ioctl_pointer(&file, request(WRITE, 0xa0, 4), &mut clock)?;
        let mut axes = None;
        let mut at = (0, 0);
        let mut slots = None;
        if is_touch_screen {
            slots = Some(Slots::new(axis(&file, ABS_MT_SLOT)?.value));
            axes = Some((axis(&file, ABS_MT_POSITION_X)?, axis(&file, ABS_MT_POSITION_Y)?));
        } else if is_pointer {
            let (x, y) = (axis(&file, ABS_X)?, axis(&file, ABS_Y)?);
            at = (x.value, y.value);
            axes = Some((x, y));
        }
        let has_leds = has(&types, EV_LED);
        Ok(Some(Device { file, path: path.to_owned(), axes, at, slots, has_leds, group: Group::default(), has_lost: false, pressed: Vec::new() }))
    }

    /// Whether fingers on it are where they point.
    pub fn is_touch_screen(&self) -> bool {
        self.slots.is_some()
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Another descriptor of the device, to wait on.
    ///
    /// # Errors
    /// The kernel's.
    pub fn watch(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Reads what has come.
    ///
    /// # Errors
    /// The kernel's: the device is gone.
    pub fn read(&mut self, mut each: impl FnMut(Input, Duration)) -> io::Result<()> {
        let mut buffer = [0; EVENT_BYTES * 64];
        loop {
            let count = match sys::read(&self.file, &mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            for bytes in buffer[..count].chunks_exact(EVENT_BYTES) {
                if let Ok(bytes) = bytes.try_into() {
                    self.event(InputEvent::decode(bytes), &mut each);
                }
            }
        }
    }

    fn event(&mut self, event: InputEvent, each: &mut impl FnMut(Input, Duration)) {
        if event.kind == EV_SYN && event.code == SYN_DROPPED {
            // What comes until the next complete group is of no use, and keys may have been released meanwhile.
            self.has_lost = true;
            return;
        }
        if self.has_lost {
            if event.kind == EV_SYN && event.code == SYN_REPORT {
                self.has_lost = false;
                self.group = Group::default();
                let time = Duration::from_micros(event.time_us);
                for code in std::mem::take(&mut self.pressed) {
                    each(key_or_button(code, false), time);
                }
                if self.slots.as_mut().is_some_and(Slots::forget) {
                    each(Input::Touch(Touch::Cancel), time);
                }
            }
            return;
        }
        let group = &mut self.group;
        match (event.kind, event.code) {
            (EV_ABS, code) if self.slots.is_some() => self.slots.iter_mut().for_each(|it| it.axis(code, event.value)),
            // What a touch screen says of its first finger once more, for programs that know only one.
            (EV_KEY, code) if self.slots.is_some() && TOOLS.contains(&code) => {}
            (EV_KEY, code) if event.value != 2 => group.keys.push((code, event.value == 1)),
            (EV_REL, REL_X) => group.motion.0 += event.value,
            (EV_REL, REL_Y) => group.motion.1 += event.value,
            (EV_REL, REL_WHEEL) => group.clicks.1 -= event.value * 120,
            (EV_REL, REL_HWHEEL) => group.clicks.0 += event.value * 120,
            (EV_REL, REL_WHEEL_HI_RES) => group.fine.1 -= event.value,
            (EV_REL, REL_HWHEEL_HI_RES) => group.fine.0 += event.value,
            (EV_ABS, ABS_X) => group.position.0 = Some(event.value),
            (EV_ABS, ABS_Y) => group.position.1 = Some(event.value),
            (EV_SYN, SYN_REPORT) => self.report(Duration::from_micros(event.time_us), each),
            _ => {}
        }
    }

    fn report(&mut self, time: Duration, each: &mut impl FnMut(Input, Duration)) {
        let group = std::mem::take(&mut self.group);
        if group.motion != (0, 0) {
            each(Input::Motion { dx: group.motion.0.into(), dy: group.motion.1.into() }, time);
        }
        if let (Some(slots), Some((x, y))) = (&mut self.slots, &self.axes) {
            slots.report(|at| (x.part(at.0), y.part(at.1)), |touch| each(Input::Touch(touch), time));
        } else if let Some((x, y)) = &self.axes
            && group.position != (None, None)
        {
            self.at = (group.position.0.unwrap_or(self.at.0), group.position.1.unwrap_or(self.at.1));
            each(Input::Position { x: x.part(self.at.0), y: y.part(self.at.1) }, time);
        }
        for (code, is_pressed) in group.keys {
            self.pressed.retain(|it| *it != code);
            if is_pressed {
                self.pressed.push(code);
            }
            each(key_or_button(code, is_pressed), time);
        }
        let wheel = if group.fine == (0, 0) { group.clicks } else { group.fine };
        if wheel != (0, 0) {
            each(Input::Wheel { horizontal: wheel.0, vertical: wheel.1 }, time);
        }
    }

    /// Releases what is pressed: the device is gone, or its events are another's.
    pub fn release_all(&mut self, mut each: impl FnMut(Input)) {
        for code in std::mem::take(&mut self.pressed) {
            each(key_or_button(code, false));
        }
        if self.slots.as_mut().is_some_and(Slots::forget) {
            each(Input::Touch(Touch::Cancel));
        }
    }

    /// Switches its lamps.
    pub fn set_leds(&self, leds: LedState) {
        use std::io::Write;
        if !self.has_leds {
            return;
        }
        let lamps = [(LED_NUM_LOCK, leds.num), (LED_CAPS_LOCK, leds.caps), (LED_SCROLL_LOCK, leds.scroll)];
        let mut bytes = Vec::new();
        for (code, value) in lamps {
            bytes.extend(InputEvent { time_us: 0, kind: EV_LED, code, value: i32::from(value == Some(true)) }.encode());
        }
        bytes.extend(InputEvent { time_us: 0, kind: EV_SYN, code: SYN_REPORT, value: 0 }.encode());
        if let Err(error) = (&self.file).write_all(&bytes) {
            tracing::debug!("{}: lamps: {error}", self.path.display());
        }
    }
}

fn key_or_button(code: u16, is_pressed: bool) -> Input {
    if BUTTONS.contains(&code) { Input::Button { code, is_pressed } } else { Input::Key { code, is_pressed } }
}

fn axis(file: &File, code: u16) -> io::Result<AbsInfo> {
    let mut info = AbsInfo::default();
    sys::ioctl_pointer(file, request(READ, 0x40 + u64::from(code), size_of::<AbsInfo>()), &mut info)?;
    Ok(info)
}

/// `INPUT_PROP_*`.
fn properties(file: &File) -> io::Result<[u8; 4]> {
    let mut bytes = [0; 4];
    sys::ioctl_pointer(file, request(READ, 0x09, bytes.len()), &mut bytes)?;
    Ok(bytes)
}

fn bits<const N: usize>(file: &File, kind: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    sys::ioctl_pointer(file, request(READ, 0x20 + kind, N), &mut bytes)?;
    Ok(bytes)
}

/// The event devices that there are.
pub fn list() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/dev/input") else { return Vec::new() };
    let is_event = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("event"));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_event).collect();
    paths.sort();
    paths
}
