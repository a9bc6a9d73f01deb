//! Surfaces, their buffers and their commits.

use smithay::backend::renderer::utils::on_commit_buffer_handler;
use smithay::desktop::{PopupKind, WindowSurfaceType, layer_map_for_output};
use smithay::reexports::wayland_server::Client;
use smithay::reexports::wayland_server::protocol::{wl_buffer::WlBuffer, wl_surface::WlSurface};
use smithay::wayland::buffer::BufferHandler;
use smithay::wayland::compositor::{CompositorClientState, CompositorHandler, CompositorState, get_parent, is_sync_subsurface, with_states};
use smithay::wayland::shell::wlr_layer::LayerSurfaceData;
use smithay::wayland::shm::{ShmHandler, ShmState};
use smithay::{delegate_compositor, delegate_shm, delegate_single_pixel_buffer, delegate_viewporter};

use crate::state::{ClientState, Gde};

impl CompositorHandler for Gde {
    fn compositor_state(&mut self) -> &mut CompositorState {
        &mut self.protocols.compositor
    }

    fn client_compositor_state<'a>(&self, client: &'a Client) -> &'a CompositorClientState {
        // Every client is added with this state: `add_client` and the security context's listener.
        &client.get_data::<ClientState>().expect("every client has our state").compositor
    }

    fn commit(&mut self, surface: &WlSurface) {
        on_commit_buffer_handler::<Gde>(surface);
        self.popups.commit(surface);
        if is_sync_subsurface(surface) {
            return;
        }
        let mut root = surface.clone();
        while let Some(parent) = get_parent(&root) {
            root = parent;
        }
        if root == *surface {
            self.toplevel_committed(surface);
            self.popup_committed(surface);
            self.layer_committed(surface);
            if self.is_x11(surface) {
                self.show_x11();
            }
        }
        self.is_pointer_stale = true;
        self.queue_redraws();
    }

    fn destroyed(&mut self, surface: &WlSurface) {
        self.x11_surface_destroyed(surface);
        // What it covered is seen again.
        self.is_pointer_stale = true;
        self.queue_redraws();
    }
}

impl Gde {
    /// A popup is told where it is before it has a picture.
    fn popup_committed(&mut self, surface: &WlSurface) {
        let Some(PopupKind::Xdg(popup)) = self.popups.find_popup(surface) else { return };
        if !popup.is_initial_configure_sent()
            && let Err(error) = popup.send_configure()
        {
            tracing::debug!("a popup cannot be configured: {error:?}");
        }
    }

    /// Panels and the like take room from windows.
    fn layer_committed(&mut self, surface: &WlSurface) {
        let screen = self.screens.iter().find(|screen| layer_map_for_output(&screen.output).layer_for_surface(surface, WindowSurfaceType::TOPLEVEL).is_some());
        let Some(output) = screen.map(|screen| screen.output.clone()) else { return };
        let is_configured = with_states(surface, |states| {
            let data = states.data_map.get::<LayerSurfaceData>();
            data.is_some_and(|data| data.lock().unwrap_or_else(|error| error.into_inner()).initial_configure_sent)
        });
        {
            let mut map = layer_map_for_output(&output);
            map.arrange();
            if !is_configured && let Some(layer) = map.layer_for_surface(surface, WindowSurfaceType::TOPLEVEL) {
                layer.layer_surface().send_configure();
            }
        }
        self.screens_changed();
        self.update_focus();
    }
}

impl BufferHandler for Gde {
    fn buffer_destroyed(&mut self, _buffer: &WlBuffer) {}
}

impl ShmHandler for Gde {
    fn shm_state(&self) -> &ShmState {
        &self.protocols.shm
    }
}

delegate_compositor!(Gde);
delegate_shm!(Gde);
delegate_single_pixel_buffer!(Gde);
delegate_viewporter!(Gde);
