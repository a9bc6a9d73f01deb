//! Notices: short words at the upper right corner, of programs and of the desktop itself. They never take the keyboard.

use std::time::Duration;

use gde_ipc::{Event, Notice, Picture, Reason, Urgency};
use gde_layout::{Point, Rect};
use gde_raster::Pixmap;
use gde_raster::text::Font;
use smithay::backend::renderer::element::Id;
use smithay::reexports::calloop::RegistrationToken;
use smithay::reexports::calloop::timer::{TimeoutAction, Timer};

use crate::render::picture::Canvas;
use crate::render::scene::Scene;
use crate::state::Gde;
use crate::theme::{self, Fonts};

/// Width of a notice.
const WIDTH: i32 = 360;
/// Between notices, and to the screen's edge.
const GAP: i32 = 10;
/// Between a notice's edge and its words.
const PADDING: i32 = 14;
const LINE: i32 = 18;
const BUTTON: i32 = 30;
/// Lines of the words at most.
const LINES: usize = 4;
/// How many are seen at once; others wait.
const SEEN: usize = 4;
/// How many there are at most: of more the oldest go.
const MOST: usize = 50;
/// How long one is seen that does not say so, and one that is urgent less than others.
const NORMAL: Duration = Duration::from_secs(6);
const LOW: Duration = Duration::from_secs(3);
/// The action of a click on the words.
const DEFAULT: &str = "default";

/// A notice on the screen.
#[derive(Debug)]
struct Shown {
    id: u32,
    notice: Notice,
    /// When it goes; none where it stays.
    until: Option<Duration>,
    /// What wakes up then.
    timer: Option<RegistrationToken>,
    canvas: Canvas,
    height: i32,
    /// Where it is now; nowhere while it waits.
    area: Option<Rect>,
    /// Where its buttons are, from its corner, and what they mean.
    buttons: Vec<(Rect, String)>,
    shadow: Id,
}

/// All notices.
#[derive(Debug, Default)]
pub struct Notices {
    shown: Vec<Shown>,
    last: u32,
    /// Whether only urgent ones are seen.
    pub is_quiet: bool,
}

impl Notices {
    /// Those that are seen: their numbers and titles, from above.
    pub fn seen(&self) -> Vec<(u32, &str)> {
        self.shown.iter().filter(|it| it.area.is_some()).map(|it| (it.id, it.notice.title.as_str())).collect()
    }

    /// The one at a place.
    pub fn at(&self, point: Point) -> Option<u32> {
        self.shown.iter().find(|it| it.area.is_some_and(|area| area.contains(point))).map(|it| it.id)
    }

    /// Adds them to a scene.
    pub fn add(&self, scene: &mut Scene<'_>) {
        for (it, area) in self.shown.iter().filter_map(|it| Some((it, it.area?))) {
            let at = scene.physical(area.x, area.y);
            scene.elements.push(it.canvas.at(at, 1.0).into());
            scene.box_shadow(&it.shadow, &area);
        }
    }
}

/// The words in lines of a width, the last one cut where there is no more room.
fn wrapped(font: &Font, text: &str, width: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in text.lines().filter(|it| !it.trim().is_empty()) {
        let mut line = String::new();
        for word in part.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if !line.is_empty() && font.width(&longer, theme::TEXT_SIZE) > width {
                lines.push(std::mem::take(&mut line));
                line.push_str(word);
            } else {
                line = longer;
            }
        }
        lines.push(line);
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines.iter().map(|it| font.fitted(it, theme::TEXT_SIZE, width)).collect()
}

/// A picture that can be drawn.
pub fn pixmap(picture: &Picture) -> Option<Pixmap> {
    let premultiplied = picture.pixels().chunks_exact(4).map(|it| {
        let alpha = u32::from(it[3]);
        let part = |value: u8| (u32::from(value) * alpha + 127) / 255;
        alpha << 24 | part(it[0]) << 16 | part(it[1]) << 8 | part(it[2])
    });
    Pixmap::from_pixels(picture.width() as usize, picture.height() as usize, premultiplied.collect())
}

