//! Windows appear, change and go.

use anyhow::Result;
use gde_layout::{Edges, Rect, Size, State};
use x11rb::connection::Connection;
use x11rb::protocol::Event as XEvent;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConfigWindow, ConfigureNotifyEvent, ConfigureRequestEvent, ConfigureWindowAux, ConnectionExt as _,
    EventMask, InputFocus, PropMode, StackMode, CONFIGURE_NOTIFY_EVENT,
};
use x11rb::wrapper::ConnectionExt as _;

use super::Wm;
use super::facts::{self, Read, unless_gone};
use crate::x11::message::{Change, Event, States, Wish, XWindow};

/// Set in what a program has sent, and not the server.
const SENT: u8 = 0x80;
/// Values of WM_STATE.
const NORMAL: u32 = 1;
const ICONIC: u32 = 3;

/// A window of a program.
#[derive(Debug)]
pub struct Known {
    /// Whether it places itself.
    is_unmanaged: bool,
    is_mapped: bool,
    /// Whether the desktop knows that it is shown.
    is_told: bool,
    /// The number of its picture.
    surface: Option<u32>,
    rect: Rect,
    read: Option<Read>,
    /// Its properties have changed.
    is_stale: bool,
    title: i32,
}

impl Wm {
    pub(super) fn handle_event(&mut self, event: XEvent) -> Result<()> {
        match event {
            XEvent::CreateNotify(it) if it.parent == self.root && !self.is_own(it.window) => {
                let rect = Rect::new(it.x.into(), it.y.into(), it.width.into(), it.height.into());
                self.know(it.window, rect, it.override_redirect)?;
            }
            XEvent::ReparentNotify(it) if it.parent != self.root => self.forget(it.window)?,
            XEvent::ReparentNotify(it) if !self.is_own(it.window) => {
                let geometry = unless_gone(self.conn.get_geometry(it.window)?.reply())?;
                if let Some(geometry) = geometry {
                    let rect = Rect::new(it.x.into(), it.y.into(), geometry.width.into(), geometry.height.into());
                    self.know(it.window, rect, it.override_redirect)?;
                }
            }
            XEvent::DestroyNotify(it) => {
                self.selection_window_gone(it.window);
                self.forget(it.window)?;
            }
            XEvent::MapRequest(it) => self.map(it.window)?,
            XEvent::MapNotify(it) if it.event == self.root => {
                if let Some(known) = self.windows.get_mut(&it.window) {
                    known.is_mapped = true;
                    known.is_unmanaged = it.override_redirect;
                }
                self.show(it.window)?;
            }
            XEvent::UnmapNotify(it) if it.event == self.root && it.response_type & SENT == 0 => self.hide(it.window)?,
            XEvent::ConfigureRequest(it) => self.asks_for_place(&it)?,
            XEvent::ConfigureNotify(it) if it.event == self.root => {
                let rect = Rect::new(it.x.into(), it.y.into(), it.width.into(), it.height.into());
                if let Some(known) = self.windows.get_mut(&it.window) {
                    known.rect = rect;
                    if known.is_unmanaged && known.is_told {
                        self.say(Event::Moved(it.window, rect));
                    }
                }
            }
            XEvent::PropertyNotify(it) => {
                if facts::is_of_interest(&self.atoms, it.atom)
                    && let Some(known) = self.windows.get_mut(&it.window)
                {
                    known.is_stale = known.read.is_some();
                }
                self.selection_property(&it)?;
            }
            XEvent::ClientMessage(it) => self.message(&it)?,
            XEvent::SelectionRequest(it) => self.selection_asked(&it)?,
            XEvent::SelectionNotify(it) => self.selection_answered(&it)?,
            XEvent::XfixesSelectionNotify(it) => self.selection_owner_changed(&it)?,
            // Of a window that has gone meanwhile.
            XEvent::Error(error) => tracing::trace!("the X server: {error:?}"),
            _ => {}
        }
        Ok(())
    }

    fn is_own(&self, window: XWindow) -> bool {
        // The server gives each client its own numbers.
        let setup = self.conn.setup();
        window == self.own || window & !setup.resource_id_mask == setup.resource_id_base
    }

    fn know(&mut self, window: XWindow, rect: Rect, is_unmanaged: bool) -> Result<()> {
        let aux = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        self.conn.change_window_attributes(window, &aux)?;
        let known = Known { is_unmanaged, is_mapped: false, is_told: false, surface: None, rect, read: None, is_stale: false, title: 0 };
        self.windows.insert(window, known);
        Ok(())
    }

    fn forget(&mut self, window: XWindow) -> Result<()> {
        self.hide(window)?;
        self.windows.remove(&window);
        Ok(())
    }

