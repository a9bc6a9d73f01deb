//! What happens to windows: they appear, are arranged, get the keyboard, and go.

use gde_layout::{Edges, Mode, Place, Point, Rect, Size, State};
use smithay::desktop::{PopupKind, WindowSurfaceType, find_popup_root_surface, layer_map_for_output};
use smithay::input::pointer::MotionEvent;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel::State as Toplevel;
use smithay::reexports::wayland_server::Resource;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point as At, SERIAL_COUNTER};
use smithay::wayland::shell::wlr_layer::{KeyboardInteractivity, Layer};
use smithay::wayland::shell::xdg::ToplevelSurface;

use crate::state::Gde;
use crate::window::{self, Client, Window, WindowId};

/// Whether a window in this state has all its edges at those of something else.
fn is_filling(state: State) -> bool {
    state != State::Free
}

impl Gde {
    /// The window of a surface.
    pub fn window_of(&self, surface: &WlSurface) -> Option<WindowId> {
        self.layout.windows().find(|window| window.surface() == surface).map(Window::number)
    }

    /// A toplevel's surface was committed.
    pub fn toplevel_committed(&mut self, surface: &WlSurface) {
        if let Some(id) = self.window_of(surface) {
            if window::is_mapped(surface) {
                self.content_changed(id);
            } else if let Some(window) = self.unmap(surface) {
                // It may be shown again later: from the beginning.
                let Client::Xdg(toplevel) = window.client else { return self.x11_surface_gone(window) };
                let pending = crate::handlers::pending::Pending {
                    toplevel,
                    has_decoration: window.has_decoration,
                    state: State::Free,
                    is_configured: false,
                };
                self.pending.push(pending);
            }
            return;
        }
        let Some(index) = self.pending.iter().position(|pending| pending.toplevel.wl_surface() == surface) else { return };
        if !window::is_mapped(surface) {
            self.configure_pending(index);
            return;
        }
        let pending = self.pending.remove(index);
        self.map(pending);
    }

    /// Tells a new toplevel what it may be.
    fn configure_pending(&mut self, index: usize) {
        let at = self.pointer.current_location();
        let usable = match self.screen_at(at).map(|screen| self.screen_rect(screen)) {
            Some(rect) => self.layout.area_of(&rect).usable,
            None => Rect::default(),
        };
        let Some(pending) = self.pending.get_mut(index) else { return };
        if pending.is_configured {
            return;
        }
        pending.is_configured = true;
        let title = if pending.has_decoration { crate::theme::TITLE_HEIGHT } else { 0 };
        let state = pending.state;
        pending.toplevel.with_pending_state(|toplevel| {
            toplevel.bounds = Some((usable.w, (usable.h - title).max(1)).into());
            match state {
                State::Maximized => {
                    toplevel.states.set(Toplevel::Maximized);
                    toplevel.size = Some((usable.w, (usable.h - title).max(1)).into());
                }
                State::Fullscreen => {
                    toplevel.states.set(Toplevel::Fullscreen);
                }
                _ => {}
            }
        });
        pending.toplevel.send_configure();
    }

    /// Shows a toplevel that has its first picture.
    fn map(&mut self, pending: crate::handlers::pending::Pending) {
        self.open_window(Client::Xdg(pending.toplevel), pending.has_decoration, pending.state);
    }

    /// The window that a client's belongs to.
    pub fn parent_of(&self, client: &Client) -> Option<WindowId> {
        match client {
            Client::Xdg(toplevel) => self.window_of(&toplevel.parent()?),
            Client::X11(toplevel) => self.window_of_x11(toplevel.facts.parent?),
        }
    }

