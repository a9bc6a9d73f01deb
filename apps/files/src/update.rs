//! What follows from what happens.

use file_operations::transfer::Collision;
use genai_ui::core::keyboard::key::Named;
use genai_ui::core::keyboard::{self, Key};
use genai_ui::core::event::Status;
use genai_ui::core::{Event, window};
use genai_ui::futures::{Subscription, event};
use genai_ui::runtime::clipboard;
use genai_ui::runtime::widget::operation;
use genai_ui::{App, Element, Task, Theme, parts, theme};
use std::sync::atomic::Ordering;

use crate::message::{Asking, Doomed, Message};
use crate::places::{self, Place};
use crate::{Files, PORTION, choose, keys, view, watch};

impl App for Files {
    type Message = Message;

    const ID: &'static str = "org.genai.Files";
    const CLOSES: bool = false;

    fn title(&self) -> String {
        if let Some(choice) = &self.choice {
            return choice.title.clone();
        }
        match &self.place {
            Place::Folder(path) => places::crumbs(path).pop().map_or_else(|| "Files".to_owned(), |(name, _)| name),
            Place::Trash => "Trash".to_owned(),
        }
    }

    fn update(&mut self, message: Message) -> Task<Message> {
        // A question is answered first.
        if self.asking.is_some() && is_put_off(&message) {
            return Task::none();
        }
        if self.choice.is_some() && choose::is_left_out(&message) {
            return Task::none();
        }
        match message {
            Message::Go(place) => return self.visit(place),
            Message::GoNumber(number) => {
                if let Some((_, place)) = places::all().into_iter().nth(number) {
                    return self.update(Message::Go(place));
                }
            }
            Message::Back => {
                if let Some(place) = self.before.pop() {
                    self.after.push(self.place.clone());
                    return self.go(place);
                }
            }
            Message::Forward => {
                if let Some(place) = self.after.pop() {
                    self.before.push(self.place.clone());
                    return self.go(place);
                }
            }
            Message::Up => return self.go_up(),
            Message::GoTo => return self.ask_path(),
            // What our own work changes is read when it is done.
            Message::Changed if self.working.is_none() => return self.refresh(),
            Message::Listed(asked, listing) if asked == self.asked => {
                match &listing.entries {
                    Ok(entries) => (self.all, self.error) = (entries.clone(), None),
                    Err(error) => (self.all, self.error) = (Vec::new(), Some(error.clone())),
                }
                (self.items, self.free) = (listing.items.clone(), listing.free);
                self.arrange();
                self.find_cursor();
                let is_new = !std::mem::replace(&mut self.is_listed, true);
                let scroll = if is_new && self.cursor > 0 { view::scroll_to(self.layout, self.cursor) } else { Task::none() };
                return Task::batch([self.look(), scroll]);
            }
            Message::Found(asked, entries) if asked == self.asked => {
                self.all.extend(entries);
                self.arrange();
            }
            Message::FoundAll(asked) if asked == self.asked => self.searching = None,
            Message::Changed | Message::Listed(..) | Message::Found(..) | Message::FoundAll(_) => {}
            Message::Search(words) => {
                self.words = words;
                return self.search();
            }
            Message::Letter(letter) => return self.letter(&letter),
            Message::Find => return Task::batch([operation::focus(view::SEARCH), operation::select_all(view::SEARCH)]),
            Message::Click(index) => return Task::batch([parts::unfocus(), self.click(index)]),
            Message::Step(by, extends) => return Task::batch([parts::unfocus(), self.step(by, extends)]),
            Message::All if !self.may_choose_many() => {}
            Message::All => {
                self.chosen = self.shown.iter().map(|it| it.path.clone()).collect();
                return self.look();
            }
            Message::Open if self.asking.is_some() => return self.confirm(),
            // Enter after words takes the first that was found.
            Message::Open if self.chosen.is_empty() && !self.words.is_empty() => return Task::batch([parts::unfocus(), self.choose(0)]),
            Message::Open => return self.open(),
            Message::Extract => return self.extract(),
            Message::Held(modifiers) => self.held = modifiers,
            Message::Show(layout) => self.layout = layout,
            Message::Sort(order) => {
                self.sorting = self.sorting.by(order);
                self.arrange();
                self.find_cursor();
            }
            Message::Hidden => {
                self.has_hidden = !self.has_hidden;
                self.arrange();
                self.find_cursor();
            }
            Message::More => self.portion += PORTION,
            Message::Take(way) => return self.take(way),
            // Only who has the keys can put something on the clipboard: while the window has had them it is its own.
            Message::Put if self.taken.is_some() && !self.was_left => return self.paste(None),
            Message::Put => return clipboard::read().map(Message::Pasted),
            Message::Left => self.was_left = true,
            Message::Pasted(text) => return self.paste(text),
            Message::Collide(collision) => {
                if let Some(Asking::Collision(way, sources)) = self.asking.take() {
                    return self.put(way, sources, Some(collision));
                }
            }
            Message::Throw => return self.throw(),
            Message::Delete => return self.ask_delete(),
            Message::Confirm => return self.confirm(),
            Message::Restore => return self.restore(),
            Message::Empty if !self.items.is_empty() && self.working.is_none() => self.asking = Some(Asking::Delete(Doomed::Items(self.items.clone()))),
            Message::Empty => {}
            Message::Name => return self.ask_name(),
            Message::NewFolder => return self.ask_folder(),
            Message::Naming(letters) => {
                if let Some(Asking::Name(_, words) | Asking::Path(words)) = &mut self.asking {
                    *words = letters;
                }
            }
            Message::Named => return self.named(),
            Message::Cancel => return self.cancel(),
            Message::Undo => return self.undo(),
            Message::Progress(progress) => {
                if let Some(working) = &mut self.working {
                    working.progress = progress;
                }
            }
            Message::Did(outcome) => {
                let (what, done, result) = outcome.as_ref();
                self.keep(what, done.clone(), result);
                return self.ended();
            }
            Message::Undid(outcome) => {
                let (left, result) = outcome.as_ref();
                self.keep("Taken back", left.clone(), result);
                return self.ended();
            }
            Message::Looked(seen) => {
                if self.single().is_some_and(|it| it.path == seen.path) {
                    self.seen = Some(seen);
                }
            }
            Message::Opened(outcome) => self.said = outcome.err(),
            Message::Saving(name) => {
                if let Some(choice) = &mut self.choice {
                    choice.name = name;
                }
            }
            Message::Filters => self.asking = self.choice.as_ref().map(|_| Asking::Filter),
            Message::Filter(number) => {
                if let Some(choice) = &mut self.choice {
                    choice.filter = number;
                }
                self.asking = None;
                self.arrange();
                self.find_cursor();
            }
            Message::Accept => return self.accept(),
            Message::Close => {
                // Work is stopped first, so that nothing half done is left.
                let Some(working) = &self.working else { return genai_ui::runtime::exit() };
                working.cancelled.store(true, Ordering::Relaxed);
                self.is_closing = true;
            }
        }
        Task::none()
    }

