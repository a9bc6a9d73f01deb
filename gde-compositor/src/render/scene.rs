//! What a screen shows, from the topmost to the lowest.

use std::time::Duration;

use gde_layout::{Rect, State};
use gde_raster::Pixmap;
use smithay::backend::renderer::Color32F;
use smithay::backend::renderer::damage::OutputDamageTracker;
use smithay::backend::renderer::element::solid::SolidColorRenderElement;
use smithay::backend::renderer::element::surface::{WaylandSurfaceRenderElement, render_elements_from_surface_tree};
use smithay::backend::renderer::element::utils::{Relocate, RelocateRenderElement, RescaleRenderElement};
use smithay::backend::renderer::element::{Id, Kind};
use smithay::backend::renderer::utils::CommitCounter;
use smithay::desktop::{PopupManager, layer_map_for_output};
use smithay::input::pointer::{CursorImageStatus, CursorImageSurfaceData};
use smithay::output::Output;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Physical, Point, Rectangle, Scale};
use smithay::wayland::compositor::with_states;
use smithay::wayland::shell::wlr_layer::Layer;

use super::picture::Picture;
use super::shadow::Shadow;
use super::renderer::Renderer;
use super::texture::Target;
use crate::decoration::{Look, TitleBar};
use crate::state::Gde;
use crate::theme;
use crate::window::{self, WindowId};

type SurfaceElement = WaylandSurfaceRenderElement<Renderer>;

smithay::backend::renderer::element::render_elements! {
    /// A part of a scene.
    pub SceneElement<=Renderer>;
    /// A client's surface.
    Surface=SurfaceElement,
    /// A picture of ours.
    Picture=Picture,
    /// A window's shadow.
    Shadow=Shadow,
    /// One colour.
    Solid=SolidColorRenderElement,
    /// A client's surface in another size.
    Scaled=RelocateRenderElement<RescaleRenderElement<SurfaceElement>>,
    /// A picture of ours in another size.
    ScaledPicture=RelocateRenderElement<RescaleRenderElement<Picture>>,
}

/// How long a window takes to appear.
const APPEAR: Duration = Duration::from_millis(160);

/// A colour of the palette as smithay has it.
pub fn colour(pixel: u32) -> Color32F {
    let part = |shift: u32| (pixel >> shift & 255) as f32 / 255.0;
    Color32F::new(part(16), part(8), part(0), part(24))
}

/// A scene in the making for one screen.
pub struct Scene<'a> {
    /// The elements so far, the topmost first.
    pub elements: Vec<SceneElement>,
    /// What imports clients' buffers.
    pub renderer: &'a mut Renderer,
    /// The screen's rectangle.
    pub screen: Rect,
    /// Its scale.
    pub scale: f64,
}

impl Scene<'_> {
    /// A place on the screen, in its pixels.
    pub fn physical(&self, x: i32, y: i32) -> Point<i32, Physical> {
        Point::<i32, Logical>::from((x - self.screen.x, y - self.screen.y)).to_physical_precise_round(self.scale)
    }

    /// A rectangle on the screen, in its pixels.
    pub fn physical_rect(&self, rect: &Rect) -> Rectangle<i32, Physical> {
        let corner = self.physical(rect.x, rect.y);
        let opposite = self.physical(rect.right(), rect.bottom());
        Rectangle::new(corner, (opposite.x - corner.x, opposite.y - corner.y).into())
    }

    /// Adds a surface and its children.
    pub fn surface(&mut self, surface: &WlSurface, at: Point<i32, Logical>, alpha: f32, kind: Kind) {
        let at = self.physical(at.x, at.y);
        self.elements.extend(render_elements_from_surface_tree(self.renderer, surface, at, self.scale, alpha, kind));
    }

    /// Adds the popups of a surface whose content begins there.
    pub fn popups(&mut self, surface: &WlSurface, at: Point<i32, Logical>) {
        for (popup, location) in PopupManager::popups_for_surface(surface) {
            let at = at + location - popup.geometry().loc;
            self.surface(popup.wl_surface(), at, 1.0, Kind::Unspecified);
        }
    }

    /// Adds one colour.
    pub fn solid(&mut self, id: &Id, rect: &Rect, pixel: u32) {
        let geometry = self.physical_rect(rect);
        self.elements.push(SolidColorRenderElement::new(id.clone(), geometry, CommitCounter::default(), colour(pixel), Kind::Unspecified).into());
    }

    /// Adds the shadow of a box of ours.
    pub fn box_shadow(&mut self, id: &Id, rect: &Rect) {
        let geometry = self.physical_rect(rect);
        self.elements.push(Shadow::new(id.clone(), geometry, 150, CommitCounter::default()).into());
    }

    /// Adds a surface so that a rectangle of it fills another one.
    pub fn scaled(&mut self, surface: &WlSurface, origin: Point<i32, Logical>, to: &Rect, factor: f64) {
        let elements: Vec<SurfaceElement> = render_elements_from_surface_tree(self.renderer, surface, (0, 0), self.scale, 1.0, Kind::Unspecified);
        let at = self.physical(to.x, to.y);
        let back: Point<i32, Physical> = origin.to_physical_precise_round(self.scale * factor);
        for element in elements {
            let small = RescaleRenderElement::from_element(element, (0, 0).into(), Scale::from(factor));
            self.elements.push(RelocateRenderElement::from_element(small, at - back, Relocate::Relative).into());
        }
    }
}