    /// Shows a window that has its first picture.
    pub fn open_window(&mut self, client: Client, has_decoration: bool, state: State) -> WindowId {
        let surface = client.surface().clone();
        let parent = self.parent_of(&client);
        let (title, app_id) = client.names();
        let handle = self.protocols.foreign_toplevels.new_toplevel::<Gde>(title, app_id);
        let id = self.next_window;
        self.next_window += 1;
        let window = Window::new(id, client, has_decoration, handle, self.clock.now());
        let content = window::geometry(&surface).size;
        let size = Size { w: content.w, h: content.h.saturating_add(window.title_height()) };
        self.layout.open(window, size, parent);
        if state != State::Free {
            self.layout.set_state(id, state);
        }
        if let Some(screen) = self.screens.first() {
            screen.output.enter(&surface);
        }
        self.layout_changed();
        id
    }

    /// A window is gone.
    pub fn unmap(&mut self, surface: &WlSurface) -> Option<Window> {
        let id = self.window_of(surface)?;
        let window = self.layout.close(id)?;
        self.protocols.foreign_toplevels.remove_toplevel(&window.handle);
        self.layout_changed();
        Some(window)
    }

    /// A window has another picture, perhaps of another size.
    fn content_changed(&mut self, id: WindowId) {
        let (size, keep) = {
            let Some(window) = self.layout.window_mut(id) else { return };
            window.update_limits();
            let content = window::geometry(window.surface()).size;
            (Size { w: content.w, h: content.h.saturating_add(window.title_height()) }, window.keep)
        };
        if self.layout.dragged() == Some(id) || self.layout.frame(id).is_none_or(|frame| frame.size() == size) {
            return;
        }
        // Not before it has drawn what it was told last.
        let is_settled = self.layout.window(id).is_some_and(|window| match &window.client {
            Client::Xdg(toplevel) => !toplevel.has_pending_changes() && has_acked(toplevel),
            // It asks for another size.
            Client::X11(_) => false,
        });
        if is_settled {
            self.layout.resized_itself(id, size, keep);
            self.sync_windows();
        }
    }

    /// A client calls its window something else.
    pub fn names_changed(&mut self, toplevel: &ToplevelSurface) {
        if let Some(id) = self.window_of(toplevel.wl_surface()) {
            self.tell_names(id);
        }
    }

    /// Tells others what a window is called now.
    pub fn tell_names(&mut self, id: WindowId) {
        if let Some(window) = self.layout.window(id) {
            let (title, app_id) = window.names();
            window.handle.send_title(&title);
            window.handle.send_app_id(&app_id);
            window.handle.send_done();
            self.windows_changed();
            self.queue_redraws();
        }
    }

    /// Everything that follows from the layout is brought up to date.
    pub fn layout_changed(&mut self) {
        self.sync_windows();
        self.update_focus();
        self.update_pointer_focus();
        self.windows_changed();
        self.note_windows();
        self.queue_redraws();
    }

    /// Tells clients what size and state their windows have.
    pub fn sync_windows(&mut self) {
        let focus = self.layout.focus();
        let dragged = self.layout.dragged();
        let ids: Vec<WindowId> = self.layout.windows().map(Window::number).collect();
        for id in ids {
            let Some(place) = self.layout.place(id).copied() else { continue };
            if let Some(window) = self.layout.window_mut(id) {
                window.is_fullscreen = place.state == State::Fullscreen;
            }
            let (Some(frame), Some(window)) = (self.layout.frame(id), self.layout.window(id)) else { continue };
            let is_tiled = self.layout.is_tiled(&place);
            let content = (frame.w.max(1), (frame.h - window.title_height()).max(1));
            let is_visible = self.layout.is_visible(id);
            let Client::Xdg(toplevel) = &window.client else { continue };
            toplevel.with_pending_state(|state| {
                let mut set = |flag: Toplevel, value: bool| if value { state.states.set(flag) } else { state.states.unset(flag) };
                set(Toplevel::Activated, focus == Some(id));
                set(Toplevel::Maximized, place.state == State::Maximized);
                set(Toplevel::Fullscreen, place.state == State::Fullscreen);
                set(Toplevel::Resizing, dragged == Some(id) && window.keep != Edges::default());
                set(Toplevel::Suspended, !is_visible);
                for (flag, value) in tiled_edges(place.state, is_tiled) {
                    set(flag, value);
                }
                state.size = Some(content.into());
            });
            toplevel.send_pending_configure();
        }
        self.sync_x11();
    }

