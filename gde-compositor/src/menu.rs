//! Menus of programs at the right of the panel. Who has sent one is told what was chosen; with its connection it goes.

use gde_ipc::{Event, Mark, Menu, MenuItem};
use gde_layout::{Point, Rect};
use gde_raster::Pixmap;
use smithay::backend::renderer::element::Id;
use smithay::input::keyboard::Keysym;

use crate::render::picture::Canvas;
use crate::render::scene::Scene;
use crate::state::Gde;
use crate::theme::{self, Fonts};

/// Lines that a menu has at most, with those of the menus in it, and how deep these are.
const MOST: usize = 512;
const DEEPEST: usize = 8;
/// Heights of a line with words, and of one between others.
const ROW: i32 = 30;
const RULE: i32 = 9;
/// Above the first line and below the last one.
const PAD: i32 = 6;
/// Between the menu and the panel, and the screen's edge.
const GAP: i32 = 6;
/// Before the words, and behind them.
const LEFT: i32 = 32;
const RIGHT: i32 = 30;
const NARROWEST: i32 = 160;
const WIDEST: i32 = 420;

/// A line as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Row {
    /// Back to the menu that this one is in, by its name.
    Back(String),
    /// The item of that number.
    Item(usize),
}

/// A menu while it is open.
#[derive(Debug)]
pub struct OpenMenu {
    menu: Menu,
    owner: u64,
    /// Where the pointer was when it was asked for, on the screen.
    from: i32,
    /// The numbers of the items that lead to the menu that is shown.
    path: Vec<usize>,
    chosen: Option<usize>,
    /// Lines above that there is no room for.
    hidden: usize,
    area: Rect,
    canvas: Canvas,
    drawn: Option<(Vec<usize>, Option<usize>, usize, Rect)>,
    shadow: Id,
}

impl OpenMenu {
    /// Has it drawn anew.
    pub fn forget_picture(&mut self) {
        self.drawn = None;
    }

    /// Where it is.
    pub fn area(&self) -> Rect {
        self.area
    }

    /// Adds it to a scene.
    pub fn add(&self, scene: &mut Scene<'_>) {
        let at = scene.physical(self.area.x, self.area.y);
        scene.elements.push(self.canvas.at(at, 1.0).into());
        scene.box_shadow(&self.shadow, &self.area);
    }

    /// What is in the menu that is shown.
    fn items(&self) -> &[MenuItem] {
        self.path.iter().fold(&self.menu.items, |items, number| &items[*number].items)
    }

    fn rows(&self) -> Vec<Row> {
        let last = self.path.len().checked_sub(1).map(|it| {
            let above = self.path[..it].iter().fold(&self.menu.items, |items, number| &items[*number].items);
            Row::Back(above[self.path[it]].label.clone())
        });
        last.into_iter().chain((0..self.items().len()).map(Row::Item)).collect()
    }

    fn height(&self, row: &Row) -> i32 {
        match row {
            Row::Item(number) if self.items()[*number].label.is_empty() => RULE,
            _ => ROW,
        }
    }

    fn can_be_chosen(&self, row: &Row) -> bool {
        match row {
            Row::Back(_) => true,
            Row::Item(number) => self.items().get(*number).is_some_and(|it| it.is_enabled && !it.label.is_empty()),
        }
    }

    /// The rows that there is room for, each with its upper edge in the box, and how high they are together.
    fn places(&self, rows: &[Row], room: i32) -> (Vec<(usize, i32)>, i32) {
        let mut y = PAD;
        let mut places = Vec::new();
        for (number, row) in rows.iter().enumerate().skip(self.hidden) {
            let height = self.height(row);
            if y + height + PAD > room {
                break;
            }
            places.push((number, y));
            y += height;
        }
        (places, y + PAD)
    }

