//! An app without a window, for tests: what a person would do, and what they would see.

use iced_core::keyboard::{self, key};
use iced_core::{Event, Pixels, Point, Rectangle, Size, clipboard, mouse, theme};
use iced_graphics::Viewport;
use iced_runtime::user_interface::{Cache, UserInterface};
use iced_runtime::{Action, clipboard as asked, task};
use iced_futures::BoxStream;
use iced_futures::futures::executor::block_on;
use iced_futures::futures::{FutureExt, StreamExt};
use std::time::{Duration, Instant};

use crate::{App, Renderer, Task};

/// An app on a screen that nobody sees.
pub struct Headless<A: App> {
    app: A,
    cache: Cache,
    renderer: Renderer,
    viewport: Viewport,
    cursor: mouse::Cursor,
    modifiers: keyboard::Modifiers,
    clipboard: Memory,
    /// Where tasks are not waited for: those that go on.
    going_on: Option<Vec<BoxStream<Action<A::Message>>>>,
    is_over: bool,
}

/// A clipboard of its own.
#[derive(Debug, Default)]
struct Memory {
    standard: Option<String>,
    primary: Option<String>,
}

impl clipboard::Clipboard for Memory {
    fn read(&self, kind: clipboard::Kind) -> Option<String> {
        match kind {
            clipboard::Kind::Standard => self.standard.clone(),
            clipboard::Kind::Primary => self.primary.clone(),
        }
    }

    fn write(&mut self, kind: clipboard::Kind, contents: String) {
        match kind {
            clipboard::Kind::Standard => self.standard = Some(contents),
            clipboard::Kind::Primary => self.primary = Some(contents),
        }
    }
}

impl<A: App> Headless<A> {
    /// An app in a window of so many logical pixels.
    pub fn new(app: A, width: u32, height: u32) -> Self {
        let settings = crate::app::settings(A::ID);
        Headless {
            app,
            cache: Cache::default(),
            renderer: Renderer::new(settings.default_font, Pixels(settings.default_text_size.0)),
            viewport: Viewport::with_physical_size(Size::new(width, height), 1.0),
            cursor: mouse::Cursor::Unavailable,
            modifiers: keyboard::Modifiers::empty(),
            clipboard: Memory::default(),
            going_on: None,
            is_over: false,
        }
    }

    /// Does not wait for the ends of tasks from now on: what they tell comes by [`Headless::wait_until`].
    pub fn with_tasks_beside(mut self) -> Self {
        self.going_on = Some(Vec::new());
        self
    }

