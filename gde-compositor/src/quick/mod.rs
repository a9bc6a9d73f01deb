//! The quick settings: a box below the panel's clock with the switches that are used most, the network, this month, and the ways to end the session.
//!
//! * [`places`]: what there is to press, and where; [`draw`], [`symbols`]: how it looks.
//! * [`calendar`]: days and months; [`facts`]: what the machine says of itself.

pub mod calendar;
mod draw;
pub mod facts;
pub mod places;
mod symbols;

use std::path::PathBuf;
use std::time::Duration;

use ::actions::desktop::DesktopAction;
use desktop_settings::{Appearance, Scheme};
use gde_ipc::QuickControl;
use gde_layout::{Direction, Point, Rect};
use gde_raster::Pixmap;
use smithay::backend::renderer::element::Id;
use smithay::input::keyboard::Keysym;
use smithay::reexports::calloop::RegistrationToken;
use smithay::reexports::calloop::channel::{self, Event};
use smithay::reexports::calloop::timer::{TimeoutAction, Timer};

use self::draw::Look;
use self::facts::Facts;
pub use self::places::Control;
use self::places::Places;
use crate::render::picture::Canvas;
use crate::render::scene::Scene;
use crate::settings::Change;
use crate::state::Gde;
use crate::theme;

/// Between the box and the screen's edge, and the panel.
const GAP: i32 = 8;
/// How often the machine is looked at while the box is open.
const EVERY: Duration = Duration::from_secs(5);
/// How long a second press is waited for.
const ARMED: Duration = Duration::from_secs(5);
/// A second press that comes sooner is the second half of a double click, not a decision.
const NOT_BEFORE: Duration = Duration::from_millis(400);
/// Sizes of text that the stepper stops at, per cent.
const TEXT: [u16; 8] = [75, 90, 100, 110, 125, 150, 175, 200];

/// The command lines behind some controls.
#[derive(Debug, Clone)]
pub struct Commands {
    /// Opens the program Settings.
    pub settings: String,
    /// Opens its page about the network.
    pub network: String,
    /// Starts the machine again.
    pub restart: String,
    /// Ends the machine.
    pub power_off: String,
}

impl Default for Commands {
    fn default() -> Self {
        // The last two are the init's own programs, as on any Unix.
        Commands { settings: "settings".into(), network: "settings network".into(), restart: "reboot".into(), power_off: "poweroff".into() }
    }
}

/// The quick settings.
#[derive(Debug)]
pub struct QuickSettings {
    /// What some controls start.
    pub commands: Commands,
    /// Where the kernel lists batteries.
    pub power: PathBuf,
    facts: Option<Facts>,
    is_reading: bool,
    open: Option<Open>,
}

impl Default for QuickSettings {
    fn default() -> Self {
        QuickSettings { commands: Commands::default(), power: facts::POWER.into(), facts: None, is_reading: false, open: None }
    }
}

/// The box while it is open.
#[derive(Debug)]
struct Open {
    area: Rect,
    places: Places,
    names: (String, String),
    /// The weekday that weeks begin with, from Sunday.
    first: i32,
    /// Which month is shown: so many after this one.
    later: i32,
    hover: Option<Control>,
    chosen: Option<Control>,
    /// What a second press does, and since when.
    armed: Option<(Control, Duration)>,
    look: Option<Look>,
    canvas: Canvas,
    shadow: Id,
    /// What looks at the machine again.
    timer: Option<RegistrationToken>,
}

impl QuickSettings {
    /// Whether the box is open.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// It is drawn anew with the next frame.
    pub fn forget_picture(&mut self) {
        if let Some(open) = &mut self.open {
            open.look = None;
        }
    }

    /// Where the box is, while it is open.
    pub fn area(&self) -> Option<Rect> {
        self.open.as_ref().map(|it| it.area)
    }

    /// Adds the box to a scene.
    pub fn add(&self, scene: &mut Scene<'_>) {
        if let Some(open) = &self.open {
            let at = scene.physical(open.area.x, open.area.y);
            scene.elements.push(open.canvas.at(at, 1.0).into());
            scene.box_shadow(&open.shadow, &open.area);
        }
    }
}

