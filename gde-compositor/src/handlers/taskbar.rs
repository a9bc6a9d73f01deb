//! Lists of windows for taskbars and docks (wlr-foreign-toplevel-management), which may also act on them.

use ::actions::desktop::{DesktopAction, Part};
use gde_layout::State;
use smithay::reexports::wayland_protocols_wlr::foreign_toplevel::v1::server::{
    zwlr_foreign_toplevel_handle_v1::{self, ZwlrForeignToplevelHandleV1},
    zwlr_foreign_toplevel_manager_v1::{self, ZwlrForeignToplevelManagerV1},
};
use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::wl_output::WlOutput;
use smithay::reexports::wayland_server::{Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New, Resource};

use crate::state::{ClientState, Gde};
use crate::window::WindowId;

/// The first version with fullscreen.
const SINCE_FULLSCREEN: u32 = 2;
/// The first version with parents.
const SINCE_PARENT: u32 = 3;

/// Who wants to know of windows, and what they know.
#[derive(Debug, Default)]
pub struct Taskbars {
    managers: Vec<ZwlrForeignToplevelManagerV1>,
    entries: Vec<Entry>,
}

/// A window as one client knows it.
#[derive(Debug)]
struct Entry {
    window: WindowId,
    manager: ZwlrForeignToplevelManagerV1,
    /// Dead where the client is not interested any more.
    handle: ZwlrForeignToplevelHandleV1,
    told: Option<Told>,
    outputs: Vec<WlOutput>,
}

/// What is told of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    title: String,
    app_id: String,
    states: Vec<zwlr_foreign_toplevel_handle_v1::State>,
    parent: Option<WindowId>,
}

/// Offers the protocol to clients that are in no sandbox.
pub fn create_global(display: &DisplayHandle) {
    display.create_global::<Gde, ZwlrForeignToplevelManagerV1, ()>(SINCE_PARENT, ());
}

impl Entry {
    /// Tells what is new.
    fn tell(&mut self, now: &Told, outputs: &[WlOutput], parent: Option<&ZwlrForeignToplevelHandleV1>) {
        let before = self.told.as_ref();
        let is_new = |of: fn(&Told) -> &String| before.is_none_or(|before| of(before) != of(now));
        let entered: Vec<&WlOutput> = outputs.iter().filter(|output| !self.outputs.contains(output)).collect();
        if before == Some(now) && entered.is_empty() {
            return;
        }
        if is_new(|told| &told.title) {
            self.handle.title(now.title.clone());
        }
        if is_new(|told| &told.app_id) {
            self.handle.app_id(now.app_id.clone());
        }
        for output in entered {
            self.handle.output_enter(output);
        }
        if before.is_none_or(|before| before.states != now.states) {
            let known = |state: &&zwlr_foreign_toplevel_handle_v1::State| {
                self.handle.version() >= SINCE_FULLSCREEN || **state != zwlr_foreign_toplevel_handle_v1::State::Fullscreen
            };
            self.handle.state(now.states.iter().filter(known).flat_map(|state| (*state as u32).to_ne_bytes()).collect());
        }
        if self.handle.version() >= SINCE_PARENT && before.map_or(now.parent.is_some(), |before| before.parent != now.parent) {
            self.handle.parent(parent);
        }
        self.handle.done();
        self.told = Some(now.clone());
        self.outputs = outputs.to_vec();
    }
}

impl Gde {
    fn told_of(&self, id: WindowId) -> Option<Told> {
        use zwlr_foreign_toplevel_handle_v1::State as Shown;
        let (window, place) = self.window_and_place(id)?;
        let (title, app_id) = window.names();
        let states = [
            (place.state == State::Maximized, Shown::Maximized),
            (place.is_minimized, Shown::Minimized),
            (self.layout.focus() == Some(id), Shown::Activated),
            (place.state == State::Fullscreen, Shown::Fullscreen),
        ];
        let states = states.into_iter().filter_map(|(is, state)| is.then_some(state)).collect();
        let parent = self.parent_of(&window.client);
        Some(Told { title, app_id, states, parent })
    }

