//! The user's settings, which hold as soon as they are changed: colours, animations, the keyboard's layout, sizes of screens.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use desktop_settings::{Appearance, Colour, Display, Keyboard, Learning, Lesson, Problem, Scheme, Settings, Size, Watch};
use gde_raster::Scale;
use smithay::output::Output;
use smithay::reexports::calloop::channel::{self, Event};
use smithay::reexports::calloop::generic::Generic;
use smithay::reexports::calloop::{Interest, Mode, PostAction};

use crate::backend::{Backend, DisplayMode, kms};
use crate::input::layout::Layout;
use crate::state::Gde;
use crate::theme::{self, Palette};

/// What holds now.
#[derive(Debug, Default)]
pub struct Chosen {
    keyboard: Option<Keyboard>,
    /// Screens by their names; others have what they prefer.
    pub displays: BTreeMap<String, Display>,
    /// Whether animations are off whatever the settings say.
    pub no_animations: bool,
    /// The look of everything, as the user wants it.
    pub appearance: Appearance,
    /// What changes while somebody learns.
    pub learning: Learning,
    /// What a learning session wants of it.
    pub lesson: Option<Lesson>,
    /// What the file says of that.
    kept: Appearance,
    /// The file.
    path: Option<PathBuf>,
    /// Who keeps changes, once there has been one, and how many are not kept yet.
    keeper: Option<Sender<Change>>,
    unkept: usize,
}

/// A change of the look that was made here.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// Dark or light.
    Scheme(Scheme),
    /// What is chosen or can be done.
    Accent(Colour),
    /// Size of text, per cent.
    Text(u16),
    /// Whether windows appear gradually.
    Animations(bool),
    /// What a learning session wants, or that there is none.
    Lesson(Option<Lesson>),
}

impl Change {
    fn make(self, settings: &mut Settings) {
        let appearance = &mut settings.appearance;
        match self {
            Change::Scheme(scheme) => appearance.scheme = scheme,
            Change::Accent(accent) => appearance.accent = accent,
            Change::Text(percent) => appearance.text_percent = percent,
            Change::Animations(animations) => appearance.animations = animations,
            Change::Lesson(lesson) => settings.lesson = lesson,
        }
    }
}

impl Gde {
    /// Takes the settings of a file, now and whenever it changes.
    pub fn follow_settings(&mut self, path: &Path) {
        self.chosen.path = Some(path.to_owned());
        self.take_settings(Settings::read(path));
        let watch = match Watch::new(path) {
            Ok(watch) => watch,
            Err(error) => return tracing::warn!("{} is not watched: {error}", path.display()),
        };
        let added = self.events.insert_source(Generic::new(watch, Interest::READ, Mode::Level), |_, watch, gde| {
            // Of changes on their way the file holds the older half.
            if let Some(settings) = watch.changed().filter(|_| gde.chosen.unkept == 0) {
                gde.take_settings(settings);
            }
            Ok(PostAction::Continue)
        });
        if let Err(error) = added {
            tracing::warn!("waiting for settings: {error}");
        }
    }

    fn take_settings(&mut self, settings: Result<Settings, desktop_settings::Problem>) {
        match settings {
            Ok(settings) => self.apply_settings(&settings),
            Err(problem) => tracing::warn!("{problem}; what was set before holds on"),
        }
    }

    /// Makes settings hold.
    pub fn apply_settings(&mut self, settings: &Settings) {
        self.chosen.kept = settings.appearance;
        self.chosen.lesson = settings.lesson;
        self.apply_appearance(settings.appearance);
        if settings.keyboard != self.chosen.keyboard {
            self.set_keyboard(settings.keyboard.clone());
        }
        self.set_arrangement(settings.arrangement);
        let learning_before = std::mem::replace(&mut self.chosen.learning, settings.learning);
        self.learning_changed(learning_before);
        if settings.displays != self.chosen.displays {
            self.chosen.displays = settings.displays.clone();
            self.update_screens();
        }
        self.queue_redraws();
    }

    fn apply_appearance(&mut self, appearance: Appearance) {
        self.chosen.appearance = appearance;
        self.has_animations = appearance.animations && !self.chosen.no_animations;
        let colours = Palette::of(&self.chosen.lesson.map_or(appearance, |lesson| lesson.over(appearance)));
        if colours != theme::colours() {
            theme::set_colours(colours);
            self.forget_pictures();
        }
        self.queue_redraws();
    }

