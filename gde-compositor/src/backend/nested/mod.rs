//! A screen that is a window of another Wayland compositor, for who works on the desktop: pictures go there as shared memory, its pointer and keyboard are ours
//! while they are over the window.

mod buffer;
mod host;

use std::fmt;
use std::io;

use anyhow::Context;
use gde_raster::Pixmap;
use smithay::backend::renderer::Color32F;
use smithay::backend::renderer::element::RenderElementStates;
use smithay::output::Output;
use smithay::reexports::calloop::generic::Generic;
use smithay::reexports::calloop::{Interest, Mode, PostAction};
use wayland_client::backend::WaylandError;
use wayland_client::protocol::{wl_buffer::WlBuffer, wl_compositor::WlCompositor, wl_registry::WlRegistry, wl_seat::WlSeat, wl_shm::WlShm, wl_surface::WlSurface};
use wayland_client::{Connection, Dispatch, EventQueue, Proxy};
use wayland_protocols::xdg::decoration::zv1::client::zxdg_decoration_manager_v1::ZxdgDecorationManagerV1;
use wayland_protocols::xdg::decoration::zv1::client::zxdg_toplevel_decoration_v1;
use wayland_protocols::xdg::shell::client::{xdg_surface::XdgSurface, xdg_toplevel::XdgToplevel, xdg_wm_base::XdgWmBase};

use super::{Backend, DisplayMode, Shown};
use crate::render::{Renderer, SceneElement, Target, TargetId};
use crate::screen::Screen;
use crate::state::Gde;
use buffer::Buffer;
use host::{Asked, Host, Told};

/// Buffers at most: one that is shown, one on its way, and one that is drawn into; and one for a host that keeps them long.
const BUFFERS: usize = 4;
/// The largest window.
const LARGEST: i32 = 16384;
const NAME: &str = "NESTED-1";

/// The window on the host.
pub struct Nested {
    connection: Connection,
    queue: EventQueue<Host>,
    host: Host,
    registry: WlRegistry,
    window: Option<Window>,
    /// The size where the host leaves it to us.
    size: (i32, i32),
    picture: Pixmap,
    target: TargetId,
    buffers: Vec<Buffer>,
    /// The picture is newer than what the host has, and no buffer was free.
    is_unsent: bool,
    frames: u64,
}

struct Window {
    shm: WlShm,
    surface: WlSurface,
    xdg_surface: XdgSurface,
    toplevel: XdgToplevel,
}

impl fmt::Debug for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nested").field("size", &self.host.size).field("buffers", &self.buffers.len()).finish_non_exhaustive()
    }
}

impl Nested {
    /// A window on the host at the other end of a connection, of this size where the host leaves that to us. It is there once [`start`] has heard from the host.
    pub fn new(connection: Connection, size: (i32, i32)) -> Self {
        let queue = connection.new_event_queue();
        let qh = queue.handle();
        let display = connection.display();
        let registry = display.get_registry(&qh, ());
        display.sync(&qh, Asked::Globals);
        Nested {
            connection,
            queue,
            host: Host::default(),
            registry,
            window: None,
            size,
            picture: Pixmap::new(1, 1),
            target: TargetId::next(),
            buffers: Vec::new(),
            is_unsent: false,
            frames: 0,
        }
    }

    fn bind<I: Proxy + 'static>(&self, most: u32) -> Option<I>
    where
        Host: Dispatch<I, ()>,
    {
        let global = self.host.globals.iter().find(|it| it.interface == I::interface().name)?;
        Some(self.registry.bind(global.name, global.version.min(most), &self.queue.handle(), ()))
    }

