//! What is under the pointer.

use gde_layout::{Edges, Point};
use smithay::desktop::{PopupManager, WindowSurfaceType, layer_map_for_output};
use smithay::desktop::utils::under_from_surface_tree;
use smithay::input::pointer::CursorIcon;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point as At};
use smithay::wayland::shell::wlr_layer::Layer;

use crate::decoration::{Button, button_at};
use crate::state::Gde;
use crate::theme;
use crate::window::{self, WindowId};

/// A surface, and where its upper left corner is.
pub type Surface = (WlSurface, At<f64, Logical>);

/// What is under the pointer.
#[derive(Debug, Clone, PartialEq)]
pub enum Hit {
    /// A client's surface.
    Surface(WlSurface, At<f64, Logical>),
    /// A title bar, and the button on it.
    Title(WindowId, Option<Button>),
    /// A window's edges.
    Edge(WindowId, Edges),
    /// Something of ours that takes all input.
    Own,
    /// The quick settings, or beside them while they are open.
    Quick,
    /// A menu, or beside it while it is open.
    Menu,
    /// The notice of a number.
    Notice(u32),
    /// The panel.
    Panel,
    /// Nothing but the wallpaper.
    Nothing,
}

impl Hit {
    /// Where pointer events go.
    pub fn focus(&self) -> Option<Surface> {
        match self {
            Hit::Surface(surface, location) => Some((surface.clone(), *location)),
            _ => None,
        }
    }

    /// The pointer's image over something of ours.
    pub fn cursor(&self) -> Option<CursorIcon> {
        match self {
            Hit::Surface(..) => None,
            Hit::Edge(_, edges) => Some(match (edges.left, edges.right, edges.top, edges.bottom) {
                (true, _, true, _) => CursorIcon::NwResize,
                (_, true, _, true) => CursorIcon::SeResize,
                (_, true, true, _) => CursorIcon::NeResize,
                (true, _, _, true) => CursorIcon::SwResize,
                (true, ..) => CursorIcon::WResize,
                (_, true, ..) => CursorIcon::EResize,
                (_, _, true, _) => CursorIcon::NResize,
                _ => CursorIcon::SResize,
            }),
            _ => Some(CursorIcon::Default),
        }
    }
}

/// A surface or one of its children at a place, where its upper left corner is at `origin`.
pub fn surface_at(root: &WlSurface, origin: At<i32, Logical>, at: At<f64, Logical>) -> Option<Hit> {
    let (surface, location) = under_from_surface_tree(root, at, origin, WindowSurfaceType::ALL)?;
    Some(Hit::Surface(surface, location.to_f64()))
}

/// A popup of a surface whose content begins at `origin`.
fn popup_at(root: &WlSurface, origin: At<i32, Logical>, at: At<f64, Logical>) -> Option<Hit> {
    PopupManager::popups_for_surface(root).find_map(|(popup, location)| surface_at(popup.wl_surface(), origin + location - popup.geometry().loc, at))
}