impl Gde {
    /// What a screen shows.
    pub fn scene(&mut self, output: &Output, with_cursor: bool) -> Vec<SceneElement> {
        let Some(index) = self.screens.iter().position(|screen| screen.output == *output) else { return Vec::new() };
        self.update_pictures(index);
        // The renderer is borrowed for itself: everything else is read.
        let mut renderer = std::mem::replace(&mut self.renderer, Renderer::new(gde_raster::Kernels::best()));
        let screen = self.screen_rect(&self.screens[index]);
        let scale = output.current_scale().fractional_scale();
        let mut scene = Scene { elements: Vec::new(), renderer: &mut renderer, screen, scale };
        if with_cursor {
            self.add_cursor(&mut scene);
        }
        if self.lock.is_locked {
            if let Some(surface) = self.lock.surfaces.get(output) {
                scene.surface(surface.wl_surface(), (screen.x, screen.y).into(), 1.0, Kind::Unspecified);
            } else if let Some(lock) = &self.lock.own {
                lock.add(&mut scene);
                scene.solid(&self.panel.preview_id, &screen, crate::lockscreen::SHADE);
                let wallpaper = self.screens[index].wallpaper.at((0, 0).into(), 1.0);
                scene.elements.push(wallpaper.into());
            }
            // Nothing of the session shows through, whatever the lock does.
            scene.solid(&self.panel.lock_id, &screen, 0xff00_0000);
        } else {
            self.add_session(&mut scene, index);
        }
        let elements = scene.elements;
        self.renderer = renderer;
        elements
    }

    fn add_session(&self, scene: &mut Scene<'_>, index: usize) {
        let screen = scene.screen;
        if let Some(region) = &self.region {
            region.add(scene);
        }
        if index == 0 {
            if let Some(menu) = &self.menu {
                menu.add(scene);
            }
            self.quick.add(scene);
            self.notices.add(scene);
        }
        self.add_layers(scene, index, Layer::Overlay);
        if index == 0 {
            if let Some(launcher) = &self.launcher {
                launcher.add(scene);
            }
            if let Some(switcher) = &self.switcher {
                switcher.add(self, scene);
            }
        }
        if self.overview.is_none() {
            for unmanaged in self.x11.unmanaged.iter().rev() {
                scene.surface(&unmanaged.surface, (unmanaged.rect.x, unmanaged.rect.y).into(), 1.0, Kind::Unspecified);
            }
        }
        let fullscreen = self.fullscreen_on(&screen);
        if fullscreen.is_none() {
            self.add_layers(scene, index, Layer::Top);
            if index == 0 && self.panel.is_shown {
                self.panel.add(scene);
            }
        }
        if let Some(overview) = self.overview.as_ref().filter(|_| index == 0) {
            overview.add(self, scene);
        } else {
            let preview = self.drag_preview();
            let mut bright = self.bright_windows();
            for id in self.layout.visible().into_iter().rev() {
                if bright.as_ref().is_some_and(|bright| !bright.contains(&id)) {
                    // From here on everything is dimmed.
                    bright = None;
                    scene.solid(&self.focus_mode.shade_id, &screen, crate::focus_mode::SHADE);
                }
                self.add_window(scene, id);
                if let Some(rect) = preview.filter(|_| self.layout.dragged() == Some(id)) {
                    scene.solid(&self.panel.preview_id, &rect.inset(6), theme::colours().preview);
                }
                if fullscreen == Some(id) {
                    break;
                }
            }
            if bright.is_some() {
                scene.solid(&self.focus_mode.shade_id, &screen, crate::focus_mode::SHADE);
            }
        }
        self.add_layers(scene, index, Layer::Bottom);
        self.add_layers(scene, index, Layer::Background);
        let wallpaper = self.screens[index].wallpaper.at((0, 0).into(), 1.0);
        scene.elements.push(wallpaper.into());
    }

