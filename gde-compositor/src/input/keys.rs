//! Which keys mean which actions.

use ::actions::desktop::{DesktopAction, Shot, Side};
use smithay::backend::input::KeyState;
use smithay::input::keyboard::{FilterResult, Keycode, Keysym, ModifiersState};
use smithay::utils::SERIAL_COUNTER;

use crate::state::Gde;

/// What a key does that is ours.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// An action.
    Act(DesktopAction),
    /// Another virtual terminal.
    Terminal(u32),
    /// Input for what is open: a key and the character it stands for.
    Own(Keysym, Option<char>),
    /// Nothing more than that it is ours.
    Nothing,
}

/// The action of a key with its modifiers.
pub fn binding(modifiers: &ModifiersState, key: Keysym) -> Option<DesktopAction> {
    let (logo, alt, shift, ctrl) = (modifiers.logo, modifiers.alt, modifiers.shift, modifiers.ctrl);
    let snap = |side| Some(DesktopAction::Snap { window: None, side });
    if key == Keysym::Print && !ctrl {
        let shot = match (shift, alt || logo) {
            (true, _) => Shot::Region,
            (false, true) => Shot::Window,
            (false, false) => Shot::Screen,
        };
        return Some(DesktopAction::Screenshot { shot });
    }
    let digit = (Keysym::_1.raw()..=Keysym::_9.raw()).contains(&key.raw()).then(|| (key.raw() - Keysym::_1.raw()) as usize + 1);
    if alt && !logo && !ctrl {
        return match key {
            Keysym::Tab | Keysym::ISO_Left_Tab => Some(if shift { DesktopAction::PreviousWindow } else { DesktopAction::NextWindow }),
            Keysym::F4 => Some(DesktopAction::Close { window: None }),
            _ => None,
        };
    }
    if !logo || alt {
        return None;
    }
    if ctrl {
        return match key {
            Keysym::q => Some(DesktopAction::Quit),
            _ => None,
        };
    }
    if let Some(workspace) = digit {
        return Some(if shift { DesktopAction::MoveTo { window: None, workspace } } else { DesktopAction::Workspace { workspace } });
    }
    match (key, shift) {
        (Keysym::a, false) => Some(DesktopAction::QuickSettings),
        (Keysym::l, false) => Some(DesktopAction::Lock),
        (Keysym::d, false) => Some(DesktopAction::ToggleFocusMode),
        (Keysym::Return, false) => Some(DesktopAction::AcceptOffer),
        (Keysym::Escape, false) => Some(DesktopAction::DismissOffer),
        (Keysym::n, false) => Some(DesktopAction::DismissNotices),
        (Keysym::n | Keysym::N, true) => Some(DesktopAction::ToggleQuiet),
        (Keysym::t, false) => Some(DesktopAction::Terminal),
        (Keysym::q, false) => Some(DesktopAction::Close { window: None }),
        (Keysym::Left, false) => snap(Side::Left),
        (Keysym::Right, false) => snap(Side::Right),
        (Keysym::Up, false) => snap(Side::Up),
        (Keysym::Down, false) => snap(Side::Down),
        (Keysym::Tab, false) => Some(DesktopAction::Overview),
        (Keysym::z, false) => Some(DesktopAction::Undo),
        (Keysym::z | Keysym::Z, true) => Some(DesktopAction::Redo),
        (Keysym::f, false) => Some(DesktopAction::ToggleFullscreen { window: None }),
        (Keysym::m, false) => Some(DesktopAction::ToggleMaximized { window: None }),
        (Keysym::h, false) => Some(DesktopAction::Minimize { window: None }),
        (Keysym::y, false) => Some(DesktopAction::ToggleTiling),
        (Keysym::g, false) => Some(DesktopAction::ToggleFloating { window: None }),
        (Keysym::s, false) => Some(DesktopAction::ToggleSticky { window: None }),
        (Keysym::minus, false) => Some(DesktopAction::Scratchpad),
        (Keysym::minus | Keysym::underscore, true) => Some(DesktopAction::ToScratchpad { window: None }),
        (Keysym::comma, false) => Some(DesktopAction::Share { by: -50 }),
        (Keysym::period, false) => Some(DesktopAction::Share { by: 50 }),
        _ => None,
    }
}

/// The virtual terminal that a key asks for: Ctrl+Alt+F1 to F12, with or without the keymap's own symbols for that.
fn terminal(modifiers: &ModifiersState, modified: Keysym, key: Keysym) -> Option<u32> {
    let from = |first: Keysym, key: Keysym| (first.raw()..first.raw() + 12).contains(&key.raw()).then(|| key.raw() - first.raw() + 1);
    from(Keysym::XF86_Switch_VT_1, modified).or_else(|| if modifiers.ctrl && modifiers.alt { from(Keysym::F1, key) } else { None })
}

