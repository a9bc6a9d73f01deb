//! Screens as clients see them, activation, sandboxes, taskbars.

use std::sync::Arc;
use std::time::Duration;

use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::wayland::compositor::with_states;
use smithay::wayland::foreign_toplevel_list::{ForeignToplevelListHandler, ForeignToplevelListState};
use smithay::wayland::fractional_scale::{FractionalScaleHandler, with_fractional_scale};
use smithay::wayland::output::OutputHandler;
use smithay::wayland::security_context::{SecurityContext, SecurityContextHandler, SecurityContextListenerSource};
use smithay::wayland::xdg_activation::{XdgActivationHandler, XdgActivationState, XdgActivationToken, XdgActivationTokenData};
use smithay::wayland::xdg_foreign::{XdgForeignHandler, XdgForeignState};
use smithay::{
    delegate_foreign_toplevel_list, delegate_fractional_scale, delegate_output, delegate_presentation, delegate_security_context, delegate_xdg_activation,
    delegate_xdg_foreign,
};

use crate::state::{ClientState, Gde};

/// How long after a token was made it gives a window the keyboard.
const TOKEN_LIFE: Duration = Duration::from_secs(10);

impl OutputHandler for Gde {}

impl FractionalScaleHandler for Gde {
    fn new_fractional_scale(&mut self, surface: WlSurface) {
        // Where it will be is not known yet: the most that any screen needs. It is told again when it is shown.
        let scale = crate::theme::scale().factor();
        with_states(&surface, |states| with_fractional_scale(states, |fractional| fractional.set_preferred_scale(scale)));
    }
}

impl XdgActivationHandler for Gde {
    fn activation_state(&mut self) -> &mut XdgActivationState {
        &mut self.protocols.activation
    }

    /// Only who has the keyboard may pass it on.
    fn token_created(&mut self, _token: XdgActivationToken, data: XdgActivationTokenData) -> bool {
        let Some((serial, _)) = data.serial else { return false };
        self.keyboard.last_enter().is_some_and(|enter| serial.is_no_older_than(&enter))
    }

    fn request_activation(&mut self, token: XdgActivationToken, data: XdgActivationTokenData, surface: WlSurface) {
        self.protocols.activation.remove_token(&token);
        if data.timestamp.elapsed() < TOKEN_LIFE
            && let Some(id) = self.window_of(&surface)
        {
            self.activate(id);
        }
    }
}

impl Gde {
    /// What gives a window of another program the keyboard, because the user has asked for it by something of the desktop's own.
    pub fn activation_token(&mut self) -> String {
        // Those that nobody has used.
        self.protocols.activation.retain_tokens(|_, data| data.timestamp.elapsed() < TOKEN_LIFE);
        self.protocols.activation.create_external_token(None).0.as_str().to_owned()
    }
}

impl XdgForeignHandler for Gde {
    fn xdg_foreign_state(&mut self) -> &mut XdgForeignState {
        &mut self.protocols.foreign
    }
}

impl ForeignToplevelListHandler for Gde {
    fn foreign_toplevel_list_state(&mut self) -> &mut ForeignToplevelListState {
        &mut self.protocols.foreign_toplevels
    }
}

impl SecurityContextHandler for Gde {
    fn context_created(&mut self, source: SecurityContextListenerSource, context: SecurityContext) {
        let result = self.events.insert_source(source, move |stream, _, gde| {
            let state = ClientState { security_context: Some(context.clone()), ..ClientState::default() };
            if let Err(error) = gde.display.insert_client(stream, Arc::new(state)) {
                tracing::warn!("a client from a sandbox cannot be added: {error}");
            }
        });
        if let Err(error) = result {
            tracing::warn!("a sandbox's socket cannot be listened on: {error}");
        }
    }
}

delegate_output!(Gde);
delegate_presentation!(Gde);
delegate_fractional_scale!(Gde);
delegate_xdg_activation!(Gde);
delegate_xdg_foreign!(Gde);
delegate_foreign_toplevel_list!(Gde);
delegate_security_context!(Gde);
