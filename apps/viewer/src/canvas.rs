//! The widget that shows a part of a picture, and moves it by the mouse.

use genai_ui::core::image::{self, FilterMethod, Handle};
use genai_ui::core::mouse::{self, Click, ScrollDelta, click};
use genai_ui::core::widget::{Tree, Widget, tree};
use genai_ui::core::{Clipboard, Event, Layout, Length, Point, Rectangle, Shell, Size, layout, renderer};
use genai_ui::{Element, Renderer, Theme};
use std::cell::{Cell, RefCell};

use crate::Message;
use crate::picture::{Picture, View};

/// How much a notch of the wheel makes larger.
const NOTCH: f64 = 1.25;

/// What was drawn last, and for what.
#[derive(Debug, Default)]
pub struct Drawn(RefCell<Option<(u64, View, (usize, usize), Handle)>>);

/// A picture on the screen.
pub struct Canvas<'a> {
    picture: &'a Picture,
    /// Tells the picture from others.
    number: u64,
    view: View,
    /// How much room there is, pixels.
    room: &'a Cell<(usize, usize)>,
    drawn: &'a Drawn,
}

impl<'a> Canvas<'a> {
    /// The picture of a number as far as the view shows it.
    pub fn new(picture: &'a Picture, number: u64, view: View, room: &'a Cell<(usize, usize)>, drawn: &'a Drawn) -> Self {
        Canvas { picture, number, view, room, drawn }
    }

    /// What of the room the picture takes: from the middle, pixels.
    fn shown(&self, room: (usize, usize)) -> (usize, usize) {
        let (width, height) = self.picture.size();
        let many = |whole: usize, room: usize| ((whole as f64 * self.view.zoom).round().max(1.0) as usize).min(room);
        (many(width, room.0), many(height, room.1))
    }
}

#[derive(Debug, Default)]
struct State {
    held: Option<Point>,
    click: Option<Click>,
}

impl Widget<Message, Theme, Renderer> for Canvas<'_> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(&mut self, _: &mut Tree, _: &Renderer, limits: &layout::Limits) -> layout::Node {
        let size = limits.max();
        self.room.set((size.width.max(1.0) as usize, size.height.max(1.0) as usize));
        layout::Node::new(size)
    }

    fn update(&mut self, tree: &mut Tree, event: &Event, layout: Layout<'_>, cursor: mouse::Cursor, _: &Renderer, _: &mut dyn Clipboard, shell: &mut Shell<'_, Message>, _: &Rectangle) {
        let state = tree.state.downcast_mut::<State>();
        let (bounds, Event::Mouse(event)) = (layout.bounds(), event) else { return };
        let Some(at) = cursor.position() else { return };
        let message = match event {
            mouse::Event::ButtonPressed(mouse::Button::Left) if bounds.contains(at) => {
                let click = Click::new(at, mouse::Button::Left, state.click);
                (state.click, state.held) = (Some(click), Some(at));
                (click.kind() == click::Kind::Double).then_some(Message::Whole)
            }
            mouse::Event::ButtonReleased(mouse::Button::Left) => {
                state.held = None;
                None
            }
            mouse::Event::CursorMoved { .. } => match state.held {
                Some(from) => {
                    state.held = Some(at);
                    Some(Message::Move(from.x - at.x, from.y - at.y))
                }
                None => None,
            },
            mouse::Event::WheelScrolled { delta } if bounds.contains(at) => {
                let y = match delta {
                    ScrollDelta::Lines { y, .. } => f64::from(*y),
                    ScrollDelta::Pixels { y, .. } => f64::from(*y) / 60.0,
                };
                let middle = bounds.center();
                (y != 0.0).then(|| Message::Zoom(NOTCH.powf(y), (at.x - middle.x, at.y - middle.y)))
            }
            _ => None,
        };
        if let Some(message) = message {
            shell.publish(message);
            shell.capture_event();
        }
    }

    fn mouse_interaction(&self, tree: &Tree, layout: Layout<'_>, cursor: mouse::Cursor, _: &Rectangle, _: &Renderer) -> mouse::Interaction {
        let (width, height) = self.shown((usize::MAX, usize::MAX));
        let room = self.room.get();
        match (cursor.is_over(layout.bounds()), width > room.0 || height > room.1, tree.state.downcast_ref::<State>().held) {
            (true, true, Some(_)) => mouse::Interaction::Grabbing,
            (true, true, None) => mouse::Interaction::Grab,
            _ => mouse::Interaction::default(),
        }
    }

    fn draw(&self, _: &Tree, renderer: &mut Renderer, _: &Theme, _: &renderer::Style, layout: Layout<'_>, _: mouse::Cursor, _: &Rectangle) {
        use image::Renderer as _;
        let bounds = layout.bounds();
        let size = self.shown((bounds.width as usize, bounds.height as usize));
        let mut drawn = self.drawn.0.borrow_mut();
        let handle = match drawn.as_ref() {
            Some((number, view, of, handle)) if (*number, *view, *of) == (self.number, self.view, size) => handle.clone(),
            _ => {
                let handle = Handle::from_rgba(size.0 as u32, size.1 as u32, self.picture.draw(self.view, size.0, size.1));
                *drawn = Some((self.number, self.view, size, handle.clone()));
                handle
            }
        };
        let at = Point::new((bounds.center_x() - size.0 as f32 / 2.0).round(), (bounds.center_y() - size.1 as f32 / 2.0).round());
        let place = Rectangle::new(at, Size::new(size.0 as f32, size.1 as f32));
        renderer.draw_image(image::Image::new(handle).filter_method(FilterMethod::Nearest), place, bounds);
    }
}

impl<'a> From<Canvas<'a>> for Element<'a, Message> {
    fn from(canvas: Canvas<'a>) -> Self {
        Element::new(canvas)
    }
}
