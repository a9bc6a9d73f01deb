//! Panels, launchers, notifications of other programs.

use smithay::delegate_layer_shell;
use smithay::desktop::{LayerSurface, PopupKind, layer_map_for_output};
use smithay::output::Output;
use smithay::reexports::wayland_server::protocol::wl_output::WlOutput;
use smithay::wayland::shell::wlr_layer::{Layer, LayerSurface as WlrLayerSurface, WlrLayerShellHandler, WlrLayerShellState};
use smithay::wayland::shell::xdg::PopupSurface;

use crate::state::Gde;

impl WlrLayerShellHandler for Gde {
    fn shell_state(&mut self) -> &mut WlrLayerShellState {
        &mut self.protocols.layer_shell
    }

    fn new_layer_surface(&mut self, surface: WlrLayerSurface, output: Option<WlOutput>, _layer: Layer, namespace: String) {
        let wanted = output.as_ref().and_then(Output::from_resource);
        let wanted = wanted.filter(|wanted| self.screens.iter().any(|screen| screen.output == *wanted));
        let at = self.pointer.current_location();
        let Some(output) = wanted.or_else(|| self.screen_at(at).map(|screen| screen.output.clone())) else {
            surface.send_close();
            return;
        };
        if let Err(error) = layer_map_for_output(&output).map_layer(&LayerSurface::new(surface, namespace)) {
            tracing::debug!("a layer surface cannot be shown: {error}");
        }
    }

    fn layer_destroyed(&mut self, surface: WlrLayerSurface) {
        for screen in &self.screens {
            let mut map = layer_map_for_output(&screen.output);
            let layer = map.layers().find(|layer| *layer.layer_surface() == surface).cloned();
            if let Some(layer) = layer {
                map.unmap_layer(&layer);
            }
        }
        if self.layer_focus.as_ref() == Some(surface.wl_surface()) {
            self.layer_focus = None;
        }
        self.screens_changed();
        self.update_focus();
        self.update_pointer_focus();
    }

    fn new_popup(&mut self, _parent: WlrLayerSurface, popup: PopupSurface) {
        if let Err(error) = self.popups.track_popup(PopupKind::from(popup)) {
            tracing::debug!("a popup cannot be followed: {error:?}");
        }
    }
}

delegate_layer_shell!(Gde);