impl Open {
    fn at(&self, point: Point) -> Option<Control> {
        let inside = Point { x: point.x - self.area.x, y: point.y - self.area.y };
        self.places.controls.iter().find(|it| it.1.contains(inside)).map(|it| it.0)
    }
}

/// Draws the sign of urgent notices only, small, around a middle; `ground` is what lies behind it.
pub fn draw_quiet(pixmap: &mut Pixmap, at: (i32, i32), colour: u32, ground: u32) {
    symbols::Pen { pixmap, at, colour }.no_entry(ground);
}

/// The user, and the machine with the login where that is another word.
fn names() -> (String, String) {
    let login = crate::lockscreen::user();
    let name = facts::name_of(&login, &std::fs::read_to_string("/etc/passwd").unwrap_or_default());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").map(|it| it.trim().to_owned()).unwrap_or_default();
    let below = if name == login || host.is_empty() { host } else { format!("{login} on {host}") };
    (name, below)
}

impl Gde {
    /// Opens or closes the quick settings.
    pub fn toggle_quick(&mut self) {
        if self.quick.is_open() {
            return self.close_quick();
        }
        (self.launcher, self.overview, self.switcher) = (None, None, None);
        self.close_menu(None);
        self.quick.open = Some(Open {
            area: Rect::default(),
            places: Places::default(),
            names: names(),
            first: calendar::first_weekday(&calendar::locale()),
            later: 0,
            hover: None,
            chosen: None,
            armed: None,
            look: None,
            canvas: Canvas::new(Pixmap::new(1, 1)),
            shadow: Id::new(),
            timer: None,
        });
        self.arrange_quick();
        self.look_at_machine();
        let added = self.events.insert_source(Timer::from_duration(EVERY), |_, (), gde| {
            gde.look_at_machine();
            TimeoutAction::ToDuration(EVERY)
        });
        match (added, &mut self.quick.open) {
            (Ok(timer), Some(open)) => open.timer = Some(timer),
            (Err(error), _) => tracing::warn!("the quick settings stay as they are: {error}"),
            (Ok(timer), None) => self.events.remove(timer),
        }
        // Notices make room.
        self.arrange_notices();
        self.layout_changed();
    }

    /// Closes the quick settings.
    pub fn close_quick(&mut self) {
        let Some(open) = self.quick.open.take() else { return };
        if let Some(timer) = open.timer {
            self.events.remove(timer);
        }
        self.arrange_notices();
        self.layout_changed();
    }

    /// Has the machine looked at, on a thread of its own: it may take its time.
    fn look_at_machine(&mut self) {
        if self.quick.is_reading {
            return;
        }
        let (sender, answer) = channel::channel();
        let added = self.events.insert_source(answer, |event, (), gde| {
            gde.quick.is_reading = false;
            if let Event::Msg(facts) = event {
                gde.take_facts(facts);
            }
        });
        let power = self.quick.power.clone();
        let reader = std::thread::Builder::new().name("facts".into()).stack_size(128 << 10).spawn(move || {
            // The desktop is there for as long as its threads.
            let _ = sender.send(Facts::read(&power));
        });
        match (added, reader) {
            (Ok(_), Ok(_)) => self.quick.is_reading = true,
            (Err(error), _) => tracing::warn!("looking at the machine: {error}"),
            (_, Err(error)) => tracing::warn!("looking at the machine: {error}"),
        }
    }

    /// Takes what the machine says of itself.
    pub fn take_facts(&mut self, facts: Facts) {
        if self.quick.facts.as_ref() != Some(&facts) {
            self.quick.facts = Some(facts);
            self.arrange_quick();
            if self.quick.is_open() {
                self.queue_redraws();
            }
        }
    }