fn draw(notice: &Notice, fonts: &Fonts) -> (Pixmap, Vec<(Rect, String)>) {
    let buttons: Vec<&(String, String)> = notice.actions.iter().filter(|it| it.0 != DEFAULT).take(3).collect();
    let inside = WIDTH - 2 * PADDING;
    let picture = notice.picture.as_ref().and_then(pixmap);
    // Beside the picture.
    let left = picture.as_ref().map_or(0, |it| it.width() as i32 + PADDING);
    let room = inside - left;
    let lines = fonts.regular.as_ref().map(|font| wrapped(font, &notice.body, room)).unwrap_or_default();
    let has_app = !notice.app.is_empty();
    let button_row = if buttons.is_empty() { 0 } else { BUTTON + 10 };
    let words = LINE * (1 + i32::from(has_app) + lines.len() as i32);
    let height = 2 * PADDING + words.max(picture.as_ref().map_or(0, |it| it.height() as i32)) + button_row;
    let mut pixmap = theme::picture(WIDTH, height);
    theme::draw_box(&mut pixmap, (0, 0, WIDTH, height), 12);
    if notice.urgency == Urgency::Critical {
        pixmap.fill_rounded(5, PADDING, 3, height - 2 * PADDING, (1, 1), theme::colours().danger);
    }
    if let Some(picture) = &picture {
        pixmap.draw(PADDING, PADDING, picture);
    }
    let mut base = PADDING + 13;
    let mut places = Vec::new();
    if let (Some(regular), Some(bold)) = (&fonts.regular, &fonts.bold) {
        if has_app {
            regular.draw(&mut pixmap, PADDING + left, base, &regular.fitted(&notice.app, 11, room), 11, theme::colours().text_dim);
            base += LINE;
        }
        bold.draw(&mut pixmap, PADDING + left, base, &bold.fitted(&notice.title, 14, room), 14, theme::colours().text);
        for line in &lines {
            base += LINE;
            regular.draw(&mut pixmap, PADDING + left, base, line, theme::TEXT_SIZE, theme::colours().text_dim);
        }
        let count = buttons.len() as i32;
        for (index, (key, label)) in buttons.into_iter().enumerate() {
            let width = (inside - (count - 1) * 8) / count;
            let place = Rect::new(PADDING + index as i32 * (width + 8), height - PADDING - BUTTON, width, BUTTON);
            pixmap.fill_rounded(place.x, place.y, place.w, place.h, (7, 7), theme::colours().hover);
            let label = regular.fitted(label, theme::TEXT_SIZE, width - 12);
            let left = place.x + (width - regular.width(&label, theme::TEXT_SIZE)) / 2;
            regular.draw(&mut pixmap, left, place.y + BUTTON / 2 + 5, &label, theme::TEXT_SIZE, theme::colours().text);
            places.push((place, key.clone()));
        }
    }
    (pixmap, places)
}

impl Gde {
    /// They are drawn anew.
    pub fn redraw_notices(&mut self) {
        for it in &mut self.notices.shown {
            it.canvas.replace(draw(&it.notice, &self.fonts).0);
        }
    }

    /// Shows a notice, or another one in the place of `replaces`. Its number.
    pub fn notify(&mut self, notice: Notice, replaces: Option<u32>) -> u32 {
        let now = self.clock.now();
        let limit = match (notice.timeout_ms, notice.urgency) {
            (Some(0), _) => None,
            (Some(given), _) => Some(Duration::from_millis(u64::from(given))),
            (None, Urgency::Critical) => None,
            (None, Urgency::Normal) => Some(NORMAL),
            (None, Urgency::Low) => Some(LOW),
        };
        let (pixmap, buttons) = draw(&notice, &self.fonts);
        let height = pixmap.units().1;
        let timer = limit.and_then(|it| self.notice_timer(it));
        let old = replaces.and_then(|id| self.notices.shown.iter().position(|it| it.id == id));
        let id = match old {
            Some(at) => self.notices.shown[at].id,
            None => {
                self.notices.last = self.notices.last.checked_add(1).unwrap_or(1);
                self.notices.last
            }
        };
        let until = limit.map(|it| now + it);
        let shown = Shown { id, notice, until, timer, canvas: Canvas::new(pixmap), height, area: None, buttons, shadow: Id::new() };
        match old {
            Some(at) => {
                let before = std::mem::replace(&mut self.notices.shown[at], shown);
                self.forget_timer(before.timer);
            }
            None => self.notices.shown.push(shown),
        }
        while self.notices.shown.len() > MOST {
            let oldest = self.notices.shown[0].id;
            self.close_notice(oldest, Reason::Undefined);
        }
        self.arrange_notices();
        id
    }

