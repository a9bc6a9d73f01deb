//! A client for tests.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use wayland_client::globals::GlobalListContents;
use wayland_client::protocol::{
    wl_buffer::WlBuffer, wl_callback, wl_compositor::WlCompositor, wl_data_device, wl_data_device_manager::WlDataDeviceManager, wl_data_offer, wl_data_source, wl_keyboard, wl_output::WlOutput, wl_pointer, wl_region::WlRegion, wl_registry, wl_seat::WlSeat,
    wl_shm, wl_shm_pool::WlShmPool, wl_subcompositor::WlSubcompositor, wl_subsurface::WlSubsurface, wl_surface::WlSurface, wl_touch,
};
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle, delegate_noop};
use wayland_protocols::ext::session_lock::v1::client::{
    ext_session_lock_manager_v1::ExtSessionLockManagerV1, ext_session_lock_surface_v1, ext_session_lock_v1,
};
use wayland_protocols::wp::presentation_time::client::{wp_presentation::WpPresentation, wp_presentation_feedback};
use wayland_protocols::wp::single_pixel_buffer::v1::client::wp_single_pixel_buffer_manager_v1::WpSinglePixelBufferManagerV1;
use wayland_protocols::wp::viewporter::client::{wp_viewport::WpViewport, wp_viewporter::WpViewporter};
use wayland_protocols::xdg::activation::v1::client::xdg_activation_v1::XdgActivationV1;
use wayland_protocols::xdg::decoration::zv1::client::{zxdg_decoration_manager_v1::ZxdgDecorationManagerV1, zxdg_toplevel_decoration_v1};
use wayland_protocols::xdg::shell::client::{xdg_popup, xdg_positioner::XdgPositioner, xdg_surface, xdg_toplevel, xdg_wm_base};
use wayland_protocols_wlr::foreign_toplevel::v1::client::{
    zwlr_foreign_toplevel_handle_v1::{self, ZwlrForeignToplevelHandleV1},
    zwlr_foreign_toplevel_manager_v1::{self, ZwlrForeignToplevelManagerV1},
};
use wayland_protocols_wlr::layer_shell::v1::client::{zwlr_layer_shell_v1::ZwlrLayerShellV1, zwlr_layer_surface_v1};
use wayland_protocols_wlr::screencopy::v1::client::{zwlr_screencopy_frame_v1, zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1};

/// What the client has heard.
#[derive(Default)]
pub struct Heard {
    pub globals: HashMap<String, (u32, u32)>,
    pub size: Option<(i32, i32)>,
    pub states: Vec<xdg_toplevel::State>,
    pub is_closed: bool,
    pub decoration: Option<zxdg_toplevel_decoration_v1::Mode>,
    pub frames: u32,
    pub presented: u32,
    pub discarded: u32,
    pub keys: Vec<(u32, bool)>,
    pub has_keyboard: bool,
    pub pointer: Option<(f64, f64)>,
    pub buttons: Vec<bool>,
    /// Fingers: what they do, which one, and where.
    pub touches: Vec<(Finger, i32, (f64, f64))>,
    pub popup: Option<(i32, i32, i32, i32)>,
    pub popup_is_done: bool,
    pub layer_size: Option<(u32, u32)>,
    pub is_locked: bool,
    pub lock_size: Option<(u32, u32)>,
    pub copy_size: Option<(u32, u32)>,
    pub copy: Option<bool>,
    pub released: u32,
    pub listed: Vec<Listed>,
    pub list_is_finished: bool,
    /// Of the keyboard's last coming.
    pub serial: u32,
    /// What is on the clipboard, and in which forms.
    pub offer: Option<wl_data_offer::WlDataOffer>,
    pub offers: Vec<String>,
    /// What the client gives to who pastes.
    pub copied: Vec<u8>,
}

/// Reads what has come, without waiting; whether the compositor is still there.
pub fn receive<S>(connection: &Connection, queue: &mut EventQueue<S>, state: &mut S) -> bool {
    let is_read = connection.prepare_read().is_none_or(|guard| match guard.read() {
        Ok(_) => true,
        Err(wayland_client::backend::WaylandError::Io(error)) => error.kind() == std::io::ErrorKind::WouldBlock,
        Err(_) => false,
    });
    queue.dispatch_pending(state).is_ok() && is_read
}

/// What a finger does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finger {
    Down,
    Motion,
    Up,
    Frame,
    Cancel,
}

/// A window as a taskbar hears of it.
#[derive(Clone)]
pub struct Listed {
    pub handle: ZwlrForeignToplevelHandleV1,
    pub title: String,
    pub app_id: String,
    pub states: Vec<u32>,
    pub outputs: u32,
    pub done: u32,
    pub is_closed: bool,
}