    /// Gives the keyboard to whom it belongs.
    pub fn update_focus(&mut self) {
        let wanted = self.wanted_focus();
        self.end_popup_grab(wanted.as_ref());
        if self.keyboard.current_focus() != wanted && !self.keyboard.is_grabbed() {
            let keyboard = self.keyboard.clone();
            keyboard.set_focus(self, wanted, SERIAL_COUNTER.next_serial());
        }
    }

    /// Popups that hold the keyboard and the pointer go when the keyboard belongs to another window.
    fn end_popup_grab(&mut self, wanted: Option<&WlSurface>) {
        self.popup_grab.take_if(|grab| grab.has_ended());
        let root = self.popup_grab.as_ref().and_then(|grab| grab.current_grab()).map(|popup| self.root_of(&popup));
        if root.is_none() || root.as_ref() == wanted {
            return;
        }
        let Some(mut grab) = self.popup_grab.take() else { return };
        grab.ungrab(smithay::desktop::PopupUngrabStrategy::All);
        let (keyboard, pointer) = (self.keyboard.clone(), self.pointer.clone());
        if keyboard.has_grab(grab.serial()) {
            keyboard.unset_grab(self);
        }
        if pointer.has_grab(grab.serial()) {
            pointer.unset_grab(self, grab.serial(), self.clock.now_ms());
            pointer.frame(self);
        }
    }

    fn wanted_focus(&mut self) -> Option<WlSurface> {
        if self.lock.is_locked {
            return self.lock.surfaces.values().find(|surface| surface.alive()).map(|surface| surface.wl_surface().clone());
        }
        // What is ours reads the keys itself.
        if self.launcher.is_some() || self.overview.is_some() || self.region.is_some() || self.quick.is_open() || self.menu.is_some() {
            return None;
        }
        self.layer_focus.take_if(|surface| !surface.is_alive());
        for screen in &self.screens {
            let map = layer_map_for_output(&screen.output);
            let layers = map.layers().rev().filter(|layer| matches!(layer.layer(), Layer::Overlay | Layer::Top));
            let mut exclusive = layers.filter(|layer| layer.cached_state().keyboard_interactivity == KeyboardInteractivity::Exclusive);
            if let Some(layer) = exclusive.find(|layer| window::is_mapped(layer.wl_surface())) {
                return Some(layer.wl_surface().clone());
            }
        }
        if let Some(surface) = &self.layer_focus {
            return Some(surface.clone());
        }
        let focus = self.layout.focus()?;
        self.layout.window(focus).map(|window| window.surface().clone())
    }

    /// Shows a window above the others and gives it the keyboard.
    pub fn activate(&mut self, id: WindowId) {
        self.layer_focus = None;
        self.layout.activate(id);
        self.layout_changed();
    }

    /// The frame of a window as it is drawn: while a client has not yet taken the size it was told, its own.
    pub fn shown_frame(&self, id: WindowId) -> Option<Rect> {
        let frame = self.layout.frame(id)?;
        let (window, place) = (self.layout.window(id)?, self.layout.place(id)?);
        if is_filling(place.state) || self.layout.is_tiled(place) {
            return Some(frame);
        }
        let content = window::geometry(window.surface()).size;
        let (w, h) = (content.w, content.h.saturating_add(window.title_height()));
        let x = if window.keep.right { frame.right() - w } else { frame.x };
        let y = if window.keep.bottom { frame.bottom() - h } else { frame.y };
        Some(Rect::new(x, y, w, h))
    }

    /// Where a window's content begins.
    pub fn content_location(&self, id: WindowId) -> Option<At<i32, Logical>> {
        let frame = self.shown_frame(id)?;
        Some((frame.x, frame.y + self.layout.window(id)?.title_height()).into())
    }

