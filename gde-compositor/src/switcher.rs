//! Switching windows while Alt is held: small pictures of them, the last used one first.

use gde_layout::Rect;
use gde_raster::Pixmap;
use smithay::backend::renderer::element::Id;
use smithay::utils::{Logical, Rectangle};

use crate::render::picture::Canvas;
use crate::render::scene::Scene;
use crate::state::Gde;
use crate::theme;
use crate::window::{self, WindowId};

/// Extent of a cell with its label.
const CELL: (i32, i32) = (216, 176);
/// Extent of a preview.
const PREVIEW: (i32, i32) = (192, 128);
/// Around all cells.
const MARGIN: i32 = 16;

/// The switcher.
#[derive(Debug)]
pub struct Switcher {
    windows: Vec<WindowId>,
    chosen: usize,
    canvas: Canvas,
    drawn: Option<(usize, Vec<String>)>,
    area: Rect,
    shadow: Id,
}

impl Switcher {
    /// Has it drawn anew.
    pub fn forget_picture(&mut self) {
        self.drawn = None;
    }

    /// Where a window's preview is.
    fn cell(&self, index: usize) -> Rect {
        let columns = self.columns();
        let (column, row) = ((index % columns) as i32, (index / columns) as i32);
        Rect::new(self.area.x + MARGIN + column * CELL.0, self.area.y + MARGIN + row * CELL.1, CELL.0, CELL.1)
    }

    fn columns(&self) -> usize {
        self.windows.len().clamp(1, 5)
    }

    /// Adds the switcher to a scene.
    pub fn add(&self, gde: &Gde, scene: &mut Scene<'_>) {
        for (index, id) in self.windows.iter().enumerate() {
            let cell = self.cell(index);
            add_preview(gde, scene, *id, &Rect::new(cell.x + (CELL.0 - PREVIEW.0) / 2, cell.y + 12, PREVIEW.0, PREVIEW.1));
        }
        let at = scene.physical(self.area.x, self.area.y);
        scene.elements.push(self.canvas.at(at, 1.0).into());
        scene.box_shadow(&self.shadow, &self.area);
    }
}

/// Where a window's content is in small, in the middle of a place.
pub fn preview_rect(geometry: &Rectangle<i32, Logical>, place: &Rect) -> (Rect, f64) {
    let (w, h) = (geometry.size.w.max(1), geometry.size.h.max(1));
    let factor = (f64::from(place.w) / f64::from(w)).min(f64::from(place.h) / f64::from(h)).min(1.0);
    let (sw, sh) = ((f64::from(w) * factor) as i32, (f64::from(h) * factor) as i32);
    (Rect::new(place.x + (place.w - sw) / 2, place.y + (place.h - sh) / 2, sw, sh), factor)
}

/// Adds a window's content in small, in the middle of a place.
pub fn add_preview(gde: &Gde, scene: &mut Scene<'_>, id: WindowId, place: &Rect) {
    let Some(window) = gde.layout.window(id) else { return };
    let geometry = window::geometry(window.surface());
    let (to, factor) = preview_rect(&geometry, place);
    scene.scaled(window.surface(), geometry.loc, &to, factor);
}

impl Gde {
    /// Goes to the next window: while Alt is held by the switcher, else at once.
    pub fn switch_window(&mut self, is_forward: bool) {
        if let Some(switcher) = &mut self.switcher {
            let count = switcher.windows.len();
            switcher.chosen = (switcher.chosen + if is_forward { 1 } else { count - 1 }) % count;
            self.queue_redraws();
            return;
        }
        let active = self.layout.active();
        let windows: Vec<WindowId> = self.layout.recent().iter().copied().filter(|id| self.layout.place(*id).is_some_and(|it| it.workspace == active || it.is_sticky)).collect();
        if windows.len() < 2 {
            return;
        }
        let chosen = if is_forward { 1 } else { windows.len() - 1 };
        if !self.keyboard.modifier_state().alt {
            self.activate(windows[chosen]);
            return;
        }
        let canvas = Canvas::new(Pixmap::new(1, 1));
        self.switcher = Some(Switcher { windows, chosen, canvas, drawn: None, area: Rect::default(), shadow: Id::new() });
        self.queue_redraws();
    }

    /// Alt was let go.
    pub fn end_switching(&mut self) {
        if let Some(switcher) = self.switcher.take() {
            self.activate(switcher.windows[switcher.chosen]);
        }
    }

    /// Draws the switcher anew where it must look otherwise.
    pub fn update_switcher(&mut self) {
        let Some(mut switcher) = self.switcher.take() else { return };
        let chosen = switcher.windows[switcher.chosen];
        switcher.windows.retain(|id| self.layout.window(*id).is_some());
        let Some(screen) = self.screens.first().map(|screen| self.screen_rect(screen)) else { return };
        if switcher.windows.is_empty() {
            return;
        }
        switcher.chosen = switcher.windows.iter().position(|id| *id == chosen).unwrap_or(0);
        let columns = switcher.columns() as i32;
        let rows = (switcher.windows.len() as i32 + columns - 1) / columns;
        let (w, h) = (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + 2 * MARGIN);
        switcher.area = Rect::new(screen.x + (screen.w - w) / 2, screen.y + (screen.h - h) / 2, w, h);
        let titles: Vec<String> = switcher.windows.iter().filter_map(|id| Some(self.layout.window(*id)?.names().0)).collect();
        if switcher.drawn.as_ref() != Some(&(switcher.chosen, titles.clone())) {
            let mut pixmap = theme::picture(w, h);
            theme::draw_box(&mut pixmap, (0, 0, w, h), 16);
            for (index, title) in titles.iter().enumerate() {
                let cell = switcher.cell(index);
                let (x, y) = (cell.x - switcher.area.x, cell.y - switcher.area.y);
                if index == switcher.chosen {
                    pixmap.fill_rounded(x + 3, y + 3, CELL.0 - 6, CELL.1 - 6, (10, 10), theme::colours().hover);
                    pixmap.fill_rounded(x + 60, y + CELL.1 - 10, CELL.0 - 120, 3, (1, 1), theme::colours().accent);
                }
                if let Some(font) = &self.fonts.regular {
                    let title = font.fitted(title, theme::TEXT_SIZE, PREVIEW.0);
                    let left = x + (CELL.0 - font.width(&title, theme::TEXT_SIZE)) / 2;
                    font.draw(&mut pixmap, left, y + CELL.1 - 18, &title, theme::TEXT_SIZE, theme::colours().text);
                }
            }
            switcher.canvas.replace(pixmap);
            switcher.drawn = Some((switcher.chosen, titles));
        }
        self.switcher = Some(switcher);
    }
}