    /// The row at a place of the screen.
    fn at(&self, point: Point) -> Option<usize> {
        let rows = self.rows();
        let (places, _) = self.places(&rows, self.area.h);
        let y = point.y - self.area.y;
        let found = places.into_iter().find(|(number, top)| (*top..top + self.height(&rows[*number])).contains(&y))?.0;
        (self.area.contains(point) && self.can_be_chosen(&rows[found])).then_some(found)
    }

    /// The next row that can be chosen, over the ends.
    fn step(&mut self, is_down: bool) {
        let rows = self.rows();
        let count = rows.len();
        let mut at = match (self.chosen, is_down) {
            (Some(at), _) => at,
            (None, true) => count - 1,
            (None, false) => 0,
        };
        for _ in 0..count {
            at = if is_down { (at + 1) % count } else { (at + count - 1) % count };
            if self.can_be_chosen(&rows[at]) {
                self.chosen = Some(at);
                break;
            }
        }
        self.show_chosen(&rows);
    }

    /// Moves the lines so that the chosen one is among them.
    fn show_chosen(&mut self, rows: &[Row]) {
        let Some(chosen) = self.chosen else { return };
        self.hidden = self.hidden.min(chosen);
        while self.hidden < chosen && !self.places(rows, self.area.h).0.iter().any(|it| it.0 == chosen) {
            self.hidden += 1;
        }
    }

    /// Shows another menu of it.
    fn go(&mut self, path: Vec<usize>, chosen: Option<usize>) {
        (self.path, self.chosen, self.hidden) = (path, chosen, 0);
    }

    /// Goes back to the menu that this one is in; whether there was one.
    fn back(&mut self) -> bool {
        let Some(from) = self.path.pop() else { return false };
        let path = std::mem::take(&mut self.path);
        let shift = usize::from(!path.is_empty());
        self.go(path, Some(from + shift));
        true
    }

    /// A row is chosen: the item that was meant, where the menu is done.
    fn press(&mut self, row: usize, by_key: bool) -> Option<i32> {
        match self.rows().get(row)?.clone() {
            Row::Back(_) => {
                self.back();
                None
            }
            Row::Item(number) => {
                let item = &self.items()[number];
                if item.items.is_empty() {
                    return Some(item.id);
                }
                let path = self.path.iter().copied().chain([number]).collect();
                // The first row leads back.
                self.go(path, by_key.then_some(1));
                None
            }
        }
    }

    fn width(&self, rows: &[Row], fonts: &Fonts) -> i32 {
        let Some(font) = &fonts.regular else { return NARROWEST };
        let words = |row: &Row| match row {
            Row::Back(name) => font.width(name, theme::TEXT_SIZE),
            Row::Item(number) => font.width(&self.items()[*number].label, theme::TEXT_SIZE),
        };
        (rows.iter().map(words).max().unwrap_or(0) + LEFT + RIGHT).clamp(NARROWEST, WIDEST)
    }

