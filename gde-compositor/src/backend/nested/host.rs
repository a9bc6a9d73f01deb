//! What the compositor around us tells.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;

use wayland_client::protocol::{
    wl_buffer::{self, WlBuffer},
    wl_callback::{self, WlCallback},
    wl_compositor::WlCompositor,
    wl_keyboard::{self, WlKeyboard},
    wl_pointer::{self, WlPointer},
    wl_registry::{self, WlRegistry},
    wl_seat::{self, WlSeat},
    wl_shm::WlShm,
    wl_shm_pool::WlShmPool,
    wl_surface::WlSurface,
};
use wayland_client::{Connection, Dispatch, Proxy, QueueHandle, delegate_noop};
use wayland_protocols::xdg::decoration::zv1::client::zxdg_decoration_manager_v1::ZxdgDecorationManagerV1;
use wayland_protocols::xdg::decoration::zv1::client::zxdg_toplevel_decoration_v1::ZxdgToplevelDecorationV1;
use wayland_protocols::xdg::shell::client::xdg_surface::{self, XdgSurface};
use wayland_protocols::xdg::shell::client::xdg_toplevel::{self, XdgToplevel};
use wayland_protocols::xdg::shell::client::xdg_wm_base::{self, XdgWmBase};

use crate::input::Input;

/// The longest keymap that is taken.
const KEYMAP: u32 = 1 << 20;
/// What a wheel's click is worth where only a distance is told, as libinput has it.
const CLICK: f64 = 15.0;

/// Something that happened.
#[derive(Debug)]
pub enum Told {
    /// All that the host has is known.
    Globals,
    /// The window has this size; 0 where that is left to us.
    Size(i32, i32),
    /// The window is closed.
    Close,
    /// A frame is shown.
    Frame,
    /// A buffer may be drawn into again.
    Released(WlBuffer),
    /// The user has done something.
    Input(Input),
    /// What the host's keys mean.
    Keymap(String),
}

/// A global of the host's.
#[derive(Debug)]
pub struct Global {
    /// Its number.
    pub name: u32,
    /// What it is.
    pub interface: String,
    /// The host's version of it.
    pub version: u32,
}

/// What is known of the host.
#[derive(Debug, Default)]
pub struct Host {
    /// What has happened and was not taken yet.
    pub told: Vec<Told>,
    /// What the host has.
    pub globals: Vec<Global>,
    /// The size that the window has now, for places of the pointer.
    pub size: (i32, i32),
    wanted: (i32, i32),
    pressed: BTreeSet<u16>,
    pointer: Option<WlPointer>,
    keyboard: Option<WlKeyboard>,
    wheel: Wheel,
}

/// A turn of the wheel as far as it was told.
#[derive(Debug, Default)]
struct Wheel {
    /// In 1/120 of a click, to the right and down.
    fine: [i32; 2],
    /// By distance.
    distance: [f64; 2],
}

impl Host {
    fn input(&mut self, input: Input) {
        self.told.push(Told::Input(input));
    }

    fn key(&mut self, code: u16, is_pressed: bool) {
        let is_new = if is_pressed { self.pressed.insert(code) } else { self.pressed.remove(&code) };
        if is_new {
            self.input(Input::Key { code, is_pressed });
        }
    }

    fn point(&mut self, x: f64, y: f64) {
        let part = |at: f64, length: i32| (at / f64::from(length.max(1))).clamp(0.0, 1.0);
        let (x, y) = (part(x, self.size.0), part(y, self.size.1));
        self.input(Input::Position { x, y });
    }

    fn turn_wheel(&mut self) {
        let wheel = std::mem::take(&mut self.wheel);
        let by_distance = wheel.distance.map(|it| (it / CLICK * 120.0) as i32);
        let [horizontal, vertical] = if wheel.fine == [0, 0] { by_distance } else { wheel.fine };
        if (horizontal, vertical) != (0, 0) {
            self.input(Input::Wheel { horizontal, vertical });
        }
    }
}

fn axis(axis: wayland_client::WEnum<wl_pointer::Axis>) -> Option<usize> {
    match axis.into_result().ok()? {
        wl_pointer::Axis::HorizontalScroll => Some(0),
        wl_pointer::Axis::VerticalScroll => Some(1),
        _ => None,
    }
}

/// Has a block run for an interface's events.
macro_rules! hear {
    ($interface:ty, |$host:ident, $proxy:ident, $event:ident, $qh:ident| $body:block) => {
        impl Dispatch<$interface, ()> for Host {
            fn event($host: &mut Self, $proxy: &$interface, $event: <$interface as Proxy>::Event, _: &(), _: &Connection, $qh: &QueueHandle<Self>) {
                $body
            }
        }
    };
}

/// Which answer of the host's a callback is.
#[derive(Debug, Clone, Copy)]
pub enum Asked {
    /// For all globals.
    Globals,
    /// For the next frame.
    Frame,
}

