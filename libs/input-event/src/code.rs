//! Types, axes, lamps and properties (`linux/input-event-codes.h`), beside the keys in [`crate::key`].

/// Motion to a place.
pub const EV_ABS: u16 = 3;
/// Miscellaneous.
pub const EV_MSC: u16 = 4;
/// A switch.
pub const EV_SW: u16 = 5;
/// A lamp of the keyboard.
pub const EV_LED: u16 = 0x11;
/// A sound of the keyboard.
pub const EV_SND: u16 = 0x12;
/// Key repeat: the delay and the period.
pub const EV_REP: u16 = 0x14;
/// Force feedback.
pub const EV_FF: u16 = 0x15;

/// Numbers of types, keys, relative axes, absolute axes, miscellaneous, switches, lamps, sounds, and properties (`*_CNT`).
pub const EV_COUNT: usize = 0x20;
#[allow(missing_docs)]
pub const KEY_COUNT: usize = 0x300;
#[allow(missing_docs)]
pub const REL_COUNT: usize = 0x10;
#[allow(missing_docs)]
pub const ABS_COUNT: usize = 0x40;
#[allow(missing_docs)]
pub const MSC_COUNT: usize = 0x08;
#[allow(missing_docs)]
pub const SW_COUNT: usize = 0x11;
#[allow(missing_docs)]
pub const LED_COUNT: usize = 0x10;
#[allow(missing_docs)]
pub const SND_COUNT: usize = 0x08;
#[allow(missing_docs)]
pub const FF_COUNT: usize = 0x80;
#[allow(missing_docs)]
pub const PROP_COUNT: usize = 0x20;

/// `REL_HWHEEL`
pub const REL_HWHEEL: u16 = 6;
/// `REL_WHEEL_HI_RES`: the wheel in 120ths of a notch.
pub const REL_WHEEL_HI_RES: u16 = 11;
/// `REL_HWHEEL_HI_RES`
pub const REL_HWHEEL_HI_RES: u16 = 12;
/// `ABS_X`
pub const ABS_X: u16 = 0;
/// `ABS_Y`
pub const ABS_Y: u16 = 1;
/// `LED_NUML`
pub const LED_NUM_LOCK: u16 = 0;
/// `LED_CAPSL`
pub const LED_CAPS_LOCK: u16 = 1;
/// `LED_SCROLLL`
pub const LED_SCROLL_LOCK: u16 = 2;
/// `REP_DELAY`: until the first repetition, ms.
pub const REP_DELAY: u16 = 0;
/// `REP_PERIOD`: between repetitions, ms.
pub const REP_PERIOD: u16 = 1;
/// `BUS_I8042`
pub const BUS_I8042: u16 = 0x11;
/// `BUS_VIRTUAL`
pub const BUS_VIRTUAL: u16 = 0x06;

/// How many codes a type has; 0 for one without codes.
pub const fn code_count(kind: u16) -> usize {
    match kind {
        crate::EV_KEY => KEY_COUNT,
        crate::EV_REL => REL_COUNT,
        EV_ABS => ABS_COUNT,
        EV_MSC => MSC_COUNT,
        EV_SW => SW_COUNT,
        EV_LED => LED_COUNT,
        EV_SND => SND_COUNT,
        EV_FF => FF_COUNT,
        _ => 0,
    }
}
