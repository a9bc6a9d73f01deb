//! The mouse for programs that want it: xterm's reports.

use alacritty_terminal::term::TermMode;
use genai_ui::core::keyboard::Modifiers;
use genai_ui::core::mouse::Button;

/// What the mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// A button went down.
    Pressed(Button),
    /// And up.
    Released(Button),
    /// It moved, with this button held.
    Moved(Option<Button>),
    /// The wheel turned away from its user.
    WheelUp,
    /// Or towards.
    WheelDown,
}

/// What is told to the program of it, at a column and line from 0; nothing where it does not want to know.
pub fn report(done: Done, (column, line): (usize, usize), modifiers: Modifiers, mode: TermMode) -> Option<Vec<u8>> {
    let button = |it| match it {
        Button::Left => Some(0u8),
        Button::Middle => Some(1),
        Button::Right => Some(2),
        _ => None,
    };
    if !mode.intersects(TermMode::MOUSE_MODE) {
        return None;
    }
    let code = match done {
        Done::Pressed(it) | Done::Released(it) => button(it)?,
        Done::Moved(Some(it)) if mode.intersects(TermMode::MOUSE_DRAG | TermMode::MOUSE_MOTION) => 32 + button(it)?,
        Done::Moved(None) if mode.contains(TermMode::MOUSE_MOTION) => 35,
        Done::Moved(_) => return None,
        Done::WheelUp => 64,
        Done::WheelDown => 65,
    };
    let held = 4 * u8::from(modifiers.shift()) + 8 * u8::from(modifiers.alt()) + 16 * u8::from(modifiers.control());
    let is_released = matches!(done, Done::Released(_));
    if mode.contains(TermMode::SGR_MOUSE) {
        let end = if is_released { 'm' } else { 'M' };
        return Some(format!("\x1b[<{};{};{}{end}", code + held, column + 1, line + 1).into_bytes());
    }
    // The older form knows neither which button was released nor places beyond its bytes.
    let place = |at: usize| u8::try_from(at + 33).ok();
    Some(vec![0x1b, b'[', b'M', 32 + held + if is_released { 3 } else { code }, place(column)?, place(line)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports() {
        let text = |done, mode| report(done, (4, 2), Modifiers::empty(), mode).map(|it| String::from_utf8(it).expect("UTF-8"));
        let press = Done::Pressed(Button::Left);
        assert_eq!(text(press, TermMode::default()), None);
        let clicks = TermMode::MOUSE_REPORT_CLICK;
        assert_eq!(text(press, clicks).as_deref(), Some("\x1b[M %#"));
        assert_eq!(text(Done::Released(Button::Left), clicks).as_deref(), Some("\x1b[M#%#"));
        assert_eq!(text(Done::Moved(Some(Button::Left)), clicks), None);
        let all = TermMode::MOUSE_MOTION | TermMode::SGR_MOUSE;
        assert_eq!(text(Done::Moved(None), all).as_deref(), Some("\x1b[<35;5;3M"));
        assert_eq!(text(Done::Released(Button::Right), all).as_deref(), Some("\x1b[<2;5;3m"));
        assert_eq!(text(Done::WheelDown, all).as_deref(), Some("\x1b[<65;5;3M"));
        assert_eq!(report(press, (300, 0), Modifiers::empty(), clicks), None, "too far for the older form");
        assert_eq!(report(press, (0, 0), Modifiers::CTRL, all).as_deref(), Some(&b"\x1b[<16;1;1M"[..]));
    }
}