    /// A program wants its window shown.
    fn map(&mut self, window: XWindow) -> Result<()> {
        let Some(known) = self.windows.get_mut(&window) else { return Ok(()) };
        let read = facts::read(&self.conn, &self.atoms, window)?;
        known.is_unmanaged = false;
        let state = if read.facts.is_minimized { ICONIC } else { NORMAL };
        known.read = Some(read);
        known.is_stale = false;
        self.conn.change_property32(PropMode::REPLACE, window, self.atoms.WM_STATE, self.atoms.WM_STATE, &[state, 0])?;
        self.conn.map_window(window)?;
        Ok(())
    }

    /// Tells the desktop of a window that is shown and has a picture.
    fn show(&mut self, window: XWindow) -> Result<()> {
        let Some(known) = self.windows.get_mut(&window) else { return Ok(()) };
        let Some(surface) = known.surface.filter(|_| known.is_mapped && !known.is_told) else { return Ok(()) };
        known.is_told = true;
        if known.is_unmanaged {
            let rect = known.rect;
            self.say(Event::ShownUnmanaged(window, surface, rect));
            return Ok(());
        }
        if known.read.is_none() {
            known.read = Some(facts::read(&self.conn, &self.atoms, window)?);
        }
        let facts = known.read.as_ref().map(|read| read.facts.clone()).unwrap_or_default();
        self.say(Event::Shown(window, surface, Box::new(facts)));
        self.list.push(window);
        self.conn.change_property32(PropMode::REPLACE, self.root, self.atoms._NET_CLIENT_LIST, AtomEnum::WINDOW, &self.list)?;
        Ok(())
    }

    /// A window is not shown any more.
    fn hide(&mut self, window: XWindow) -> Result<()> {
        let Some(known) = self.windows.get_mut(&window) else { return Ok(()) };
        known.is_mapped = false;
        known.surface = None;
        // What it says is read again when it appears again.
        known.read = None;
        let was_told = std::mem::take(&mut known.is_told);
        let was_managed = !known.is_unmanaged;
        if was_told {
            self.say(Event::Hidden(window));
        }
        if was_told && was_managed {
            self.list.retain(|it| *it != window);
            self.conn.change_property32(PropMode::REPLACE, self.root, self.atoms._NET_CLIENT_LIST, AtomEnum::WINDOW, &self.list)?;
            // Withdrawn, as ICCCM calls it.
            self.conn.delete_property(window, self.atoms.WM_STATE)?;
            self.conn.delete_property(window, self.atoms._NET_WM_STATE)?;
        }
        if self.focus == Some(window) {
            self.focus = None;
            self.show_focus()?;
        }
        Ok(())
    }

    /// Reads again what programs have changed; whether there was something.
    pub(super) fn refresh_facts(&mut self) -> Result<bool> {
        let stale: Vec<XWindow> = self.windows.iter().filter(|(_, known)| known.is_stale).map(|(window, _)| *window).collect();
        for window in &stale {
            let read = facts::read(&self.conn, &self.atoms, *window)?;
            let Some(known) = self.windows.get_mut(window) else { continue };
            known.is_stale = false;
            let has_changed = known.read.as_ref().is_none_or(|before| before.facts != read.facts);
            let facts = Box::new(read.facts.clone());
            known.read = Some(read);
            if has_changed && known.is_told && !known.is_unmanaged {
                self.say(Event::Changed(*window, facts));
            }
        }
        Ok(!stale.is_empty())
    }

    /// A program wants its window elsewhere, or of another size. Before it is shown it may; then it is the desktop that decides.
    fn asks_for_place(&mut self, asked: &ConfigureRequestEvent) -> Result<()> {
        let mask = asked.value_mask;
        if self.windows.get(&asked.window).is_some_and(|known| known.is_stale) {
            // It has other limits now.
            self.refresh_facts()?;
        }
        let Some(known) = self.windows.get(&asked.window) else { return Ok(()) };
        if known.is_told && !known.is_unmanaged {
            let w = if mask.contains(ConfigWindow::WIDTH) { asked.width.into() } else { known.rect.w };
            let h = if mask.contains(ConfigWindow::HEIGHT) { asked.height.into() } else { known.rect.h };
            self.say(Event::Wants(asked.window, Wish::Size(Size { w, h })));
            return Ok(());
        }
        let mut aux = ConfigureWindowAux::new().border_width(0);
        aux.x = mask.contains(ConfigWindow::X).then_some(asked.x.into());
        aux.y = mask.contains(ConfigWindow::Y).then_some(asked.y.into());
        aux.width = mask.contains(ConfigWindow::WIDTH).then_some(asked.width.into());
        aux.height = mask.contains(ConfigWindow::HEIGHT).then_some(asked.height.into());
        self.conn.configure_window(asked.window, &aux)?;
        Ok(())
    }