    /// Looks at the notices after some time.
    fn notice_timer(&self, time: Duration) -> Option<RegistrationToken> {
        let added = self.events.insert_source(Timer::from_duration(time), |_, (), gde| {
            gde.expire_notices();
            TimeoutAction::Drop
        });
        added.inspect_err(|error| tracing::warn!("a notice stays: {error}")).ok()
    }

    /// A notice that has gone wakes nobody: those that change often would leave thousands of timers.
    fn forget_timer(&self, timer: Option<RegistrationToken>) {
        if let Some(timer) = timer {
            self.events.remove(timer);
        }
    }

    /// Shows words of the desktop's own.
    pub fn tell(&mut self, title: &str, body: &str) {
        self.notify(Notice { title: title.to_owned(), body: body.to_owned(), ..Notice::default() }, None);
    }

    /// Those whose time is over go.
    pub fn expire_notices(&mut self) {
        let now = self.clock.now();
        let over: Vec<u32> = self.notices.shown.iter().filter(|it| it.until.is_some_and(|until| until <= now)).map(|it| it.id).collect();
        over.into_iter().for_each(|id| {
            self.close_notice(id, Reason::Expired);
        });
    }

    /// A notice goes; whether it was there.
    pub fn close_notice(&mut self, id: u32, reason: Reason) -> bool {
        let Some(at) = self.notices.shown.iter().position(|it| it.id == id) else { return false };
        let gone = self.notices.shown.remove(at);
        self.forget_timer(gone.timer);
        self.offer_notice_gone(id, reason);
        self.tell_listeners(&Event::NoticeClosed { id, reason });
        self.arrange_notices();
        true
    }

    /// Puts away all that are seen, or the first one alone.
    pub fn dismiss_notices(&mut self) {
        let seen: Vec<u32> = self.notices.seen().into_iter().map(|it| it.0).collect();
        seen.into_iter().for_each(|id| {
            self.close_notice(id, Reason::Dismissed);
        });
    }

    /// Only urgent ones are seen from now on, or all again.
    pub fn toggle_quiet(&mut self) {
        self.set_quiet(!self.notices.is_quiet);
        if !self.notices.is_quiet {
            self.tell("Notices are shown again", "");
        }
    }

    /// Only urgent ones are seen from now on, or all.
    pub fn set_quiet(&mut self, is_quiet: bool) {
        self.focus_mode.quiet_was_chosen(is_quiet);
        self.notices.is_quiet = is_quiet;
        if is_quiet {
            self.dismiss_notices();
        }
        self.arrange_notices();
    }

    /// Those that there is room for have places, the first one above.
    pub fn arrange_notices(&mut self) {
        let Some(screen) = self.screens.first().map(|screen| self.screen_rect(screen)) else { return };
        let is_quiet = self.notices.is_quiet;
        // Beside the quick settings, where there is room.
        let right = self.quick.area().map(|it| it.x).filter(|right| right - WIDTH - GAP >= screen.x).unwrap_or(screen.right());
        let mut y = screen.y + theme::PANEL_HEIGHT + GAP;
        let mut room = SEEN;
        for it in &mut self.notices.shown {
            let is_seen = room > 0 && (!is_quiet || it.notice.urgency == Urgency::Critical) && y + it.height < screen.bottom();
            it.area = is_seen.then(|| Rect::new(right - WIDTH - GAP, y, WIDTH, it.height));
            if is_seen {
                y += it.height + GAP;
                room -= 1;
            }
        }
        self.update_pointer_focus();
        self.queue_redraws();
    }

    /// A click on a notice: on a button, on its words, or, by another button of the mouse, away.
    pub fn notice_click(&mut self, id: u32, point: Point, is_left: bool) {
        let Some(it) = self.notices.shown.iter().find(|it| it.id == id) else { return };
        let Some(area) = it.area else { return };
        let inside = Point { x: point.x - area.x, y: point.y - area.y };
        let pressed = it.buttons.iter().find(|(place, _)| place.contains(inside)).map(|it| it.1.clone());
        let has_default = it.notice.actions.iter().any(|it| it.0 == DEFAULT);
        let action = pressed.or_else(|| has_default.then(|| DEFAULT.to_owned())).filter(|_| is_left);
        if let Some(action) = action.as_deref().filter(|_| self.arrangement.notice() == Some(id)) {
            return self.offer_answered(action);
        }
        if let Some(action) = action {
            let token = self.activation_token();
            self.tell_listeners(&Event::NoticeAction { id, action, token });
        }
        self.close_notice(id, Reason::Dismissed);
    }
}