    /// Tells taskbars what has changed. To be called when the events at hand are done.
    pub fn update_taskbars(&mut self) {
        if self.taskbars.managers.is_empty() && self.taskbars.entries.is_empty() {
            return;
        }
        let mut taskbars = std::mem::take(&mut self.taskbars);
        taskbars.managers.retain(Resource::is_alive);
        taskbars.entries.retain(|entry| {
            let is_open = self.layout.window(entry.window).is_some();
            if !is_open && entry.handle.is_alive() {
                entry.handle.closed();
            }
            // One that the client has given back is kept, so that it does not come again.
            is_open && (entry.handle.is_alive() || entry.manager.is_alive())
        });
        let mut windows: Vec<(WindowId, Told)> = self.layout.windows().filter_map(|window| Some((window.number(), self.told_of(window.number())?))).collect();
        windows.sort_by_key(|(id, _)| *id);
        for manager in &taskbars.managers {
            for (id, _) in &windows {
                if taskbars.entries.iter().any(|entry| entry.window == *id && entry.manager == *manager) {
                    continue;
                }
                let Some(client) = manager.client() else { continue };
                match client.create_resource::<ZwlrForeignToplevelHandleV1, WindowId, Gde>(&self.display, manager.version(), *id) {
                    Ok(handle) => {
                        manager.toplevel(&handle);
                        taskbars.entries.push(Entry { window: *id, manager: manager.clone(), handle, told: None, outputs: Vec::new() });
                    }
                    Err(error) => tracing::debug!("a taskbar is gone: {error}"),
                }
            }
        }
        let handles: Vec<_> = taskbars.entries.iter().map(|entry| (entry.window, entry.manager.clone(), entry.handle.clone())).collect();
        for entry in &mut taskbars.entries {
            let Some((_, told)) = windows.iter().find(|(id, _)| *id == entry.window) else { continue };
            let Some(client) = entry.handle.client() else { continue };
            let outputs: Vec<WlOutput> = self.screens.first().into_iter().flat_map(|screen| screen.output.client_outputs(&client)).collect();
            let parent = handles.iter().find(|(window, manager, handle)| Some(*window) == told.parent && *manager == entry.manager && handle.is_alive());
            entry.tell(told, &outputs, parent.map(|(_, _, handle)| handle));
        }
        self.taskbars = taskbars;
    }

    fn taskbar_request(&mut self, id: WindowId, request: &zwlr_foreign_toplevel_handle_v1::Request) -> Result<(), String> {
        use zwlr_foreign_toplevel_handle_v1::Request;
        let window = Some(id);
        let Some(place) = self.layout.place(id).copied() else { return Ok(()) };
        let put = |part| DesktopAction::Put { window, part };
        let shows = matches!(request, Request::SetMaximized | Request::SetFullscreen { .. });
        if shows && place.is_minimized {
            self.layout.set_minimized(id, false);
        }
        let action = match request {
            Request::SetMaximized => put(Part::Maximized),
            Request::UnsetMaximized if place.state == State::Maximized => put(Part::Free),
            Request::SetMinimized => DesktopAction::Minimize { window },
            // There is no action that shows a window without giving it the keyboard; this is not how windows are shown here.
            Request::UnsetMinimized if place.is_minimized => DesktopAction::Focus { window: id },
            Request::Activate { .. } => DesktopAction::Focus { window: id },
            Request::Close => DesktopAction::Close { window },
            Request::SetFullscreen { .. } => put(Part::Fullscreen),
            Request::UnsetFullscreen if place.state == State::Fullscreen => DesktopAction::ToggleFullscreen { window },
            _ => return Ok(()),
        };
        self.act(&action)
    }
}

impl GlobalDispatch<ZwlrForeignToplevelManagerV1, ()> for Gde {
    fn bind(gde: &mut Gde, _: &DisplayHandle, _: &Client, resource: New<ZwlrForeignToplevelManagerV1>, _: &(), init: &mut DataInit<'_, Gde>) {
        // It is told of all windows when the events at hand are done.
        gde.taskbars.managers.push(init.init(resource, ()));
    }

    fn can_view(client: Client, _: &()) -> bool {
        client.get_data::<ClientState>().is_none_or(|state| state.security_context.is_none())
    }
}

impl Dispatch<ZwlrForeignToplevelManagerV1, ()> for Gde {
    fn request(
        gde: &mut Gde,
        _: &Client,
        manager: &ZwlrForeignToplevelManagerV1,
        request: zwlr_foreign_toplevel_manager_v1::Request,
        _: &(),
        _: &DisplayHandle,
        _: &mut DataInit<'_, Gde>,
    ) {
        if let zwlr_foreign_toplevel_manager_v1::Request::Stop = request {
            // The windows that it knows it still hears of.
            gde.taskbars.managers.retain(|it| it != manager);
            manager.finished();
        }
    }

    fn destroyed(gde: &mut Gde, _: ClientId, manager: &ZwlrForeignToplevelManagerV1, _: &()) {
        gde.taskbars.managers.retain(|it| it != manager);
    }
}

impl Dispatch<ZwlrForeignToplevelHandleV1, WindowId> for Gde {
    fn request(
        gde: &mut Gde,
        _: &Client,
        handle: &ZwlrForeignToplevelHandleV1,
        request: zwlr_foreign_toplevel_handle_v1::Request,
        window: &WindowId,
        _: &DisplayHandle,
        _: &mut DataInit<'_, Gde>,
    ) {
        if let zwlr_foreign_toplevel_handle_v1::Request::SetRectangle { width, height, .. } = request {
            // Windows do not fly to where the taskbar shows them.
            if width < 0 || height < 0 {
                handle.post_error(zwlr_foreign_toplevel_handle_v1::Error::InvalidRectangle, "the rectangle has a negative size");
            }
            return;
        }
        if let Err(problem) = gde.taskbar_request(*window, &request) {
            tracing::debug!("a taskbar's request: {problem}");
        }
    }
}
