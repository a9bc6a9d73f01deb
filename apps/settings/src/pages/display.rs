//! Sizes and scales of screens, and which are on: the desktop changes them at once. A size that nobody confirms is taken back: it may not be seen.

use desktop_settings::Size;
use gde_ipc::{Answer, Client, Output, Request};
use genai_ui::{Task, job};

use crate::form::{Control, Row, Section};
use crate::{Message as All, Question, Settings};

/// How large everything is, per cent.
const SCALES: [(&str, u16); 5] = [("100 %", 100), ("125 %", 125), ("150 %", 150), ("175 %", 175), ("200 %", 200)];

/// Seconds that a size has to be confirmed in.
const SECONDS: u32 = 15;

/// What holds.
#[derive(Debug, Default)]
pub struct State {
    screens: Vec<Output>,
    trouble: Option<String>,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// What there is was asked for.
    Screens(Result<Vec<Output>, String>),
    /// A screen should have this size instead of that.
    Want(String, Size, Size),
    /// It has.
    Shown(String, Size, Size),
    /// That is to be so from now on.
    Keep(String, Size),
    /// It is not to be so.
    Back(String, Size),
    /// Everything on a screen should be so large, in per cent.
    Scale(String, u16),
    /// A screen should be on, or off.
    Switch(String, bool),
}

/// Asks the desktop for the screens.
pub fn load() -> Task<All> {
    job::start(|_| All::Display(Message::Screens(screens())))
}

fn ask(request: &Request) -> Result<Answer, String> {
    match Client::connect().and_then(|mut it| it.ask(request)) {
        Ok(Answer::Failed { problem }) => Err(problem),
        Ok(answer) => Ok(answer),
        Err(error) => Err(error.to_string()),
    }
}

fn screens() -> Result<Vec<Output>, String> {
    match ask(&Request::Outputs)? {
        Answer::Outputs { outputs } => Ok(outputs),
        _ => Err("the desktop answers something else".to_owned()),
    }
}

fn set(output: &str, size: Size) -> Result<(), String> {
    ask(&Request::Mode { output: output.to_owned(), width: size.width, height: size.height }).map(drop)
}

/// Has the desktop use a screen otherwise, and keeps that.
fn keep(path: &std::path::Path, output: &str, scale_percent: Option<u16>, is_on: Option<bool>) -> Result<(), String> {
    ask(&Request::Screen { output: output.to_owned(), scale_percent, is_on })?;
    let change = |it: &mut desktop_settings::Settings| {
        let display = it.displays.entry(output.to_owned()).or_default();
        display.scale_percent = scale_percent.or(display.scale_percent);
        display.on = is_on.unwrap_or(display.on);
    };
    desktop_settings::Settings::change(path, change).map(drop).map_err(|error| error.to_string())
}

fn name(size: Size) -> String {
    format!("{} × {}", size.width, size.height)
}

impl Settings {
    /// What follows.
    pub(crate) fn update_display(&mut self, message: Message) -> Task<All> {
        match message {
            Message::Screens(Ok(screens)) => (self.display.screens, self.display.trouble) = (screens, None),
            Message::Screens(Err(problem)) => self.display.trouble = Some(problem),
            Message::Want(screen, new, old) => {
                return job::start(move |_| match set(&screen, new) {
                    Ok(()) => All::Display(Message::Shown(screen, new, old)),
                    Err(problem) => All::Finished(Err(problem)),
                });
            }
            Message::Shown(screen, new, old) => {
                self.asking = Some(Question {
                    title: "Keep this size?".to_owned(),
                    words: format!("{screen} has {} pixels now. Without an answer it goes back to {}.", name(new), name(old)),
                    confirm: "Keep",
                    is_danger: false,
                    message: All::Display(Message::Keep(screen.clone(), new)),
                    otherwise: Some(All::Display(Message::Back(screen, old))),
                    seconds: Some(SECONDS),
                });
                return load();
            }
            Message::Keep(screen, size) => {
                let path = self.places.settings.clone();
                return job::start(move |_| {
                    let kept = desktop_settings::Settings::change(&path, |it| {
                        it.displays.entry(screen).or_default().size = Some(size);
                    });
                    All::Finished(kept.map(|_| "The size is kept.".to_owned()).map_err(|error| error.to_string()))
                });
            }
            Message::Scale(screen, percent) => {
                let path = self.places.settings.clone();
                return job::start(move |_| All::Finished(keep(&path, &screen, Some(percent), None).map(|()| format!("Everything on {screen} is drawn at {percent} %."))));
            }
            Message::Switch(screen, is_on) => {
                let path = self.places.settings.clone();
                return job::start(move |_| {
                    let words = if is_on { "is on" } else { "is off; its windows are on the others" };
                    All::Finished(keep(&path, &screen, None, Some(is_on)).map(|()| format!("{screen} {words}.")))
                });
            }
            Message::Back(screen, size) => {
                return job::start(move |_| All::Finished(set(&screen, size).map(|()| format!("{screen} has {} pixels again.", name(size)))));
            }
        }
        Task::none()
    }
}

impl State {
    /// The page.
    pub fn sections(&self) -> Vec<Section> {
        if let Some(trouble) = &self.trouble {
            return vec![Section::new("", vec![Row::shown("The desktop cannot be asked", "").about(trouble.clone())])];
        }
        let one = |screen: &Output| {
            let now = Size { width: screen.width.unsigned_abs(), height: screen.height.unsigned_abs() };
            let row = |mode: &gde_ipc::Mode| {
                let size = Size { width: mode.width, height: mode.height };
                let is_chosen = size == now;
                let message = (!is_chosen).then(|| All::Display(Message::Want(screen.name.clone(), size, now)));
                let preferred = if mode.is_preferred { "What the screen prefers" } else { "" };
                Row::new(name(size), Control::Pick { is_chosen, message }).about(preferred)
            };
            let frames = format!("{:.0} frames a second", f64::from(screen.refresh_mhz) / 1000.0);
            let mut rows = Vec::new();
            // The last one cannot be switched off.
            if !screen.is_on || self.screens.iter().filter(|it| it.is_on).count() > 1 {
                let message = Some(All::Display(Message::Switch(screen.name.clone(), !screen.is_on)));
                rows.push(Row::new("Use this screen", Control::Switch { is_on: screen.is_on, message }).about("Without it windows are on the others"));
            }
            if screen.is_on {
                let options = SCALES.map(|(label, percent)| (label, All::Display(Message::Scale(screen.name.clone(), percent)))).to_vec();
                let percent = (screen.scale * 100.0).round() as u16;
                let chosen = SCALES.iter().position(|it| it.1 == percent);
                rows.push(Row::new("Scale", Control::Choice { options, chosen }).about("How large everything on it is"));
                rows.push(Row::shown("Shown now", name(now)).about(frames));
                rows.extend(screen.modes.iter().map(row));
            }
            Section::new(format!("Screen {}", screen.name), rows)
        };
        self.screens.iter().map(one).collect()
    }
}
