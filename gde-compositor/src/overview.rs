//! All windows of a workspace beside each other, with a search over their names.

use gde_layout::Rect;
use gde_raster::Pixmap;
use smithay::backend::renderer::element::Id;
use smithay::input::keyboard::Keysym;
use smithay::utils::{Logical, Point};

use crate::render::picture::Canvas;
use crate::render::scene::Scene;
use crate::state::Gde;
use crate::switcher::{add_preview, preview_rect};
use crate::theme;
use crate::window::{self, WindowId};

/// Height of the search's line and of labels.
const LABEL: i32 = 34;

/// The overview.
#[derive(Debug)]
pub struct Overview {
    search: String,
    chosen: usize,
    cells: Vec<(WindowId, Rect)>,
    canvas: Canvas,
    drawn: Option<(String, usize, Vec<(Rect, Rect, String)>)>,
    shade: Id,
}

impl Overview {
    /// Has it drawn anew.
    pub fn forget_picture(&mut self) {
        self.drawn = None;
    }

    /// Adds the overview to a scene.
    pub fn add(&self, gde: &Gde, scene: &mut Scene<'_>) {
        let mut labels = Vec::new();
        std::mem::swap(&mut labels, &mut scene.elements);
        for (id, cell) in &self.cells {
            add_preview(gde, scene, *id, &Rect::new(cell.x, cell.y, cell.w, cell.h - LABEL));
        }
        let previews = std::mem::replace(&mut scene.elements, labels);
        scene.elements.extend(previews);
        let at = scene.physical(scene.screen.x, scene.screen.y);
        scene.elements.push(self.canvas.at(at, 1.0).into());
        let screen = scene.screen;
        scene.solid(&self.shade, &screen, theme::colours().shade);
    }
}

/// Cells for some windows in a grid that fills an area.
fn grid(area: &Rect, count: usize) -> Vec<Rect> {
    let columns = (1..=count.max(1)).find(|columns| columns * columns >= count).unwrap_or(1);
    let rows = count.div_ceil(columns).max(1);
    let (w, h) = (area.w / columns as i32, area.h / rows as i32);
    let cell = |index: usize| {
        let (column, row) = (index % columns, index / columns);
        // The last row is in the middle, too.
        let missing = columns - (count - row * columns).min(columns);
        Rect::new(area.x + column as i32 * w + missing as i32 * w / 2, area.y + row as i32 * h, w, h).inset(14)
    };
    (0..count).map(cell).collect()
}

impl Gde {
    /// Opens or closes the overview.
    pub fn toggle_overview(&mut self) {
        self.overview = match self.overview.take() {
            Some(_) => None,
            None => {
                self.launcher = None;
                self.close_quick();
                self.close_menu(None);
                let canvas = Canvas::new(Pixmap::new(1, 1));
                Some(Overview { search: String::new(), chosen: 0, cells: Vec::new(), canvas, drawn: None, shade: Id::new() })
            }
        };
        self.layout_changed();
    }

    /// A key while the overview is open.
    pub fn overview_key(&mut self, key: Keysym, text: Option<char>) {
        let Some(overview) = &mut self.overview else { return };
        let count = overview.cells.len().max(1);
        match key {
            Keysym::Escape => return self.toggle_overview(),
            Keysym::Return | Keysym::KP_Enter => {
                if let Some((id, _)) = overview.cells.get(overview.chosen).copied() {
                    self.overview = None;
                    return self.activate(id);
                }
            }
            Keysym::Right | Keysym::Down | Keysym::Tab => overview.chosen = (overview.chosen + 1) % count,
            Keysym::Left | Keysym::Up => overview.chosen = (overview.chosen + count - 1) % count,
            Keysym::BackSpace => drop(overview.search.pop()),
            _ => overview.search.extend(text.filter(|c| !c.is_control())),
        }
        self.queue_redraws();
    }

