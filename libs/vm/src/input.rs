//! Keys and pointer, as a person at the machine would use them.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::dir::VmDir;
use crate::error::{Error, Result};
use crate::qmp::Qmp;
use crate::screen::Picture;

/// Between two keys. A keyboard's queue holds few events and drops what does not fit: an emulated guest needs time to empty it.
const KEY_GAP: Duration = Duration::from_millis(40);

/// The pointer device's range in both directions.
const POINTER_RANGE: u64 = 0x7FFF;

/// QEMU's names (QKeyCode) for what people write.
fn key_code(name: &str) -> &str {
    match name {
        "control" => "ctrl",
        "altgr" => "alt_r",
        "super" | "win" | "meta" | "cmd" => "meta_l",
        "enter" | "return" => "ret",
        "escape" => "esc",
        "space" => "spc",
        "del" => "delete",
        "ins" => "insert",
        "pageup" => "pgup",
        "pagedown" => "pgdn",
        "print" | "printscreen" => "sysrq",
        "." => "dot",
        "," => "comma",
        "/" => "slash",
        ";" => "semicolon",
        "=" => "equal",
        "`" => "grave_accent",
        other => other,
    }
}

/// The keys of a combination such as `ctrl-alt-t`. A minus at the end is the minus key.
fn combination(text: &str) -> Result<Vec<String>> {
    let (names, minus) = match text {
        "-" => ("", true),
        _ => text.strip_suffix("--").map_or((text, false), |names| (names, true)),
    };
    let names = names.split('-').filter(|_| !names.is_empty());
    let mut keys: Vec<String> = names.map(|name| key_code(&name.to_lowercase()).to_owned()).collect();
    if minus {
        keys.push("minus".into());
    }
    if keys.is_empty() || keys.iter().any(String::is_empty) {
        return Err(Error::Input(format!("{text:?} is no combination of keys such as ctrl-alt-t, enter or f1")));
    }
    Ok(keys)
}

/// The key and whether it is shifted, on a US keyboard.
fn character(c: char) -> Option<(String, bool)> {
    const SHIFTED: &str = "!@#$%^&*()";
    const PLAIN: &str = "1234567890";
    let key = |name: &str, shifted| Some((name.to_owned(), shifted));
    match c {
        'a'..='z' | '0'..='9' => key(&c.to_string(), false),
        'A'..='Z' => key(&c.to_ascii_lowercase().to_string(), true),
        '\n' => key("ret", false),
        '\t' => key("tab", false),
        ' ' => key("spc", false),
        '-' | '_' => key("minus", c == '_'),
        '=' | '+' => key("equal", c == '+'),
        '[' | '{' => key("bracket_left", c == '{'),
        ']' | '}' => key("bracket_right", c == '}'),
        ';' | ':' => key("semicolon", c == ':'),
        '\'' | '"' => key("apostrophe", c == '"'),
        '`' | '~' => key("grave_accent", c == '~'),
        '\\' | '|' => key("backslash", c == '|'),
        ',' | '<' => key("comma", c == '<'),
        '.' | '>' => key("dot", c == '>'),
        '/' | '?' => key("slash", c == '?'),
        _ => {
            let index = SHIFTED.find(c)?;
            key(&PLAIN[index..=index], true)
        }
    }
}

/// Presses the keys of a combination, in order, and releases them.
///
/// # Errors
/// [`Error::Input`] or [`Error::Refused`] for a key that does not exist; those of QEMU.
pub fn key(vm: &VmDir, text: &str) -> Result<()> {
    press(&mut vm.qmp()?, &combination(text)?)
}

/// Presses and releases a key without giving the guest time to take it: for one key at a time, whose effect is awaited.
///
/// # Errors
/// As [`key`].
pub fn tap(vm: &VmDir, text: &str) -> Result<()> {
    send(&mut vm.qmp()?, &combination(text)?)
}

