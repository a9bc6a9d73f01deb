//! Where the pointer is and what it does.

use std::time::Duration;

use gde_ipc::TrayButton;
use gde_layout::{Edges, Point};
use smithay::backend::input::{Axis, AxisSource, ButtonState};
use smithay::backend::renderer::utils::with_renderer_surface_state;
use smithay::input::pointer::{AxisFrame, ButtonEvent, CursorImageStatus, MotionEvent, RelativeMotionEvent};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point as At, SERIAL_COUNTER};
use smithay::wayland::pointer_constraints::{PointerConstraint, with_pointer_constraint};
use smithay::wayland::shell::wlr_layer::KeyboardInteractivity;

use crate::decoration::Button;
use crate::hit::Hit;
use crate::panel;
use crate::state::Gde;

/// `BTN_LEFT`.
const LEFT: u16 = 0x110;
/// `BTN_RIGHT`.
const RIGHT: u16 = 0x111;
/// Two clicks are one double click within this time.
const DOUBLE_CLICK_MS: u32 = 400;
/// How far a click of the wheel scrolls, in pixels.
const SCROLL: f64 = 15.0;

/// The place on a surface that is nearest to another one.
fn within(surface: &WlSurface, origin: At<f64, Logical>, at: At<f64, Logical>) -> At<f64, Logical> {
    let Some(size) = with_renderer_surface_state(surface, |state| state.surface_size()).flatten() else { return at };
    let clamp = |value: f64, from: f64, length: i32| value.clamp(from, from + f64::from((length - 1).max(0)));
    (clamp(at.x, origin.x, size.w), clamp(at.y, origin.y, size.h)).into()
}

impl Gde {
    /// The rectangle around all screens.
    fn all_screens(&self) -> (At<f64, Logical>, At<f64, Logical>) {
        let rects: Vec<_> = self.screens.iter().map(|screen| self.screen_rect(screen)).collect();
        let left = rects.iter().map(|rect| rect.x).min().unwrap_or(0);
        let top = rects.iter().map(|rect| rect.y).min().unwrap_or(0);
        let right = rects.iter().map(|rect| rect.right()).max().unwrap_or(1);
        let bottom = rects.iter().map(|rect| rect.bottom()).max().unwrap_or(1);
        ((f64::from(left), f64::from(top)).into(), (f64::from(right), f64::from(bottom)).into())
    }

    /// A place on a screen, as near to this one as can be.
    fn on_screen(&self, at: At<f64, Logical>) -> At<f64, Logical> {
        let Some(screen) = self.screen_at(at) else { return at };
        let rect = self.screen_rect(screen);
        let x = at.x.clamp(f64::from(rect.x), f64::from(rect.right()) - 1.0 / 256.0);
        let y = at.y.clamp(f64::from(rect.y), f64::from(rect.bottom()) - 1.0 / 256.0);
        (x, y).into()
    }

    /// Keeps the pointer on a screen.
    pub fn clamp_pointer(&mut self) {
        if self.screens.is_empty() {
            return;
        }
        let at = self.pointer.current_location();
        let there = self.on_screen(at);
        if there != at {
            self.move_to(there, self.clock.now_ms());
        }
    }

    /// A mouse has moved.
    pub fn pointer_moved(&mut self, dx: f64, dy: f64, time: Duration) {
        let time_ms = time.as_millis() as u32;
        let pointer = self.pointer.clone();
        let at = pointer.current_location();
        let focus = self.hit(at).focus();
        let event = RelativeMotionEvent { delta: (dx, dy).into(), delta_unaccel: (dx, dy).into(), utime: time.as_micros() as u64 };
        pointer.relative_motion(self, focus.clone(), &event);
        let mut to = self.on_screen(at + At::from((dx, dy)));
        if let Some((surface, origin)) = &focus {
            enum Held {
                No,
                Locked,
                Confined,
            }
            let held = with_pointer_constraint(surface, &pointer, |constraint| match constraint {
                Some(constraint) if constraint.is_active() => {
                    let is_within = constraint.region().is_none_or(|region| region.contains((at - *origin).to_i32_floor()));
                    match &*constraint {
                        _ if !is_within => Held::No,
                        PointerConstraint::Locked(_) => Held::Locked,
                        PointerConstraint::Confined(_) => Held::Confined,
                    }
                }
                _ => Held::No,
            });
            match held {
                Held::No => {}
                Held::Locked => {
                    pointer.frame(self);
                    return;
                }
                Held::Confined => {
                    to = within(surface, *origin, to);
                    let is_same = |hit: &Hit| matches!(hit, Hit::Surface(other, _) if other == surface);
                    if !is_same(&self.hit(to)) {
                        to = at;
                    }
                }
            }
        }
        self.move_to(to, time_ms);
    }

