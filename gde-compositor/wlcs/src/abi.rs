//! wlcs's interface: structures of functions, each with the version that it is of.

use std::ffi::{CStr, c_char, c_int, c_void};

/// A client's connection, of libwayland-client.
pub type WlDisplay = c_void;
/// A client's surface, of libwayland-client.
pub type WlSurface = c_void;
/// A number with 8 bits behind the point.
pub type Fixed = i32;

/// Makes compositors.
#[repr(C)]
pub struct ServerIntegration {
    pub version: u32,
    pub create_server: extern "C" fn(c_int, *const *const c_char) -> *mut DisplayServer,
    pub destroy_server: extern "C" fn(*mut DisplayServer),
}

/// A compositor.
#[repr(C)]
pub struct DisplayServer {
    pub version: u32,
    pub start: extern "C" fn(*mut DisplayServer),
    pub stop: extern "C" fn(*mut DisplayServer),
    pub create_client_socket: extern "C" fn(*mut DisplayServer) -> c_int,
    pub position_window_absolute: extern "C" fn(*mut DisplayServer, *mut WlDisplay, *mut WlSurface, c_int, c_int),
    pub create_pointer: extern "C" fn(*mut DisplayServer) -> *mut Pointer,
    pub create_touch: extern "C" fn(*mut DisplayServer) -> *mut Touch,
    pub get_descriptor: extern "C" fn(*const DisplayServer) -> *const IntegrationDescriptor,
    pub start_on_this_thread: Option<extern "C" fn(*mut DisplayServer, *mut c_void)>,
}

/// A protocol and its version.
#[repr(C)]
pub struct ExtensionDescriptor {
    name: *const c_char,
    version: u32,
}

// SAFETY: the name is never written to.
unsafe impl Sync for ExtensionDescriptor {}

impl ExtensionDescriptor {
    /// A protocol and its version.
    pub const fn new(name: &'static CStr, version: u32) -> Self {
        ExtensionDescriptor { name: name.as_ptr(), version }
    }
}

/// What a compositor can do.
#[repr(C)]
pub struct IntegrationDescriptor {
    version: u32,
    count: usize,
    extensions: *const ExtensionDescriptor,
}

// SAFETY: the list is never written to.
unsafe impl Sync for IntegrationDescriptor {}

impl IntegrationDescriptor {
    /// A compositor that has these protocols.
    pub const fn new(extensions: &'static [ExtensionDescriptor]) -> Self {
        IntegrationDescriptor { version: 1, count: extensions.len(), extensions: extensions.as_ptr() }
    }
}

/// A pointing device.
#[repr(C)]
pub struct Pointer {
    pub version: u32,
    pub move_absolute: extern "C" fn(*mut Pointer, Fixed, Fixed),
    pub move_relative: extern "C" fn(*mut Pointer, Fixed, Fixed),
    pub button_up: extern "C" fn(*mut Pointer, c_int),
    pub button_down: extern "C" fn(*mut Pointer, c_int),
    pub destroy: extern "C" fn(*mut Pointer),
}

/// A touch screen.
#[repr(C)]
pub struct Touch {
    pub version: u32,
    pub touch_down: extern "C" fn(*mut Touch, Fixed, Fixed),
    pub touch_move: extern "C" fn(*mut Touch, Fixed, Fixed),
    pub touch_up: extern "C" fn(*mut Touch),
    pub destroy: extern "C" fn(*mut Touch),
}

/// A number of wlcs's as we have it.
pub fn from_fixed(value: Fixed) -> f64 {
    f64::from(value) / 256.0
}

/// A function of libwayland-client, which wlcs is linked with.
///
/// # Safety
/// The function must be of this type.
unsafe fn function<F: Copy>(name: &CStr) -> F {
    // SAFETY: the name ends with a zero.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    assert!(!address.is_null(), "{name:?} is missing: this library is for wlcs");
    assert_eq!(size_of::<F>(), size_of_val(&address));
    // SAFETY: a function's address is as large as another one, and the caller knows its type.
    unsafe { std::mem::transmute_copy(&address) }
}

/// The descriptor of a client's connection.
///
/// # Safety
/// The client must be alive.
pub unsafe fn fd_of(display: *mut WlDisplay) -> c_int {
    // SAFETY: that is the function's type.
    let call: unsafe extern "C" fn(*mut WlDisplay) -> c_int = unsafe { function(c"wl_display_get_fd") };
    // SAFETY: the caller knows that it is alive.
    unsafe { call(display) }
}

/// The number of a client's surface.
///
/// # Safety
/// The surface must be alive.
pub unsafe fn id_of(surface: *mut WlSurface) -> u32 {
    // SAFETY: that is the function's type.
    let call: unsafe extern "C" fn(*mut WlSurface) -> u32 = unsafe { function(c"wl_proxy_get_id") };
    // SAFETY: the caller knows that it is alive.
    unsafe { call(surface) }
}
