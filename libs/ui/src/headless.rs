//! An app without a window, for tests: what a person would do, and what they would see.

use iced_core::keyboard::{self, key};
use iced_core::{Event, Pixels, Point, Rectangle, Size, clipboard, mouse, theme};
use iced_graphics::Viewport;
use iced_runtime::user_interface::{Cache, UserInterface};
use iced_runtime::{Action, task};
use iced_futures::futures::StreamExt;
use iced_futures::futures::executor::block_on;

use crate::{App, Renderer, Task};

/// An app on a screen that nobody sees.
pub struct Headless<A: App> {
    app: A,
    cache: Cache,
    renderer: Renderer,
    viewport: Viewport,
    cursor: mouse::Cursor,
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
        }
    }

    /// The app.
    pub fn app(&self) -> &A {
        &self.app
    }

    /// Lets events happen, and everything that follows from them.
    pub fn happen(&mut self, events: &[Event]) {
        let mut messages = Vec::new();
        self.with_interface(|interface, renderer, cursor| {
            let _ = interface.update(events, cursor, renderer, &mut clipboard::Null, &mut messages);
        });
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
        while let Some(action) = block_on(stream.next()) {
            match action {
                Action::Output(message) => self.send(message),
                Action::Widget(mut operation) => {
                    self.with_interface(|interface, renderer, _| interface.operate(renderer, operation.as_mut()));
                }
                _ => {}
            }
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
        let (location, modifiers) = (keyboard::Location::Standard, keyboard::Modifiers::empty());
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
        let redraw = Event::Window(iced_core::window::Event::RedrawRequested(std::time::Instant::now()));
        let mut messages = Vec::new();
        self.with_interface(|interface, renderer, cursor| {
            // Widgets settle how they look right before they are drawn.
            let _ = interface.update(&[redraw], cursor, renderer, &mut clipboard::Null, &mut messages);
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