    /// A tablet, or a virtual machine's pointer, is somewhere.
    pub fn pointer_at(&mut self, x: f64, y: f64, time_ms: u32) {
        let at = self.part_of_screens(x, y);
        self.move_to(at, time_ms);
    }

    /// The place at this part of all screens' width and height, on one of them.
    pub(super) fn part_of_screens(&self, x: f64, y: f64) -> At<f64, Logical> {
        let (from, to) = self.all_screens();
        let at = (from.x + x.clamp(0.0, 1.0) * (to.x - from.x), from.y + y.clamp(0.0, 1.0) * (to.y - from.y));
        self.on_screen(at.into())
    }

    fn move_to(&mut self, at: At<f64, Logical>, time_ms: u32) {
        let pointer = self.pointer.clone();
        if self.layout.dragged().is_some() {
            pointer.motion(self, None, &MotionEvent { location: at, serial: SERIAL_COUNTER.next_serial(), time: time_ms });
            pointer.frame(self);
            self.layout.drag_to(Point { x: at.x as i32, y: at.y as i32 });
            self.sync_windows();
            self.queue_redraws();
        } else {
            let hit = self.hit(at);
            self.pointer_origin = hit.focus();
            pointer.motion(self, hit.focus(), &MotionEvent { location: at, serial: SERIAL_COUNTER.next_serial(), time: time_ms });
            pointer.frame(self);
            self.hover(&hit);
            self.activate_constraint();
        }
        self.region_moved(Point { x: at.x as i32, y: at.y as i32 });
        self.update_cursor();
    }

    /// Whether the pointer may be held on a surface: on a window that has not the keyboard the user would not get it back.
    pub fn may_hold_pointer(&self, surface: &WlSurface) -> bool {
        let root = self.root_of(surface);
        self.keyboard.current_focus().is_some_and(|focus| self.root_of(&focus) == root)
    }

    /// The keyboard has gone elsewhere: what holds the pointer lets it go, or holds it again.
    pub fn update_constraint(&mut self) {
        let pointer = self.pointer.clone();
        let Some(surface) = pointer.current_focus() else { return };
        if self.may_hold_pointer(&surface) {
            return self.activate_constraint();
        }
        with_pointer_constraint(&surface, &pointer, |constraint| {
            if let Some(constraint) = constraint
                && constraint.is_active()
            {
                constraint.deactivate();
            }
        });
    }

    /// A client that wants the pointer held gets it when the pointer is on its surface.
    fn activate_constraint(&mut self) {
        let pointer = self.pointer.clone();
        if let Some(surface) = pointer.current_focus().filter(|surface| self.may_hold_pointer(surface)) {
            with_pointer_constraint(&surface, &pointer, |constraint| {
                if let Some(constraint) = constraint
                    && !constraint.is_active()
                    && constraint.region().is_none()
                {
                    constraint.activate();
                }
            });
        }
    }

    /// What is under the pointer may be something else without its moving.
    pub fn update_pointer_focus(&mut self) {
        if self.pointer.is_grabbed() || self.layout.dragged().is_some() {
            return;
        }
        let at = self.pointer.current_location();
        let hit = self.hit(at);
        let focus = hit.focus();
        // A surface that has moved under the pointer has the pointer elsewhere.
        if self.pointer.current_focus() != focus.as_ref().map(|(surface, _)| surface.clone()) || focus.is_some() && self.pointer_origin != focus {
            self.pointer_origin.clone_from(&focus);
            let pointer = self.pointer.clone();
            pointer.motion(self, focus, &MotionEvent { location: at, serial: SERIAL_COUNTER.next_serial(), time: self.clock.now_ms() });
            pointer.frame(self);
        }
        self.hover(&hit);
    }

