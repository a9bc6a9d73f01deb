//! The picture of the quick settings.

use desktop_settings::{Appearance, Scheme};
use gde_layout::Rect;
use gde_raster::Pixmap;
use gde_raster::text::Font;

use super::calendar::{Day, MONTHS, Month, WEEKDAYS};
use super::facts::{Facts, Link};
use super::places::{CARD, CELL, Control, PADDING, Places, WEEK, WEEKS};
use super::symbols::Pen;
use crate::theme::{self, Fonts, Palette};

/// All that the picture depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The colours.
    pub colours: Palette,
    /// Where everything is.
    pub places: Places,
    /// What the user has chosen.
    pub appearance: Appearance,
    /// Whether only urgent notices are shown.
    pub is_quiet: bool,
    /// Under the pointer.
    pub hover: Option<Control>,
    /// Where the keyboard is.
    pub chosen: Option<Control>,
    /// What a second press does.
    pub armed: Option<Control>,
    /// The user, and the machine.
    pub names: (String, String),
    /// None while nobody has looked yet.
    pub facts: Option<Facts>,
    /// This day.
    pub today: Day,
    /// The month that is shown.
    pub month: Month,
    /// The weekday that weeks begin with, from Sunday.
    pub first: i32,
}

impl Look {
    /// The words on a control, and a second line.
    pub fn words(&self, control: Control) -> (String, String) {
        let one = |words: &str| (words.to_owned(), String::new());
        if self.armed == Some(control) {
            return one("Press again");
        }
        match control {
            Control::Settings => one("Settings"),
            Control::Dark => one("Dark style"),
            Control::Quiet => one("Do not disturb"),
            Control::Animations => one("Animations"),
            Control::Smaller => one("Smaller text"),
            Control::Larger => one("Larger text"),
            Control::Accent(index) => one(Appearance::ACCENTS.get(index).map_or("", |it| it.1)),
            Control::Network => match self.facts.as_ref().map(|it| it.cards.first()) {
                None => ("Network".to_owned(), "One moment".to_owned()),
                Some(None) => ("Network".to_owned(), "There is no card".to_owned()),
                Some(Some(card)) => (card.name.clone(), card.state()),
            },
            Control::Lock => one("Lock"),
            Control::LogOut => one("Log out"),
            Control::Restart => one("Restart"),
            Control::PowerOff => one("Power off"),
            Control::Earlier => one("The month before"),
            Control::Today => (format!("{} {}", name_of(&MONTHS, self.month.month), self.month.year), String::new()),
            Control::Later => one("The next month"),
        }
    }

    /// Whether what a control stands for holds; none where it stands for nothing that could.
    pub fn is_on(&self, control: Control) -> Option<bool> {
        match control {
            Control::Dark => Some(self.appearance.scheme == Scheme::Dark),
            Control::Quiet => Some(self.is_quiet),
            Control::Animations => Some(self.appearance.animations),
            Control::Accent(index) => Some(Appearance::ACCENTS.get(index).is_some_and(|it| it.0 == self.appearance.accent)),
            Control::Network => Some(self.facts.as_ref().is_some_and(|it| it.cards.iter().any(|card| card.link == Link::Connected))),
            _ => None,
        }
    }

    /// Whether pressing it does something.
    fn is_possible(&self, control: Control) -> bool {
        match control {
            Control::Smaller => self.appearance.text_percent > Appearance::TEXT.0,
            Control::Larger => self.appearance.text_percent < Appearance::TEXT.1,
            _ => true,
        }
    }
}

fn name_of(names: &[&'static str], index: i32) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or("")
}

/// Draws it.
pub fn draw(look: &Look, fonts: &Fonts) -> Pixmap {
    let places = &look.places;
    let (w, h) = (places.width, places.height);
    let mut pixmap = theme::picture(w, h);
    theme::draw_box(&mut pixmap, (0, 0, w, h), 14);
    let mut sheet = Sheet { pixmap, look, regular: fonts.regular.as_ref(), bold: fonts.bold.as_ref() };
    sheet.header();
    sheet.controls();
    if places.has_month {
        sheet.month();
    }
    sheet.pixmap
}

struct Sheet<'a> {
    pixmap: Pixmap,
    look: &'a Look,
    regular: Option<&'a Font>,
    bold: Option<&'a Font>,
}

