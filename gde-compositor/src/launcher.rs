//! The launcher: one line for programs by name and for command lines.

use desktop_entries::App;
use gde_layout::Rect;
use gde_raster::Pixmap;
use smithay::backend::renderer::element::Id;
use smithay::input::keyboard::Keysym;
use smithay::utils::{Logical, Point};

use crate::actions::{is_program, terminal};
use crate::render::picture::Canvas;
use crate::render::scene::Scene;
use crate::state::Gde;
use crate::theme;

/// How many answers are shown.
const SHOWN: usize = 7;
/// Height of the line to type in.
const FIELD: i32 = 56;
/// Height of an answer.
const ROW: i32 = 44;
/// Width of all.
const WIDTH: i32 = 560;

/// What can be started by what is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    title: String,
    detail: String,
    command: String,
}

/// The launcher.
#[derive(Debug)]
pub struct Launcher {
    apps: Vec<App>,
    text: String,
    chosen: usize,
    answers: Vec<Answer>,
    canvas: Canvas,
    drawn: Option<(String, usize, Vec<Answer>)>,
    area: Rect,
    shadow: Id,
}

impl Launcher {
    /// Has it drawn anew.
    pub fn forget_picture(&mut self) {
        self.drawn = None;
    }

    fn find(&mut self) {
        let found = desktop_entries::search(&self.apps, &self.text).into_iter();
        let terminal = terminal().unwrap_or("xterm");
        self.answers = found.map(|app| Answer { title: app.name.clone(), detail: app.comment.clone(), command: app.command(terminal) }).take(SHOWN).collect();
        let program = self.text.split_whitespace().next().unwrap_or("");
        if is_program(program) && self.answers.len() < SHOWN {
            self.answers.push(Answer { title: self.text.clone(), detail: "Run this command".into(), command: self.text.clone() });
        }
        self.chosen = self.chosen.min(self.answers.len().saturating_sub(1));
    }

    /// Adds the launcher to a scene.
    pub fn add(&self, scene: &mut Scene<'_>) {
        let at = scene.physical(self.area.x, self.area.y);
        scene.elements.push(self.canvas.at(at, 1.0).into());
        scene.box_shadow(&self.shadow, &self.area);
    }
}

impl Gde {
    /// Opens or closes the launcher.
    pub fn toggle_launcher(&mut self) {
        self.launcher = match self.launcher.take() {
            Some(_) => None,
            None => {
                self.overview = None;
                self.close_quick();
                self.close_menu(None);
                let canvas = Canvas::new(Pixmap::new(1, 1));
                let mut launcher =
                    Launcher { apps: desktop_entries::installed(), text: String::new(), chosen: 0, answers: Vec::new(), canvas, drawn: None, area: Rect::default(), shadow: Id::new() };
                launcher.find();
                Some(launcher)
            }
        };
        self.layout_changed();
    }

    /// A key while the launcher is open.
    pub fn launcher_key(&mut self, key: Keysym, text: Option<char>) {
        let Some(launcher) = &mut self.launcher else { return };
        let count = launcher.answers.len().max(1);
        match key {
            Keysym::Escape => return self.toggle_launcher(),
            Keysym::Return | Keysym::KP_Enter => return self.launch(),
            Keysym::Down | Keysym::Tab => launcher.chosen = (launcher.chosen + 1) % count,
            Keysym::Up => launcher.chosen = (launcher.chosen + count - 1) % count,
            Keysym::BackSpace => {
                launcher.text.pop();
                launcher.find();
            }
            _ => {
                launcher.text.extend(text.filter(|c| !c.is_control()));
                launcher.chosen = 0;
                launcher.find();
            }
        }
        self.queue_redraws();
    }

    fn launch(&mut self) {
        let command = self.launcher.as_ref().and_then(|launcher| launcher.answers.get(launcher.chosen)).map(|answer| answer.command.clone());
        let Some(command) = command else { return };
        self.launcher = None;
        if let Err(problem) = self.spawn(&command) {
            tracing::warn!("{problem}");
        }
        self.layout_changed();
    }

    /// A click while the launcher is open: beside it closes it.
    pub fn launcher_click(&mut self, at: Point<f64, Logical>) {
        let Some(launcher) = &mut self.launcher else { return };
        let point = gde_layout::Point { x: at.x as i32, y: at.y as i32 };
        if !launcher.area.contains(point) {
            return self.toggle_launcher();
        }
        let row = (point.y - launcher.area.y - FIELD) / ROW;
        if point.y >= launcher.area.y + FIELD && (row as usize) < launcher.answers.len() {
            launcher.chosen = row as usize;
            self.launch();
        }
    }

    /// Draws the launcher anew where it must look otherwise.
    pub fn update_launcher(&mut self) {
        let Some(screen) = self.screens.first().map(|screen| self.screen_rect(screen)) else { return };
        let Some(launcher) = &mut self.launcher else { return };
        let h = FIELD + launcher.answers.len() as i32 * ROW + if launcher.answers.is_empty() { 0 } else { 8 };
        launcher.area = Rect::new(screen.x + (screen.w - WIDTH) / 2, screen.y + screen.h / 5, WIDTH, h);
        let drawn = (launcher.text.clone(), launcher.chosen, launcher.answers.clone());
        if launcher.drawn.as_ref() == Some(&drawn) {
            return;
        }
        let mut pixmap = theme::picture(WIDTH, h);
        theme::draw_box(&mut pixmap, (0, 0, WIDTH, h), 14);
        if !launcher.answers.is_empty() {
            pixmap.fill(16, FIELD - 1, WIDTH - 32, 1, theme::colours().title_light);
        }
        // A magnifier.
        pixmap.fill_disc((30 * 4, 26 * 4), 30, theme::colours().text_dim);
        pixmap.fill_disc((30 * 4, 26 * 4), 22, theme::colours().ground);
        pixmap.line((35 * 4, 31 * 4), (40 * 4, 36 * 4), 8, theme::colours().text_dim);
        if let (Some(font), Some(bold)) = (&self.fonts.regular, &self.fonts.bold) {
            let (text, colour) = if launcher.text.is_empty() { ("Search apps, or type a command", theme::colours().text_dim) } else { (launcher.text.as_str(), theme::colours().text) };
            let end = font.draw(&mut pixmap, 54, FIELD / 2 + 6, &font.fitted(text, 16, WIDTH - 90), 16, colour);
            let caret = if launcher.text.is_empty() { 52 } else { 56 + end };
            pixmap.fill(caret, FIELD / 2 - 10, 2, 20, theme::colours().accent);
            for (index, answer) in launcher.answers.iter().enumerate() {
                let y = FIELD + index as i32 * ROW;
                if index == launcher.chosen {
                    pixmap.fill_rounded(8, y + 2, WIDTH - 16, ROW - 4, (8, 8), theme::colours().hover);
                    pixmap.fill_rounded(8, y + 12, 3, ROW - 24, (1, 1), theme::colours().accent);
                }
                let title = bold.fitted(&answer.title, 14, 240);
                let width = bold.draw(&mut pixmap, 24, y + ROW / 2 + 5, &title, 14, theme::colours().text);
                let detail = font.fitted(&answer.detail, theme::TEXT_SIZE, WIDTH - 24 - width - 40);
                let left = WIDTH - 24 - font.width(&detail, theme::TEXT_SIZE);
                font.draw(&mut pixmap, left, y + ROW / 2 + 5, &detail, theme::TEXT_SIZE, theme::colours().text_dim);
            }
        }
        launcher.canvas.replace(pixmap);
        launcher.drawn = Some(drawn);
    }
}
