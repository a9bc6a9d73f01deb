//! A screen and the state machine of its frames.

use std::time::Duration;

use smithay::backend::renderer::damage::OutputDamageTracker;
use smithay::desktop::utils::OutputPresentationFeedback;
use smithay::output::Output;
use smithay::reexports::calloop::RegistrationToken;
use smithay::reexports::wayland_server::backend::GlobalId;

use crate::render::picture::Canvas;

/// What is to be done about a screen's next frame.
///
/// ```text
/// Idle --change--> Queued --drawn and handed over--> Waiting{again: false} --shown--> Idle
///                    |                                Waiting{again: true} --shown--> Queued
///                    +--nothing has changed--> Pausing (as long as a frame) --> Idle or Queued
/// ```
/// While a screen is idle nothing wakes up for it.
#[derive(Debug, Default)]
pub enum Redraw {
    /// What is shown is what should be.
    #[default]
    Idle,
    /// A frame is drawn when the events at hand are done.
    Queued,
    /// A frame is on its way to the display.
    Waiting {
        /// Something has changed since.
        again: bool,
    },
    /// Nothing had to be drawn, but clients wait to be told that a frame has passed.
    Pausing {
        /// Something has changed since.
        again: bool,
        /// The timer.
        timer: Option<RegistrationToken>,
    },
}

impl Redraw {
    /// Something has changed.
    pub fn queue(&mut self) {
        match self {
            Redraw::Idle => *self = Redraw::Queued,
            Redraw::Queued => {}
            Redraw::Waiting { again } | Redraw::Pausing { again, .. } => *again = true,
        }
    }

    /// The frame is shown, or its time is over.
    pub fn done(&mut self) {
        *self = match self {
            Redraw::Waiting { again: true } | Redraw::Pausing { again: true, .. } | Redraw::Queued => Redraw::Queued,
            _ => Redraw::Idle,
        };
    }

    /// Whether a frame is to be drawn now.
    pub fn is_queued(&self) -> bool {
        matches!(self, Redraw::Queued)
    }
}

/// A screen.
#[derive(Debug)]
pub struct Screen {
    /// What clients see of it.
    pub output: Output,
    /// Its global.
    pub global: GlobalId,
    /// Its frames.
    pub redraw: Redraw,
    /// What has changed on it.
    pub tracker: OutputDamageTracker,
    /// What lies behind everything.
    pub wallpaper: Canvas,
    /// Clients that want to know when their picture is shown.
    pub feedback: Option<OutputPresentationFeedback>,
    /// How many frames were shown.
    pub frames: u64,
}

impl Screen {
    /// How long a frame is shown.
    pub fn frame_time(&self) -> Duration {
        let millihertz = self.output.current_mode().map_or(60_000, |mode| mode.refresh).max(1000);
        Duration::from_nanos(1_000_000_000_000 / millihertz as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_during_a_frame_gives_another_one() {
        let mut redraw = Redraw::default();
        redraw.queue();
        redraw.queue();
        assert!(redraw.is_queued());
        redraw = Redraw::Waiting { again: false };
        redraw.queue();
        assert!(!redraw.is_queued());
        redraw.done();
        assert!(redraw.is_queued());
        redraw = Redraw::Waiting { again: false };
        redraw.done();
        assert!(matches!(redraw, Redraw::Idle));
    }
}
