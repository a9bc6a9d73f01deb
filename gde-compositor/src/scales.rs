//! How large everything is on each screen: what clients are told of it, and what our own pictures are drawn in.

use gde_raster::Scale;
use smithay::desktop::PopupManager;
use smithay::desktop::utils::with_surfaces_surface_tree;
use smithay::desktop::layer_map_for_output;
use smithay::output::Output;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::Transform;
use smithay::wayland::compositor::{SurfaceData, send_surface_state};
use smithay::wayland::fractional_scale::with_fractional_scale;

use crate::state::Gde;
use crate::theme;

impl Gde {
    /// A screen has another scale, or there are others. Pictures of ours are drawn anew where that is so of the largest one.
    pub fn scales_changed(&mut self) {
        let largest = self.screens.iter().map(|screen| Scale::of(screen.output.current_scale().fractional_scale())).max().unwrap_or_default();
        if largest != theme::scale() {
            theme::set_scale(largest);
            self.forget_pictures();
            self.redraw_notices();
            self.cursors.forget();
            self.update_cursor();
        }
        self.tell_scales();
    }

    /// Tells clients in how many pixels their surfaces are shown.
    pub fn tell_scales(&self) {
        for window in self.layout.windows() {
            let frame = self.layout.frame(window.number());
            let output = frame.and_then(|frame| {
                let at = frame.centre();
                self.screen_at((f64::from(at.x), f64::from(at.y)).into())
            });
            if let Some(screen) = output {
                tell(window.surface(), &screen.output);
            }
        }
        for screen in &self.screens {
            for layer in layer_map_for_output(&screen.output).layers() {
                tell(layer.wl_surface(), &screen.output);
            }
        }
        for (output, surface) in &self.lock.surfaces {
            tell(surface.wl_surface(), output);
        }
    }
}

/// Tells a surface, its children and its popups. Nothing is sent that was said before.
fn tell(surface: &WlSurface, output: &Output) {
    let scale = output.current_scale();
    let one = |surface: &WlSurface, states: &SurfaceData| {
        send_surface_state(surface, states, scale.integer_scale(), Transform::Normal);
        with_fractional_scale(states, |it| it.set_preferred_scale(scale.fractional_scale()));
    };
    with_surfaces_surface_tree(surface, one);
    for (popup, _) in PopupManager::popups_for_surface(surface) {
        with_surfaces_surface_tree(popup.wl_surface(), one);
    }
}