    fn drag_preview(&self) -> Option<Rect> {
        let at = self.pointer.current_location();
        Some(self.layout.drag_preview(gde_layout::Point { x: at.x as i32, y: at.y as i32 })?.1)
    }

    fn add_layers(&self, scene: &mut Scene<'_>, index: usize, kind: Layer) {
        let map = layer_map_for_output(&self.screens[index].output);
        for layer in map.layers_on(kind).rev() {
            let Some(geometry) = map.layer_geometry(layer) else { continue };
            let at = geometry.loc + Point::from((scene.screen.x, scene.screen.y));
            scene.popups(layer.wl_surface(), at);
            scene.surface(layer.wl_surface(), at, 1.0, Kind::Unspecified);
        }
    }

    fn add_window(&self, scene: &mut Scene<'_>, id: WindowId) {
        let (Some((window, place)), Some(frame), Some(content)) = (self.window_and_place(id), self.shown_frame(id), self.content_location(id)) else { return };
        if !frame.inset(-48).overlaps(&scene.screen) {
            return;
        }
        let alpha = self.progress(window.opened, APPEAR) as f32;
        scene.popups(window.surface(), content);
        let geometry = window::geometry(window.surface());
        scene.surface(window.surface(), content - geometry.loc, alpha, Kind::Unspecified);
        let backing = place.state != State::Free && (geometry.size.w < frame.w || geometry.size.h < frame.h - window.title_height());
        if backing && !place.is_minimized {
            scene.solid(&window.shadow.0, &Rect::new(content.x, content.y, frame.w, frame.h - window.title_height()), theme::colours().backing);
        }
        if let Some(bar) = window.title_bar.as_ref().filter(|_| window.title_height() > 0) {
            let at = scene.physical(frame.x, frame.y);
            scene.elements.push(bar.canvas().at(at, alpha).into());
        }
        if window.title_height() > 0 && !place.is_minimized && place.state != State::Maximized {
            // The title bar has its own line along its upper edge. They appear when the window is there: a line has no shades.
            let top = frame.y + if place.state == State::Free { theme::CORNER } else { 0 };
            let sides = [
                Rect::new(frame.x - 1, top, 1, frame.bottom() - top),
                Rect::new(frame.right(), top, 1, frame.bottom() - top),
                Rect::new(frame.x - 1, frame.bottom(), frame.w + 2, 1),
            ];
            for (id, side) in window.lines.iter().zip(&sides).filter(|_| alpha >= 1.0) {
                scene.solid(id, side, theme::colours().window_line);
            }
        }
        // What is snapped has neighbours or the screen's edge around it; what draws its own title bar draws its own shadow.
        if window.has_decoration && place.state == State::Free && !backing {
            let strength = if window.shadow.2 { 150.0 } else { 95.0 };
            let rect = scene.physical_rect(&frame);
            scene.elements.push(Shadow::new(window.shadow.0.clone(), rect, (strength * alpha) as u8, window.shadow.1).into());
        }
    }