    fn draw(&self, rows: &[Row], fonts: &Fonts) -> Pixmap {
        let (w, h) = (self.area.w, self.area.h);
        let colours = theme::colours();
        let mut pixmap = theme::picture(w, h);
        theme::draw_box(&mut pixmap, (0, 0, w, h), 10);
        for (number, y) in self.places(rows, h).0 {
            let item = match &rows[number] {
                Row::Item(item) => Some(&self.items()[*item]),
                Row::Back(_) => None,
            };
            if item.is_some_and(|it| it.label.is_empty()) {
                pixmap.fill(12, y + RULE / 2, w - 24, 1, colours.title_light);
                continue;
            }
            if self.chosen == Some(number) {
                pixmap.fill_rounded(6, y + 1, w - 12, ROW - 2, (6, 6), colours.hover);
            }
            let ink = if item.is_none_or(|it| it.is_enabled) { colours.text } else { colours.text_dim };
            let (words, middle) = (match &rows[number] { Row::Back(name) => name, Row::Item(item) => &self.items()[*item].label }, y + ROW / 2);
            if item.is_none() {
                pixmap.line((22 * 4, (middle - 4) * 4), (18 * 4, middle * 4), 6, ink);
                pixmap.line((18 * 4, middle * 4), (22 * 4, (middle + 4) * 4), 6, ink);
            }
            match item.map(|it| it.mark) {
                Some(Mark::Check) => {
                    pixmap.line((14 * 4, middle * 4), (18 * 4, (middle + 4) * 4), 7, colours.accent);
                    pixmap.line((18 * 4, (middle + 4) * 4), (24 * 4, (middle - 4) * 4), 7, colours.accent);
                }
                Some(Mark::Dot) => pixmap.fill_disc((19 * 4, middle * 4), 14, colours.accent),
                _ => {}
            }
            if item.is_some_and(|it| !it.items.is_empty()) {
                pixmap.line(((w - 20) * 4, (middle - 4) * 4), ((w - 16) * 4, middle * 4), 6, ink);
                pixmap.line(((w - 16) * 4, middle * 4), ((w - 20) * 4, (middle + 4) * 4), 6, ink);
            }
            let font = if item.is_none() { &fonts.bold } else { &fonts.regular };
            if let Some(font) = font {
                font.draw(&mut pixmap, LEFT, middle + 5, &font.fitted(words, theme::TEXT_SIZE, w - LEFT - RIGHT), theme::TEXT_SIZE, ink);
            }
        }
        pixmap
    }
}

/// Whether a menu is neither too long nor too deep.
fn is_small(items: &[MenuItem]) -> bool {
    fn count(items: &[MenuItem], depth: usize) -> Option<usize> {
        let below = |it: &MenuItem| count(&it.items, depth.checked_sub(1)?);
        items.iter().try_fold(items.len(), |all, it| Some(all + if it.items.is_empty() { 0 } else { below(it)? }))
    }
    count(items, DEEPEST).is_some_and(|it| it <= MOST)
}

impl Gde {
    /// Shows a menu below the panel, where the pointer is.
    ///
    /// # Errors
    /// Where it is empty or too large, or something else has the screen for itself.
    pub fn show_menu(&mut self, menu: Menu, owner: u64) -> Result<(), String> {
        if menu.items.is_empty() || !is_small(&menu.items) {
            return Err(format!("a menu has 1 to {MOST} lines, and no more than {DEEPEST} menus in each other"));
        }
        if self.lock.is_locked || self.region.is_some() {
            return Err("the screen is used for something else".into());
        }
        self.close_menu(None);
        (self.launcher, self.overview, self.switcher) = (None, None, None);
        self.close_quick();
        let canvas = Canvas::new(Pixmap::new(1, 1));
        let from = self.pointer.current_location().x as i32;
        self.menu = Some(OpenMenu { menu, owner, from, path: Vec::new(), chosen: None, hidden: 0, area: Rect::default(), canvas, drawn: None, shadow: Id::new() });
        self.arrange_menu();
        self.layout_changed();
        Ok(())
    }

    /// Closes the menu; its owner is told which item was chosen.
    pub fn close_menu(&mut self, item: Option<i32>) {
        let Some(open) = self.menu.take() else { return };
        self.tell_listeners(&Event::MenuClosed { id: open.menu.id, item });
        self.layout_changed();
    }

    /// A connection has ended.
    pub fn menu_owner_gone(&mut self, owner: u64) {
        if self.menu.as_ref().is_some_and(|it| it.owner == owner) {
            self.close_menu(None);
        }
    }

    /// Where it is, by what is in it.
    fn arrange_menu(&mut self) {
        let Some(screen) = self.screens.first().map(|screen| self.screen_rect(screen)) else { return };
        let Some(open) = &mut self.menu else { return };
        let rows = open.rows();
        let top = screen.y + theme::PANEL_HEIGHT + GAP;
        let room = (screen.bottom() - GAP - top).max(2 * PAD + ROW);
        let all: i32 = rows.iter().map(|it| open.height(it)).sum::<i32>() + 2 * PAD;
        let (width, height) = (open.width(&rows, &self.fonts), all.min(room));
        let left = (open.from - width / 2).clamp(screen.x + GAP, (screen.right() - GAP - width).max(screen.x + GAP));
        open.area = Rect::new(left, top, width, height);
        open.show_chosen(&rows);
    }