pub struct Client {
    connection: Connection,
    queue: EventQueue<Heard>,
    pub qh: QueueHandle<Heard>,
    pub heard: Heard,
    registry: wl_registry::WlRegistry,
    is_dead: bool,
}

/// A window of a test's client.
pub struct Toplevel {
    pub surface: WlSurface,
    pub xdg_surface: xdg_surface::XdgSurface,
    pub toplevel: xdg_toplevel::XdgToplevel,
}

impl Client {
    pub fn new(stream: UnixStream) -> Self {
        let connection = Connection::from_socket(stream).unwrap();
        let queue = connection.new_event_queue();
        let qh = queue.handle();
        let registry = connection.display().get_registry(&qh, ());
        Client { connection, queue, qh, heard: Heard::default(), registry, is_dead: false }
    }

    pub fn begin_sync(&mut self) -> Rc<Cell<bool>> {
        let done = Rc::new(Cell::new(false));
        self.connection.display().sync(&self.qh, Sync(done.clone()));
        done
    }

    pub fn flush(&mut self) {
        self.is_dead |= self.connection.flush().is_err();
    }

    pub fn receive(&mut self) {
        self.is_dead |= !receive(&self.connection, &mut self.queue, &mut self.heard);
    }

    /// Whether the compositor has thrown it out.
    pub fn is_dead(&self) -> bool {
        self.is_dead
    }

    pub fn bind<I: Proxy + 'static>(&self) -> I
    where
        Heard: Dispatch<I, ()>,
    {
        let interface = I::interface();
        let (name, version) = self.heard.globals.get(interface.name).copied().unwrap_or_else(|| panic!("no {}", interface.name));
        self.registry.bind(name, version.min(interface.version), &self.qh, ())
    }

    pub fn surface(&self) -> WlSurface {
        self.bind::<WlCompositor>().create_surface(&self.qh, ())
    }

    /// A buffer of one colour.
    pub fn buffer(&self, width: i32, height: i32, pixel: u32) -> WlBuffer {
        self.file_buffer(width, height, pixel, wl_shm::Format::Argb8888).0
    }

    pub fn file_buffer(&self, width: i32, height: i32, pixel: u32, format: wl_shm::Format) -> (WlBuffer, File) {
        let mut file = memory();
        let row = pixel.to_le_bytes().repeat(width as usize);
        for _ in 0..height {
            file.write_all(&row).unwrap();
        }
        file.seek(SeekFrom::Start(0)).unwrap();
        let pool = self.bind::<wl_shm::WlShm>().create_pool(file.as_fd(), width * height * 4, &self.qh, ());
        let buffer = pool.create_buffer(0, width, height, width * 4, format, &self.qh, ());
        pool.destroy();
        (buffer, file)
    }

    /// A window without a picture yet.
    pub fn toplevel(&self) -> Toplevel {
        let surface = self.surface();
        let xdg_surface = self.bind::<xdg_wm_base::XdgWmBase>().get_xdg_surface(&surface, &self.qh, ());
        let toplevel = xdg_surface.get_toplevel(&self.qh, ());
        Toplevel { surface, xdg_surface, toplevel }
    }

    pub fn decorate(&self, window: &Toplevel) {
        self.bind::<ZxdgDecorationManagerV1>().get_toplevel_decoration(&window.toplevel, &self.qh, ());
    }

    /// Shows a picture.
    pub fn show(&self, surface: &WlSurface, width: i32, height: i32, pixel: u32) {
        surface.attach(Some(&self.buffer(width, height, pixel)), 0, 0);
        surface.damage_buffer(0, 0, i32::MAX, i32::MAX);
        surface.commit();
    }
}

