//! A window that belongs to one of another program, by xdg-foreign: it is shown over that one.

use iced_runtime::{Task, window};
use raw_window_handle::{RawDisplayHandle, RawWindowHandle};
use std::mem;
use wayland_backend::client::{Backend, ObjectId};
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::protocol::wl_surface::WlSurface;
use wayland_client::{Connection, Dispatch, Proxy, QueueHandle, delegate_noop};
use wayland_protocols::xdg::foreign::zv2::client::zxdg_imported_v2::ZxdgImportedV2;
use wayland_protocols::xdg::foreign::zv2::client::zxdg_importer_v2::ZxdgImporterV2;

/// Makes the app's window belong to the one that has this handle. Where the desktop does not know the handle, or how to do that, it stays on its own.
pub fn set<M: Send + 'static>(handle: String) -> Task<M> {
    window::oldest().then(move |id| {
        let Some(id) = id else { return Task::none() };
        let handle = handle.clone();
        window::run(id, move |window| {
            if let (Ok(display), Ok(window)) = (window.display_handle(), window.window_handle())
                && let (RawDisplayHandle::Wayland(display), RawWindowHandle::Wayland(surface)) = (display.as_raw(), window.as_raw())
            {
                import(display.display.as_ptr(), surface.surface.as_ptr(), handle);
            }
        })
        .discard()
    })
}

struct Nothing;

/// Does it for a display and a surface of libwayland's.
fn import(display: *mut std::ffi::c_void, surface: *mut std::ffi::c_void, handle: String) {
    // SAFETY: the window's display is connected for as long as the app runs, and what is made here only sends requests by it.
    let connection = Connection::from_backend(unsafe { Backend::from_foreign_display(display.cast()) });
    // SAFETY: it is the surface of the window that this is called for, on that display.
    let surface = unsafe { ObjectId::from_ptr(WlSurface::interface(), surface.cast()) };
    let Ok(surface) = surface.map_err(drop).and_then(|id| WlSurface::from_id(&connection, id).map_err(drop)) else { return };
    let Ok((globals, queue)) = registry_queue_init::<Nothing>(&connection) else { return };
    let Ok(importer) = globals.bind::<ZxdgImporterV2, _, _>(&queue.handle(), 1..=1, ()) else { return };
    let imported = importer.import_toplevel(handle, &queue.handle(), ());
    imported.set_parent_of(&surface);
    let _ = connection.flush();
    // The relation ends with its objects: they stay as long as the app.
    mem::forget((connection, globals, queue, importer, imported));
}

impl Dispatch<WlRegistry, GlobalListContents> for Nothing {
    fn event(_: &mut Self, _: &WlRegistry, _: wl_registry::Event, _: &GlobalListContents, _: &Connection, _: &QueueHandle<Self>) {}
}

delegate_noop!(Nothing: ZxdgImporterV2);
delegate_noop!(Nothing: ignore ZxdgImportedV2);
