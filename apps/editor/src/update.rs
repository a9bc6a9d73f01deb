//! What follows from what happens.

use genai_ui::core::window;
use genai_ui::core::{Event, event::Status, keyboard};
use genai_ui::futures::{Subscription, event};
use genai_ui::runtime::widget::operation;
use genai_ui::{App, Element, Task, Theme, cells, theme};

use crate::buffer::{Motion, Place};
use crate::document::Document;
use crate::{Act, Asking, Editor, Message, SIZE, SIZES, Then, keys, view};

impl App for Editor {
    type Message = Message;

    const ID: &'static str = "org.genai.Editor";
    const CLOSES: bool = false;

    fn title(&self) -> String {
        let it = self.front();
        format!("{}{} - Editor", if it.buffer.is_changed() { "* " } else { "" }, it.name())
    }

    fn update(&mut self, message: Message) -> Task<Message> {
        // A question is answered first.
        if self.asking.is_some() && !matches!(message, Message::Confirm | Message::Decline | Message::Cancel | Message::Field(_) | Message::OpenPath(_) | Message::Returned) {
            return Task::none();
        }
        match message {
            Message::Page(act) => self.act(act),
            Message::New => {
                self.add(Document::new(0));
                self.refind();
                return operation::focus(view::PAGE);
            }
            Message::Open => {
                let folder = self.folder();
                return self.ask(Asking::Open(folder));
            }
            Message::OpenPath(path) => {
                self.asking = None;
                if path.is_dir() {
                    return self.ask(Asking::Open(format!("{}/", path.display().to_string().trim_end_matches('/'))));
                }
                self.open(path);
                return if self.asking.is_some() { Task::none() } else { operation::focus(view::PAGE) };
            }
            Message::Save => return self.save(),
            Message::SaveAs => return self.ask_where(),
            Message::Close(number) => return self.close(number),
            Message::CloseThis => return self.close(self.front().number),
            Message::Quit => return self.quit(),
            Message::Show(number) => {
                if let Some(at) = self.documents.iter().position(|it| it.number == number) {
                    self.front = at;
                }
                self.refind();
                return operation::focus(view::PAGE);
            }
            Message::Turn(by) => {
                self.front = (self.front as isize + by).rem_euclid(self.documents.len() as isize) as usize;
                self.refind();
                return operation::focus(view::PAGE);
            }
            Message::Undo => {
                self.front_mut().buffer.undo();
                self.changed();
            }
            Message::Redo => {
                self.front_mut().buffer.redo();
                self.changed();
            }
            Message::Find(replaces) => return self.find(replaces),
            Message::Words(words) => self.look_for(words),
            Message::Replacement(words) => {
                if let Some(finding) = &mut self.finding {
                    finding.replacement = words;
                }
            }
            Message::Exact => {
                if let Some(finding) = &mut self.finding {
                    finding.query.is_exact ^= true;
                }
                self.refind();
            }
            Message::Next(is_back) => return self.next(is_back),
            Message::Replace => return self.replace(),
            Message::ReplaceAll => self.replace_all(),
            Message::GoTo => {
                let line = (self.front().buffer.cursor().line + 1).to_string();
                return self.ask(Asking::Line(line));
            }
            Message::Field(words) => {
                if let Some(Asking::Open(field) | Asking::SaveAs(field) | Asking::Line(field)) = &mut self.asking {
                    *field = words;
                }
            }
            Message::Confirm => return self.confirm(),
            Message::Decline => return self.decline(),
            Message::Cancel => return self.cancel(),
            Message::Larger(by) => self.set_size(self.size + by),
            Message::Reset => self.set_size(SIZE),
            Message::Comment => self.comment(),
            Message::Line(goes) => self.line(goes),
            Message::Returned => return self.returned(),
        }
        Task::none()
    }

    fn view(&self) -> Element<'_, Message> {
        view::window(self)
    }

    fn subscription(&self) -> Subscription<Message> {
        event::listen_with(|event, status, _| match event {
            Event::Window(window::Event::CloseRequested) => Some(Message::Quit),
            Event::Window(window::Event::Focused) => Some(Message::Returned),
            Event::Keyboard(keyboard::Event::KeyPressed { key, modifiers, .. }) => keys::meaning(&key, modifiers, status == Status::Captured),
            _ => None,
        })
    }

    fn theme(&self) -> Theme {
        theme::light_or_current(self.is_light)
    }
}

impl Editor {
    fn set_size(&mut self, size: f32) {
        self.size = size.clamp(*SIZES.start(), *SIZES.end());
        self.cell = cells::cell_size(self.size);
    }

