//! A window: a client's toplevel, or one of an X11 program, and what we know of it.

use std::time::Duration;

use gde_layout::{Edges, Size};
use smithay::backend::renderer::element::Id;
use smithay::backend::renderer::utils::{CommitCounter, with_renderer_surface_state};
use smithay::desktop::utils::bbox_from_surface_tree;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Rectangle};
use smithay::wayland::compositor::with_states;
use smithay::wayland::foreign_toplevel_list::ForeignToplevelHandle;
use smithay::wayland::shell::xdg::{SurfaceCachedState, ToplevelSurface, XdgToplevelSurfaceData};

use crate::decoration::{Button, TitleBar};
use crate::theme;

/// The number of a window; never used again.
pub type WindowId = u64;

/// The client's side of a window.
#[derive(Debug)]
pub enum Client {
    /// A Wayland program's.
    Xdg(ToplevelSurface),
    /// An X11 program's.
    X11(crate::x11::Toplevel),
}

impl Client {
    /// Its surface.
    pub fn surface(&self) -> &WlSurface {
        match self {
            Client::Xdg(toplevel) => toplevel.wl_surface(),
            Client::X11(toplevel) => &toplevel.surface,
        }
    }

    /// What it calls its window, and itself.
    pub fn names(&self) -> (String, String) {
        match self {
            Client::Xdg(toplevel) => names(toplevel),
            Client::X11(toplevel) => (toplevel.facts.title.clone(), toplevel.facts.class.clone()),
        }
    }

    /// The smallest and the largest size that its window may have, without a title bar; 0 is no limit.
    fn limits(&self) -> (Size, Size) {
        match self {
            Client::Xdg(toplevel) => with_states(toplevel.wl_surface(), |states| {
                let mut state = states.cached_state.get::<SurfaceCachedState>();
                let state = state.current();
                (Size { w: state.min_size.w, h: state.min_size.h }, Size { w: state.max_size.w, h: state.max_size.h })
            }),
            Client::X11(toplevel) => (toplevel.facts.min, toplevel.facts.max),
        }
    }
}

/// A window that is shown.
#[derive(Debug)]
pub struct Window {
    id: WindowId,
    /// The client's side.
    pub client: Client,
    /// Whether we draw its title bar.
    pub has_decoration: bool,
    /// Whether it fills the screen, without a title bar.
    pub is_fullscreen: bool,
    /// Its title bar, once drawn.
    pub title_bar: Option<TitleBar>,
    /// The button under the pointer.
    pub hover: Option<Button>,
    /// Of its shadow.
    pub shadow: (Id, CommitCounter, bool),
    /// Of the lines along its sides.
    pub lines: [Id; 3],
    /// The edges that stay when the client chooses another size.
    pub keep: Edges,
    /// Since when it is shown.
    pub opened: Duration,
    /// For taskbars.
    pub handle: ForeignToplevelHandle,
    min: Size,
    max: Size,
}

/// What a client calls its window, and itself.
fn names(toplevel: &ToplevelSurface) -> (String, String) {
    with_states(toplevel.wl_surface(), |states| {
        let Some(data) = states.data_map.get::<XdgToplevelSurfaceData>() else { return Default::default() };
        let data = data.lock().unwrap_or_else(|error| error.into_inner());
        (data.title.clone().unwrap_or_default(), data.app_id.clone().unwrap_or_default())
    })
}

/// The part of a surface that is the window, without shadows that the client draws.
pub fn geometry(surface: &WlSurface) -> Rectangle<i32, Logical> {
    let bounds = bbox_from_surface_tree(surface, (0, 0));
    let set = with_states(surface, |states| states.cached_state.get::<SurfaceCachedState>().current().geometry);
    match set.and_then(|geometry| geometry.intersection(bounds)) {
        Some(geometry) if !geometry.is_empty() => geometry,
        _ => bounds,
    }
}

/// Whether a surface has something to show.
pub fn is_mapped(surface: &WlSurface) -> bool {
    with_renderer_surface_state(surface, |state| state.buffer().is_some()).unwrap_or(false)
}

impl Window {
    /// A window of a client's.
    pub fn new(id: WindowId, client: Client, has_decoration: bool, handle: ForeignToplevelHandle, opened: Duration) -> Self {
        let mut window = Window {
            id,
            client,
            has_decoration,
            is_fullscreen: false,
            title_bar: None,
            hover: None,
            shadow: (Id::new(), CommitCounter::default(), false),
            lines: [Id::new(), Id::new(), Id::new()],
            keep: Edges::default(),
            opened,
            handle,
            min: Size::default(),
            max: Size::default(),
        };
        window.update_limits();
        window
    }

    /// Its number.
    pub fn number(&self) -> WindowId {
        self.id
    }

    /// Its surface.
    pub fn surface(&self) -> &WlSurface {
        self.client.surface()
    }

    /// What its client calls it, and itself.
    pub fn names(&self) -> (String, String) {
        self.client.names()
    }

    /// Height of the title bar that we draw now.
    pub fn title_height(&self) -> i32 {
        if self.has_decoration && !self.is_fullscreen { theme::TITLE_HEIGHT } else { 0 }
    }

    /// Reads the limits of its size that the client has set.
    pub fn update_limits(&mut self) {
        let (min, max) = self.client.limits();
        let title = if self.has_decoration { theme::TITLE_HEIGHT } else { 0 };
        let with_title = |h: i32| if h > 0 { h.saturating_add(title) } else { h };
        self.min = Size { w: min.w.max(0), h: with_title(min.h).max(0) };
        self.max = Size { w: max.w.max(0), h: with_title(max.h).max(0) };
    }
}

impl gde_layout::Window for Window {
    type Id = WindowId;

    fn id(&self) -> WindowId {
        self.id
    }

    fn min_size(&self) -> Size {
        self.min
    }

    fn max_size(&self) -> Size {
        self.max
    }
}
