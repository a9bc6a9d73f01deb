//! Windows and popups.

use gde_layout::{Edges, Point, State};
use smithay::delegate_xdg_decoration;
use smithay::delegate_xdg_shell;
use smithay::desktop::{PopupKeyboardGrab, PopupKind, PopupManager, PopupPointerGrab, PopupUngrabStrategy, find_popup_root_surface, get_popup_toplevel_coords, layer_map_for_output};
use smithay::input::Seat;
use smithay::input::pointer::Focus;
use smithay::reexports::wayland_protocols::xdg::decoration::zv1::server::zxdg_toplevel_decoration_v1::Mode;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel::ResizeEdge;
use smithay::reexports::wayland_server::protocol::{wl_output::WlOutput, wl_seat::WlSeat};
use smithay::utils::{Rectangle, Serial};
use smithay::wayland::shell::xdg::decoration::XdgDecorationHandler;
use smithay::wayland::shell::xdg::{PopupSurface, PositionerState, ToplevelSurface, XdgShellHandler, XdgShellState};

use crate::handlers::pending::Pending;
use crate::state::Gde;

impl XdgShellHandler for Gde {
    fn xdg_shell_state(&mut self) -> &mut XdgShellState {
        &mut self.protocols.xdg_shell
    }

    fn new_toplevel(&mut self, surface: ToplevelSurface) {
        self.pending.push(Pending { toplevel: surface, has_decoration: false, state: State::Free, is_configured: false });
    }

    fn toplevel_destroyed(&mut self, surface: ToplevelSurface) {
        self.pending.retain(|pending| pending.toplevel != surface);
        self.unmap(surface.wl_surface());
    }

    fn new_popup(&mut self, surface: PopupSurface, positioner: PositionerState) {
        surface.with_pending_state(|state| {
            state.positioner = positioner;
            state.geometry = positioner.get_geometry();
        });
        self.constrain_popup(&surface);
        if let Err(error) = self.popups.track_popup(PopupKind::from(surface)) {
            tracing::debug!("a popup cannot be followed: {error:?}");
        }
    }

    fn reposition_request(&mut self, surface: PopupSurface, positioner: PositionerState, token: u32) {
        surface.with_pending_state(|state| {
            state.positioner = positioner;
            state.geometry = positioner.get_geometry();
        });
        self.constrain_popup(&surface);
        surface.send_repositioned(token);
    }

    fn grab(&mut self, surface: PopupSurface, seat: WlSeat, serial: Serial) {
        let Some(seat) = Seat::<Gde>::from_resource(&seat) else { return };
        let kind = PopupKind::Xdg(surface);
        let Ok(root) = find_popup_root_surface(&kind) else { return };
        let Ok(mut grab) = self.popups.grab_popup(root, kind, &seat, serial) else { return };
        let is_other = |is_grabbed: bool, has_ours: bool| is_grabbed && !has_ours;
        let before = grab.previous_serial().unwrap_or(serial);
        if let Some(keyboard) = seat.get_keyboard() {
            if is_other(keyboard.is_grabbed(), keyboard.has_grab(serial) || keyboard.has_grab(before)) {
                grab.ungrab(PopupUngrabStrategy::All);
                return;
            }
            keyboard.set_focus(self, grab.current_grab(), serial);
            keyboard.set_grab(self, PopupKeyboardGrab::new(&grab), serial);
        }
        if let Some(pointer) = seat.get_pointer() {
            if is_other(pointer.is_grabbed(), pointer.has_grab(serial) || pointer.has_grab(before)) {
                grab.ungrab(PopupUngrabStrategy::All);
                return;
            }
            pointer.set_grab(self, PopupPointerGrab::new(&grab), serial, Focus::Keep);
        }
        self.popup_grab = Some(grab);
    }

    fn popup_destroyed(&mut self, _surface: PopupSurface) {
        // While its surface is alive, it can still be told that the pointer leaves it.
        self.popups.cleanup();
        self.update_pointer_focus();
        self.queue_redraws();
    }

    fn move_request(&mut self, surface: ToplevelSurface, seat: WlSeat, serial: Serial) {
        self.begin_client_drag(&surface, &seat, serial, Edges::default());
    }

    fn resize_request(&mut self, surface: ToplevelSurface, seat: WlSeat, serial: Serial, edges: ResizeEdge) {
        use ResizeEdge::{Bottom, BottomLeft, BottomRight, Left, Right, Top, TopLeft, TopRight};
        let edges = Edges {
            left: matches!(edges, Left | TopLeft | BottomLeft),
            right: matches!(edges, Right | TopRight | BottomRight),
            top: matches!(edges, Top | TopLeft | TopRight),
            bottom: matches!(edges, Bottom | BottomLeft | BottomRight),
        };
        if edges != Edges::default() {
            self.begin_client_drag(&surface, &seat, serial, edges);
        }
    }

    fn maximize_request(&mut self, surface: ToplevelSurface) {
        self.wants_state(&surface, State::Maximized);
    }

    fn unmaximize_request(&mut self, surface: ToplevelSurface) {
        self.wants_no_more(&surface, State::Maximized);
    }

    fn fullscreen_request(&mut self, surface: ToplevelSurface, _output: Option<WlOutput>) {
        self.wants_state(&surface, State::Fullscreen);
    }

    fn unfullscreen_request(&mut self, surface: ToplevelSurface) {
        self.wants_no_more(&surface, State::Fullscreen);
    }

    fn minimize_request(&mut self, surface: ToplevelSurface) {
        if let Some(id) = self.window_of(surface.wl_surface()) {
            self.layout.set_minimized(id, true);
            self.layout_changed();
        }
    }