    /// Shows which button of ours the pointer is on.
    fn hover(&mut self, hit: &Hit) {
        let mut has_changed = false;
        for window in self.layout.windows_mut() {
            let hover = match hit {
                Hit::Title(id, button) if *id == window.number() => *button,
                _ => None,
            };
            has_changed |= std::mem::replace(&mut window.hover, hover) != hover;
        }
        if has_changed {
            self.queue_redraws();
        }
        if self.menu.is_some() {
            let at = self.pointer.current_location();
            self.menu_hover((*hit == Hit::Menu).then_some(Point { x: at.x.floor() as i32, y: at.y.floor() as i32 }));
        }
        if self.quick.is_open() {
            let at = self.pointer.current_location();
            self.quick_hover((*hit == Hit::Quick).then_some(Point { x: at.x.floor() as i32, y: at.y.floor() as i32 }));
        }
        let cursor = hit.cursor();
        if self.own_cursor != cursor {
            self.own_cursor = cursor;
            self.update_cursor();
        }
    }

    /// What the pointer looks like now.
    pub fn shown_cursor(&self) -> CursorImageStatus {
        use smithay::utils::IsAlive;
        match (self.own_cursor, &self.cursor_status) {
            _ if self.region.is_some() => CursorImageStatus::Named(smithay::input::pointer::CursorIcon::Crosshair),
            _ if self.layout.dragged().is_some() => CursorImageStatus::Named(self.own_cursor.unwrap_or_default()),
            (Some(icon), _) => CursorImageStatus::Named(icon),
            (None, CursorImageStatus::Surface(surface)) if !surface.alive() => CursorImageStatus::default_named(),
            (None, status) => status.clone(),
        }
    }

    /// The pointer is elsewhere or looks otherwise: the display's own pointer follows at once, a drawn one with the next frame.
    pub fn update_cursor(&mut self) {
        let at = self.pointer.current_location();
        let status = self.shown_cursor();
        let origin = self.screens.first().map(|screen| (screen.output.current_location(), screen.output.current_scale().fractional_scale()));
        let Some((origin, scale)) = origin else { return };
        let physical = (at - origin.to_f64()).to_physical(scale).to_i32_round::<i32>();
        let is_plane = self.backend.has_cursor_plane() && self.drag_icon.is_none();
        let image = match &status {
            CursorImageStatus::Named(icon) => Some(self.cursors.image(*icon).clone()),
            _ => None,
        };
        if is_plane {
            self.backend.set_cursor(image.as_ref(), (physical.x, physical.y));
        }
        if !is_plane || matches!(status, CursorImageStatus::Surface(_)) {
            self.queue_redraws();
        }
    }

    /// A button is pressed or released.
    pub fn button(&mut self, code: u16, is_pressed: bool, time_ms: u32) {
        let pointer = self.pointer.clone();
        let at = pointer.current_location();
        let point = Point { x: at.x as i32, y: at.y as i32 };
        let state = if is_pressed { ButtonState::Pressed } else { ButtonState::Released };
        if !is_pressed && self.layout.dragged().is_some() {
            self.layout.end_drag(point);
            self.layout_changed();
            self.forward_button(code, state, time_ms);
            return;
        }
        if self.region.is_some() {
            return self.region_button(point, is_pressed);
        }
        if is_pressed && !pointer.is_grabbed() && !self.pressed(at, point, code, time_ms) {
            return;
        }
        self.forward_button(code, state, time_ms);
    }

    fn forward_button(&mut self, code: u16, state: ButtonState, time_ms: u32) {
        let pointer = self.pointer.clone();
        pointer.button(self, &ButtonEvent { serial: SERIAL_COUNTER.next_serial(), time: time_ms, button: code.into(), state });
        pointer.frame(self);
    }

