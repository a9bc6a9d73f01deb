//! Windows of X11 programs among the others.

use gde_layout::{Edges, Point, Rect, Size, State};
use smithay::reexports::wayland_server::Resource;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point as At, SERIAL_COUNTER};
use smithay::wayland::compositor::{get_role, give_role};

use super::message::{Change, Command, Event, Facts, States, Wish, XWindow};
use crate::state::Gde;
use crate::window::{self, Client, Window, WindowId};

/// What surfaces of X11 windows are to the compositor; one that is something else, such as the pointer's image, is no window.
const ROLE: &str = "x11_window";

/// A window of an X11 program that is shown.
#[derive(Debug)]
pub struct Toplevel {
    /// Its number at the X server.
    pub window: XWindow,
    /// Its picture.
    pub surface: WlSurface,
    /// What its program says of it.
    pub facts: Facts,
    number: u32,
    told: Option<(Rect, i32)>,
    states: Option<States>,
}

/// Something that places itself: a menu, a tooltip, what is dragged.
#[derive(Debug)]
pub struct Unmanaged {
    /// Its picture.
    pub surface: WlSurface,
    /// Where it is.
    pub rect: Rect,
    window: XWindow,
    number: u32,
}

/// A window whose picture is not there yet.
#[derive(Debug)]
pub struct Waiting {
    window: XWindow,
    /// Of its surface.
    number: u32,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Managed(Box<Facts>),
    Unmanaged(Rect),
}

impl Gde {
    /// Does what is to be done about something that the window manager's thread says.
    pub(super) fn x11_event(&mut self, event: Event) {
        match event {
            Event::Ready => {
                tracing::debug!("X11 programs are served");
                self.x11_ready();
            }
            Event::Shown(window, number, facts) => {
                self.x11.waiting.push(Waiting { window, number, kind: Kind::Managed(facts) });
                self.show_x11();
            }
            Event::ShownUnmanaged(window, number, rect) => {
                self.x11.waiting.push(Waiting { window, number, kind: Kind::Unmanaged(rect) });
                self.show_x11();
            }
            Event::Moved(window, rect) => {
                for waiting in &mut self.x11.waiting {
                    if let Kind::Unmanaged(there) = &mut waiting.kind
                        && waiting.window == window
                    {
                        *there = rect;
                    }
                }
                if let Some(unmanaged) = self.x11.unmanaged.iter_mut().find(|it| it.window == window) {
                    unmanaged.rect = rect;
                    self.queue_redraws();
                }
            }
            Event::Changed(window, facts) => self.x11_changed(window, *facts),
            Event::Hidden(window) => self.x11_hidden(window),
            Event::Wants(window, wish) => self.x11_wants(window, wish),
            Event::Offers(target, forms) => self.x11_offers(target, forms),
            Event::Asks(target, form, to) => self.x11_asks(target, form, to),
            Event::Idle => self.x11_over("no program needs it any more"),
            Event::Ended(reason) => self.x11_over(&reason),
        }
    }

    /// The window of a number at the X server.
    pub fn window_of_x11(&self, window: XWindow) -> Option<WindowId> {
        self.layout.windows().find(|it| matches!(&it.client, Client::X11(toplevel) if toplevel.window == window)).map(Window::number)
    }

    fn x11_toplevel(&mut self, id: WindowId) -> Option<&mut Toplevel> {
        match &mut self.layout.window_mut(id)?.client {
            Client::X11(toplevel) => Some(toplevel),
            Client::Xdg(_) => None,
        }
    }

    /// Shows the windows whose picture is there now. The X server's and the compositor's news of a window come in any order.
    pub fn show_x11(&mut self) {
        let Some(client) = self.x11.server.as_ref().map(|server| server.client.clone()) else { return };
        let mut shown = Vec::new();
        self.x11.waiting.retain(|waiting| {
            let Ok(surface) = client.object_from_protocol_id::<WlSurface>(&self.display, waiting.number) else { return true };
            if !surface.is_alive() || give_role(&surface, ROLE).is_err() && get_role(&surface) != Some(ROLE) || !window::is_mapped(&surface) {
                return true;
            }
            shown.push((waiting.window, waiting.number, surface, waiting.kind.clone()));
            false
        });
        for (window, number, surface, kind) in shown {
            match kind {
                Kind::Managed(facts) => self.open_x11(Toplevel { window, surface, facts: *facts, number, told: None, states: None }),
                Kind::Unmanaged(rect) => {
                    if let Some(screen) = self.screens.first() {
                        screen.output.enter(&surface);
                    }
                    self.x11.unmanaged.push(Unmanaged { surface, rect, window, number });
                    self.queue_redraws();
                }
            }
        }
    }