    fn act(&mut self, act: Act) {
        let height = self.sight.get().0;
        let unit = self.front().unit().to_owned();
        let buffer = &mut self.front_mut().buffer;
        match act {
            Act::Type(text) => buffer.type_text(&text),
            // Other programs' lines end in other ways.
            Act::Paste(text) => {
                buffer.type_text(&text.replace("\r\n", "\n"));
            }
            Act::Break => buffer.break_line(),
            Act::Erase(motion) => buffer.erase(motion),
            Act::Step(motion, selects) => buffer.step(motion, selects),
            Act::Indent(is_out) if is_out || buffer.selection().is_some_and(|(from, to)| from.line != to.line) => buffer.indent(&unit, is_out),
            Act::Indent(_) => buffer.type_text(&unit),
            Act::All => buffer.select_all(),
            Act::Go(place, selects) => buffer.go(place, selects),
            Act::Word(place) => buffer.select_word(place),
            Act::Line(line) => buffer.select_line(line),
            Act::Scroll(lines, cells) => {
                self.front().scroll((lines, cells), height);
                return;
            }
            Act::Focus => return,
        }
        self.said = None;
        let has_changed = self.front().buffer.has_touched();
        if has_changed {
            self.changed();
        } else {
            self.front().reveal(self.sight.get());
        }
    }

    /// The nearest thing ends: a question, finding, a selection.
    fn cancel(&mut self) -> Task<Message> {
        if self.asking.take().is_some() {
            self.then = Then::Nothing;
        } else if self.finding.take().is_none() {
            let cursor = self.front().buffer.cursor();
            self.front_mut().buffer.go(cursor, false);
        }
        self.said = None;
        operation::focus(view::PAGE)
    }

    /// The lines that are selected, or that of the cursor.
    fn chosen_lines(&self) -> std::ops::RangeInclusive<usize> {
        let cursor = self.front().buffer.cursor();
        let (from, to) = self.front().buffer.selection().unwrap_or((cursor, cursor));
        from.line..=if to.line > from.line && to.byte == 0 { to.line - 1 } else { to.line }
    }

    fn comment(&mut self) {
        let Some(sign) = self.front().language.and_then(|it| it.line_comments.first()) else {
            self.said = Some("This kind of text has no comments that are known here.".to_owned());
            return;
        };
        let lines = self.chosen_lines();
        let texts = self.front().buffer.lines();
        let start = |line: usize| texts[line].len() - texts[line].trim_start().len();
        let is_one = |line: usize| texts[line].trim_start().starts_with(sign);
        let full: Vec<usize> = lines.filter(|line| !texts[*line].trim().is_empty()).collect();
        let Some(least) = full.iter().map(|line| start(*line)).min() else { return };
        let is_out = full.iter().all(|line| is_one(*line));
        let added = format!("{sign} ");
        let part = |line: usize| {
            if !is_out {
                let at = Place { line, byte: least };
                return (at, at, added.as_str());
            }
            let from = start(line);
            let space = usize::from(texts[line][from + sign.len()..].starts_with(' '));
            (Place { line, byte: from }, Place { line, byte: from + sign.len() + space }, "")
        };
        let parts: Vec<_> = full.into_iter().map(part).collect();
        let (cursor, lines) = (self.front().buffer.cursor(), (parts[0].0.line, parts[parts.len() - 1].0.line));
        self.front_mut().buffer.change(&parts);
        if lines.0 == lines.1 {
            let by = if is_out { -(added.len() as isize) } else { added.len() as isize };
            self.front_mut().buffer.go(Place { byte: cursor.byte.saturating_add_signed(by), ..cursor }, false);
        } else {
            let end = self.front().buffer.lines()[lines.1].len();
            self.front_mut().buffer.select(Place { line: lines.0, byte: 0 }, Place { line: lines.1, byte: end });
        }
        self.changed();
    }

    /// The chosen lines go, or come twice.
    fn line(&mut self, goes: bool) {
        let lines = self.chosen_lines();
        let cursor = self.front().buffer.cursor();
        let buffer = &mut self.front_mut().buffer;
        let (first, last) = (*lines.start(), *lines.end());
        let start = Place { line: first, byte: 0 };
        let end = Place { line: last, byte: buffer.lines()[last].len() };
        if goes {
            let is_last = last + 1 == buffer.lines().len();
            let before = first.checked_sub(1).map(|line| Place { line, byte: buffer.lines()[line].len() });
            match before {
                Some(before) if is_last => buffer.change(&[(before, end, "")]),
                _ if is_last => buffer.change(&[(start, end, "")]),
                _ => buffer.change(&[(start, Place { line: last + 1, byte: 0 }, "")]),
            }
        } else {
            let text = format!("\n{}", buffer.between(start, end));
            buffer.change(&[(end, end, &text)]);
            buffer.go(Place { line: cursor.line + last + 1 - first, ..cursor }, false);
        }
        buffer.step(Motion::Lines(0), false);
        self.changed();
    }
}