    /// A message of the server or of a program.
    fn message(&mut self, message: &ClientMessageEvent) -> Result<()> {
        let window = message.window;
        let atoms = &self.atoms;
        if message.format != 32 {
            return Ok(());
        }
        let data = message.data.as_data32();
        if message.type_ == atoms.WL_SURFACE_ID {
            // Only the server knows which picture is whose.
            if message.response_type & SENT == 0
                && let Some(known) = self.windows.get_mut(&window)
            {
                known.surface = Some(data[0]);
                return self.show(window);
            }
            return Ok(());
        }
        if !self.windows.get(&window).is_some_and(|known| known.is_told && !known.is_unmanaged) {
            return Ok(());
        }
        let wishes = if message.type_ == atoms._NET_WM_STATE {
            self.state_wishes(&data)
        } else if message.type_ == atoms.WM_CHANGE_STATE && data[0] == ICONIC {
            vec![Wish::Minimize]
        } else if message.type_ == atoms._NET_ACTIVE_WINDOW || message.type_ == atoms.WM_CHANGE_STATE && data[0] == NORMAL {
            vec![Wish::Activate]
        } else if message.type_ == atoms._NET_CLOSE_WINDOW {
            vec![Wish::Close]
        } else if message.type_ == atoms._NET_WM_MOVERESIZE {
            edges(data[2]).map(Wish::Drag).into_iter().collect()
        } else {
            Vec::new()
        };
        for wish in wishes {
            self.say(Event::Wants(window, wish));
        }
        Ok(())
    }

    /// What a _NET_WM_STATE message wants: one change of up to two states.
    fn state_wishes(&self, data: &[u32; 5]) -> Vec<Wish> {
        let atoms = &self.atoms;
        let change = match data[0] {
            0 => Change::Unset,
            1 => Change::Set,
            2 => Change::Toggle,
            _ => return Vec::new(),
        };
        let names = &data[1..3];
        let mut wishes = Vec::new();
        if names.contains(&atoms._NET_WM_STATE_FULLSCREEN) {
            wishes.push(Wish::State(State::Fullscreen, change));
        }
        // One direction alone is no state of ours.
        if names.contains(&atoms._NET_WM_STATE_MAXIMIZED_HORZ) && names.contains(&atoms._NET_WM_STATE_MAXIMIZED_VERT) {
            wishes.push(Wish::State(State::Maximized, change));
        }
        if names.contains(&atoms._NET_WM_STATE_HIDDEN) && change == Change::Set {
            wishes.push(Wish::Minimize);
        }
        wishes
    }

    /// A window is there. It is told in any case: programs that have asked for a place wait for an answer.
    pub(super) fn place(&mut self, window: XWindow, rect: Rect, title: i32) -> Result<()> {
        let Some(known) = self.windows.get_mut(&window) else { return Ok(()) };
        let has_size = (known.rect.w, known.rect.h) != (rect.w, rect.h);
        let has_title = known.title != title;
        known.rect = rect;
        known.title = title;
        let (w, h) = (rect.w.clamp(1, 32767) as u32, rect.h.clamp(1, 32767) as u32);
        self.conn.configure_window(window, &ConfigureWindowAux::new().x(rect.x).y(rect.y).width(w).height(h).border_width(0))?;
        if !has_size {
            // Of a window that is only moved, or not even that, the server says nothing that programs take as an answer.
            let notify = ConfigureNotifyEvent {
                response_type: CONFIGURE_NOTIFY_EVENT,
                sequence: 0,
                event: window,
                window,
                above_sibling: x11rb::NONE,
                x: rect.x.clamp(-32768, 32767) as i16,
                y: rect.y.clamp(-32768, 32767) as i16,
                width: w as u16,
                height: h as u16,
                border_width: 0,
                override_redirect: false,
            };
            self.conn.send_event(false, window, EventMask::STRUCTURE_NOTIFY, notify)?;
        }
        if has_title {
            self.conn.change_property32(PropMode::REPLACE, window, self.atoms._NET_FRAME_EXTENTS, AtomEnum::CARDINAL, &[0, 0, title as u32, 0])?;
        }
        Ok(())
    }

    /// A window is so.
    pub(super) fn set_states(&mut self, window: XWindow, states: States) -> Result<()> {
        if !self.windows.get(&window).is_some_and(|known| known.is_told) {
            return Ok(());
        }
        let atoms = &self.atoms;
        let names = [
            (states.is_maximized, atoms._NET_WM_STATE_MAXIMIZED_HORZ),
            (states.is_maximized, atoms._NET_WM_STATE_MAXIMIZED_VERT),
            (states.is_fullscreen, atoms._NET_WM_STATE_FULLSCREEN),
            (states.is_minimized, atoms._NET_WM_STATE_HIDDEN),
            (states.is_focused, atoms._NET_WM_STATE_FOCUSED),
        ];
        let names: Vec<u32> = names.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
        self.conn.change_property32(PropMode::REPLACE, window, atoms._NET_WM_STATE, AtomEnum::ATOM, &names)?;
        let state = if states.is_minimized { ICONIC } else { NORMAL };
        self.conn.change_property32(PropMode::REPLACE, window, atoms.WM_STATE, atoms.WM_STATE, &[state, 0])?;
        Ok(())
    }