    fn open_x11(&mut self, toplevel: Toplevel) {
        let (has_decoration, state, is_minimized) = (toplevel.facts.has_decoration, toplevel.facts.state, toplevel.facts.is_minimized);
        let id = self.open_window(Client::X11(toplevel), has_decoration, state);
        if is_minimized {
            self.layout.set_minimized(id, true);
            self.layout_changed();
        }
    }

    /// A surface of Xwayland's has gone before we hear what has become of its window: perhaps the window gets another one of the same number.
    pub fn x11_surface_destroyed(&mut self, surface: &WlSurface) {
        if let Some(index) = self.x11.unmanaged.iter().position(|it| it.surface == *surface) {
            let it = self.x11.unmanaged.remove(index);
            self.x11.waiting.push(Waiting { window: it.window, number: it.number, kind: Kind::Unmanaged(it.rect) });
        }
        let id = self.window_of(surface).filter(|id| self.x11_toplevel(*id).is_some());
        if id.is_some()
            && let Some(window) = self.unmap(surface)
        {
            self.x11_surface_gone(window);
        }
    }

    /// A window has no picture any more, but was not said to be hidden.
    pub fn x11_surface_gone(&mut self, window: Window) {
        if let Client::X11(toplevel) = window.client {
            self.x11.waiting.push(Waiting { window: toplevel.window, number: toplevel.number, kind: Kind::Managed(Box::new(toplevel.facts)) });
        }
    }

    fn x11_hidden(&mut self, window: XWindow) {
        self.x11.waiting.retain(|it| it.window != window);
        self.x11.unmanaged.retain(|it| it.window != window);
        if let Some(surface) = self.window_of_x11(window).and_then(|id| self.layout.window(id)).map(|window| window.surface().clone()) {
            self.unmap(&surface);
        }
        self.queue_redraws();
    }

    /// The X server has gone, and all its windows.
    pub(super) fn x11_windows_gone(&mut self) {
        self.x11.waiting.clear();
        self.x11.unmanaged.clear();
        self.x11.stack.clear();
        let surfaces: Vec<WlSurface> = self.layout.windows().filter(|it| matches!(it.client, Client::X11(_))).map(|it| it.surface().clone()).collect();
        for surface in surfaces {
            self.unmap(&surface);
        }
        self.queue_redraws();
    }

    fn x11_changed(&mut self, window: XWindow, facts: Facts) {
        for waiting in self.x11.waiting.iter_mut().filter(|it| it.window == window) {
            if let Kind::Managed(before) = &mut waiting.kind {
                **before = facts.clone();
            }
        }
        let Some(id) = self.window_of_x11(window) else { return };
        let has_decoration = facts.has_decoration;
        let Some(toplevel) = self.x11_toplevel(id) else { return };
        toplevel.facts = facts;
        if let Some(window) = self.layout.window_mut(id) {
            window.has_decoration = has_decoration;
            window.update_limits();
        }
        self.tell_names(id);
        self.layout_changed();
    }