/// Types a text on a US keyboard; a line break is Enter.
///
/// # Errors
/// [`Error::Input`] for a character that a US keyboard lacks (nothing is typed then); those of QEMU.
pub fn type_text(vm: &VmDir, text: &str) -> Result<()> {
    let lacking = |c: char| Error::Input(format!("a US keyboard has no key for {c:?}"));
    let keys: Vec<_> = text.chars().map(|c| character(c).ok_or_else(|| lacking(c))).collect::<Result<_>>()?;
    let mut qmp = vm.qmp()?;
    for (name, shifted) in keys {
        let mut combination = vec![name];
        if shifted {
            combination.insert(0, "shift".into());
        }
        press(&mut qmp, &combination)?;
    }
    Ok(())
}

fn press(qmp: &mut Qmp, keys: &[String]) -> Result<()> {
    send(qmp, keys)?;
    thread::sleep(KEY_GAP);
    Ok(())
}

fn send(qmp: &mut Qmp, keys: &[String]) -> Result<()> {
    let event = |key: &String, down: bool| {
        json!({"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": key}}})
    };
    let down = keys.iter().map(|key| event(key, true));
    let up = keys.iter().rev().map(|key| event(key, false));
    let events: Vec<Value> = down.chain(up).collect();
    qmp.execute("input-send-event", json!({"events": events}))?;
    Ok(())
}

/// A pointer's button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Button {
    /// The main one.
    Left,
    /// The wheel.
    Middle,
    /// The one for menus.
    Right,
}

impl Button {
    fn name(self) -> &'static str {
        match self {
            Button::Left => "left",
            Button::Middle => "middle",
            Button::Right => "right",
        }
    }
}

/// Moves the pointer to a pixel.
///
/// # Errors
/// [`Error::Input`] outside of the screen; those of QEMU.
pub fn pointer(vm: &VmDir, x: u32, y: u32) -> Result<()> {
    let screen = Picture::of(vm)?;
    if x >= screen.width || y >= screen.height {
        let (width, height) = (screen.width, screen.height);
        return Err(Error::Input(format!("({x}, {y}) is outside of the screen of {width} x {height}")));
    }
    let axis = |axis: &str, at: u32, size: u32| {
        // The middle of the pixel, so that rounding in the guest cannot miss it.
        let value = (u64::from(at) * 2 + 1) * POINTER_RANGE / (u64::from(size) * 2);
        json!({"type": "abs", "data": {"axis": axis, "value": value}})
    };
    let events = [axis("x", x, screen.width), axis("y", y, screen.height)];
    vm.qmp()?.execute("input-send-event", json!({"events": events}))?;
    Ok(())
}

/// Moves the pointer to a pixel and clicks.
///
/// # Errors
/// As [`pointer`].
pub fn click(vm: &VmDir, x: u32, y: u32, button: Button) -> Result<()> {
    pointer(vm, x, y)?;
    let mut qmp = vm.qmp()?;
    for down in [true, false] {
        let event = json!({"type": "btn", "data": {"down": down, "button": button.name()}});
        qmp.execute("input-send-event", json!({"events": [event]}))?;
        thread::sleep(KEY_GAP);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_are_split_and_named() {
        let keys = |text| combination(text).unwrap().join(" ");
        assert_eq!(keys("ctrl-alt-t"), "ctrl alt t");
        assert_eq!(keys("Enter"), "ret");
        assert_eq!(keys("super"), "meta_l");
        assert_eq!(keys("-"), "minus");
        assert_eq!(keys("ctrl--"), "ctrl minus");
        assert!(combination("").is_err());
        assert!(combination("ctrl-").is_err());
    }

    #[test]
    fn all_printable_ascii_can_be_typed() {
        let mut seen = std::collections::BTreeSet::new();
        for c in (' '..='~').chain(['\n', '\t']) {
            assert!(seen.insert(character(c).unwrap()), "{c:?} shares a key");
        }
        assert_eq!(character('('), Some(("9".into(), true)));
        assert_eq!(character('ä'), None);
    }
}