    /// A window has the keyboard, or none of ours: how a window wants to be given it, it has said (ICCCM 4.1.7).
    pub(super) fn set_focus(&mut self, window: Option<XWindow>) -> Result<()> {
        self.focus = window.filter(|window| self.windows.contains_key(window));
        let read = self.focus.and_then(|window| self.windows.get(&window)).and_then(|known| known.read.as_ref());
        let takes_input = read.is_some_and(|read| read.takes_input);
        let wants_message = read.is_some_and(|read| read.wants_focus_message);
        if let Some(window) = self.focus.filter(|_| wants_message) {
            self.send(window, self.atoms.WM_TAKE_FOCUS)?;
        }
        if takes_input || !wants_message {
            let target = self.focus.filter(|_| takes_input).unwrap_or(x11rb::NONE);
            self.conn.set_input_focus(InputFocus::POINTER_ROOT, target, x11rb::CURRENT_TIME)?;
        }
        self.show_focus()
    }

    /// Tells programs which window has the keyboard.
    pub(super) fn show_focus(&mut self) -> Result<()> {
        let window = self.focus.unwrap_or(x11rb::NONE);
        self.conn.change_property32(PropMode::REPLACE, self.root, self.atoms._NET_ACTIVE_WINDOW, AtomEnum::WINDOW, &[window])?;
        Ok(())
    }

    /// Sends one of the messages of WM_PROTOCOLS.
    fn send(&self, window: XWindow, protocol: u32) -> Result<()> {
        let event = ClientMessageEvent::new(32, window, self.atoms.WM_PROTOCOLS, [protocol, x11rb::CURRENT_TIME, 0, 0, 0]);
        self.conn.send_event(false, window, EventMask::NO_EVENT, event)?;
        Ok(())
    }

    /// Has a window closed: by asking its program where it listens to that, else by ending its connection.
    pub(super) fn close(&mut self, window: XWindow) -> Result<()> {
        let Some(known) = self.windows.get(&window) else { return Ok(()) };
        if known.read.as_ref().is_some_and(|read| read.can_be_closed) {
            self.send(window, self.atoms.WM_DELETE_WINDOW)
        } else {
            self.conn.kill_client(window)?;
            Ok(())
        }
    }

    /// Puts windows into an order, the lowest first. What places itself stays above.
    pub(super) fn stack(&mut self, order: &[XWindow]) -> Result<()> {
        let order: Vec<XWindow> = order.iter().copied().filter(|window| self.windows.contains_key(window)).collect();
        for pair in order.windows(2) {
            let aux = ConfigureWindowAux::new().sibling(pair[0]).stack_mode(StackMode::ABOVE);
            self.conn.configure_window(pair[1], &aux)?;
        }
        self.show_lists(&order)
    }

    /// Tells programs which windows there are, and in which order.
    pub(super) fn show_lists(&mut self, order: &[XWindow]) -> Result<()> {
        self.conn.change_property32(PropMode::REPLACE, self.root, self.atoms._NET_CLIENT_LIST, AtomEnum::WINDOW, &self.list)?;
        self.conn.change_property32(PropMode::REPLACE, self.root, self.atoms._NET_CLIENT_LIST_STACKING, AtomEnum::WINDOW, order)?;
        Ok(())
    }
}

/// What _NET_WM_MOVERESIZE means by a direction: edges, or none of them to move. By keys nothing is moved.
fn edges(direction: u32) -> Option<Edges> {
    let all = [(true, true, false, false), (false, true, false, false), (false, true, true, false), (false, false, true, false), (false, false, true, true)];
    let (left, top, right, bottom) = match direction {
        0..=4 => all[direction as usize],
        5 => (false, false, false, true),
        6 => (true, false, false, true),
        7 => (true, false, false, false),
        8 => (false, false, false, false),
        _ => return None,
    };
    Some(Edges { left, right, top, bottom })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_go_around() {
        let at = |direction| edges(direction).unwrap();
        assert_eq!(at(0), Edges { left: true, top: true, ..Edges::default() });
        assert_eq!(at(2), Edges { right: true, top: true, ..Edges::default() });
        assert_eq!(at(4), Edges { right: true, bottom: true, ..Edges::default() });
        assert_eq!(at(6), Edges { left: true, bottom: true, ..Edges::default() });
        assert_eq!(at(8), Edges::default());
        assert_eq!(edges(9), None);
    }
}