    /// Lets tasks go on until something is so; whether it has become so in time.
    pub fn wait_until(&mut self, limit: Duration, mut is_so: impl FnMut(&mut Self) -> bool) -> bool {
        let end = Instant::now() + limit;
        loop {
            self.go_on();
            if is_so(self) {
                return true;
            }
            if Instant::now() > end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn go_on(&mut self) {
        let Some(mut streams) = self.going_on.take() else { return };
        self.going_on = Some(Vec::new());
        let mut actions = Vec::new();
        streams.retain_mut(|stream| {
            loop {
                match stream.next().now_or_never() {
                    Some(Some(action)) => actions.push(action),
                    Some(None) => return false,
                    None => return true,
                }
            }
        });
        if let Some(others) = &mut self.going_on {
            others.extend(streams);
        }
        actions.into_iter().for_each(|action| self.act(action));
    }

    /// Whether the app has ended itself.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// What was copied.
    pub fn copied(&self) -> Option<&str> {
        self.clipboard.standard.as_deref()
    }

    /// Puts a text where it can be pasted from.
    pub fn copy(&mut self, text: &str) {
        self.clipboard.standard = Some(text.to_owned());
    }

    /// What was selected last.
    pub fn selected(&self) -> Option<&str> {
        self.clipboard.primary.as_deref()
    }

    /// Makes the window another size, logical pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        self.viewport = Viewport::with_physical_size(Size::new(width, height), 1.0);
        self.happen(&[Event::Window(iced_core::window::Event::Resized(Size::new(width as f32, height as f32)))]);
    }

    /// The app.
    pub fn app(&self) -> &A {
        &self.app
    }

    /// Lets events happen, and everything that follows from them.
    pub fn happen(&mut self, events: &[Event]) {
        let mut messages = Vec::new();
        let mut memory = std::mem::take(&mut self.clipboard);
        self.with_interface(|interface, renderer, cursor| {
            let _ = interface.update(events, cursor, renderer, &mut memory, &mut messages);
        });
        self.clipboard = memory;
        for message in messages {
            self.send(message);
        }
    }

    /// Changes the state by a message, and waits for what follows from it.
    pub fn send(&mut self, message: A::Message) {
        let task = self.app.update(message);
        self.follow(task);
    }

    /// Waits for a task, and lets its messages happen. Actions on windows have no effect.
    pub fn follow(&mut self, task: Task<A::Message>) {
        let Some(mut stream) = task::into_stream(task) else { return };
        if let Some(streams) = &mut self.going_on {
            streams.push(stream);
            return;
        }
        while let Some(action) = block_on(stream.next()) {
            self.act(action);
        }
    }

    fn act(&mut self, action: Action<A::Message>) {
        use clipboard::Clipboard;
        match action {
            Action::Output(message) => self.send(message),
            Action::Widget(mut operation) => {
                self.with_interface(|interface, renderer, _| interface.operate(renderer, operation.as_mut()));
            }
            Action::Clipboard(asked::Action::Read { channel, target }) => {
                let _ = channel.send(self.clipboard.read(target));
            }
            Action::Clipboard(asked::Action::Write { contents, target }) => self.clipboard.write(target, contents),
            Action::Exit => self.is_over = true,
            _ => {}
        }
    }

    /// Holds keys such as Ctrl from now on.
    pub fn hold(&mut self, modifiers: keyboard::Modifiers) {
        self.modifiers = modifiers;
        self.happen(&[Event::Keyboard(keyboard::Event::ModifiersChanged(modifiers))]);
    }

    /// Drags with the left button held.
    pub fn drag(&mut self, from: (f32, f32), to: (f32, f32)) {
        use mouse::Event::{ButtonPressed, ButtonReleased, CursorMoved};
        for (event, (x, y)) in [(ButtonPressed(mouse::Button::Left), from), (CursorMoved { position: Point::new(to.0, to.1) }, to), (ButtonReleased(mouse::Button::Left), to)] {
            self.cursor = mouse::Cursor::Available(Point::new(x, y));
            self.happen(&[Event::Mouse(event)]);
        }
    }

    /// Presses and releases the left button at a point.
    pub fn click(&mut self, x: f32, y: f32) {
        self.cursor = mouse::Cursor::Available(Point::new(x, y));
        let moved = Event::Mouse(mouse::Event::CursorMoved { position: Point::new(x, y) });
        let button = mouse::Button::Left;
        self.happen(&[moved]);
        self.happen(&[Event::Mouse(mouse::Event::ButtonPressed(button)), Event::Mouse(mouse::Event::ButtonReleased(button))]);
    }

    /// Presses and releases a key without a letter.
    pub fn press(&mut self, named: key::Named) {
        self.key(keyboard::Key::Named(named), None);
    }

    /// Types a text.
    pub fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            let letter = letter.to_string();
            self.key(keyboard::Key::Character(letter.as_str().into()), Some(letter.as_str().into()));
        }
    }

    fn key(&mut self, key: keyboard::Key, text: Option<iced_core::SmolStr>) {
        let physical_key = key::Physical::Unidentified(key::NativeCode::Unidentified);
        let (location, modifiers) = (keyboard::Location::Standard, self.modifiers);
        let pressed = keyboard::Event::KeyPressed {
            key: key.clone(),
            modified_key: key.clone(),
            physical_key,
            location,
            modifiers,
            text,
            repeat: false,
        };
        let released = keyboard::Event::KeyReleased { key: key.clone(), modified_key: key, physical_key, location, modifiers };
        self.happen(&[Event::Keyboard(pressed), Event::Keyboard(released)]);
    }

    /// What is on the screen: premultiplied pixels `0xAARRGGBB`, row by row.
    pub fn picture(&mut self) -> Vec<u32> {
        let theme = self.app.theme();
        let background = theme::Base::base(&theme).background_color;
        let text = theme::Base::base(&theme).text_color;
        let redraw = Event::Window(iced_core::window::Event::RedrawRequested(Instant::now()));
        let mut messages = Vec::new();
        self.with_interface(|interface, renderer, cursor| {
            // Widgets settle how they look right before they are drawn.
            let _ = interface.update(&[redraw], cursor, renderer, &mut Memory::default(), &mut messages);
            interface.draw(renderer, &theme, &iced_core::renderer::Style { text_color: text }, cursor);
        });
        let picture = self.renderer.picture(&self.viewport, background);
        messages.into_iter().for_each(|message| self.send(message));
        picture
    }

    /// Writes what is on the screen as a PNG.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn save(&mut self, path: &std::path::Path) -> Result<(), image::ImageError> {
        let size = self.viewport.physical_size();
        let bytes = crate::rgba(&self.picture());
        image::save_buffer(path, &bytes, size.width, size.height, image::ColorType::Rgba8)
    }

    /// Where the texts on the screen that hold `part` are, from above.
    pub fn find(&mut self, part: &str) -> Vec<Rectangle> {
        self.texts(part).into_iter().map(|(bounds, _)| bounds).collect()
    }

    fn texts(&mut self, part: &str) -> Vec<(Rectangle, String)> {
        let mut found = Find { part: part.to_owned(), found: Vec::new() };
        self.with_interface(|interface, renderer, _| interface.operate(renderer, &mut found));
        found.found.sort_by(|(a, _), (b, _)| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
        found.found
    }

    /// Clicks on the first text that is `part`, or where there is none on the first that holds it.
    ///
    /// # Panics
    /// Where there is none.
    pub fn click_text(&mut self, part: &str) {
        let found = self.texts(part);
        let at = found.iter().find(|(_, text)| text == part).or(found.first()).map(|(bounds, _)| *bounds);
        let at = at.unwrap_or_else(|| panic!("'{part}' is not on the screen"));
        self.click(at.center_x(), at.center_y());
    }

    fn with_interface(&mut self, body: impl FnOnce(&mut UserInterface<'_, A::Message, crate::Theme, Renderer>, &mut Renderer, mouse::Cursor)) {
        let cache = std::mem::take(&mut self.cache);
        let mut interface = UserInterface::build(self.app.view(), self.viewport.logical_size(), cache, &mut self.renderer);
        body(&mut interface, &mut self.renderer, self.cursor);
        self.cache = interface.into_cache();
    }
}

struct Find {
    part: String,
    found: Vec<(Rectangle, String)>,
}

impl iced_core::widget::Operation for Find {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn iced_core::widget::Operation)) {
        operate(self);
    }

    fn text(&mut self, _: Option<&iced_core::widget::Id>, bounds: Rectangle, text: &str) {
        if text.contains(&self.part) {
            self.found.push((bounds, text.to_owned()));
        }
    }
}