/// A file without a name.
pub fn memory() -> File {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("gde-test-{}-{count}", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

struct Sync(Rc<Cell<bool>>);
// SAFETY: the connection is used by one thread only.
unsafe impl Send for Sync {}
// SAFETY: as above.
unsafe impl std::marker::Sync for Sync {}

impl Dispatch<wl_callback::WlCallback, Sync> for Heard {
    fn event(_: &mut Self, _: &wl_callback::WlCallback, _: wl_callback::Event, data: &Sync, _: &Connection, _: &QueueHandle<Self>) {
        data.0.set(true);
    }
}

/// Has a closure called for an interface's events.
macro_rules! hear {
    ($interface:ty, |$heard:ident, $proxy:ident, $event:ident| $body:block) => {
        impl Dispatch<$interface, ()> for Heard {
            fn event($heard: &mut Self, $proxy: &$interface, $event: <$interface as Proxy>::Event, _: &(), _: &Connection, _: &QueueHandle<Self>) {
                $body
            }
        }
    };
}

hear!(wl_callback::WlCallback, |heard, _proxy, _event| { heard.frames += 1 });
hear!(wl_registry::WlRegistry, |heard, _proxy, event| {
    if let wl_registry::Event::Global { name, interface, version } = event {
        heard.globals.insert(interface, (name, version));
    }
});
impl Dispatch<wl_registry::WlRegistry, GlobalListContents> for Heard {
    fn event(_: &mut Self, _: &wl_registry::WlRegistry, _: wl_registry::Event, _: &GlobalListContents, _: &Connection, _: &QueueHandle<Self>) {}
}
hear!(WlBuffer, |heard, _proxy, _event| { heard.released += 1 });
hear!(xdg_wm_base::XdgWmBase, |_heard, proxy, event| {
    if let xdg_wm_base::Event::Ping { serial } = event {
        proxy.pong(serial);
    }
});
hear!(xdg_surface::XdgSurface, |_heard, proxy, event| {
    if let xdg_surface::Event::Configure { serial } = event {
        proxy.ack_configure(serial);
    }
});
hear!(xdg_toplevel::XdgToplevel, |heard, _proxy, event| {
    match event {
        xdg_toplevel::Event::Configure { width, height, states } => {
            heard.size = Some((width, height));
            let words = states.chunks_exact(4).map(|word| u32::from_ne_bytes(word.try_into().unwrap()));
            heard.states = words.filter_map(|word| word.try_into().ok()).collect();
        }
        xdg_toplevel::Event::Close => heard.is_closed = true,
        _ => {}
    }
});
hear!(zxdg_toplevel_decoration_v1::ZxdgToplevelDecorationV1, |heard, _proxy, event| {
    if let zxdg_toplevel_decoration_v1::Event::Configure { mode } = event {
        heard.decoration = mode.into_result().ok();
    }
});
hear!(xdg_popup::XdgPopup, |heard, _proxy, event| {
    match event {
        xdg_popup::Event::Configure { x, y, width, height } => heard.popup = Some((x, y, width, height)),
        xdg_popup::Event::PopupDone => heard.popup_is_done = true,
        _ => {}
    }
});
hear!(wl_keyboard::WlKeyboard, |heard, _proxy, event| {
    match event {
        wl_keyboard::Event::Enter { serial, .. } => {
            heard.has_keyboard = true;
            heard.serial = serial;
        }
        wl_keyboard::Event::Leave { .. } => heard.has_keyboard = false,
        wl_keyboard::Event::Key { key, state, .. } => heard.keys.push((key, matches!(state.into_result(), Ok(wl_keyboard::KeyState::Pressed)))),
        _ => {}
    }
});
hear!(wl_pointer::WlPointer, |heard, _proxy, event| {
    match event {
        wl_pointer::Event::Enter { surface_x, surface_y, .. } | wl_pointer::Event::Motion { surface_x, surface_y, .. } => heard.pointer = Some((surface_x, surface_y)),
        wl_pointer::Event::Leave { .. } => heard.pointer = None,
        wl_pointer::Event::Button { state, .. } => heard.buttons.push(matches!(state.into_result(), Ok(wl_pointer::ButtonState::Pressed))),
        _ => {}
    }
});
hear!(wl_touch::WlTouch, |heard, _proxy, event| {
    heard.touches.push(match event {
        wl_touch::Event::Down { id, x, y, .. } => (Finger::Down, id, (x, y)),
        wl_touch::Event::Motion { id, x, y, .. } => (Finger::Motion, id, (x, y)),
        wl_touch::Event::Up { id, .. } => (Finger::Up, id, (0.0, 0.0)),
        wl_touch::Event::Frame => (Finger::Frame, -1, (0.0, 0.0)),
        wl_touch::Event::Cancel => (Finger::Cancel, -1, (0.0, 0.0)),
        _ => return,
    });
});
hear!(zwlr_layer_surface_v1::ZwlrLayerSurfaceV1, |heard, proxy, event| {
    if let zwlr_layer_surface_v1::Event::Configure { serial, width, height } = event {
        heard.layer_size = Some((width, height));
        proxy.ack_configure(serial);
    }
});
hear!(ext_session_lock_v1::ExtSessionLockV1, |heard, _proxy, event| {
    if let ext_session_lock_v1::Event::Locked = event {
        heard.is_locked = true;
    }
});
hear!(ext_session_lock_surface_v1::ExtSessionLockSurfaceV1, |heard, proxy, event| {
    if let ext_session_lock_surface_v1::Event::Configure { serial, width, height } = event {
        heard.lock_size = Some((width, height));
        proxy.ack_configure(serial);
    }
});
hear!(zwlr_screencopy_frame_v1::ZwlrScreencopyFrameV1, |heard, _proxy, event| {
    match event {
        zwlr_screencopy_frame_v1::Event::Buffer { width, height, .. } => heard.copy_size = Some((width, height)),
        zwlr_screencopy_frame_v1::Event::Ready { .. } => heard.copy = Some(true),
        zwlr_screencopy_frame_v1::Event::Failed => heard.copy = Some(false),
        _ => {}
    }
});
hear!(wp_presentation_feedback::WpPresentationFeedback, |heard, _proxy, event| {
    match event {
        wp_presentation_feedback::Event::Presented { .. } => heard.presented += 1,
        wp_presentation_feedback::Event::Discarded => heard.discarded += 1,
        _ => {}
    }
});
impl Dispatch<wl_data_device::WlDataDevice, ()> for Heard {
    fn event(heard: &mut Self, _: &wl_data_device::WlDataDevice, event: wl_data_device::Event, _: &(), _: &Connection, _: &QueueHandle<Self>) {
        match event {
            wl_data_device::Event::DataOffer { .. } => heard.offers.clear(),
            wl_data_device::Event::Selection { id } => heard.offer = id,
            _ => {}
        }
    }

    wayland_client::event_created_child!(Heard, wl_data_device::WlDataDevice, [
        wl_data_device::EVT_DATA_OFFER_OPCODE => (wl_data_offer::WlDataOffer, ()),
    ]);
}
hear!(wl_data_offer::WlDataOffer, |heard, _proxy, event| {
    if let wl_data_offer::Event::Offer { mime_type } = event {
        heard.offers.push(mime_type);
    }
});
hear!(wl_data_source::WlDataSource, |heard, _proxy, event| {
    if let wl_data_source::Event::Send { fd, .. } = event {
        let data = heard.copied.clone();
        // A pipe takes only so much until it is read.
        std::thread::spawn(move || File::from(fd).write_all(&data));
    }
});
impl Dispatch<ZwlrForeignToplevelManagerV1, ()> for Heard {
    fn event(heard: &mut Self, _: &ZwlrForeignToplevelManagerV1, event: zwlr_foreign_toplevel_manager_v1::Event, _: &(), _: &Connection, _: &QueueHandle<Self>) {
        match event {
            zwlr_foreign_toplevel_manager_v1::Event::Toplevel { toplevel } => heard.listed.push(Listed {
                handle: toplevel,
                title: String::new(),
                app_id: String::new(),
                states: Vec::new(),
                outputs: 0,
                done: 0,
                is_closed: false,
            }),
            zwlr_foreign_toplevel_manager_v1::Event::Finished => heard.list_is_finished = true,
            _ => {}
        }
    }

    wayland_client::event_created_child!(Heard, ZwlrForeignToplevelManagerV1, [
        zwlr_foreign_toplevel_manager_v1::EVT_TOPLEVEL_OPCODE => (ZwlrForeignToplevelHandleV1, ()),
    ]);
}
hear!(ZwlrForeignToplevelHandleV1, |heard, proxy, event| {
    use zwlr_foreign_toplevel_handle_v1::Event;
    let Some(listed) = heard.listed.iter_mut().find(|listed| listed.handle == *proxy) else { return };
    match event {
        Event::Title { title } => listed.title = title,
        Event::AppId { app_id } => listed.app_id = app_id,
        Event::State { state } => listed.states = state.chunks_exact(4).map(|word| u32::from_ne_bytes(word.try_into().unwrap())).collect(),
        Event::OutputEnter { .. } => listed.outputs += 1,
        Event::Done => listed.done += 1,
        Event::Closed => listed.is_closed = true,
        _ => {}
    }
});

delegate_noop!(Heard: WlCompositor);
delegate_noop!(Heard: WlDataDeviceManager);
delegate_noop!(Heard: WlSubcompositor);
delegate_noop!(Heard: WlSubsurface);
delegate_noop!(Heard: WlRegion);
delegate_noop!(Heard: XdgActivationV1);
delegate_noop!(Heard: WlShmPool);
delegate_noop!(Heard: XdgPositioner);
delegate_noop!(Heard: ZxdgDecorationManagerV1);
delegate_noop!(Heard: ZwlrLayerShellV1);
delegate_noop!(Heard: ZwlrScreencopyManagerV1);
delegate_noop!(Heard: ExtSessionLockManagerV1);
delegate_noop!(Heard: WpSinglePixelBufferManagerV1);
delegate_noop!(Heard: WpViewporter);
delegate_noop!(Heard: WpViewport);
delegate_noop!(Heard: ignore WpPresentation);
delegate_noop!(Heard: ignore WlSurface);
delegate_noop!(Heard: ignore WlOutput);
delegate_noop!(Heard: ignore WlSeat);
delegate_noop!(Heard: ignore wl_shm::WlShm);