impl Dispatch<WlCallback, Asked> for Host {
    fn event(host: &mut Self, _: &WlCallback, event: wl_callback::Event, asked: &Asked, _: &Connection, _: &QueueHandle<Self>) {
        if let wl_callback::Event::Done { .. } = event {
            host.told.push(match asked {
                Asked::Globals => Told::Globals,
                Asked::Frame => Told::Frame,
            });
        }
    }
}

hear!(WlRegistry, |host, _proxy, event, _qh| {
    if let wl_registry::Event::Global { name, interface, version } = event {
        host.globals.push(Global { name, interface, version });
    }
});
hear!(WlBuffer, |host, proxy, event, _qh| {
    if let wl_buffer::Event::Release = event {
        host.told.push(Told::Released(proxy.clone()));
    }
});
hear!(XdgWmBase, |_host, proxy, event, _qh| {
    if let xdg_wm_base::Event::Ping { serial } = event {
        proxy.pong(serial);
    }
});
hear!(XdgToplevel, |host, _proxy, event, _qh| {
    match event {
        xdg_toplevel::Event::Configure { width, height, .. } => host.wanted = (width, height),
        xdg_toplevel::Event::Close => host.told.push(Told::Close),
        _ => {}
    }
});
hear!(XdgSurface, |host, proxy, event, _qh| {
    if let xdg_surface::Event::Configure { serial } = event {
        proxy.ack_configure(serial);
        host.told.push(Told::Size(host.wanted.0, host.wanted.1));
    }
});
hear!(WlSeat, |host, proxy, event, qh| {
    let wl_seat::Event::Capabilities { capabilities } = event else { return };
    let Ok(capabilities) = capabilities.into_result() else { return };
    if capabilities.contains(wl_seat::Capability::Pointer) && host.pointer.is_none() {
        host.pointer = Some(proxy.get_pointer(qh, ()));
    }
    if capabilities.contains(wl_seat::Capability::Keyboard) && host.keyboard.is_none() {
        host.keyboard = Some(proxy.get_keyboard(qh, ()));
    }
});
hear!(WlPointer, |host, proxy, event, _qh| {
    match event {
        wl_pointer::Event::Enter { serial, surface_x, surface_y, .. } => {
            // We draw one ourselves.
            proxy.set_cursor(serial, None, 0, 0);
            host.point(surface_x, surface_y);
        }
        wl_pointer::Event::Motion { surface_x, surface_y, .. } => host.point(surface_x, surface_y),
        wl_pointer::Event::Button { button, state, .. } => {
            let is_pressed = matches!(state.into_result(), Ok(wl_pointer::ButtonState::Pressed));
            if let Ok(code) = u16::try_from(button) {
                host.input(Input::Button { code, is_pressed });
            }
        }
        wl_pointer::Event::Axis { axis: which, value, .. } => {
            if let Some(at) = axis(which) {
                host.wheel.distance[at] += value;
            }
            if proxy.version() < 5 {
                // There are no frames.
                host.turn_wheel();
            }
        }
        wl_pointer::Event::AxisDiscrete { axis: which, discrete } => {
            if let Some(at) = axis(which) {
                host.wheel.fine[at] = host.wheel.fine[at].saturating_add(discrete.saturating_mul(120));
            }
        }
        wl_pointer::Event::AxisValue120 { axis: which, value120 } => {
            if let Some(at) = axis(which) {
                host.wheel.fine[at] = host.wheel.fine[at].saturating_add(value120);
            }
        }
        wl_pointer::Event::Frame => host.turn_wheel(),
        _ => {}
    }
});
hear!(WlKeyboard, |host, _proxy, event, _qh| {
    match event {
        wl_keyboard::Event::Keymap { format, fd, size } => {
            let is_xkb = matches!(format.into_result(), Ok(wl_keyboard::KeymapFormat::XkbV1));
            let mut text = vec![0; size.min(KEYMAP) as usize];
            if is_xkb && size <= KEYMAP && File::from(fd).read_exact_at(&mut text, 0).is_ok() {
                // It ends with a zero.
                text.truncate(text.iter().position(|it| *it == 0).unwrap_or(text.len()));
                host.told.extend(String::from_utf8(text).ok().map(Told::Keymap));
            }
        }
        wl_keyboard::Event::Key { key, state, .. } => {
            if let Ok(code) = u16::try_from(key) {
                host.key(code, matches!(state.into_result(), Ok(wl_keyboard::KeyState::Pressed)));
            }
        }
        // What is held is let go elsewhere.
        wl_keyboard::Event::Leave { .. } => std::mem::take(&mut host.pressed).into_iter().for_each(|code| host.input(Input::Key { code, is_pressed: false })),
        _ => {}
    }
});

// What they tell we do not need: which screens the window is on, which formats there are besides the one that all have, who draws the title bar.
delegate_noop!(Host: WlCompositor);
delegate_noop!(Host: ignore WlShm);
delegate_noop!(Host: WlShmPool);
delegate_noop!(Host: ignore WlSurface);
delegate_noop!(Host: ZxdgDecorationManagerV1);
delegate_noop!(Host: ignore ZxdgToplevelDecorationV1);