    /// Where the surface of a window begins, with shadows that the client draws.
    pub fn surface_location(&self, id: WindowId) -> Option<At<i32, Logical>> {
        let window = self.layout.window(id)?;
        Some(self.content_location(id)? - window::geometry(window.surface()).loc)
    }

    /// Begins to move or resize a window.
    pub fn begin_drag(&mut self, id: WindowId, at: Point, edges: Edges) {
        if !self.layout.begin_drag(id, at, edges) {
            return;
        }
        if let Some(window) = self.layout.window_mut(id) {
            // The edges opposite to those that are moved stay.
            window.keep = Edges { right: edges.left, bottom: edges.top, left: edges.right, top: edges.bottom };
        }
        self.activate(id);
        // What was under the pointer does not get it until the end.
        let pointer = self.pointer.clone();
        let event = MotionEvent { location: pointer.current_location(), serial: SERIAL_COUNTER.next_serial(), time: self.clock.now_ms() };
        pointer.motion(self, None, &event);
        pointer.frame(self);
        self.pointer_origin = None;
    }

    /// Whether the windows on a place fill the screen without a frame.
    pub fn fullscreen_on(&self, screen: &Rect) -> Option<WindowId> {
        let top = self.layout.visible().into_iter().rev().find(|id| self.layout.frame(*id).is_some_and(|frame| frame.overlaps(screen)))?;
        (self.layout.place(top)?.state == State::Fullscreen).then_some(top)
    }

    /// The root surface of anything.
    pub fn root_of(&self, surface: &WlSurface) -> WlSurface {
        let mut root = surface.clone();
        while let Some(parent) = smithay::wayland::compositor::get_parent(&root) {
            root = parent;
        }
        match self.popups.find_popup(&root) {
            Some(popup @ PopupKind::Xdg(_)) => find_popup_root_surface(&popup).unwrap_or(root),
            _ => root,
        }
    }

    /// The layer surface of a surface, where it has one.
    pub fn is_layer(&self, surface: &WlSurface) -> Option<KeyboardInteractivity> {
        self.screens.iter().find_map(|screen| {
            let map = layer_map_for_output(&screen.output);
            let layer = map.layer_for_surface(surface, WindowSurfaceType::ALL)?;
            Some(layer.cached_state().keyboard_interactivity)
        })
    }

    /// Tiles the present workspace, or lets its windows float.
    pub fn toggle_tiling(&mut self) {
        let active = self.layout.active();
        let mode = if self.layout.mode(active) == Mode::Tiling { Mode::Floating } else { Mode::Tiling };
        self.layout.set_mode(active, mode);
    }

    /// A window and its place.
    pub fn window_and_place(&self, id: WindowId) -> Option<(&Window, &Place)> {
        Some((self.layout.window(id)?, self.layout.place(id)?))
    }
}

/// Whether a client has drawn what it was told last.
fn has_acked(toplevel: &ToplevelSurface) -> bool {
    smithay::wayland::compositor::with_states(toplevel.wl_surface(), |states| {
        let Some(data) = states.data_map.get::<smithay::wayland::shell::xdg::XdgToplevelSurfaceData>() else { return false };
        data.lock().unwrap_or_else(|error| error.into_inner()).pending_configures().is_empty()
    })
}

fn tiled_edges(state: State, is_tiled: bool) -> [(Toplevel, bool); 4] {
    use gde_layout::Zone::{BottomLeft, BottomRight, Left, Right, TopLeft, TopRight};
    let zone = match state {
        State::Snapped(zone) => Some(zone),
        _ => None,
    };
    let any = |zones: &[gde_layout::Zone]| is_tiled || zone.is_some_and(|zone| zones.contains(&zone));
    [
        (Toplevel::TiledLeft, any(&[Left, TopLeft, BottomLeft])),
        (Toplevel::TiledRight, any(&[Right, TopRight, BottomRight])),
        (Toplevel::TiledTop, any(&[Left, Right, TopLeft, TopRight])),
        (Toplevel::TiledBottom, any(&[Left, Right, BottomLeft, BottomRight])),
    ]
}