    /// Opens the window.
    fn open(&mut self) -> anyhow::Result<()> {
        let qh = self.queue.handle();
        let compositor = self.bind::<WlCompositor>(4).context("the host has no wl_compositor")?;
        let shm = self.bind::<WlShm>(1).context("the host has no wl_shm")?;
        let shell = self.bind::<XdgWmBase>(1).context("the host has no xdg_wm_base")?;
        self.bind::<WlSeat>(8);
        let surface = compositor.create_surface(&qh, ());
        let xdg_surface = shell.get_xdg_surface(&surface, &qh, ());
        let toplevel = xdg_surface.get_toplevel(&qh, ());
        toplevel.set_title("GDE".into());
        toplevel.set_app_id("gde".into());
        if let Some(decorations) = self.bind::<ZxdgDecorationManagerV1>(1) {
            decorations.get_toplevel_decoration(&toplevel, &qh, ()).set_mode(zxdg_toplevel_decoration_v1::Mode::ServerSide);
        }
        surface.commit();
        self.window = Some(Window { shm, surface, xdg_surface, toplevel });
        Ok(())
    }

    /// Reads what the host has sent.
    fn receive(&mut self) -> anyhow::Result<Vec<Told>> {
        self.queue.dispatch_pending(&mut self.host)?;
        if let Some(guard) = self.connection.prepare_read() {
            match guard.read() {
                Ok(_) => {}
                Err(WaylandError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.queue.dispatch_pending(&mut self.host)?;
        Ok(std::mem::take(&mut self.host.told))
    }

    /// Sends what is to be said; what the host does not take now goes with the next.
    fn flush(&self) -> anyhow::Result<()> {
        match self.connection.flush() {
            Err(WaylandError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            other => Ok(other?),
        }
    }

    /// Draws what has changed and gives it to the host.
    ///
    /// # Errors
    /// Those of the renderer, of memory, and of the connection.
    pub fn draw(&mut self, screen: &mut Screen, renderer: &mut Renderer, elements: &[SceneElement]) -> anyhow::Result<(RenderElementStates, Shown)> {
        let size = screen.output.current_mode().map(|mode| mode.size).unwrap_or_default();
        let size = (size.w.max(1), size.h.max(1));
        let mut age = 1;
        if (self.picture.width() as i32, self.picture.height() as i32) != size {
            renderer.forget_targets();
            self.picture = Pixmap::new(size.0 as usize, size.1 as usize);
            self.target = TargetId::next();
            age = 0;
        }
        let mut target = Target::of_pixmap(&mut self.picture).named(self.target);
        let result = screen.tracker.render_output(renderer, &mut target, age, elements, Color32F::BLACK)?;
        let damage = result.damage.cloned().unwrap_or_default();
        self.buffers.iter_mut().for_each(|it| it.note(&damage));
        self.is_unsent |= !damage.is_empty();
        let shown = if self.is_unsent && self.send(size, &damage)? { Shown::OnItsWay } else { Shown::Nothing };
        Ok((result.states, shown))
    }

    /// Gives the picture to the host; whether a buffer was free.
    fn send(&mut self, size: (i32, i32), damage: &[smithay::utils::Rectangle<i32, smithay::utils::Physical>]) -> anyhow::Result<bool> {
        let Some(window) = &self.window else { return Ok(false) };
        // Those of another size go once the host has read them.
        self.buffers.retain(|it| it.is_busy || !it.is_other(size));
        let is_free = |it: &Buffer| !it.is_busy && !it.is_other(size);
        if !self.buffers.iter().any(is_free) && self.buffers.len() < BUFFERS {
            self.buffers.push(Buffer::new(&window.shm, size, &self.queue.handle()).context("making a buffer for the host")?);
        }
        let Some(buffer) = self.buffers.iter_mut().find(|it| is_free(it)) else { return Ok(false) };
        buffer.update(&self.picture).context("writing into a buffer of the host's")?;
        window.surface.attach(Some(&buffer.buffer), 0, 0);
        if damage.is_empty() {
            // What was drawn while no buffer was free.
            window.surface.damage_buffer(0, 0, size.0, size.1);
        }
        for it in damage {
            window.surface.damage_buffer(it.loc.x, it.loc.y, it.size.w, it.size.h);
        }
        window.surface.frame(&self.queue.handle(), Asked::Frame);
        window.surface.commit();
        buffer.is_busy = true;
        self.is_unsent = false;
        self.flush()?;
        Ok(true)
    }

    fn released(&mut self, buffer: &WlBuffer) {
        if let Some(it) = self.buffers.iter_mut().find(|it| it.buffer == *buffer) {
            it.is_busy = false;
        }
    }
}

/// What a screen can show: what the host gives it.
pub fn modes(output: &Output) -> Vec<DisplayMode> {
    let mode = output.current_mode().map(|mode| DisplayMode { width: mode.size.w.unsigned_abs(), height: mode.size.h.unsigned_abs(), refresh_mhz: mode.refresh, is_preferred: true });
    mode.into_iter().collect()
}

fn nested(gde: &mut Gde) -> Option<&mut Nested> {
    match &mut gde.backend {
        Backend::Nested(nested) => Some(nested),
        Backend::Kms(_) | Backend::Headless(_) => None,
    }
}

/// Listens to the host. The desktop ends when the window is closed, or the host is gone.
///
/// # Errors
/// Where the event loop takes nothing more, or the connection is broken.
pub fn start(gde: &mut Gde) -> anyhow::Result<()> {
    let Some(it) = nested(gde) else { return Ok(()) };
    it.flush()?;
    let fd = it.connection.backend().poll_fd().try_clone_to_owned().context("watching the host")?;
    let added = gde.events.insert_source(Generic::new(fd, Interest::READ, Mode::Level), |_, _, gde| {
        if let Err(error) = serve(gde) {
            tracing::error!("the compositor around this one: {error:#}");
            gde.is_stopping = true;
            return Ok(PostAction::Remove);
        }
        Ok(PostAction::Continue)
    });
    added.map(drop).map_err(|error| anyhow::anyhow!("waiting for the host: {error}"))
}

fn serve(gde: &mut Gde) -> anyhow::Result<()> {
    let Some(it) = nested(gde) else { return Ok(()) };
    for told in it.receive()? {
        hear(gde, told)?;
    }
    nested(gde).map_or(Ok(()), |it| it.flush())
}

fn hear(gde: &mut Gde, told: Told) -> anyhow::Result<()> {
    match told {
        Told::Globals => nested(gde).map_or(Ok(()), Nested::open)?,
        Told::Size(w, h) => resize(gde, (w, h)),
        Told::Close => gde.is_stopping = true,
        Told::Frame => {
            let now = gde.clock.now();
            let output = gde.screens.first().map(|screen| screen.output.clone());
            if let (Some(it), Some(output)) = (nested(gde), output) {
                it.frames += 1;
                let sequence = it.frames;
                gde.frame_done(&output, Some((now, sequence)));
            }
        }
        Told::Released(buffer) => {
            let is_unsent = nested(gde).is_some_and(|it| {
                it.released(&buffer);
                it.is_unsent
            });
            if is_unsent {
                gde.queue_redraws();
            }
        }
        Told::Input(input) => {
            let now = gde.clock.now();
            gde.input(input, now);
        }
        Told::Keymap(keymap) => gde.take_keymap(keymap),
    }
    Ok(())
}

/// The window has another size, or its first one.
fn resize(gde: &mut Gde, size: (i32, i32)) {
    let Some(it) = nested(gde) else { return };
    let one = |given: i32, before: i32, ours: i32| {
        let known = if before > 0 { before } else { ours };
        (if given > 0 { given } else { known }).clamp(1, LARGEST)
    };
    let size = (one(size.0, it.host.size.0, it.size.0), one(size.1, it.host.size.1, it.size.1));
    if std::mem::replace(&mut it.host.size, size) == size {
        return;
    }
    match gde.screens.first().map(|screen| screen.output.clone()) {
        Some(output) => gde.resize_screen(&output, size, 60_000),
        None => {
            gde.add_screen(NAME, size, 60_000, (0, 0), 1.0);
        }
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        self.buffers.clear();
        if let Some(window) = self.window.take() {
            window.toplevel.destroy();
            window.xdg_surface.destroy();
            window.surface.destroy();
        }
        // The host may be gone already.
        let _ = self.connection.flush();
    }
}
