//! What follows from what happens.

use genai_ui::core::keyboard::key::Named;
use genai_ui::core::keyboard::{Event, Key};
use genai_ui::futures::{Subscription, keyboard};
use genai_ui::runtime::widget::operation;
use genai_ui::{App, Element, Task, Theme, parts, theme};
use rustix::process::{Pid, Signal, kill_process};

use crate::services::{self, Verb};
use crate::{Asking, Force, Message, Monitor, Page, sampler, view};

/// Lines that the keys for pages go.
const LEAP: isize = 12;

impl App for Monitor {
    type Message = Message;

    const ID: &'static str = "org.genai.Monitor";

    fn title(&self) -> String {
        "Monitor".to_owned()
    }

    fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Sampled(sample) => {
                self.sampled(sample);
                if self.page == Page::Services && !self.is_acting {
                    return services::list();
                }
            }
            Message::Go(page) => {
                (self.page, self.said, self.asking) = (page, None, None);
                if page == Page::Services {
                    return services::list();
                }
            }
            Message::Search(words) => {
                (self.words, self.page) = (words, Page::Processes);
                self.arrange();
            }
            Message::Letter(letter) if self.asking.is_none() => {
                (self.words, self.page) = (format!("{}{letter}", self.words), Page::Processes);
                self.arrange();
                return Task::batch([operation::focus(view::SEARCH), operation::move_cursor_to_end(view::SEARCH)]);
            }
            Message::Letter(_) => {}
            Message::Find => {
                self.page = Page::Processes;
                return operation::focus(view::SEARCH);
            }
            Message::Sort(column) => {
                self.order = (column, self.order.0 == column && !self.order.1);
                self.arrange();
            }
            Message::Choose(pid) => (self.chosen, self.said) = (Some(pid), None),
            Message::ChooseService(name) => (self.service, self.said) = (Some(name), None),
            Message::Step(by) if self.asking.is_none() => return self.step(by),
            Message::Step(_) => {}
            Message::End(force) => {
                if let (Some(process), Page::Processes) = (self.chosen_process().cloned(), self.page) {
                    self.asking = Some(Asking::End(process, force));
                }
            }
            Message::Do(verb) => {
                let (Some(service), false) = (self.chosen_service().cloned(), self.is_acting) else { return Task::none() };
                if verb != Verb::Start {
                    self.asking = Some(Asking::Stop(service, verb));
                    return Task::none();
                }
                return self.act(verb, service.name);
            }
            Message::Confirm => match self.asking.take() {
                Some(Asking::End(process, force)) => self.end(&process, force),
                Some(Asking::Stop(service, verb)) => return self.act(verb, service.name),
                None => {}
            },
            Message::Cancel => {
                if self.asking.take().is_none() && !self.words.is_empty() {
                    self.words.clear();
                    self.arrange();
                }
            }
            Message::Services(outcome) => match outcome {
                Ok(services) => (self.services, self.trouble) = (services, None),
                Err(error) => self.trouble = Some(error),
            },
            Message::Acted(outcome) => {
                self.is_acting = false;
                self.said = Some(outcome.err().unwrap_or_else(|| "Done.".to_owned()));
                return services::list();
            }
        }
        Task::none()
    }

    fn view(&self) -> Element<'_, Message> {
        view::window(self)
    }

    fn subscription(&self) -> Subscription<Message> {
        let keys = keyboard::listen().filter_map(|event| match event {
            Event::KeyPressed { key, modifiers, text, .. } => match (key.as_ref(), modifiers.control(), modifiers.alt()) {
                (Key::Named(Named::ArrowDown), false, false) => Some(Message::Step(1)),
                (Key::Named(Named::ArrowUp), false, false) => Some(Message::Step(-1)),
                (Key::Named(Named::PageDown), false, false) => Some(Message::Step(LEAP)),
                (Key::Named(Named::PageUp), false, false) => Some(Message::Step(-LEAP)),
                (Key::Named(Named::Home), false, false) => Some(Message::Step(isize::MIN / 2)),
                (Key::Named(Named::End), false, false) => Some(Message::Step(isize::MAX / 2)),
                (Key::Named(Named::Delete), false, false) if modifiers.shift() => Some(Message::End(Force::Killed)),
                (Key::Named(Named::Delete), false, false) => Some(Message::End(Force::Asked)),
                (Key::Named(Named::Enter), false, false) => Some(Message::Confirm),
                (Key::Named(Named::Escape), false, false) => Some(Message::Cancel),
                (Key::Character("f"), true, false) => Some(Message::Find),
                (Key::Character("1"), true, false) => Some(Message::Go(Page::Processes)),
                (Key::Character("2"), true, false) => Some(Message::Go(Page::Resources)),
                (Key::Character("3"), true, false) => Some(Message::Go(Page::Services)),
                (Key::Character(_), false, false) => text.map(|it| Message::Letter(it.to_string())),
                _ => None,
            },
            _ => None,
        });
        Subscription::batch([keys, sampler::samples()])
    }

    fn theme(&self) -> Theme {
        theme::light_or_current(self.is_light)
    }
}

impl Monitor {
    fn step(&mut self, by: isize) -> Task<Message> {
        let next = |at: Option<usize>, count: usize| at.map_or(0, |at| at.saturating_add_signed(by).min(count.saturating_sub(1)));
        let index = match self.page {
            Page::Resources => return Task::none(),
            Page::Processes => {
                let index = next(self.shown.iter().position(|it| Some(it.pid) == self.chosen), self.shown.len());
                self.chosen = self.shown.get(index).map(|it| it.pid);
                index
            }
            Page::Services => {
                let index = next(self.services.iter().position(|it| Some(&it.name) == self.service.as_ref()), self.services.len());
                self.service = self.services.get(index).map(|it| it.name.clone());
                index
            }
        };
        let y = index.saturating_sub(4) as f32 * view::ROW;
        // A field in use would keep Delete for itself.
        Task::batch([parts::unfocus(), operation::scroll_to(view::LIST, operation::AbsoluteOffset { x: None, y: Some(y) })])
    }

    /// Ends a process, where its number is still its own.
    fn end(&mut self, process: &crate::sample::Process, force: Force) {
        let now = crate::sample::one(std::path::Path::new("/proc"), process.pid);
        let pid = Pid::from_raw(process.pid.cast_signed()).filter(|_| now.is_some_and(|it| it.started == process.started));
        self.said = Some(match pid.map(|pid| kill_process(pid, if force == Force::Killed { Signal::KILL } else { Signal::TERM })) {
            None => format!("{} has ended already.", process.name),
            Some(Ok(())) if force == Force::Killed => format!("{} was ended by force.", process.name),
            Some(Ok(())) => format!("{} was asked to end.", process.name),
            Some(Err(error)) => format!("{} cannot be ended: {}.", process.name, std::io::Error::from(error)),
        });
    }

    fn act(&mut self, verb: Verb, name: String) -> Task<Message> {
        self.is_acting = true;
        self.said = Some(format!("{name}: {}", verb.word()));
        services::act(verb, name)
    }
}