    /// Draws it anew where it must look otherwise.
    pub fn update_menu(&mut self) {
        self.arrange_menu();
        let Some(open) = &mut self.menu else { return };
        let look = (open.path.clone(), open.chosen, open.hidden, open.area);
        if open.drawn.as_ref() != Some(&look) {
            let rows = open.rows();
            let picture = open.draw(&rows, &self.fonts);
            open.canvas.replace(picture);
            open.drawn = Some(look);
        }
    }

    /// The pointer is here now, or nowhere in it.
    pub fn menu_hover(&mut self, at: Option<Point>) {
        let Some(open) = &mut self.menu else { return };
        // What was chosen by a key stays so until the pointer chooses something else.
        if let Some(row) = at.and_then(|at| open.at(at))
            && open.chosen.replace(row) != Some(row)
        {
            self.queue_redraws();
        }
    }

    /// A press of the mouse while it is open: beside it closes it.
    pub fn menu_click(&mut self, at: Point) {
        let Some(open) = &self.menu else { return };
        match open.at(at) {
            Some(row) => self.press_menu(row, false),
            None if open.area.contains(at) => {}
            None => self.close_menu(None),
        }
    }

    /// The wheel is turned over it, by so many lines.
    pub fn menu_scroll(&mut self, lines: i32) {
        let Some(open) = &mut self.menu else { return };
        let rows = open.rows();
        for _ in 0..lines.unsigned_abs() {
            let is_end = open.places(&rows, open.area.h).0.last().is_none_or(|it| it.0 + 1 == rows.len());
            match lines > 0 {
                true if !is_end => open.hidden += 1,
                true => {}
                false => open.hidden = open.hidden.saturating_sub(1),
            }
        }
        // Else it would be brought back among the lines.
        open.chosen = None;
        self.queue_redraws();
    }

    /// A key while it is open.
    pub fn menu_key(&mut self, key: Keysym) {
        let Some(open) = &mut self.menu else { return };
        match key {
            Keysym::Escape => {
                if !open.back() {
                    return self.close_menu(None);
                }
            }
            Keysym::Left | Keysym::BackSpace => drop(open.back()),
            Keysym::Down | Keysym::Tab => open.step(true),
            Keysym::Up | Keysym::ISO_Left_Tab => open.step(false),
            Keysym::Right => {
                let Some(row) = open.chosen else { return };
                let leads_on = matches!(open.rows().get(row), Some(Row::Item(number)) if !open.items()[*number].items.is_empty());
                if leads_on {
                    return self.press_menu(row, true);
                }
            }
            Keysym::Return | Keysym::KP_Enter | Keysym::space => {
                let Some(row) = open.chosen else { return };
                return self.press_menu(row, true);
            }
            _ => return,
        }
        self.queue_redraws();
    }

    fn press_menu(&mut self, row: usize, by_key: bool) {
        let Some(open) = &mut self.menu else { return };
        match open.press(row, by_key) {
            Some(item) => self.close_menu(Some(item)),
            None => self.queue_redraws(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn menus_have_ends() {
        let item = |items| MenuItem { label: "x".into(), items, ..MenuItem::default() };
        let deep = |depth: usize| (0..depth).fold(vec![item(Vec::new())], |inside, _| vec![item(inside)]);
        assert!(is_small(&deep(DEEPEST)) && !is_small(&deep(DEEPEST + 1)));
        let long = |count: usize| vec![item((0..count).map(|_| item(Vec::new())).collect())];
        assert!(is_small(&long(MOST - 1)) && !is_small(&long(MOST)));
    }
}
