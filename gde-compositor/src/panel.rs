//! The panel at the top of the first screen: the launcher's button, the workspaces, the focused window, programs' pictures, the time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gde_layout::WORKSPACES;
use gde_raster::Pixmap;
use smithay::backend::renderer::element::Id;
use smithay::reexports::calloop::timer::{TimeoutAction, Timer};

use crate::render::picture::Canvas;
use crate::render::scene::Scene;
use crate::state::Gde;
use crate::theme;

/// All that the panel's picture depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    colours: theme::Palette,
    width: i32,
    time: String,
    title: String,
    active: usize,
    used: Vec<usize>,
    is_launcher_open: bool,
    is_quick_open: bool,
    is_quiet: bool,
    tray: u64,
}

/// The panel.
#[derive(Debug)]
pub struct Panel {
    /// Whether it is there at all.
    pub is_shown: bool,
    /// Of what covers the screen while the session is locked.
    pub lock_id: Id,
    /// Of what shows where a dragged window would snap to.
    pub preview_id: Id,
    look: Option<Look>,
    canvas: Canvas,
    /// Where the clock's part begins, counting from the panel's corner.
    status: i32,
}

impl Default for Panel {
    fn default() -> Self {
        Panel { is_shown: true, lock_id: Id::new(), preview_id: Id::new(), look: None, canvas: Canvas::new(Pixmap::new(1, 1)), status: i32::MAX }
    }
}

/// Width of the launcher's button.
const LAUNCHER: i32 = 76;
/// Width of a workspace's dot with the space around it.
const DOT: i32 = 20;

/// What is at a place of the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The launcher's button.
    Launcher,
    /// A workspace, from 0.
    Workspace(usize),
    /// The clock.
    Status,
    /// Nothing that can be clicked on.
    Rest,
}

/// The day, hours and minutes here.
pub fn local_time() -> String {
    let seconds = seconds().as_secs() as i64;
    let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to values of ours; a zeroed tm is valid.
    let parts = unsafe {
        libc::localtime_r(&seconds, parts.as_mut_ptr());
        parts.assume_init()
    };
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let name = |names: &[&'static str], index: i32| names.get(index as usize).copied().unwrap_or("");
    format!("{} {} {}   {:02}:{:02}", name(&DAYS, parts.tm_wday), parts.tm_mday, name(&MONTHS, parts.tm_mon), parts.tm_hour, parts.tm_min)
}

fn seconds() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Panel {
    /// It is drawn anew with the next frame.
    pub fn forget_picture(&mut self) {
        self.look = None;
    }

    /// What is at a place, counting from the panel's corner.
    pub fn part_at(&self, x: i32) -> Part {
        let Some(look) = &self.look else { return Part::Rest };
        if x >= self.status {
            return Part::Status;
        }
        if x < LAUNCHER {
            return Part::Launcher;
        }
        usize::try_from((x - LAUNCHER) / DOT).ok().and_then(|index| look.used.get(index)).map_or(Part::Rest, |workspace| Part::Workspace(*workspace))
    }

    /// Adds the panel to a scene.
    pub fn add(&self, scene: &mut Scene<'_>) {
        let at = scene.physical(scene.screen.x, scene.screen.y);
        scene.elements.push(self.canvas.at(at, 1.0).into());
    }
}

impl Gde {
    /// Draws the panel anew where it must look otherwise.
    pub fn update_panel(&mut self) {
        let Some(screen) = self.screens.first() else { return };
        if !self.panel.is_shown {
            return;
        }
        let active = self.layout.active();
        let used = (0..WORKSPACES).filter(|workspace| {
            *workspace == active || *workspace == 0 || self.layout.windows().any(|it| self.layout.place(it.number()).is_some_and(|place| place.workspace == *workspace))
        });
        let title = self.layout.focus().and_then(|id| self.layout.window(id)).map(|window| window.names().0).unwrap_or_default();
        let title = if self.focus_mode.is_on() { format!("Focus: {title}") } else { title };
        let look = Look {
            colours: theme::colours(),
            width: self.screen_rect(screen).w,
            time: local_time(),
            title,
            active,
            used: used.collect(),
            is_launcher_open: self.launcher.is_some(),
            is_quick_open: self.quick.is_open(),
            is_quiet: self.notices.is_quiet,
            tray: self.tray.revision,
        };
        if self.panel.look.as_ref() != Some(&look) {
            let pixmap = self.draw_panel(&look);
            self.panel.canvas.replace(pixmap);
            self.panel.look = Some(look);
        }
    }

    fn draw_panel(&mut self, look: &Look) -> Pixmap {
        let (w, h) = (look.width.clamp(1, 16384), theme::PANEL_HEIGHT);
        let mut pixmap = theme::picture(w, h);
        pixmap.fill(0, 0, w, h, theme::colours().panel);
        if look.is_launcher_open {
            pixmap.fill_rounded(6, 4, LAUNCHER - 12, h - 8, (6, 6), theme::colours().hover);
        }
        let base = h / 2 + 5;
        let mut right = w - 14;
        let time_width = self.fonts.bold.as_ref().map_or(0, |font| font.width(&look.time, theme::TEXT_SIZE));
        self.panel.status = right - time_width - 10 - if look.is_quiet { 24 } else { 0 };
        if look.is_quick_open {
            let left = self.panel.status + 2;
            pixmap.fill_rounded(left, 4, w - 6 - left, h - 8, (6, 6), theme::colours().hover);
        }
        if let Some(font) = &self.fonts.bold {
            let label = "Apps";
            let x = (LAUNCHER - font.width(label, theme::TEXT_SIZE)) / 2;
            font.draw(&mut pixmap, x, base, label, theme::TEXT_SIZE, theme::colours().text);
            right -= time_width;
            font.draw(&mut pixmap, right, base, &look.time, theme::TEXT_SIZE, theme::colours().text);
        }
        if look.is_quiet {
            right -= 24;
            crate::quick::draw_quiet(&mut pixmap, (right + 9, h / 2), theme::colours().text_dim, theme::colours().panel | 0xff00_0000);
        }
        let tray = self.tray.draw(&mut pixmap, right - 10);
        for (index, workspace) in look.used.iter().enumerate() {
            let cx = LAUNCHER + index as i32 * DOT + DOT / 2;
            if *workspace == look.active {
                pixmap.fill_rounded(cx - 8, h / 2 - 4, 16, 8, (4, 4), theme::colours().accent);
            } else {
                pixmap.fill_disc((cx * 4, h * 2), 14, theme::colours().text_dim);
            }
        }
        if let Some(font) = &self.fonts.regular {
            let left = LAUNCHER + look.used.len() as i32 * DOT + 16;
            let title = font.fitted(&look.title, theme::TEXT_SIZE, (w / 2 - left).min(w - 220 - tray - left).max(0));
            font.draw(&mut pixmap, left, base, &title, theme::TEXT_SIZE, theme::colours().text_dim);
        }
        pixmap
    }

    /// Has the panel drawn when the minute changes.
    pub fn start_clock(&mut self) {
        let until_next = || Duration::from_secs(60) - Duration::from_nanos((seconds().as_nanos() % 60_000_000_000) as u64) + Duration::from_millis(20);
        let result = self.events.insert_source(Timer::from_duration(until_next()), move |_, (), gde| {
            if gde.panel.is_shown || gde.lock.own.is_some() {
                gde.queue_redraws();
            }
            TimeoutAction::ToDuration(until_next())
        });
        if let Err(error) = result {
            tracing::warn!("the clock does not run: {error}");
        }
    }
}
