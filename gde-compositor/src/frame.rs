//! Drawing frames when something has changed, and telling clients about it.

use std::time::Duration;

use smithay::backend::renderer::element::default_primary_scanout_output_compare;
use smithay::backend::renderer::element::RenderElementStates;
use smithay::desktop::utils::{
    OutputPresentationFeedback, send_frames_surface_tree, surface_presentation_feedback_flags_from_states, surface_primary_scanout_output,
    take_presentation_feedback_surface_tree, update_surface_primary_scanout_output,
};
use smithay::desktop::{PopupManager, layer_map_for_output};
use smithay::output::Output;
use smithay::reexports::calloop::timer::{TimeoutAction, Timer};
use smithay::reexports::wayland_protocols::wp::presentation_time::server::wp_presentation_feedback::Kind as Presented;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Monotonic, Time};
use smithay::wayland::presentation::Refresh;

use crate::backend::Shown;
use crate::screen::Redraw;
use crate::state::Gde;

/// Clients whose windows are not visible are told of a frame this often.
const HIDDEN: Duration = Duration::from_secs(1);

impl Gde {
    /// Draws the screens that need it. To be called when the events at hand are done.
    pub fn redraw(&mut self) {
        if self.screens.iter().any(|screen| screen.redraw.is_queued()) {
            self.update_pointer_focus();
        }
        let queued: Vec<Output> = self.screens.iter().filter(|screen| screen.redraw.is_queued()).map(|screen| screen.output.clone()).collect();
        for output in queued {
            self.redraw_one(&output);
        }
    }

    fn redraw_one(&mut self, output: &Output) {
        if !self.backend.is_active() {
            // Everything is drawn again when the screen is ours again.
            if let Some(screen) = self.screens.iter_mut().find(|screen| screen.output == *output) {
                screen.redraw = Redraw::Idle;
            }
            return;
        }
        let with_cursor = true;
        let elements = self.scene(output, with_cursor);
        let Some(screen) = self.screens.iter_mut().find(|screen| screen.output == *output) else { return };
        let shown = self.backend.draw(screen, &mut self.renderer, &elements);
        let (states, shown) = match shown {
            Ok(result) => result,
            Err(error) => {
                tracing::warn!("drawing on {}: {error:#}", output.name());
                (RenderElementStates::default(), Shown::Nothing)
            }
        };
        self.note_states(output, &states);
        let frame_time = self.screens.iter().find(|screen| screen.output == *output).map_or(Duration::from_millis(16), |screen| screen.frame_time());
        let is_animating = self.is_animating();
        let redraw = match shown {
            Shown::OnItsWay => {
                let feedback = self.feedback_of(output, &states);
                if let Some(screen) = self.screens.iter_mut().find(|screen| screen.output == *output) {
                    screen.feedback = Some(feedback);
                }
                Redraw::Waiting { again: is_animating }
            }
            Shown::Nothing => {
                let again = output.clone();
                let timer = Timer::from_duration(frame_time);
                let timer = self.events.insert_source(timer, move |_, (), gde| {
                    let screen = gde.screens.iter_mut().find(|screen| screen.output == again);
                    // The timer goes by itself.
                    if let Some(Redraw::Pausing { timer, .. }) = screen.map(|screen| &mut screen.redraw) {
                        *timer = None;
                        gde.frame_done(&again, None);
                    }
                    TimeoutAction::Drop
                });
                Redraw::Pausing { again: is_animating, timer: timer.ok() }
            }
        };
        if let Some(screen) = self.screens.iter_mut().find(|screen| screen.output == *output) {
            screen.redraw = redraw;
        }
    }

    /// A frame is shown since `at`, or, without a time, nothing had to be drawn for as long as a frame.
    pub fn frame_done(&mut self, output: &Output, at: Option<(Duration, u64)>) {
        let now = self.clock.now();
        let Some(screen) = self.screens.iter_mut().find(|screen| screen.output == *output) else { return };
        let frame_time = screen.frame_time();
        if let Redraw::Pausing { timer, .. } = &mut screen.redraw
            && let Some(timer) = timer.take()
        {
            // It would end a later frame.
            self.events.remove(timer);
        }
        screen.redraw.done();
        let mut is_shown = false;
        if let Some((time, sequence)) = at {
            screen.frames += 1;
            self.manager.ready();
            is_shown = true;
            if let Some(mut feedback) = screen.feedback.take() {
                feedback.presented::<Time<Monotonic>, Monotonic>(Time::from(time), Refresh::fixed(frame_time), sequence, Presented::Vsync);
            }
        }
        if is_shown {
            self.look_for_renderer();
        }
        self.each_surface(output, |surface| {
            send_frames_surface_tree(surface, output, now, Some(HIDDEN), |surface, states| surface_primary_scanout_output(surface, states));
        });
        self.popups.cleanup();
    }

    /// Calls for every root surface that may be shown on a screen.
    fn each_surface(&self, output: &Output, mut each: impl FnMut(&WlSurface)) {
        let mut with_popups = |surface: &WlSurface| {
            for (popup, _) in PopupManager::popups_for_surface(surface) {
                each(popup.wl_surface());
            }
            each(surface);
        };
        for window in self.layout.windows() {
            with_popups(window.surface());
        }
        for unmanaged in &self.x11.unmanaged {
            with_popups(&unmanaged.surface);
        }
        for layer in layer_map_for_output(output).layers() {
            with_popups(layer.wl_surface());
        }
        for surface in self.lock.surfaces.values() {
            with_popups(surface.wl_surface());
        }
        if let smithay::input::pointer::CursorImageStatus::Surface(surface) = &self.cursor_status {
            with_popups(surface);
        }
        if let Some(icon) = &self.drag_icon {
            with_popups(icon);
        }
    }

    /// Notes which surfaces were drawn on a screen.
    fn note_states(&self, output: &Output, states: &RenderElementStates) {
        self.each_surface(output, |surface| {
            smithay::desktop::utils::with_surfaces_surface_tree(surface, |surface, data| {
                update_surface_primary_scanout_output(surface, output, data, states, default_primary_scanout_output_compare);
            });
        });
    }

    fn feedback_of(&self, output: &Output, states: &RenderElementStates) -> OutputPresentationFeedback {
        let mut feedback = OutputPresentationFeedback::new(output);
        self.each_surface(output, |surface| {
            take_presentation_feedback_surface_tree(surface, &mut feedback, surface_primary_scanout_output, |surface, _| {
                surface_presentation_feedback_flags_from_states(surface, states)
            });
        });
        feedback
    }
}