    fn view(&self) -> Element<'_, Message> {
        view::window(self)
    }

    fn subscription(&self) -> Subscription<Message> {
        let window = event::listen_with(|event, status, _| match event {
            Event::Window(window::Event::CloseRequested) => Some(Message::Close),
            Event::Window(window::Event::Unfocused) => Some(Message::Left),
            // A field keeps it for itself: it only lets go of the keys then.
            Event::Keyboard(keyboard::Event::KeyPressed { key: Key::Named(Named::Escape), .. }) if status == Status::Captured => Some(Message::Cancel),
            _ => None,
        });
        let folder = self.folder().map_or_else(|| places::trash().files(), std::path::Path::to_owned);
        Subscription::batch([window, keys::listen(), watch::folder(folder)])
    }

    fn theme(&self) -> Theme {
        theme::light_or_current(self.is_light)
    }
}

/// What keys want that has to wait for the answer to a question.
fn is_put_off(message: &Message) -> bool {
    use Message::{Accept, All, Back, Delete, Empty, Extract, Find, Forward, Go, GoNumber, GoTo, Hidden, Name, NewFolder, Put, Restore, Show, Step, Take, Throw, Undo, Up};
    matches!(
        message,
        Accept | All | Back | Delete | Empty | Extract | Find | Forward | Go(_) | GoNumber(_) | GoTo | Hidden | Name | NewFolder | Put | Restore | Show(_) | Step(..) | Take(_) | Throw | Undo | Up
    )
}

impl Files {
    fn letter(&mut self, letter: &str) -> Task<Message> {
        match (&self.asking, letter.to_lowercase().as_str()) {
            (None, _) => {
                self.words.push_str(letter);
                let search = self.search();
                Task::batch([search, operation::focus(view::SEARCH), operation::move_cursor_to_end(view::SEARCH)])
            }
            (Some(Asking::Collision(..)), "s") => self.update(Message::Collide(Collision::Skip)),
            (Some(Asking::Collision(..)), "r") => self.update(Message::Collide(Collision::Replace)),
            (Some(Asking::Collision(..)), "k") => self.update(Message::Collide(Collision::KeepBoth)),
            _ => Task::none(),
        }
    }

    /// The nearest thing ends: a question, work, a search, what is chosen.
    fn cancel(&mut self) -> Task<Message> {
        if self.asking.take().is_some() {
            self.said = None;
        } else if let Some(working) = &self.working {
            working.cancelled.store(true, Ordering::Relaxed);
        } else if !self.words.is_empty() {
            self.words.clear();
            return Task::batch([parts::unfocus(), self.read()]);
        } else {
            // Nothing is left that could end, but the choice itself.
            if self.choice.is_some() && self.chosen.is_empty() {
                return genai_ui::runtime::exit();
            }
            self.chosen.clear();
            self.seen = None;
        }
        parts::unfocus()
    }

    /// Work has ended.
    fn ended(&mut self) -> Task<Message> {
        self.working = None;
        if self.is_closing { genai_ui::runtime::exit() } else { self.refresh() }
    }
}