impl Gde {
    /// What is at a place.
    pub fn hit(&self, at: At<f64, Logical>) -> Hit {
        if self.lock.is_locked {
            let surface = self.screen_at(at).and_then(|screen| Some((self.lock.surfaces.get(&screen.output)?, self.screen_rect(screen))));
            return surface.and_then(|(surface, rect)| surface_at(surface.wl_surface(), (rect.x, rect.y).into(), at)).unwrap_or(Hit::Nothing);
        }
        let point = Point { x: at.x.floor() as i32, y: at.y.floor() as i32 };
        if self.region.is_some() {
            return Hit::Own;
        }
        if self.menu.as_ref().is_some_and(|it| it.area().contains(point)) {
            return Hit::Menu;
        }
        if self.quick.area().is_some_and(|area| area.contains(point)) {
            return Hit::Quick;
        }
        if let Some(id) = self.notices.at(point) {
            return Hit::Notice(id);
        }
        if let Some(hit) = self.layer_at(Layer::Overlay, at) {
            return hit;
        }
        if self.menu.is_some() {
            return Hit::Menu;
        }
        if self.quick.is_open() {
            return Hit::Quick;
        }
        if self.launcher.is_some() || self.overview.is_some() {
            return Hit::Own;
        }
        if let Some((surface, location)) = self.unmanaged_at(at) {
            return Hit::Surface(surface, location);
        }
        let screen = self.screen_at(at).map(|screen| self.screen_rect(screen)).unwrap_or_default();
        let is_fullscreen = self.fullscreen_on(&screen).is_some();
        if !is_fullscreen {
            if let Some(hit) = self.layer_at(Layer::Top, at) {
                return hit;
            }
            if self.panel.is_shown && self.screens.first().is_some_and(|first| self.screen_rect(first) == screen) && point.y < screen.y + theme::PANEL_HEIGHT {
                return Hit::Panel;
            }
        }
        for id in self.layout.visible().into_iter().rev() {
            if let Some(hit) = self.window_at(id, at, point) {
                return hit;
            }
        }
        self.layer_at(Layer::Bottom, at).or_else(|| self.layer_at(Layer::Background, at)).unwrap_or(Hit::Nothing)
    }

    fn layer_at(&self, kind: Layer, at: At<f64, Logical>) -> Option<Hit> {
        let screen = self.screen_at(at)?;
        let rect = self.screen_rect(screen);
        let map = layer_map_for_output(&screen.output);
        map.layers_on(kind).rev().find_map(|layer| {
            let origin = map.layer_geometry(layer)?.loc + At::from((rect.x, rect.y));
            popup_at(layer.wl_surface(), origin, at).or_else(|| surface_at(layer.wl_surface(), origin, at))
        })
    }

    fn window_at(&self, id: WindowId, at: At<f64, Logical>, point: Point) -> Option<Hit> {
        let (window, place) = self.window_and_place(id)?;
        let frame = self.shown_frame(id)?;
        let content = self.content_location(id)?;
        if let Some(hit) = popup_at(window.surface(), content, at) {
            return Some(hit);
        }
        let title = window.title_height();
        if frame.contains(point) && point.y < frame.y + title {
            // The very edge of the title bar still resizes, but for what fills the screen.
            let is_free = place.state == gde_layout::State::Free;
            if is_free && point.y < frame.y + 3 {
                return Some(Hit::Edge(id, edges(&frame, point)));
            }
            return Some(Hit::Title(id, button_at(frame.w, point.x - frame.x, point.y - frame.y)));
        }
        if let Some(hit) = surface_at(window.surface(), content - window::geometry(window.surface()).loc, at) {
            return Some(hit);
        }
        if frame.contains(point) {
            // The client leaves a part of its frame free: nothing below it is meant.
            return Some(Hit::Title(id, None));
        }
        let is_resizable = window.has_decoration && place.state == gde_layout::State::Free && !self.layout.is_tiled(place);
        let near = frame.inset(-theme::GRIP);
        (is_resizable && near.contains(point)).then(|| Hit::Edge(id, edges(&frame, point)))
    }
}

/// The edges near a point beside a frame; near a corner two of them.
fn edges(frame: &gde_layout::Rect, point: Point) -> Edges {
    const CORNER: i32 = 16;
    let mut edges = Edges { left: point.x < frame.x, right: point.x >= frame.right(), top: point.y < frame.y + 3, bottom: point.y >= frame.bottom() };
    if edges.top || edges.bottom {
        edges.left |= point.x < frame.x + CORNER;
        edges.right |= point.x >= frame.right() - CORNER;
    }
    if edges.left || edges.right {
        edges.top |= point.y < frame.y + CORNER;
        edges.bottom |= point.y >= frame.bottom() - CORNER;
    }
    // A frame smaller than its corners.
    edges.right &= !edges.left;
    edges.bottom &= !edges.top;
    edges
}