    fn x11_wants(&mut self, window: XWindow, wish: Wish) {
        let Some(id) = self.window_of_x11(window) else { return };
        match wish {
            Wish::Size(size) => {
                let title = self.layout.window(id).map_or(0, Window::title_height);
                let size = Size { w: size.w, h: size.h.saturating_add(title) };
                if self.layout.dragged() != Some(id) {
                    self.layout.resized_itself(id, size, Edges::default());
                }
                // It gets an answer in any case.
                if let Some(toplevel) = self.x11_toplevel(id) {
                    toplevel.told = None;
                }
                self.layout_changed();
            }
            Wish::State(state, change) => {
                let Some(place) = self.layout.place(id).copied() else { return };
                let is_so = place.state == state;
                let next = match (change, is_so) {
                    (Change::Set, _) | (Change::Toggle, false) => state,
                    (Change::Unset, false) => return,
                    (Change::Unset | Change::Toggle, true) if state == State::Fullscreen => place.before_fullscreen,
                    (Change::Unset | Change::Toggle, true) => State::Free,
                };
                if next != place.state {
                    self.layout.set_state(id, next);
                    self.layout_changed();
                }
            }
            Wish::Minimize => {
                self.layout.set_minimized(id, true);
                self.layout_changed();
            }
            // As among Wayland programs, only who has the keyboard may pass it on; X11 does not tell its programs apart.
            Wish::Activate if self.has_x11_keyboard() => self.activate(id),
            Wish::Activate => {}
            Wish::Close => self.tell_x11(Command::Close(window)),
            Wish::Drag(edges) => self.begin_x11_drag(id, edges),
        }
    }

    /// Whether an X11 program has the keyboard.
    pub(super) fn has_x11_keyboard(&self) -> bool {
        !self.lock.is_locked && self.keyboard.current_focus().is_some_and(|focus| self.is_x11(&focus))
    }

    /// A program has its window moved or resized by the pointer: only while a button is held on one of theirs.
    fn begin_x11_drag(&mut self, id: WindowId, edges: Edges) {
        let Some(start) = self.pointer.grab_start_data() else { return };
        if !start.focus.as_ref().is_some_and(|(focus, _)| self.is_x11(focus)) {
            return;
        }
        let at = Point { x: start.location.x as i32, y: start.location.y as i32 };
        let now = self.clock.now_ms();
        let pointer = self.pointer.clone();
        pointer.unset_grab(self, SERIAL_COUNTER.next_serial(), now);
        pointer.frame(self);
        self.begin_drag(id, at, edges);
    }

    /// Tells X11 programs where their windows are and what they are, where that has changed.
    pub fn sync_x11(&mut self) {
        if self.x11.server.is_none() {
            return;
        }
        let focus = self.layout.focus();
        let ids: Vec<WindowId> = self.layout.windows().filter(|it| matches!(it.client, Client::X11(_))).map(Window::number).collect();
        for id in &ids {
            let (Some(frame), Some((window, place))) = (self.layout.frame(*id), self.window_and_place(*id)) else { continue };
            let title = window.title_height();
            let content = Rect::new(frame.x, frame.y + title, frame.w.max(1), (frame.h - title).max(1));
            let states = States {
                is_maximized: place.state == State::Maximized,
                is_fullscreen: place.state == State::Fullscreen,
                is_minimized: place.is_minimized,
                is_focused: focus == Some(*id),
            };
            let Some(toplevel) = self.x11_toplevel(*id) else { continue };
            let number = toplevel.window;
            let is_elsewhere = toplevel.told.replace((content, title)) != Some((content, title));
            let is_otherwise = toplevel.states.replace(states) != Some(states);
            if is_elsewhere {
                self.tell_x11(Command::Place(number, content, title));
            }
            if is_otherwise {
                self.tell_x11(Command::States(number, states));
            }
        }
        let order = self.layout.stack().iter().filter_map(|id| match &self.layout.window(*id)?.client {
            Client::X11(toplevel) => Some(toplevel.window),
            Client::Xdg(_) => None,
        });
        let order: Vec<XWindow> = order.collect();
        if order != self.x11.stack {
            self.x11.stack = order.clone();
            self.tell_x11(Command::Stack(order));
        }
    }

    /// The keyboard belongs to a surface, or to none.
    pub fn x11_focus_changed(&mut self, focused: Option<&WlSurface>) {
        if self.x11.server.is_none() {
            return;
        }
        let window = focused.and_then(|surface| self.window_of(surface)).and_then(|id| self.x11_toplevel(id)).map(|toplevel| toplevel.window);
        self.tell_x11(Command::Focus(window));
    }

    /// What places itself and is at a place.
    pub fn unmanaged_at(&self, at: At<f64, Logical>) -> Option<(WlSurface, At<f64, Logical>)> {
        let unmanaged = self.x11.unmanaged.iter().rev();
        unmanaged.filter_map(|it| crate::hit::surface_at(&it.surface, (it.rect.x, it.rect.y).into(), at)?.focus()).next()
    }
}