    fn title_changed(&mut self, surface: ToplevelSurface) {
        self.names_changed(&surface);
    }

    fn app_id_changed(&mut self, surface: ToplevelSurface) {
        self.names_changed(&surface);
    }
}

impl Gde {
    /// A client asks for a state; it gets an answer in any case.
    fn wants_state(&mut self, surface: &ToplevelSurface, state: State) {
        match self.window_of(surface.wl_surface()) {
            Some(id) => {
                self.layout.set_state(id, state);
                self.layout_changed();
            }
            None => {
                if let Some(pending) = self.pending.iter_mut().find(|pending| pending.toplevel == *surface) {
                    pending.state = state;
                }
            }
        }
        if surface.is_initial_configure_sent() {
            surface.send_configure();
        }
    }

    fn wants_no_more(&mut self, surface: &ToplevelSurface, state: State) {
        match self.window_of(surface.wl_surface()) {
            Some(id) => {
                if let Some(place) = self.layout.place(id).copied().filter(|place| place.state == state) {
                    let next = if state == State::Fullscreen { place.before_fullscreen } else { State::Free };
                    self.layout.set_state(id, next);
                    self.layout_changed();
                }
            }
            None => {
                if let Some(pending) = self.pending.iter_mut().find(|pending| pending.toplevel == *surface && pending.state == state) {
                    pending.state = State::Free;
                }
            }
        }
        if surface.is_initial_configure_sent() {
            surface.send_configure();
        }
    }

    /// A client moves or resizes its window by the pointer: only while it holds a button on it.
    fn begin_client_drag(&mut self, surface: &ToplevelSurface, seat: &WlSeat, serial: Serial, edges: Edges) {
        let Some(id) = self.window_of(surface.wl_surface()) else { return };
        if Seat::<Gde>::from_resource(seat).as_ref() != Some(&self.seat) || !self.pointer.has_grab(serial) {
            return;
        }
        let Some(start) = self.pointer.grab_start_data() else { return };
        let same_client = |one: &smithay::reexports::wayland_server::protocol::wl_surface::WlSurface| {
            use smithay::reexports::wayland_server::Resource;
            one.id().same_client_as(&surface.wl_surface().id())
        };
        if !start.focus.as_ref().is_some_and(|(focus, _)| same_client(focus)) {
            return;
        }
        let at = Point { x: start.location.x as i32, y: start.location.y as i32 };
        let now = self.clock.now_ms();
        let pointer = self.pointer.clone();
        pointer.unset_grab(self, serial, now);
        pointer.frame(self);
        self.begin_drag(id, at, edges);
    }

    /// A popup stays on the screen.
    fn constrain_popup(&self, popup: &PopupSurface) {
        let kind = PopupKind::Xdg(popup.clone());
        let Ok(root) = find_popup_root_surface(&kind) else { return };
        let parent = get_popup_toplevel_coords(&kind);
        let (origin, screen) = match self.window_of(&root) {
            Some(id) => {
                let Some(place) = self.content_location(id) else { return };
                let Some(frame) = self.layout.frame(id) else { return };
                (place, self.layout.area_of(&frame).full)
            }
            None => {
                let found = self.screens.iter().find_map(|screen| {
                    let map = layer_map_for_output(&screen.output);
                    let layer = map.layers().find(|layer| *layer.wl_surface() == root)?;
                    let geometry = map.layer_geometry(layer)?;
                    let rect = self.screen_rect(screen);
                    Some(((geometry.loc.x + rect.x, geometry.loc.y + rect.y).into(), rect))
                });
                let Some(found) = found else { return };
                found
            }
        };
        let target = Rectangle::new((screen.x - origin.x - parent.x, screen.y - origin.y - parent.y).into(), (screen.w, screen.h).into());
        popup.with_pending_state(|state| state.geometry = state.positioner.get_unconstrained_geometry(target));
    }

    /// Popups of a surface are closed, as when another window is clicked on.
    pub fn dismiss_popups(surface: &smithay::reexports::wayland_server::protocol::wl_surface::WlSurface) {
        for (popup, _) in PopupManager::popups_for_surface(surface) {
            if PopupManager::dismiss_popup(surface, &popup).is_err() {
                break;
            }
        }
    }
}

impl XdgDecorationHandler for Gde {
    fn new_decoration(&mut self, toplevel: ToplevelSurface) {
        self.set_decoration(&toplevel, Mode::ServerSide);
    }

    fn request_mode(&mut self, toplevel: ToplevelSurface, mode: Mode) {
        self.set_decoration(&toplevel, mode);
    }

    fn unset_mode(&mut self, toplevel: ToplevelSurface) {
        self.set_decoration(&toplevel, Mode::ServerSide);
    }
}

impl Gde {
    fn set_decoration(&mut self, toplevel: &ToplevelSurface, mode: Mode) {
        let has_decoration = mode != Mode::ClientSide;
        let mode = if has_decoration { Mode::ServerSide } else { Mode::ClientSide };
        toplevel.with_pending_state(|state| state.decoration_mode = Some(mode));
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.toplevel == *toplevel) {
            pending.has_decoration = has_decoration;
        }
        if let Some(id) = self.window_of(toplevel.wl_surface())
            && let Some(window) = self.layout.window_mut(id)
        {
            window.has_decoration = has_decoration;
            window.update_limits();
            self.layout_changed();
        }
        if toplevel.is_initial_configure_sent() {
            toplevel.send_configure();
        }
    }
}

delegate_xdg_shell!(Gde);
delegate_xdg_decoration!(Gde);
