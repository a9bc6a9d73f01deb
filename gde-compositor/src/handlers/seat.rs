//! Keyboard, pointer, clipboard, drag and drop, input methods.

use std::os::fd::OwnedFd;

use smithay::desktop::{PopupKind, PopupManager};
use smithay::input::keyboard::LedState;
use smithay::input::pointer::{CursorImageStatus, PointerHandle};
use smithay::input::{Seat, SeatHandler, SeatState};
use smithay::reexports::wayland_server::Resource;
use smithay::reexports::wayland_server::protocol::{wl_data_source::WlDataSource, wl_surface::WlSurface};
use smithay::utils::{Logical, Point, Rectangle};
use smithay::wayland::input_method::{InputMethodHandler, PopupSurface};
use smithay::wayland::pointer_constraints::{PointerConstraintsHandler, with_pointer_constraint};
use smithay::wayland::selection::data_device::{ClientDndGrabHandler, DataDeviceHandler, DataDeviceState, ServerDndGrabHandler, set_data_device_focus};
use smithay::wayland::selection::primary_selection::{PrimarySelectionHandler, PrimarySelectionState, set_primary_focus};
use smithay::wayland::selection::{SelectionHandler, SelectionSource, SelectionTarget, ext_data_control, wlr_data_control};
use smithay::wayland::tablet_manager::TabletSeatHandler;
use smithay::{
    delegate_cursor_shape, delegate_data_control, delegate_data_device, delegate_ext_data_control, delegate_input_method_manager, delegate_pointer_constraints,
    delegate_pointer_gestures, delegate_primary_selection, delegate_relative_pointer, delegate_seat, delegate_text_input_manager,
    delegate_virtual_keyboard_manager,
};

use crate::state::Gde;
use crate::x11::{Command, Own};

impl SeatHandler for Gde {
    type KeyboardFocus = WlSurface;
    type PointerFocus = WlSurface;
    type TouchFocus = WlSurface;

    fn seat_state(&mut self) -> &mut SeatState<Gde> {
        &mut self.seats
    }

    fn focus_changed(&mut self, seat: &Seat<Gde>, focused: Option<&WlSurface>) {
        let client = focused.and_then(|surface| self.display.get_client(surface.id()).ok());
        set_data_device_focus(&self.display, seat, client.clone());
        set_primary_focus(&self.display, seat, client);
        self.x11_focus_changed(focused);
        // The pointer may be locked while this is called.
        self.is_constraint_stale = true;
    }

    fn cursor_image(&mut self, _seat: &Seat<Gde>, image: CursorImageStatus) {
        self.cursor_status = image;
        // The pointer is locked while this is called.
        self.is_cursor_stale = true;
    }

    fn led_state_changed(&mut self, _seat: &Seat<Gde>, leds: LedState) {
        self.backend.set_leds(leds);
    }
}

impl TabletSeatHandler for Gde {}

impl SelectionHandler for Gde {
    type SelectionUserData = Own;

    fn new_selection(&mut self, target: SelectionTarget, source: Option<SelectionSource>, _: Seat<Gde>) {
        self.offer_x11(target, source.map(|source| source.mime_types()).unwrap_or_default());
    }

    fn send_selection(&mut self, target: SelectionTarget, mime_type: String, fd: OwnedFd, _: Seat<Gde>, own: &Self::SelectionUserData) {
        match own {
            Own::Picture(picture) => picture.send(&mime_type, fd),
            Own::X11 => self.tell_x11(Command::Receive(target, mime_type, fd)),
        }
    }
}

impl DataDeviceHandler for Gde {
    fn data_device_state(&self) -> &DataDeviceState {
        &self.protocols.data_device
    }
}

impl ClientDndGrabHandler for Gde {
    fn started(&mut self, _source: Option<WlDataSource>, icon: Option<WlSurface>, _seat: Seat<Gde>) {
        self.drag_icon = icon;
        self.queue_redraws();
    }

    fn dropped(&mut self, _target: Option<WlSurface>, _validated: bool, _seat: Seat<Gde>) {
        self.drag_icon = None;
        self.queue_redraws();
    }
}

impl ServerDndGrabHandler for Gde {}

impl PrimarySelectionHandler for Gde {
    fn primary_selection_state(&self) -> &PrimarySelectionState {
        &self.protocols.primary_selection
    }
}

impl wlr_data_control::DataControlHandler for Gde {
    fn data_control_state(&self) -> &wlr_data_control::DataControlState {
        &self.protocols.wlr_data_control
    }
}

impl ext_data_control::DataControlHandler for Gde {
    fn data_control_state(&self) -> &ext_data_control::DataControlState {
        &self.protocols.ext_data_control
    }
}

impl InputMethodHandler for Gde {
    fn new_popup(&mut self, surface: PopupSurface) {
        if let Err(error) = self.popups.track_popup(PopupKind::from(surface)) {
            tracing::debug!("an input method's popup cannot be followed: {error:?}");
        }
    }

    fn dismiss_popup(&mut self, surface: PopupSurface) {
        if let Some(parent) = surface.get_parent().map(|parent| parent.surface.clone()) {
            // It may be gone already.
            let _ = PopupManager::dismiss_popup(&parent, &PopupKind::from(surface));
        }
    }

    fn popup_repositioned(&mut self, _surface: PopupSurface) {
        self.queue_redraws();
    }

    fn parent_geometry(&self, parent: &WlSurface) -> Rectangle<i32, Logical> {
        self.window_of(parent).map(|_| crate::window::geometry(parent)).unwrap_or_default()
    }
}

impl PointerConstraintsHandler for Gde {
    fn new_constraint(&mut self, surface: &WlSurface, pointer: &PointerHandle<Gde>) {
        if pointer.current_focus().as_ref() == Some(surface) && self.may_hold_pointer(surface) {
            with_pointer_constraint(surface, pointer, |constraint| {
                if let Some(constraint) = constraint {
                    constraint.activate();
                }
            });
        }
    }

    fn cursor_position_hint(&mut self, surface: &WlSurface, pointer: &PointerHandle<Gde>, location: Point<f64, Logical>) {
        let is_active = with_pointer_constraint(surface, pointer, |constraint| constraint.is_some_and(|constraint| constraint.is_active()));
        if is_active
            && let Some(id) = self.window_of(surface)
            && let Some(origin) = self.surface_location(id)
        {
            pointer.set_location(origin.to_f64() + location);
            self.update_cursor();
        }
    }
}

delegate_seat!(Gde);
delegate_cursor_shape!(Gde);
delegate_data_device!(Gde);
delegate_primary_selection!(Gde);
delegate_data_control!(Gde);
delegate_ext_data_control!(Gde);
delegate_input_method_manager!(Gde);
delegate_text_input_manager!(Gde);
delegate_virtual_keyboard_manager!(Gde);
delegate_pointer_constraints!(Gde);
delegate_pointer_gestures!(Gde);
delegate_relative_pointer!(Gde);
