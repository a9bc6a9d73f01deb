//! What kind of input device something is, by what it can do: the variables ID_INPUT_* that libinput goes by.

/// Codes (`linux/input-event-codes.h`).
mod code {
    pub const EV_KEY: usize = 1;
    pub const EV_REL: usize = 2;
    pub const EV_ABS: usize = 3;
    pub const EV_SW: usize = 5;
    pub const REL_X: usize = 0;
    pub const REL_Y: usize = 1;
    pub const ABS_X: usize = 0;
    pub const ABS_Y: usize = 1;
    pub const ABS_MT_POSITION_X: usize = 0x35;
    pub const BTN_MISC: usize = 0x100;
    pub const BTN_MOUSE: usize = 0x110;
    pub const BTN_JOYSTICK: usize = 0x120;
    pub const BTN_TOOL_PEN: usize = 0x140;
    pub const BTN_TOOL_FINGER: usize = 0x145;
    pub const BTN_STYLUS: usize = 0x14b;
    pub const BTN_TOUCH: usize = 0x14a;
    pub const BTN_TRIGGER_HAPPY: usize = 0x2c0;
    pub const KEY_OK: usize = 0x160;
    pub const PROP_POINTING_STICK: usize = 5;
    pub const PROP_ACCELEROMETER: usize = 6;
    pub const PROP_DIRECT: usize = 1;
}

/// A set of codes, as sysfs writes it: words in hexadecimal, the highest first.
#[derive(Clone, Debug, Default)]
pub struct Codes(Vec<u64>);

impl Codes {
    /// Reads it.
    pub fn parse(text: &str) -> Self {
        Codes(text.split_whitespace().rev().map(|word| u64::from_str_radix(word, 16).unwrap_or(0)).collect())
    }

    fn has(&self, code: usize) -> bool {
        self.0.get(code / 64).is_some_and(|word| word >> (code % 64) & 1 == 1)
    }

    fn any(&self, mut codes: std::ops::Range<usize>) -> bool {
        codes.any(|code| self.has(code))
    }
}

/// What a device can do.
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    /// Types.
    pub ev: Codes,
    /// Keys and buttons.
    pub key: Codes,
    /// Relative axes.
    pub rel: Codes,
    /// Absolute axes.
    pub abs: Codes,
    /// Properties.
    pub properties: Codes,
}

/// The variables that are 1.
pub fn classify(it: &Capabilities) -> Vec<&'static str> {
    use code::*;
    let mut found = Vec::new();
    let keys = |range| it.ev.has(EV_KEY) && it.key.any(range);
    let has_mouse_button = keys(BTN_MOUSE..BTN_MOUSE + 1);
    let has_rel = it.ev.has(EV_REL) && it.rel.has(REL_X) && it.rel.has(REL_Y);
    let has_abs = it.ev.has(EV_ABS) && it.abs.has(ABS_X) && it.abs.has(ABS_Y);
    let has_touch = keys(BTN_TOUCH..BTN_TOUCH + 1);
    let is_direct = it.properties.has(PROP_DIRECT);
    let is_accelerometer = it.properties.has(PROP_ACCELEROMETER) || (!it.ev.has(EV_KEY) && has_abs && it.abs.has(2));
    let has_pen = keys(BTN_STYLUS..BTN_STYLUS + 1) || keys(BTN_TOOL_PEN..BTN_TOOL_PEN + 1);
    let has_finger = keys(BTN_TOOL_FINGER..BTN_TOOL_FINGER + 1);
    let has_joystick = keys(BTN_JOYSTICK..BTN_TOOL_PEN) || keys(BTN_TRIGGER_HAPPY..BTN_TRIGGER_HAPPY + 40);
    if is_accelerometer {
        found.push("ID_INPUT_ACCELEROMETER");
    } else {
        let has_place = has_abs || it.abs.has(ABS_MT_POSITION_X);
        if has_place && has_pen {
            found.push("ID_INPUT_TABLET");
        } else if has_place && has_finger && !is_direct {
            found.push("ID_INPUT_TOUCHPAD");
        } else if has_mouse_button && (has_abs || has_rel) {
            // Also pointers of virtual machines, which have absolute axes and buttons, but no touch.
            found.push("ID_INPUT_MOUSE");
        } else if has_place && (has_touch || is_direct) {
            found.push("ID_INPUT_TOUCHSCREEN");
        } else if has_abs && has_joystick {
            found.push("ID_INPUT_JOYSTICK");
        }
        if it.properties.has(PROP_POINTING_STICK) {
            found.push("ID_INPUT_POINTINGSTICK");
        }
    }
    if keys(1..BTN_MISC) || keys(KEY_OK..BTN_TRIGGER_HAPPY) {
        found.push("ID_INPUT_KEY");
        // A keyboard has Esc, the digits and the first row of letters.
        if (1..32).all(|key| it.key.has(key)) {
            found.push("ID_INPUT_KEYBOARD");
        }
    }
    if it.ev.has(EV_SW) {
        found.push("ID_INPUT_SWITCH");
    }
    if !found.is_empty() {
        found.insert(0, "ID_INPUT");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(ev: &str, key: &str, rel: &str, abs: &str) -> Vec<&'static str> {
        let codes = Codes::parse;
        classify(&Capabilities { ev: codes(ev), key: codes(key), rel: codes(rel), abs: codes(abs), properties: Codes::default() })
    }

    #[test]
    fn devices_of_virtual_machines_are_known() {
        // As sysfs of Linux shows QEMU's devices.
        assert_eq!(
            device("120013", "402000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe", "0", "0"),
            ["ID_INPUT", "ID_INPUT_KEY", "ID_INPUT_KEYBOARD"]
        );
        assert_eq!(device("f", "1f0000 0 0 0 0", "100", "3"), ["ID_INPUT", "ID_INPUT_MOUSE"]);
        assert_eq!(device("7", "70000 0 0 0 0", "103", "0"), ["ID_INPUT", "ID_INPUT_MOUSE"]);
        assert_eq!(device("3", "10000000000000 0", "0", "0"), ["ID_INPUT", "ID_INPUT_KEY"]);
        assert!(device("21", "0", "0", "0").contains(&"ID_INPUT_SWITCH"));
        assert!(device("1", "0", "0", "0").is_empty());
    }
}
