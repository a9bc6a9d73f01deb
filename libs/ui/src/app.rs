//! Running a program in a window.

use iced_core::window::{self, Settings as Window};
use desktop_settings::Appearance;
use iced_core::{Pixels, Settings, Size, Theme};
use iced_futures::Subscription;
use iced_futures::backend::native::thread_pool;
use iced_program::Program;
use iced_runtime::Task;
use std::cell::RefCell;

use crate::{Element, Renderer, appearance, theme};

/// An app: its state, and how messages change it.
pub trait App: Sized + 'static {
    /// What happens to it.
    type Message: Send + Clone + std::fmt::Debug + 'static;

    /// The name that the desktop knows it by: of its `.desktop` file.
    const ID: &'static str;

    /// The size that its window has at first, logical pixels.
    const SIZE: (f32, f32) = (960.0, 640.0);

    /// Whether the window closes when somebody wants that. Where it does not, the app hears of it by `window::close_requests`.
    const CLOSES: bool = true;

    /// The window's title.
    fn title(&self) -> String;

    /// Changes the state.
    fn update(&mut self, message: Self::Message) -> Task<Self::Message>;

    /// What the window shows.
    fn view(&self) -> Element<'_, Self::Message>;

    /// What it listens to.
    fn subscription(&self) -> Subscription<Self::Message> {
        Subscription::none()
    }

    /// Its look.
    fn theme(&self) -> Theme {
        theme::current()
    }
}

/// Settings that all apps share.
pub(crate) fn settings(id: &str) -> Settings {
    Settings { id: Some(id.to_owned()), default_font: theme::FONT, default_text_size: Pixels(theme::size::BODY), ..Settings::default() }
}

/// What happens to a running program.
#[derive(Debug, Clone)]
enum Event<M> {
    /// Something to the app.
    App(M),
    /// The user wants another look.
    Appearance(Appearance),
}

struct Running<A: App> {
    /// Taken when the window opens.
    start: RefCell<Option<(A, Task<A::Message>)>>,
}

impl<A: App> Program for Running<A> {
    type State = A;
    type Message = Event<A::Message>;
    type Theme = Theme;
    type Renderer = Renderer;
    type Executor = thread_pool::Executor;

    fn name() -> &'static str {
        A::ID
    }

    fn settings(&self) -> Settings {
        settings(A::ID)
    }

    fn window(&self) -> Option<Window> {
        let mut settings = Window { size: Size::new(A::SIZE.0, A::SIZE.1), exit_on_close_request: A::CLOSES, ..Window::default() };
        settings.platform_specific.application_id = A::ID.to_owned();
        Some(settings)
    }

    fn boot(&self) -> (A, Task<Self::Message>) {
        let (app, start) = self.start.take().expect("a program is started once");
        (app, start.map(Event::App))
    }

    fn update(&self, state: &mut A, message: Self::Message) -> Task<Self::Message> {
        match message {
            Event::App(message) => state.update(message).map(Event::App),
            Event::Appearance(appearance) => {
                appearance::set(appearance);
                Task::none()
            }
        }
    }

    fn view<'a>(&self, state: &'a A, _: window::Id) -> Element<'a, Self::Message> {
        state.view().map(Event::App)
    }

    fn title(&self, state: &A, _: window::Id) -> String {
        state.title()
    }

    fn subscription(&self, state: &A) -> Subscription<Self::Message> {
        Subscription::batch([state.subscription().map(Event::App), appearance::changes().map(Event::Appearance)])
    }

    fn scale_factor(&self, _: &A, _: window::Id) -> f32 {
        appearance::current().text_scale()
    }

    fn theme(&self, state: &A, _: window::Id) -> Option<Theme> {
        Some(state.theme())
    }
}

/// Shows an app in a window until that is closed. `start` is what it does first.
///
/// # Errors
/// Where there is no display, or none that takes pixels.
pub fn run<A: App>(app: A, start: Task<A::Message>) -> Result<(), iced_winit::Error> {
    appearance::load();
    iced_winit::run(Running { start: RefCell::new(Some((app, start))) })
}
