//! Locking the session, and being idle.

use smithay::output::Output;
use smithay::reexports::wayland_server::protocol::{wl_output::WlOutput, wl_surface::WlSurface};
use smithay::wayland::idle_inhibit::IdleInhibitHandler;
use smithay::wayland::idle_notify::{IdleNotifierHandler, IdleNotifierState};
use smithay::wayland::session_lock::{LockSurface, SessionLockHandler, SessionLockManagerState, SessionLocker};
use smithay::{delegate_idle_inhibit, delegate_idle_notify, delegate_session_lock};

use crate::state::Gde;

impl SessionLockHandler for Gde {
    fn lock_state(&mut self) -> &mut SessionLockManagerState {
        &mut self.protocols.session_lock
    }

    fn lock(&mut self, confirmation: SessionLocker) {
        // A second lock takes over from one whose client has died.
        self.lock.surfaces.clear();
        self.lock.own = None;
        confirmation.lock();
        self.begin_lock();
    }

    fn unlock(&mut self) {
        self.end_lock();
    }

    fn new_surface(&mut self, surface: LockSurface, output: WlOutput) {
        if let Some(output) = Output::from_resource(&output) {
            self.lock.surfaces.insert(output, surface);
            self.configure_locks();
            self.update_focus();
            self.queue_redraws();
        }
    }
}

impl Gde {
    /// Lock surfaces are as large as their screens.
    pub fn configure_locks(&mut self) {
        for screen in &self.screens {
            if let Some(surface) = self.lock.surfaces.get(&screen.output) {
                let rect = self.screen_rect(screen);
                surface.with_pending_state(|state| state.size = Some((rect.w.max(0) as u32, rect.h.max(0) as u32).into()));
                surface.send_configure();
            }
        }
    }
}

impl IdleNotifierHandler for Gde {
    fn idle_notifier_state(&mut self) -> &mut IdleNotifierState<Gde> {
        &mut self.protocols.idle
    }
}

impl IdleInhibitHandler for Gde {
    fn inhibit(&mut self, surface: WlSurface) {
        self.inhibitors.insert(surface);
        self.protocols.idle.set_is_inhibited(true);
    }

    fn uninhibit(&mut self, surface: WlSurface) {
        self.inhibitors.remove(&surface);
        self.protocols.idle.set_is_inhibited(!self.inhibitors.is_empty());
    }
}

delegate_session_lock!(Gde);
delegate_idle_notify!(Gde);
delegate_idle_inhibit!(Gde);