    /// Where the box is, and what is in it.
    fn arrange_quick(&mut self) {
        let Some(screen) = self.screens.first().map(|screen| self.screen_rect(screen)) else { return };
        let facts = self.quick.facts.as_ref();
        let (cards, has_battery) = (facts.map_or(1, |it| it.cards.len()), facts.is_some_and(|it| it.battery.is_some()));
        let Some(open) = &mut self.quick.open else { return };
        let places = Places::new(cards, has_battery, (screen.w - 2 * GAP, screen.h - theme::PANEL_HEIGHT - 2 * GAP));
        open.area = Rect::new(screen.right() - GAP - places.width, screen.y + theme::PANEL_HEIGHT + GAP, places.width, places.height);
        open.places = places;
    }

    fn quick_look(&self) -> Option<Look> {
        let open = self.quick.open.as_ref()?;
        let today = calendar::today();
        Some(Look {
            colours: theme::colours(),
            places: open.places.clone(),
            appearance: self.chosen.appearance,
            is_quiet: self.notices.is_quiet,
            hover: open.hover,
            chosen: open.chosen,
            armed: open.armed.map(|it| it.0),
            names: open.names.clone(),
            facts: self.quick.facts.clone(),
            today,
            month: today.month_of().later(open.later),
            first: open.first,
        })
    }

    /// Draws the box anew where it must look otherwise.
    pub fn update_quick(&mut self) {
        self.arrange_quick();
        let look = self.quick_look();
        let (Some(open), Some(look)) = (&mut self.quick.open, look) else { return };
        if open.look.as_ref() != Some(&look) {
            open.canvas.replace(draw::draw(&look, &self.fonts));
            open.look = Some(look);
        }
    }

    /// What is in the box, as other programs see it.
    pub fn list_quick(&self) -> Vec<QuickControl> {
        let (Some(open), Some(look)) = (&self.quick.open, self.quick_look()) else { return Vec::new() };
        let one = |(control, place): &(Control, Rect)| {
            let (label, detail) = look.words(*control);
            QuickControl {
                name: control.name(),
                label,
                detail,
                x: open.area.x + place.x,
                y: open.area.y + place.y,
                width: place.w,
                height: place.h,
                is_on: look.is_on(*control),
                is_chosen: open.chosen == Some(*control),
            }
        };
        open.places.controls.iter().map(one).collect()
    }

    /// The pointer is here now, or nowhere in the box.
    pub fn quick_hover(&mut self, at: Option<Point>) {
        let Some(open) = &mut self.quick.open else { return };
        let hover = at.and_then(|at| open.at(at));
        if std::mem::replace(&mut open.hover, hover) != hover {
            self.queue_redraws();
        }
    }

    /// A press of the mouse while the box is open: beside it closes it.
    pub fn quick_click(&mut self, at: Point) {
        let Some(open) = &mut self.quick.open else { return };
        if !open.area.contains(at) {
            return self.close_quick();
        }
        let hit = open.at(at);
        open.chosen = None;
        match hit {
            Some(control) => self.press_control(control),
            None => self.disarm(),
        }
    }

    /// A key while the box is open.
    pub fn quick_key(&mut self, key: Keysym) {
        let Some(open) = &mut self.quick.open else { return };
        let arrow = |open: &Open, direction| open.places.beside(open.chosen, direction);
        let chosen = match key {
            Keysym::Escape => return self.close_quick(),
            Keysym::Return | Keysym::KP_Enter | Keysym::space => {
                if let Some(control) = open.chosen {
                    self.press_control(control);
                }
                return;
            }
            Keysym::Page_Up => return self.press_control(Control::Earlier),
            Keysym::Page_Down => return self.press_control(Control::Later),
            Keysym::Home => return self.press_control(Control::Today),
            Keysym::Tab => open.places.next(open.chosen, false),
            Keysym::ISO_Left_Tab => open.places.next(open.chosen, true),
            Keysym::Left => arrow(open, Direction::Left),
            Keysym::Right => arrow(open, Direction::Right),
            Keysym::Up => arrow(open, Direction::Up),
            Keysym::Down => arrow(open, Direction::Down),
            _ => return,
        };
        if open.chosen != chosen {
            open.chosen = chosen;
            open.armed = None;
            self.queue_redraws();
        }
    }