    fn add_cursor(&self, scene: &mut Scene<'_>) {
        let at = self.pointer.current_location();
        let place: Point<i32, Logical> = at.to_i32_floor();
        if let Some(icon) = &self.drag_icon {
            scene.surface(icon, place, 1.0, Kind::Unspecified);
        }
        if self.backend.has_cursor_plane() && !matches!(self.shown_cursor(), CursorImageStatus::Surface(_)) {
            return;
        }
        match self.shown_cursor() {
            CursorImageStatus::Hidden => {}
            CursorImageStatus::Surface(surface) => {
                let hotspot = with_states(&surface, |states| {
                    let data = states.data_map.get::<CursorImageSurfaceData>();
                    data.map(|data| data.lock().unwrap_or_else(|error| error.into_inner()).hotspot).unwrap_or_default()
                });
                let count = scene.elements.len();
                scene.surface(&surface, place - hotspot, 1.0, Kind::Cursor);
                // The pointer is above what is dragged.
                scene.elements.rotate_left(count);
            }
            CursorImageStatus::Named(icon) => {
                if let Some(image) = self.cursors.known(icon) {
                    let at = scene.physical(place.x, place.y) - Point::from(image.hotspot);
                    scene.elements.insert(0, image.canvas.at(at, 1.0).as_cursor().into());
                }
            }
        }
    }

    /// Draws what has to look otherwise: title bars, shadows, the panel.
    fn update_pictures(&mut self, index: usize) {
        let focus = self.layout.focus().filter(|_| self.layer_focus.is_none() && !self.lock.is_locked);
        let ids = self.layout.visible();
        for id in ids {
            let (Some(frame), Some(place)) = (self.shown_frame(id), self.layout.place(id).copied()) else { continue };
            let is_tiled = self.layout.is_tiled(&place);
            let Some(window) = self.layout.window_mut(id) else { continue };
            let is_focused = focus == Some(id);
            if window.shadow.2 != is_focused {
                window.shadow.2 = is_focused;
                window.shadow.1.increment();
            }
            if self.clock.now().saturating_sub(window.opened) < APPEAR * 2 {
                window.shadow.1.increment();
            }
            if window.title_height() == 0 {
                continue;
            }
            let look = Look {
                colours: theme::colours(),
                scale: theme::scale(),
                width: frame.w,
                title: window.names().0,
                is_focused,
                hover: window.hover,
                is_filling: place.state != State::Free || is_tiled,
                is_maximized: place.state == State::Maximized,
            };
            match &mut window.title_bar {
                Some(bar) => bar.update(look, &self.fonts),
                None => window.title_bar = Some(TitleBar::new(look, &self.fonts)),
            }
        }
        if index == 0 {
            self.update_panel();
            self.update_launcher();
            self.update_quick();
            self.update_menu();
            self.update_switcher();
            self.update_overview();
            self.update_lock();
        }
        if let CursorImageStatus::Named(icon) = self.shown_cursor() {
            self.cursors.image(icon);
        }
    }

    /// Whether something on the screen moves by itself.
    pub fn is_animating(&self) -> bool {
        let now = self.clock.now();
        self.has_animations && self.layout.visible().into_iter().filter_map(|id| self.layout.window(id)).any(|window| now.saturating_sub(window.opened) < APPEAR)
    }

    /// A picture of what a screen shows.
    pub fn picture_of(&mut self, output: &Output, with_cursor: bool) -> Option<Pixmap> {
        let size = output.current_mode()?.size;
        let elements = self.scene(output, with_cursor);
        let mut pixmap = Pixmap::new(size.w.max(1) as usize, size.h.max(1) as usize);
        let mut tracker = OutputDamageTracker::new(size, output.current_scale().fractional_scale(), smithay::utils::Transform::Normal);
        let mut target = Target::of_pixmap(&mut pixmap);
        match tracker.render_output(&mut self.renderer, &mut target, 0, &elements, Color32F::BLACK) {
            Ok(_) => Some(pixmap),
            Err(error) => {
                tracing::warn!("drawing a picture of {}: {error}", output.name());
                None
            }
        }
    }
}