impl Sheet<'_> {
    fn pen(&mut self, at: (i32, i32), colour: u32) -> Pen<'_> {
        Pen { pixmap: &mut self.pixmap, at, colour }
    }

    /// Writes as much as there is room for.
    fn write(&mut self, font: Option<&Font>, (x, base, room): (i32, i32, i32), text: &str, size: u32, colour: u32) {
        if let Some(font) = font {
            font.draw(&mut self.pixmap, x, base, &font.fitted(text, size, room), size, colour);
        }
    }

    /// Writes in the middle of a rectangle's width.
    fn write_centred(&mut self, font: Option<&Font>, place: &Rect, base: i32, text: &str, size: u32, colour: u32) {
        if let Some(font) = font {
            let text = font.fitted(text, size, place.w);
            let x = place.x + (place.w - font.width(&text, size)) / 2;
            font.draw(&mut self.pixmap, x, base, &text, size, colour);
        }
    }

    /// The ground of a control, and a ring around it where the keyboard is. The colours of what is on it and of its ground.
    fn ground(&mut self, control: Control, place: &Rect, radius: i32, usual: Option<u32>) -> (u32, u32) {
        let colours = self.look.colours;
        if self.look.chosen == Some(control) {
            let (outer, inner) = (place.inset(-3), place.inset(-1));
            self.pixmap.fill_rounded(outer.x, outer.y, outer.w, outer.h, (radius + 3, radius + 3), colours.accent);
            self.pixmap.fill_rounded(inner.x, inner.y, inner.w, inner.h, (radius + 1, radius + 1), colours.ground);
        }
        let is_armed = self.look.armed == Some(control);
        let is_accented = self.look.is_on(control) == Some(true) && control != Control::Network;
        let fill = match usual {
            _ if is_armed => Some(colours.danger),
            Some(_) if is_accented => Some(colours.accent),
            other => other,
        };
        let mut behind = colours.ground;
        if let Some(fill) = fill {
            self.pixmap.fill_rounded(place.x, place.y, place.w, place.h, (radius, radius), fill);
            behind = over(behind, fill);
        }
        if self.look.hover == Some(control) && self.look.is_possible(control) {
            self.pixmap.fill_rounded(place.x, place.y, place.w, place.h, (radius, radius), colours.hover);
            behind = over(behind, colours.hover);
        }
        let ink = if is_armed || is_accented && usual.is_some() { theme::ink_on(behind) } else { colours.text };
        (ink, behind)
    }

    fn header(&mut self) {
        let (look, places) = (self.look, &self.look.places);
        let colours = look.colours;
        let (left, top) = (places.left, PADDING);
        self.pixmap.fill_disc(((left + 20) * 4, (top + 20) * 4), 80, colours.accent);
        let initial: String = look.names.0.chars().next().into_iter().flat_map(char::to_uppercase).collect();
        self.write_centred(self.bold, &Rect::new(left, top, 40, 40), top + 26, &initial, 17, theme::ink_on(colours.accent));
        let room = places.inner - 52 - 44;
        self.write(self.bold, (left + 52, top + 17, room), &look.names.0, 14, colours.text);
        self.write(self.regular, (left + 52, top + 35, room), &look.names.1, 12, colours.text_dim);
    }

    fn controls(&mut self) {
        let look = self.look;
        let (places, colours) = (&look.places, look.colours);
        for line in &places.lines {
            self.pixmap.fill(places.left, *line, places.inner, 1, colours.box_line);
        }
        for (control, place) in &places.controls {
            self.control(*control, place);
        }
        let label = |base: Option<Rect>| base.map(|it| it.centre().y + 5);
        if let (Some(smaller), Some(larger)) = (places.of(Control::Smaller), places.of(Control::Larger)) {
            let base = smaller.centre().y + 5;
            self.write(self.regular, (places.left, base, places.inner / 2), "Text size", theme::TEXT_SIZE, colours.text);
            let between = Rect::new(smaller.right(), smaller.y, larger.x - smaller.right(), smaller.h);
            self.write_centred(self.regular, &between, base, &format!("{} %", look.appearance.text_percent), theme::TEXT_SIZE, colours.text);
        }
        if let Some(base) = label(places.of(Control::Accent(0))) {
            self.write(self.regular, (places.left, base, places.inner / 3), "Accent", theme::TEXT_SIZE, colours.text);
        }
        if let Some((place, battery)) = places.battery.zip(look.facts.as_ref().and_then(|it| it.battery)) {
            let middle = place.centre().y;
            self.pen((place.x + 14, middle), colours.text).battery(battery.percent, colours.ground);
            let words = format!("{} %{}", battery.percent, if battery.is_charging { ", charging" } else { "" });
            self.write(self.regular, (place.x + 40, middle + 5, place.w - 40), &words, theme::TEXT_SIZE, colours.text);
        }
    }

    fn control(&mut self, control: Control, place: &Rect) {
        let (look, colours) = (self.look, self.look.colours);
        let (words, _) = look.words(control);
        let (cx, cy) = (place.centre().x, place.centre().y);
        match control {
            Control::Dark | Control::Quiet | Control::Animations => {
                let (ink, behind) = self.ground(control, place, 12, Some(colours.hover));
                let mut pen = self.pen((cx, place.y + 25), ink);
                match control {
                    Control::Dark => pen.moon(behind),
                    Control::Quiet => pen.no_entry(behind),
                    _ => pen.motion(),
                }
                self.write_centred(self.regular, place, place.bottom() - 13, &words, 12, ink);
            }
            Control::Lock | Control::LogOut | Control::Restart | Control::PowerOff => {
                let (ink, _) = self.ground(control, place, 10, None);
                let mut pen = self.pen((cx, place.y + 23), ink);
                match control {
                    Control::Lock => pen.lock(),
                    Control::LogOut => pen.leave(),
                    Control::Restart => pen.again(),
                    _ => pen.power(),
                }
                self.write_centred(self.regular, place, place.bottom() - 10, &words, 12, ink);
            }
            Control::Settings => {
                let (ink, behind) = self.ground(control, place, 18, Some(colours.hover));
                self.pen((cx, cy), ink).gear(behind);
            }
            Control::Smaller | Control::Larger => {
                let (ink, _) = self.ground(control, place, 16, Some(colours.hover));
                let ink = if look.is_possible(control) { ink } else { colours.text_dim };
                let mut pen = self.pen((cx, cy), ink);
                if control == Control::Smaller { pen.minus() } else { pen.plus() }
            }
            Control::Accent(index) => {
                self.ground(control, place, 14, None);
                let accent = Appearance::ACCENTS.get(index).map_or(0, |it| 0xff00_0000 | it.0.0);
                self.pixmap.fill_disc((cx * 4, cy * 4), 40, accent);
                if look.is_on(control) == Some(true) {
                    self.pen((cx, cy), theme::ink_on(accent)).tick();
                }
            }
            Control::Network => self.network(place),
            Control::Earlier | Control::Later => {
                let (ink, _) = self.ground(control, place, 14, None);
                self.pen((cx, cy), ink).point(control == Control::Later);
            }
            Control::Today => {
                let (ink, _) = self.ground(control, place, 8, None);
                self.write(self.bold, (place.x + 8, cy + 5, place.w - 12), &words, 14, ink);
            }
        }
    }

    /// A row for each card: its name, and below what can be done by it.
    fn network(&mut self, place: &Rect) {
        let (look, colours) = (self.look, self.look.colours);
        self.ground(Control::Network, place, 10, None);
        let cards = look.facts.iter().flat_map(|it| &it.cards).take((place.h / CARD) as usize);
        let mut rows: Vec<(String, String, bool)> = cards.map(|card| (card.name.clone(), card.state(), card.link == Link::Connected)).collect();
        if rows.is_empty() {
            let (name, state) = look.words(Control::Network);
            rows.push((name, state, false));
        }
        for (index, (name, state, is_connected)) in rows.into_iter().enumerate() {
            let top = place.y + index as i32 * CARD;
            let colour = if is_connected { colours.accent } else { colours.text_dim };
            self.pen((place.x + 22, top + CARD / 2), colour).network();
            let room = place.w - 48 - 30;
            self.write(self.bold, (place.x + 48, top + 19, room), &name, theme::TEXT_SIZE, colours.text);
            self.write(self.regular, (place.x + 48, top + 35, room), &state, 12, colours.text_dim);
        }
        self.pen((place.right() - 17, place.y + CARD / 2), colours.text_dim).point(true);
    }

    fn month(&mut self) {
        let (look, colours) = (self.look, self.look.colours);
        let left = PADDING;
        let width = 7 * CELL;
        self.pixmap.fill(left + width + PADDING, PADDING, 1, look.places.height - 2 * PADDING, colours.box_line);
        let today = look.today;
        self.write(self.regular, (left + 8, PADDING + 14, width), name_of(&WEEKDAYS, today.weekday()), theme::TEXT_SIZE, colours.text_dim);
        let date = format!("{} {} {}", today.day, name_of(&MONTHS, today.month), today.year);
        self.write(self.bold, (left + 8, PADDING + 39, width - 8), &date, 20, colours.text);
        let cell = |column: i32, y: i32| Rect::new(left + column * CELL, y, CELL, WEEK);
        for column in 0..7 {
            let name = name_of(&WEEKDAYS, (look.first + column) % 7);
            self.write_centred(self.regular, &cell(column, 0), WEEKS - 8, &name[..2], 12, colours.text_dim);
        }
        for (row, week) in look.month.weeks(look.first).into_iter().enumerate() {
            for (column, day) in week.into_iter().enumerate() {
                let place = cell(column as i32, WEEKS + row as i32 * WEEK);
                let is_today = day == today;
                if is_today {
                    self.pixmap.fill_disc((place.centre().x * 4, place.centre().y * 4), 58, colours.accent);
                }
                let colour = match () {
                    () if is_today => theme::ink_on(colours.accent),
                    () if day.month_of() != look.month => colours.text_faint,
                    () => colours.text,
                };
                let font = if is_today { self.bold } else { self.regular };
                self.write_centred(font, &place, place.centre().y + 5, &day.day.to_string(), theme::TEXT_SIZE, colour);
            }
        }
    }
}

/// The colour that is seen where one lies over another, which covers.
fn over(below: u32, above: u32) -> u32 {
    let mut pixmap = Pixmap::new(1, 1);
    pixmap.fill(0, 0, 1, 1, below);
    pixmap.fill(0, 0, 1, 1, above);
    pixmap.pixels()[0]
}