    fn disarm(&mut self) {
        if let Some(open) = &mut self.quick.open {
            open.armed = None;
        }
        self.queue_redraws();
    }

    /// Nobody has pressed a second time: so it was not meant.
    pub fn expire_armed(&mut self) {
        let now = self.clock.now();
        if let Some(open) = &mut self.quick.open
            && open.armed.is_some_and(|it| now.saturating_sub(it.1) >= ARMED)
        {
            self.disarm();
        }
    }

    /// Whether a press of something grave counts: the second one does.
    fn is_meant(&mut self, control: Control) -> bool {
        let now = self.clock.now();
        let Some(open) = &mut self.quick.open else { return false };
        match open.armed {
            Some((armed, since)) if armed == control => return now.saturating_sub(since) >= NOT_BEFORE,
            _ => open.armed = Some((control, now)),
        }
        let added = self.events.insert_source(Timer::from_duration(ARMED), |_, (), gde| {
            gde.expire_armed();
            TimeoutAction::Drop
        });
        if let Err(error) = added {
            tracing::warn!("a question stays: {error}");
        }
        self.queue_redraws();
        false
    }

    /// A control is pressed.
    pub fn press_control(&mut self, control: Control) {
        if control.is_grave() {
            if !self.is_meant(control) {
                return;
            }
        } else {
            self.disarm();
        }
        let appearance = self.chosen.appearance;
        let text = appearance.text_percent;
        match control {
            Control::Dark => {
                let scheme = if appearance.scheme == Scheme::Dark { Scheme::Light } else { Scheme::Dark };
                self.change_appearance(Change::Scheme(scheme));
            }
            Control::Quiet => self.set_quiet(!self.notices.is_quiet),
            Control::Animations => self.change_appearance(Change::Animations(!appearance.animations)),
            Control::Smaller => {
                if let Some(percent) = TEXT.into_iter().rev().find(|it| *it < text) {
                    self.change_appearance(Change::Text(percent));
                }
            }
            Control::Larger => {
                if let Some(percent) = TEXT.into_iter().find(|it| *it > text) {
                    self.change_appearance(Change::Text(percent));
                }
            }
            Control::Accent(index) => {
                if let Some((accent, _)) = Appearance::ACCENTS.get(index) {
                    self.change_appearance(Change::Accent(*accent));
                }
            }
            Control::Earlier => self.show_month(|later| later - 1),
            Control::Later => self.show_month(|later| later + 1),
            Control::Today => self.show_month(|_| 0),
            Control::Settings => self.start_and_close(self.quick.commands.settings.clone(), "Settings cannot be opened"),
            Control::Network => self.start_and_close(self.quick.commands.network.clone(), "Settings cannot be opened"),
            Control::Restart => self.start_and_close(self.quick.commands.restart.clone(), "The machine cannot be started again"),
            Control::PowerOff => self.start_and_close(self.quick.commands.power_off.clone(), "The machine cannot be switched off"),
            Control::Lock => {
                self.close_quick();
                // It says itself why not.
                let _ = self.lock_session();
            }
            Control::LogOut => {
                self.close_quick();
                // That can always be done.
                let _ = self.act(&DesktopAction::Quit);
            }
        }
    }

    fn show_month(&mut self, which: impl FnOnce(i32) -> i32) {
        if let Some(open) = &mut self.quick.open {
            // A thousand years to either side are enough.
            open.later = which(open.later).clamp(-12_000, 12_000);
            self.queue_redraws();
        }
    }

    fn start_and_close(&mut self, command: String, problem: &str) {
        self.close_quick();
        let program = command.split_whitespace().next().unwrap_or_default();
        let done = if crate::actions::is_program(program) { self.spawn(&command) } else { Err(format!("{program} is not installed")) };
        if let Err(error) = done {
            tracing::warn!("{error}");
            self.tell(problem, &error);
        }
    }
}
