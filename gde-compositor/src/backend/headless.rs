//! Screens that are pictures in memory.

use std::collections::HashMap;
use std::time::Duration;

use gde_raster::Pixmap;
use smithay::backend::renderer::Color32F;
use smithay::backend::renderer::element::RenderElementStates;
use smithay::output::Output;
use smithay::reexports::calloop::timer::{TimeoutAction, Timer};

use super::{Backend, DisplayMode, Shown};
use crate::render::{Renderer, SceneElement, Target, TargetId};
use crate::screen::Screen;
use crate::state::Gde;

/// The screens' pictures.
#[derive(Debug, Default)]
pub struct Headless {
    pictures: HashMap<Output, (TargetId, Pixmap)>,
    /// Pixels drawn so far.
    pub drawn_pixels: u64,
    /// Screens with a frame that is to be shown.
    pub waiting: Vec<Output>,
}

/// Sizes that a screen in memory has besides its first one.
const SIZES: [(u32, u32); 4] = [(1920, 1080), (1280, 800), (1024, 768), (800, 600)];

/// What a screen can show: anything; some sizes that are usual, and the one that it began with.
pub fn modes(output: &Output) -> Vec<DisplayMode> {
    let preferred = output.preferred_mode().map_or((1280, 800), |mode| (mode.size.w.unsigned_abs(), mode.size.h.unsigned_abs()));
    let mode = |(width, height): (u32, u32)| DisplayMode { width, height, refresh_mhz: 60_000, is_preferred: (width, height) == preferred };
    SIZES.into_iter().filter(|size| *size != preferred).chain([preferred]).map(mode).collect()
}

/// Has each frame shown for as long as a display would show it: for [`Gde::headless_frames`].
pub fn pace(gde: &mut Gde) {
    let waiting = match &mut gde.backend {
        Backend::Headless(headless) => std::mem::take(&mut headless.waiting),
        Backend::Kms(_) | Backend::Nested(_) => Vec::new(),
    };
    for output in waiting {
        let timer = Timer::from_duration(Duration::from_millis(16));
        let added = gde.events.insert_source(timer, move |_, (), gde| {
            let now = gde.clock.now();
            gde.frame_done(&output, Some((now, 0)));
            TimeoutAction::Drop
        });
        if let Err(error) = added {
            tracing::warn!("pacing frames: {error}");
        }
    }
}

impl Headless {
    /// What a screen shows.
    pub fn picture(&self, output: &Output) -> Option<&Pixmap> {
        self.pictures.get(output).map(|(_, pixmap)| pixmap)
    }

    /// Draws what has changed.
    ///
    /// # Errors
    /// Those of the renderer.
    pub fn draw(&mut self, screen: &mut Screen, renderer: &mut Renderer, elements: &[SceneElement]) -> anyhow::Result<(RenderElementStates, Shown)> {
        let size = screen.output.current_mode().map(|mode| mode.size).unwrap_or_default();
        let (w, h) = (size.w.max(1) as usize, size.h.max(1) as usize);
        let has_other_size = |pixmap: &Pixmap| (pixmap.width(), pixmap.height()) != (w, h);
        let mut age = 1;
        if self.picture(&screen.output).is_none_or(has_other_size) {
            renderer.forget_targets();
            self.pictures.insert(screen.output.clone(), (TargetId::next(), Pixmap::new(w, h)));
            age = 0;
        }
        let Some((id, pixmap)) = self.pictures.get_mut(&screen.output) else { return Ok((RenderElementStates::default(), Shown::Nothing)) };
        let mut target = Target::of_pixmap(pixmap).named(*id);
        let result = screen.tracker.render_output(renderer, &mut target, age, elements, Color32F::BLACK)?;
        let drawn: i64 = result.damage.map_or(0, |damage| damage.iter().map(|rect| i64::from(rect.size.w) * i64::from(rect.size.h)).sum());
        self.drawn_pixels += drawn as u64;
        let shown = if drawn > 0 {
            self.waiting.push(screen.output.clone());
            Shown::OnItsWay
        } else {
            Shown::Nothing
        };
        Ok((result.states, shown))
    }
}
