//! What follows from what happens.

use std::time::Duration;

use genai_ui::core::keyboard::key::Named;
use genai_ui::core::keyboard::{Event, Key};
use genai_ui::futures::futures::Stream;
use genai_ui::futures::futures::channel::mpsc::Sender;
use genai_ui::futures::{Subscription, keyboard, stream};
use genai_ui::runtime::widget::operation;
use genai_ui::{App, Element, Task, Theme, parts, theme};

use crate::form::{Control, Row};
use crate::{Message, Page, Question, Settings, view};

impl App for Settings {
    type Message = Message;

    const ID: &'static str = "org.genai.Settings";

    fn title(&self) -> String {
        "Settings".to_owned()
    }

    fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Go(page) => return self.go(page),
            Message::Turn(by) if self.asking.is_none() => {
                let at = Page::ALL.iter().position(|it| *it == self.page).unwrap_or_default() as isize;
                return self.go(Page::ALL[(at + by).rem_euclid(Page::ALL.len() as isize) as usize]);
            }
            Message::Step(by) if self.asking.is_none() => return self.step(by),
            Message::Beside(by) if self.asking.is_none() => return self.follow(|row| row.beside(by)),
            Message::Press if self.asking.is_none() => return self.follow(Row::press),
            Message::Press | Message::Confirm => {
                if let Some(question) = self.asking.take() {
                    return self.update(question.message);
                }
            }
            Message::Leave => match self.asking.take() {
                Some(question) => return question.otherwise.map_or_else(Task::none, |message| self.update(message)),
                None => {
                    (self.at, self.said) = (None, None);
                    return parts::unfocus();
                }
            },
            Message::Tick => {
                let Some(Question { seconds: Some(seconds), .. }) = &mut self.asking else { return Task::none() };
                *seconds = seconds.saturating_sub(1);
                if *seconds == 0 {
                    return self.update(Message::Leave);
                }
            }
            Message::Finished(outcome) => {
                self.is_busy = false;
                self.said = Some(outcome).filter(|it| it.as_ref().map_or(true, |words| !words.is_empty()));
                return self.load();
            }
            Message::Failed(problem) => self.said = Some(Err(problem)),
            Message::Appearance(message) => return self.appearance.update(message, &self.places),
            Message::Display(message) => return self.update_display(message),
            Message::Keyboard(message) => return self.keyboard.update(message, &self.places),
            Message::Network(message) => return self.update_network(message),
            Message::Users(message) => return self.update_users(message),
            Message::Ai(message) => return self.ai.update(message, &self.places),
            Message::Updates(message) => return self.update_updates(message),
            Message::About(message) => return self.about.update(message, &self.places),
            Message::Turn(_) | Message::Step(_) | Message::Beside(_) => {}
        }
        Task::none()
    }

    fn view(&self) -> Element<'_, Message> {
        view::window(self)
    }

    fn subscription(&self) -> Subscription<Message> {
        let keys = keyboard::listen().filter_map(|event| match event {
            Event::KeyPressed { key, modifiers, .. } => match (key.as_ref(), modifiers.control(), modifiers.alt()) {
                (Key::Named(Named::ArrowDown), false, false) => Some(Message::Step(1)),
                (Key::Named(Named::ArrowUp), false, false) => Some(Message::Step(-1)),
                (Key::Named(Named::Tab), false, false) => Some(Message::Step(if modifiers.shift() { -1 } else { 1 })),
                (Key::Named(Named::ArrowRight), false, false) => Some(Message::Beside(1)),
                (Key::Named(Named::ArrowLeft), false, false) => Some(Message::Beside(-1)),
                (Key::Named(Named::Home), false, false) => Some(Message::Step(isize::MIN / 2)),
                (Key::Named(Named::End), false, false) => Some(Message::Step(isize::MAX / 2)),
                (Key::Named(Named::PageDown), true, false) | (Key::Named(Named::ArrowDown), false, true) => Some(Message::Turn(1)),
                (Key::Named(Named::PageUp), true, false) | (Key::Named(Named::ArrowUp), false, true) => Some(Message::Turn(-1)),
                (Key::Named(Named::Enter | Named::Space), false, false) => Some(Message::Press),
                (Key::Named(Named::Escape), false, false) => Some(Message::Leave),
                (Key::Character(digit), true, false) => {
                    let at = digit.parse::<usize>().ok()?.checked_sub(1)?;
                    Page::ALL.get(at).map(|page| Message::Go(*page))
                }
                _ => None,
            },
            _ => None,
        });
        let is_counting = self.asking.as_ref().is_some_and(|it| it.seconds.is_some());
        Subscription::batch([keys, if is_counting { Subscription::run(seconds).map(|()| Message::Tick) } else { Subscription::none() }])
    }

    fn theme(&self) -> Theme {
        theme::light_or_current(self.is_light)
    }
}

fn seconds() -> impl Stream<Item = ()> {
    stream::channel(1, async |mut told: Sender<()>| {
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                if told.try_send(()).is_err_and(|error| error.is_disconnected()) {
                    return;
                }
            }
        });
        std::future::pending::<()>().await;
    })
}

impl Settings {
    fn go(&mut self, page: Page) -> Task<Message> {
        if self.asking.is_some() {
            return Task::none();
        }
        (self.page, self.at, self.said) = (page, None, None);
        self.load()
    }

    /// The rows where keys stop.
    fn active(&self) -> Vec<Row> {
        self.sections().into_iter().flat_map(|it| it.rows).filter(Row::is_active).collect()
    }

    fn step(&mut self, by: isize) -> Task<Message> {
        let rows = self.active();
        let Some(last) = rows.len().checked_sub(1) else { return Task::none() };
        let at = match self.at {
            // From before the first, or from behind the last.
            None if by > 0 => (by as usize - 1).min(last),
            None => (last + 1).saturating_add_signed(by).min(last),
            Some(at) => at.saturating_add_signed(by).min(last),
        };
        self.at = Some(at);
        let shown = operation::snap_to(view::LIST, operation::RelativeOffset { x: None, y: Some(at as f32 / last.max(1) as f32) });
        let focus = match &rows[at].control {
            Control::Field { id, .. } => Task::batch([operation::focus(*id), operation::move_cursor_to_end(*id)]),
            // A field in use would keep the keys.
            _ => parts::unfocus(),
        };
        Task::batch([focus, shown])
    }

    /// Does what the row at which the keys are means.
    fn follow(&mut self, meaning: impl FnOnce(&Row) -> Option<Message>) -> Task<Message> {
        let message = self.at.and_then(|at| self.active().into_iter().nth(at)).and_then(|row| meaning(&row));
        message.map_or_else(Task::none, |message| self.update(message))
    }
}