    /// A click while the overview is open.
    pub fn overview_click(&mut self, at: Point<f64, Logical>) {
        let point = gde_layout::Point { x: at.x as i32, y: at.y as i32 };
        let hit = self.overview.as_ref().and_then(|overview| overview.cells.iter().find(|(_, cell)| cell.contains(point)).map(|(id, _)| *id));
        self.overview = None;
        match hit {
            Some(id) => self.activate(id),
            None => self.layout_changed(),
        }
    }

    /// Draws the overview anew where it must look otherwise.
    pub fn update_overview(&mut self) {
        let Some(mut overview) = self.overview.take() else { return };
        let Some(screen) = self.screens.first().map(|screen| self.screen_rect(screen)) else { return };
        let search = overview.search.to_lowercase();
        let active = self.layout.active();
        let shown = self.layout.recent().iter().copied().filter_map(|id| {
            let (window, place) = self.window_and_place(id)?;
            let (title, app) = window.names();
            let is_meant = title.to_lowercase().contains(&search) || app.to_lowercase().contains(&search);
            // A search finds windows of all workspaces.
            let is_here = place.workspace == active || place.is_sticky || !search.is_empty();
            (is_meant && is_here).then_some((id, title))
        });
        let shown: Vec<(WindowId, String)> = shown.collect();
        let area = Rect::new(screen.x, screen.y + 96, screen.w, screen.h - 120);
        let cells = grid(&area, shown.len());
        overview.cells = shown.iter().map(|(id, _)| *id).zip(cells).collect();
        overview.chosen = overview.chosen.min(shown.len().saturating_sub(1));
        let previews = overview.cells.iter().filter_map(|(id, cell)| {
            let geometry = window::geometry(self.layout.window(*id)?.surface());
            Some((*cell, preview_rect(&geometry, &Rect::new(cell.x, cell.y, cell.w, cell.h - LABEL)).0))
        });
        let labels: Vec<(Rect, Rect, String)> = previews.zip(shown).map(|((cell, preview), (_, title))| (cell, preview, title)).collect();
        let drawn = (overview.search.clone(), overview.chosen, labels);
        if overview.drawn.as_ref() != Some(&drawn) {
            let mut pixmap = theme::picture(screen.w, screen.h);
            let left = (screen.w - 420) / 2;
            theme::draw_box(&mut pixmap, (left, 44, 420, LABEL), 17);
            if let Some(font) = &self.fonts.regular {
                let (text, colour) = if drawn.0.is_empty() { ("Type to search windows", theme::colours().text_dim) } else { (drawn.0.as_str(), theme::colours().text) };
                font.draw(&mut pixmap, left + 18, 44 + LABEL / 2 + 5, &font.fitted(text, 14, 384), 14, colour);
                for (index, (cell, preview, title)) in drawn.2.iter().enumerate() {
                    let title = font.fitted(title, theme::TEXT_SIZE, cell.w - 24);
                    let width = font.width(&title, theme::TEXT_SIZE);
                    let (x, y) = (cell.x - screen.x + (cell.w - width) / 2, preview.bottom() - screen.y);
                    let (left, top) = (preview.x - screen.x, preview.y - screen.y);
                    pixmap.fill(left - 1, top - 1, preview.w + 2, preview.h + 2, theme::colours().box_line);
                    if index == drawn.1 {
                        pixmap.fill_rounded(left - 4, top - 4, preview.w + 8, preview.h + 8, (4, 4), theme::colours().accent);
                    }
                    let colour = if index == drawn.1 { theme::colours().text } else { theme::colours().text_dim };
                    font.draw(&mut pixmap, x, y + 24, &title, theme::TEXT_SIZE, colour);
                }
            }
            overview.canvas.replace(pixmap);
            overview.drawn = Some(drawn);
        }
        self.overview = Some(overview);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_do_not_overlap() {
        let area = Rect::new(0, 96, 1280, 680);
        for count in 0..30 {
            let cells = grid(&area, count);
            assert_eq!(cells.len(), count);
            assert!(cells.iter().enumerate().all(|(i, a)| area.contains_rect(a) && cells[i + 1..].iter().all(|b| !a.overlaps(b))));
        }
    }
}
