//! Colours, size of text, animations: kept in the user's settings, which all windows and the desktop follow at once.

use desktop_settings::{Appearance, Arrangement, Contrast, Learning, Scheme, Settings};
use genai_ui::{Task, job};

use crate::form::{Control, Row, Section};
use crate::{Message as All, Places};

/// Sizes of text, per cent.
const TEXT: [(&str, u16); 4] = [("Small", 90), ("Normal", 100), ("Large", 125), ("Larger", 150)];

/// The same while learning, where it is larger then.
const LEARNING_TEXT: [(&str, Option<u16>); 3] = [("As always", None), ("Large", Some(125)), ("Larger", Some(150))];

/// What holds.
#[derive(Debug, Default)]
pub struct State {
    now: Appearance,
    arrangement: Arrangement,
    learning: Learning,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// What holds was read.
    Read(Result<Box<Settings>, String>),
    /// This should hold.
    Want(Appearance),
    /// This should be learnt and offered.
    WantArrangement(Arrangement),
    /// This should change while learning.
    WantLearning(Learning),
}

fn read(result: Result<Settings, desktop_settings::Problem>) -> All {
    All::Appearance(Message::Read(result.map(Box::new).map_err(|error| error.to_string())))
}

/// Reads what holds.
pub fn load(places: Places) -> Task<All> {
    job::start(move |_| read(Settings::read(&places.settings)))
}

impl State {
    /// What follows.
    pub fn update(&mut self, message: Message, places: &Places) -> Task<All> {
        match message {
            Message::Read(Ok(settings)) => {
                self.now = settings.appearance;
                self.arrangement = settings.arrangement;
                self.learning = settings.learning;
                // This window need not wait for the file to be heard of.
                genai_ui::appearance::set(settings.look());
                Task::none()
            }
            Message::Read(Err(problem)) => Task::done(All::Failed(problem)),
            Message::WantArrangement(arrangement) => {
                let path = places.settings.clone();
                job::start(move |_| read(Settings::change(&path, |it| it.arrangement = arrangement)))
            }
            Message::WantLearning(learning) => {
                let path = places.settings.clone();
                job::start(move |_| read(Settings::change(&path, |it| it.learning = learning)))
            }
            Message::Want(appearance) => {
                let path = places.settings.clone();
                job::start(move |_| read(Settings::change(&path, |it| it.appearance = appearance)))
            }
        }
    }

    /// The page.
    pub fn sections(&self) -> Vec<Section> {
        let now = self.now;
        let want = |appearance: Appearance| All::Appearance(Message::Want(appearance));
        let scheme = |label, scheme| (label, want(Appearance { scheme, ..now }));
        let schemes = vec![scheme("Dark", Scheme::Dark), scheme("Light", Scheme::Light)];
        let style = Control::Choice { options: schemes, chosen: Some(usize::from(now.scheme == Scheme::Light)) };
        let accents = Appearance::ACCENTS.map(|(accent, _)| (accent, want(Appearance { accent, ..now }))).to_vec();
        let chosen = Appearance::ACCENTS.iter().position(|(accent, _)| *accent == now.accent);
        let name = chosen.map_or_else(|| now.accent.to_string(), |at| Appearance::ACCENTS[at].1.to_owned());
        let accent = Control::Colours { options: accents, chosen };
        let text = TEXT.map(|(label, text_percent)| (label, want(Appearance { text_percent, ..now }))).to_vec();
        let size = Control::Choice { options: text, chosen: TEXT.iter().position(|(_, percent)| *percent == now.text_percent) };
        let animations = Control::Switch { is_on: now.animations, message: Some(want(Appearance { animations: !now.animations, ..now })) };
        let high = now.contrast == Contrast::High;
        let other = if high { Contrast::Normal } else { Contrast::High };
        let contrast = Control::Switch { is_on: high, message: Some(want(Appearance { contrast: other, ..now })) };
        let known = self.arrangement;
        let arrange = |arrangement: Arrangement| Some(All::Appearance(Message::WantArrangement(arrangement)));
        let learn = Control::Switch { is_on: known.learn, message: arrange(Arrangement { learn: !known.learn, ..known }) };
        let offer = Control::Switch { is_on: known.learn && known.offer, message: arrange(Arrangement { offer: !known.offer, ..known }).filter(|_| known.learn) };
        let lesson = self.learning;
        let teach = |learning: Learning| All::Appearance(Message::WantLearning(learning));
        let focus = Control::Switch { is_on: lesson.focus, message: Some(teach(Learning { focus: !lesson.focus, ..lesson })) };
        let text = LEARNING_TEXT.map(|(label, text_percent)| (label, teach(Learning { text_percent, ..lesson }))).to_vec();
        let lesson_size = Control::Choice { options: text, chosen: LEARNING_TEXT.iter().position(|(_, percent)| *percent == lesson.text_percent) };
        let is_clear = lesson.contrast == Contrast::High;
        let other = if is_clear { Contrast::Normal } else { Contrast::High };
        let clear = Control::Switch { is_on: is_clear, message: Some(teach(Learning { contrast: other, ..lesson })) };
        vec![
            Section::new(
                "Colours",
                vec![Row::new("Style", style).about("Of windows, title bars and the panel"), Row::new("Accent", accent).about(format!("{name}: what is chosen, and what can be done"))],
            ),
            Section::new(
                "Reading",
                vec![
                    Row::new("Text size", size).about("Of text in windows, and of what is made for it"),
                    Row::new("Animations", animations).about("Windows appear and go gradually"),
                    Row::new("High contrast", contrast).about("Text and lines as clear as there is"),
                ],
            ),
            Section::new(
                "While learning",
                vec![
                    Row::new("Focus mode", focus).about("Other windows are dimmed during a lesson, and only urgent notices are shown"),
                    Row::new("Text size", lesson_size).about("At least as large as this"),
                    Row::new("High contrast", clear).about("Also where it is off otherwise"),
                ],
            ),
            Section::new(
                "Arrangements",
                vec![
                    Row::new("Learn from how windows are arranged", learn).about("Which programs are used together, where and when; it stays on this machine"),
                    Row::new("Offer arrangements", offer).about("At the corner of the screen; nothing moves before you say so"),
                ],
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use genai_ui::core::Background;
    use genai_ui::theme;
    use genai_ui::widget::button;

    #[test]
    fn accents_can_be_read() {
        for (accent, name) in Appearance::ACCENTS {
            for scheme in [Scheme::Dark, Scheme::Light] {
                let theme = theme::chosen(Appearance { accent, scheme, ..Appearance::default() });
                let style = theme::primary(&theme, button::Status::Active);
                let Some(Background::Color(ground)) = style.background else { panic!("no colour") };
                let (a, b) = (style.text_color.relative_luminance(), ground.relative_luminance());
                // WCAG 2.1, 1.4.11: what can be done is told apart by 3 to 1.
                assert!((a.max(b) + 0.05) / (a.min(b) + 0.05) >= 3.0, "{name} {scheme:?}");
                let back = theme.palette().background.relative_luminance();
                assert!((b.max(back) + 0.05) / (b.min(back) + 0.05) >= 2.9, "{name} {scheme:?} on its ground");
            }
        }
    }
}