impl Gde {
    /// A key is pressed or released.
    pub fn key(&mut self, code: u16, is_pressed: bool, time_ms: u32) {
        // XKB's codes are those of X, which begin at 8.
        let keycode = Keycode::new(u32::from(code) + 8);
        let state = if is_pressed { KeyState::Pressed } else { KeyState::Released };
        let serial = SERIAL_COUNTER.next_serial();
        let keyboard = self.keyboard.clone();
        let meaning = keyboard.input(self, keycode, state, serial, time_ms, |gde, modifiers, handle| {
            let key = handle.raw_latin_sym_or_raw_current_sym().unwrap_or_else(|| handle.modified_sym());
            let modified = handle.modified_sym();
            match gde.meaning(keycode, is_pressed, modifiers, key, modified) {
                Some(meaning) => FilterResult::Intercept(meaning),
                None => FilterResult::Forward,
            }
        });
        match meaning {
            Some(Meaning::Act(action)) => {
                // What has to do with windows is wanted without the box above them.
                let is_about_it = matches!(action, DesktopAction::QuickSettings | DesktopAction::ToggleQuiet | DesktopAction::DismissNotices | DesktopAction::Screenshot { .. });
                if !is_about_it {
                    self.close_quick();
                    self.close_menu(None);
                }
                if let Err(problem) = self.act(&action) {
                    tracing::debug!("{action}: {problem}");
                }
            }
            Some(Meaning::Terminal(number)) => self.backend.switch_terminal(number),
            Some(Meaning::Own(key, text)) => {
                if self.lock.is_locked {
                    self.lock_key(key, text);
                } else if self.region.is_some() {
                    self.region_key(key);
                } else if self.menu.is_some() {
                    self.menu_key(key);
                } else if self.quick.is_open() {
                    self.quick_key(key);
                } else if self.launcher.is_some() {
                    self.launcher_key(key, text);
                } else {
                    self.overview_key(key, text);
                }
            }
            Some(Meaning::Nothing) | None => {}
        }
        if !is_pressed && self.switcher.is_some() && !keyboard.modifier_state().alt {
            self.end_switching();
        }
    }

    fn meaning(&mut self, keycode: Keycode, is_pressed: bool, modifiers: &ModifiersState, key: Keysym, modified: Keysym) -> Option<Meaning> {
        let is_super = matches!(key, Keysym::Super_L | Keysym::Super_R);
        if !is_pressed {
            let was_alone = std::mem::take(&mut self.is_super_alone);
            let was_ours = self.suppressed.remove(&keycode);
            if is_super && was_alone && !self.lock.is_locked {
                return Some(Meaning::Act(DesktopAction::Launcher));
            }
            return was_ours.then_some(Meaning::Nothing);
        }
        self.is_super_alone = is_super && !modifiers.alt && !modifiers.ctrl && !modifiers.shift;
        let meaning = self.meaning_of_press(modifiers, key, modified, is_super)?;
        self.suppressed.insert(keycode);
        Some(meaning)
    }

    fn meaning_of_press(&mut self, modifiers: &ModifiersState, key: Keysym, modified: Keysym, is_super: bool) -> Option<Meaning> {
        if let Some(number) = terminal(modifiers, modified, key) {
            return Some(Meaning::Terminal(number));
        }
        if self.lock.is_locked {
            let is_ours = self.lock.own.is_some() && self.lock.surfaces.is_empty();
            return (is_ours && !modified.is_modifier_key()).then(|| Meaning::Own(modified, modified.key_char()));
        }
        if is_super {
            return None;
        }
        if self.switcher.is_some() && key == Keysym::Escape {
            self.switcher = None;
            self.queue_redraws();
            return Some(Meaning::Nothing);
        }
        // Their keys are ours only while there is something to accept.
        let is_meant = |action: &DesktopAction| !matches!(action, DesktopAction::AcceptOffer | DesktopAction::DismissOffer) || self.arrangement.notice().is_some();
        if let Some(action) = binding(modifiers, key).filter(is_meant).filter(|_| self.region.is_none()) {
            return Some(Meaning::Act(action));
        }
        let is_open = self.launcher.is_some() || self.overview.is_some() || self.region.is_some() || self.quick.is_open() || self.menu.is_some();
        (is_open && !modified.is_modifier_key()).then(|| Meaning::Own(modified, modified.key_char()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_manual() {
        let with = |logo, alt, shift| ModifiersState { logo, alt, shift, ..ModifiersState::default() };
        let text = |modifiers: &ModifiersState, key| binding(modifiers, key).map(|action| action.to_string());
        let logo = with(true, false, false);
        for (key, action) in [
            (Keysym::t, "terminal"),
            (Keysym::q, "close"),
            (Keysym::Left, "snap left"),
            (Keysym::Tab, "overview"),
            (Keysym::l, "lock"),
            (Keysym::a, "quick-settings"),
            (Keysym::n, "dismiss-notices"),
            (Keysym::Return, "accept-offer"),
            (Keysym::d, "toggle-focus-mode"),
            (Keysym::Escape, "dismiss-offer"),
            (Keysym::z, "undo"),
            (Keysym::_3, "workspace 3"),
        ] {
            assert_eq!(text(&logo, key).as_deref(), Some(action));
            assert_eq!(text(&with(false, false, false), key), None, "without Super it belongs to the client");
        }
        assert_eq!(text(&with(false, true, false), Keysym::Tab).as_deref(), Some("next-window"));
        for (modifiers, action) in [(with(false, false, false), "screenshot screen"), (with(false, true, false), "screenshot window"), (logo, "screenshot window"), (with(false, false, true), "screenshot region")] {
            assert_eq!(text(&modifiers, Keysym::Print).as_deref(), Some(action));
        }
        assert_eq!(text(&with(true, false, true), Keysym::_2).as_deref(), Some("move-to 2"));
    }
}