    /// Makes a change hold at once, and keeps it in the user's settings.
    pub fn change_appearance(&mut self, change: Change) {
        let mut settings = Settings { appearance: self.chosen.appearance, lesson: self.chosen.lesson, ..Settings::default() };
        change.make(&mut settings);
        self.chosen.lesson = settings.lesson;
        self.apply_appearance(settings.appearance);
        let Some(path) = self.chosen.path.clone() else { return };
        if self.chosen.keeper.is_none() {
            self.chosen.keeper = self.start_keeper(path).inspect_err(|error| tracing::warn!("keeping settings: {error}")).ok();
        }
        let is_sent = self.chosen.keeper.as_ref().is_some_and(|keeper| keeper.send(change).is_ok());
        if is_sent {
            self.chosen.unkept += 1;
        } else {
            self.tell("This setting holds only until the desktop ends", "It could not be kept.");
        }
    }

    /// Keeps changes on a thread of its own: a disk may take its time.
    fn start_keeper(&mut self, path: PathBuf) -> Result<Sender<Change>, String> {
        let (keeper, changes) = std::sync::mpsc::channel::<Change>();
        let (sender, answers) = channel::channel();
        let added = self.events.insert_source(answers, |event, (), gde| {
            if let Event::Msg((count, kept)) = event {
                gde.changes_kept(count, kept);
            }
        });
        added.map_err(|error| error.to_string())?;
        let work = move || {
            while let Ok(change) = changes.recv() {
                let all: Vec<Change> = std::iter::once(change).chain(changes.try_iter()).collect();
                let kept = Settings::change(&path, |it| all.iter().for_each(|change| change.make(it)));
                if sender.send((all.len(), kept)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("settings".into()).stack_size(256 << 10).spawn(work).map(|_| keeper).map_err(|error| error.to_string())
    }

    fn changes_kept(&mut self, count: usize, kept: Result<Settings, Problem>) {
        self.chosen.unkept = self.chosen.unkept.saturating_sub(count);
        match kept {
            // Others may have changed the file since: what was heard of that meanwhile was left for now.
            Ok(settings) if self.chosen.unkept == 0 => match self.chosen.path.clone() {
                Some(path) => self.take_settings(Settings::read(&path)),
                None => self.apply_settings(&settings),
            },
            Ok(settings) => self.chosen.kept = settings.appearance,
            Err(problem) => {
                tracing::warn!("{problem}");
                self.tell("This setting could not be kept", &problem.to_string());
                if self.chosen.unkept == 0 {
                    self.apply_appearance(self.chosen.kept);
                }
            }
        }
    }

    /// What is drawn in colours of ours is drawn anew with the next frame.
    pub fn forget_pictures(&mut self) {
        self.panel.forget_picture();
        self.quick.forget_picture();
        if let Some(lock) = &mut self.lock.own {
            lock.forget_picture();
        }
        if let Some(launcher) = &mut self.launcher {
            launcher.forget_picture();
        }
        if let Some(overview) = &mut self.overview {
            overview.forget_picture();
        }
        if let Some(switcher) = &mut self.switcher {
            switcher.forget_picture();
        }
        if let Some(menu) = &mut self.menu {
            menu.forget_picture();
        }
    }

    fn set_keyboard(&mut self, wanted: Option<Keyboard>) {
        let layout = wanted.as_ref().map_or_else(Layout::of_machine, Layout::of);
        let keyboard = self.keyboard.clone();
        match keyboard.set_xkb_config(self, layout.config()) {
            Ok(()) => self.chosen.keyboard = wanted,
            Err(error) => tracing::warn!("the keyboard's layout stays as it is: {layout:?}: {error}"),
        }
    }

    /// Keys mean what another compositor says, unless the settings say something.
    pub fn take_keymap(&mut self, keymap: String) {
        if self.chosen.keyboard.is_some() {
            return;
        }
        let keyboard = self.keyboard.clone();
        if let Err(error) = keyboard.set_keymap_from_string(self, keymap) {
            tracing::warn!("the keyboard's layout stays as it is: {error}");
        }
    }

    /// Brings screens into line with what is wanted of them.
    pub fn update_screens(&mut self) {
        if let Backend::Kms(_) = self.backend {
            return kms::update_displays(self);
        }
        let all: Vec<Output> = self.screens.iter().map(|screen| &screen.output).chain(&self.dark).cloned().collect();
        let is_on = |gde: &Gde, output: &Output| gde.chosen.displays.get(&output.name()).is_none_or(|it| it.on);
        // One stays on, whatever is said.
        let any = all.iter().any(|output| is_on(self, output));
        // First those that come, so that windows have a place to go.
        let (on, off): (Vec<Output>, Vec<Output>) = all.into_iter().partition(|output| !any || is_on(self, output));
        on.iter().for_each(|output| self.show_on(output));
        off.iter().for_each(|output| self.darken(output));
        let outputs: Vec<Output> = self.screens.iter().map(|screen| screen.output.clone()).collect();
        for output in outputs {
            let modes = self.backend.modes(&output);
            let wanted = self.chosen.displays.get(&output.name()).and_then(|it| it.size);
            let found = modes.iter().find(|mode| wanted.map_or(mode.is_preferred, |it| (it.width, it.height) == (mode.width, mode.height)));
            if let Some(mode) = found.filter(|mode| !is_so(&output, mode)) {
                self.resize_screen(&output, (mode.width as i32, mode.height as i32), mode.refresh_mhz);
            }
        }
        self.update_scales();
    }

    /// Gives screens the scales that are wanted.
    pub fn update_scales(&mut self) {
        let outputs: Vec<Output> = self.screens.iter().map(|screen| screen.output.clone()).collect();
        for output in outputs {
            let wanted = Scale::of(self.chosen.displays.get(&output.name()).map_or(1.0, Display::scale));
            if wanted != Scale::of(output.current_scale().fractional_scale()) {
                self.rescale_screen(&output, wanted);
            }
        }
    }

    /// A screen by its name, also one that is off.
    fn output_named(&self, name: &str) -> Result<Output, String> {
        let mut all = self.screens.iter().map(|screen| &screen.output).chain(&self.dark);
        all.find(|output| output.name() == name).cloned().ok_or_else(|| format!("there is no screen {name}"))
    }

    /// Gives a screen another size, until the settings are read again.
    ///
    /// # Errors
    /// Where there is no such screen, it is off, or it cannot have that size.
    pub fn set_mode(&mut self, name: &str, size: Size) -> Result<(), String> {
        let output = self.output_named(name)?;
        if self.dark.contains(&output) {
            return Err(format!("{name} is off"));
        }
        let modes = self.backend.modes(&output);
        let mode = modes.into_iter().find(|mode| (mode.width, mode.height) == (size.width, size.height));
        let mode = mode.ok_or_else(|| format!("{name} cannot show {} x {} pixels", size.width, size.height))?;
        self.chosen.displays.entry(name.to_owned()).or_default().size = Some(size);
        self.update_screens();
        if is_so(&output, &mode) { Ok(()) } else { Err(format!("the card does not show {} x {} pixels", size.width, size.height)) }
    }

    /// Makes everything on a screen larger, or switches it on or off, until the settings are read again.
    ///
    /// # Errors
    /// Where there is no such screen, it would leave too little room, or no screen on.
    pub fn set_screen(&mut self, name: &str, scale_percent: Option<u16>, is_on: Option<bool>) -> Result<(), String> {
        let output = self.output_named(name)?;
        if let Some(percent) = scale_percent {
            let size = output.current_mode().map(|mode| mode.size).unwrap_or_default();
            fits(percent, (size.w, size.h)).map_err(|problem| format!("{name}: {problem}"))?;
        }
        if is_on == Some(false) && self.screens.iter().all(|screen| screen.output == output) {
            return Err(format!("{name} is the only screen that is on"));
        }
        let wanted = self.chosen.displays.entry(name.to_owned()).or_default();
        wanted.scale_percent = scale_percent.or(wanted.scale_percent);
        wanted.on = is_on.unwrap_or(wanted.on);
        self.update_screens();
        match is_on {
            Some(true) if self.dark.contains(&output) => Err(format!("{name} cannot be switched on")),
            _ => Ok(()),
        }
    }
}

/// Units that a screen has at least, so that the desktop's own boxes find room.
const LEAST: (i32, i32) = (480, 320);

/// Whether a screen of so many pixels may have a scale.
///
/// # Errors
/// Why not.
pub fn fits(percent: u16, (w, h): (i32, i32)) -> Result<(), String> {
    if !(Display::SCALE.0..=Display::SCALE.1).contains(&percent) {
        return Err(format!("a scale is {} to {} per cent, not {percent}", Display::SCALE.0, Display::SCALE.1));
    }
    let units = |pixels: i32| i64::from(pixels) * 100 / i64::from(percent);
    if percent > 100 && (units(w) < LEAST.0.into() || units(h) < LEAST.1.into()) {
        return Err(format!("{w} x {h} pixels at {percent} per cent leave too little room"));
    }
    Ok(())
}

fn is_so(output: &Output, mode: &DisplayMode) -> bool {
    output.current_mode().is_some_and(|it| (it.size.w, it.size.h) == (mode.width as i32, mode.height as i32))
}