    /// A press outside any grab; whether the client under the pointer gets it.
    pub(super) fn pressed(&mut self, at: At<f64, Logical>, point: Point, code: u16, time_ms: u32) -> bool {
        let hit = self.hit(at);
        let is_held = self.keyboard.modifier_state().logo;
        self.is_super_alone = false;
        match hit {
            Hit::Own => {
                if self.launcher.is_some() {
                    self.launcher_click(at);
                } else {
                    self.overview_click(at);
                }
                false
            }
            Hit::Menu => {
                self.menu_click(point);
                false
            }
            Hit::Quick => {
                self.quick_click(point);
                false
            }
            Hit::Notice(id) => {
                self.notice_click(id, point, code == LEFT);
                false
            }
            Hit::Panel => {
                let x = at.x as i32 - self.screens.first().map_or(0, |screen| self.screen_rect(screen).x);
                if let Some(id) = self.tray.at(x) {
                    let button = match code {
                        LEFT => TrayButton::Left,
                        RIGHT => TrayButton::Right,
                        _ => TrayButton::Middle,
                    };
                    self.tray_click(id, button, (point.x, point.y));
                    return false;
                }
                match self.panel.part_at(x) {
                    panel::Part::Launcher => self.toggle_launcher(),
                    panel::Part::Workspace(workspace) => {
                        self.layout.switch_to(workspace);
                        self.layout_changed();
                    }
                    panel::Part::Status => self.toggle_quick(),
                    panel::Part::Rest => {}
                }
                false
            }
            Hit::Title(id, button) => {
                self.activate(id);
                match (code, button) {
                    (LEFT, Some(button)) => self.title_button(id, button),
                    (LEFT, None) => {
                        let is_double = self.last_click.is_some_and(|(last, window)| window == id && time_ms.wrapping_sub(last) < DOUBLE_CLICK_MS);
                        self.last_click = if is_double { None } else { Some((time_ms, id)) };
                        if is_double {
                            // Why it failed would only be that the window is gone.
                            let _ = self.act(&::actions::desktop::DesktopAction::ToggleMaximized { window: Some(id) });
                        } else {
                            self.begin_drag(id, point, Edges::default());
                        }
                    }
                    _ => {}
                }
                false
            }
            Hit::Edge(id, edges) => {
                if code == LEFT {
                    self.begin_drag(id, point, edges);
                }
                false
            }
            Hit::Surface(surface, _) => {
                let root = self.root_of(&surface);
                if self.lock.is_locked {
                    return true;
                }
                if let Some(interactivity) = self.is_layer(&root) {
                    self.layer_focus = (interactivity != KeyboardInteractivity::None).then_some(root);
                    self.update_focus();
                    return true;
                }
                let Some(id) = self.window_of(&root) else { return true };
                if self.layout.focus() != Some(id) || self.layer_focus.is_some() {
                    self.activate(id);
                }
                if is_held && code == LEFT {
                    self.begin_drag(id, point, Edges::default());
                    return false;
                }
                if is_held && code == RIGHT {
                    let Some(frame) = self.shown_frame(id) else { return false };
                    let centre = frame.centre();
                    let edges = Edges { left: point.x < centre.x, right: point.x >= centre.x, top: point.y < centre.y, bottom: point.y >= centre.y };
                    self.begin_drag(id, point, edges);
                    return false;
                }
                true
            }
            Hit::Nothing => {
                self.layer_focus = None;
                self.update_focus();
                false
            }
        }
    }

    fn title_button(&mut self, id: crate::window::WindowId, button: Button) {
        use ::actions::desktop::DesktopAction;
        let window = Some(id);
        let action = match button {
            Button::Minimize => DesktopAction::Minimize { window },
            Button::Maximize => DesktopAction::ToggleMaximized { window },
            Button::Close => DesktopAction::Close { window },
        };
        // Why it failed would only be that the window is gone.
        let _ = self.act(&action);
    }

    /// The wheel has turned.
    pub fn wheel(&mut self, horizontal: i32, vertical: i32, time_ms: u32) {
        if self.menu.is_some() {
            return self.menu_scroll(vertical / 120);
        }
        let mut frame = AxisFrame::new(time_ms).source(AxisSource::Wheel);
        for (axis, v120) in [(Axis::Horizontal, horizontal), (Axis::Vertical, vertical)] {
            if v120 != 0 {
                frame = frame.value(axis, f64::from(v120) / 120.0 * SCROLL).v120(axis, v120);
            }
        }
        let pointer = self.pointer.clone();
        pointer.axis(self, frame);
        pointer.frame(self);
    }
}
