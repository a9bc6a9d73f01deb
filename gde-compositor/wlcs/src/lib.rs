//! GDE for wlcs, the Wayland conformance suite: `wlcs libgde_wlcs.so` loads this library and runs its tests against a compositor in the same
//! process, a new one for each test. The interface is plain C, as in wlcs's headers `display_server.h`, `pointer.h` and `touch.h`.
//!
//! * [`abi`]: the interface.
//! * [`server`]: the compositor, on a thread of its own.
#![allow(unsafe_code)]

mod abi;
mod server;

use std::ffi::{c_char, c_int};
use std::os::fd::IntoRawFd;

use abi::{DisplayServer, ExtensionDescriptor, Fixed, IntegrationDescriptor, Pointer, ServerIntegration, Touch, WlDisplay, WlSurface};
use gde_compositor::input::Input;
use server::{Order, Server};

/// What wlcs looks for.
#[unsafe(no_mangle)]
pub static wlcs_server_integration: ServerIntegration = ServerIntegration { version: 1, create_server, destroy_server };

/// What wlcs asks about; tests of others are left out.
static EXTENSIONS: [ExtensionDescriptor; 13] = [
    ExtensionDescriptor::new(c"wl_compositor", 6),
    ExtensionDescriptor::new(c"wl_subcompositor", 1),
    ExtensionDescriptor::new(c"wl_shm", 2),
    ExtensionDescriptor::new(c"wl_seat", 9),
    ExtensionDescriptor::new(c"wl_output", 4),
    ExtensionDescriptor::new(c"wl_data_device_manager", 3),
    ExtensionDescriptor::new(c"xdg_wm_base", 6),
    ExtensionDescriptor::new(c"zwlr_layer_shell_v1", 4),
    ExtensionDescriptor::new(c"zwlr_foreign_toplevel_manager_v1", 3),
    ExtensionDescriptor::new(c"zwp_text_input_manager_v3", 1),
    ExtensionDescriptor::new(c"zwp_input_method_manager_v2", 1),
    ExtensionDescriptor::new(c"zwp_pointer_constraints_v1", 1),
    ExtensionDescriptor::new(c"zwp_relative_pointer_manager_v1", 1),
];

static DESCRIPTOR: IntegrationDescriptor = IntegrationDescriptor::new(&EXTENSIONS);

/// A compositor, as wlcs has it: the interface comes first.
#[repr(C)]
struct Own {
    interface: DisplayServer,
    server: Server,
}

/// A pointing device.
#[repr(C)]
struct OwnPointer {
    interface: Pointer,
    orders: server::Orders,
}

/// The compositor that an interface belongs to.
///
/// # Safety
/// The pointer must be one that [`create_server`] has given, and not destroyed yet.
unsafe fn own<'a>(server: *mut DisplayServer) -> &'a mut Own {
    // SAFETY: the interface is the first part of what was given.
    unsafe { &mut *server.cast::<Own>() }
}

extern "C" fn create_server(_: c_int, _: *const *const c_char) -> *mut DisplayServer {
    let interface = DisplayServer {
        version: 3,
        start,
        stop,
        create_client_socket,
        position_window_absolute,
        create_pointer,
        create_touch,
        get_descriptor,
        start_on_this_thread: None,
    };
    Box::into_raw(Box::new(Own { interface, server: Server::default() })).cast()
}

extern "C" fn destroy_server(server: *mut DisplayServer) {
    // SAFETY: it is given back what it was given, and only once.
    drop(unsafe { Box::from_raw(server.cast::<Own>()) });
}

extern "C" fn start(server: *mut DisplayServer) {
    // SAFETY: wlcs calls with what it was given.
    unsafe { own(server) }.server.start();
}

extern "C" fn stop(server: *mut DisplayServer) {
    // SAFETY: as above.
    unsafe { own(server) }.server.stop();
}

extern "C" fn create_client_socket(server: *mut DisplayServer) -> c_int {
    // SAFETY: as above.
    unsafe { own(server) }.server.connect().map_or(-1, IntoRawFd::into_raw_fd)
}

extern "C" fn position_window_absolute(server: *mut DisplayServer, display: *mut WlDisplay, surface: *mut WlSurface, x: c_int, y: c_int) {
    // SAFETY: the client's objects are alive during the call.
    let (fd, surface) = unsafe { (abi::fd_of(display), abi::id_of(surface)) };
    // SAFETY: as above.
    unsafe { own(server) }.server.tell(|done| Order::Position { fd, surface, at: (x, y), done });
}

extern "C" fn get_descriptor(_: *const DisplayServer) -> *const IntegrationDescriptor {
    &DESCRIPTOR
}

extern "C" fn create_pointer(server: *mut DisplayServer) -> *mut Pointer {
    let interface = Pointer { version: 1, move_absolute, move_relative, button_up, button_down, destroy: destroy_pointer };
    // SAFETY: as above.
    let orders = unsafe { own(server) }.server.orders();
    Box::into_raw(Box::new(OwnPointer { interface, orders })).cast()
}

extern "C" fn destroy_pointer(pointer: *mut Pointer) {
    // SAFETY: it is given back what it was given, and only once.
    drop(unsafe { Box::from_raw(pointer.cast::<OwnPointer>()) });
}

fn point(pointer: *mut Pointer, order: impl FnOnce(server::Done) -> Order) {
    // SAFETY: wlcs calls with what it was given.
    let own = unsafe { &*pointer.cast::<OwnPointer>() };
    own.orders.tell(order);
}

extern "C" fn move_absolute(pointer: *mut Pointer, x: Fixed, y: Fixed) {
    point(pointer, |done| Order::PointAt { x: abi::from_fixed(x), y: abi::from_fixed(y), done });
}

extern "C" fn move_relative(pointer: *mut Pointer, dx: Fixed, dy: Fixed) {
    point(pointer, |done| Order::Input { input: Input::Motion { dx: abi::from_fixed(dx), dy: abi::from_fixed(dy) }, done });
}

extern "C" fn button_up(pointer: *mut Pointer, button: c_int) {
    point(pointer, |done| Order::Input { input: Input::Button { code: button as u16, is_pressed: false }, done });
}

extern "C" fn button_down(pointer: *mut Pointer, button: c_int) {
    point(pointer, |done| Order::Input { input: Input::Button { code: button as u16, is_pressed: true }, done });
}

/// GDE has no touch screens yet: nothing comes of it, and the tests that wait for it are among the exceptions.
extern "C" fn create_touch(_: *mut DisplayServer) -> *mut Touch {
    Box::into_raw(Box::new(Touch { version: 1, touch_down: touch_at, touch_move: touch_at, touch_up, destroy: destroy_touch }))
}

extern "C" fn touch_at(_: *mut Touch, _: Fixed, _: Fixed) {}

extern "C" fn touch_up(_: *mut Touch) {}

extern "C" fn destroy_touch(touch: *mut Touch) {
    // SAFETY: it is given back what it was given, and only once.
    drop(unsafe { Box::from_raw(touch) });
}
