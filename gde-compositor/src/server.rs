//! The event loop, and clients in it.

use std::time::Duration;

use anyhow::Context;
use smithay::reexports::calloop::generic::Generic;
use smithay::reexports::calloop::{EventLoop, Interest, Mode, PostAction};
use smithay::reexports::wayland_server::Display;
use smithay::wayland::socket::ListeningSocketSource;

use crate::state::Gde;

impl Gde {
    /// Listens for clients in the runtime directory; the socket's name.
    ///
    /// # Errors
    /// Where there is no runtime directory, or no name is free.
    pub fn listen_for_clients(&mut self) -> anyhow::Result<std::ffi::OsString> {
        let source = ListeningSocketSource::new_auto().context("listening for clients in XDG_RUNTIME_DIR")?;
        let name = source.socket_name().to_owned();
        let added = self.events.insert_source(source, |stream, (), gde| gde.add_client(stream));
        added.map_err(|error| anyhow::anyhow!("waiting for clients: {error}"))?;
        Ok(name)
    }
}

/// Has clients' requests served by the loop.
///
/// # Errors
/// Those of waiting.
pub fn serve(display: Display<Gde>, events: &EventLoop<'static, Gde>) -> anyhow::Result<()> {
    let source = Generic::new(display, Interest::READ, Mode::Level);
    let added = events.handle().insert_source(source, |_, display, gde| {
        // SAFETY: the display is not dropped: it lives as long as the loop.
        unsafe { display.get_mut() }.dispatch_clients(gde)?;
        Ok(PostAction::Continue)
    });
    added.map(drop).map_err(|error| anyhow::anyhow!("waiting for clients' requests: {error}"))
}

/// What is done when the events at hand are done: frames are drawn, and clients are told everything.
pub fn after_events(gde: &mut Gde) {
    gde.popups.cleanup();
    gde.keep_locked();
    if std::mem::take(&mut gde.is_pointer_stale) {
        gde.update_pointer_focus();
    }
    if std::mem::take(&mut gde.is_constraint_stale) {
        gde.update_constraint();
    }
    if std::mem::take(&mut gde.is_cursor_stale) {
        gde.update_cursor();
    }
    gde.update_taskbars();
    gde.update_displays();
    gde.redraw();
    if let Some(mut pace) = gde.headless_frames.take() {
        pace(gde);
        gde.headless_frames = Some(pace);
    }
    if let Err(error) = gde.display.flush_clients() {
        tracing::warn!("telling clients: {error}");
    }
}

/// Runs until the desktop is ended.
///
/// # Errors
/// Those of waiting for events.
pub fn run(events: &mut EventLoop<'static, Gde>, gde: &mut Gde) -> anyhow::Result<()> {
    after_events(gde);
    while !gde.is_stopping {
        events.dispatch(None::<Duration>, gde).context("waiting for events")?;
        after_events(gde);
    }
    Ok(())
}
