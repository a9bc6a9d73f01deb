//! What the window shows.

use genai_ui::core::{Alignment, Length};
use genai_ui::parts::small_action;
use genai_ui::widget::text::Wrapping;
use genai_ui::widget::{Column, column, container, row, space, text};
use genai_ui::{Element, theme};

use crate::canvas::Canvas;
use crate::picture::Turn;
use crate::{Message, STEP, Shown, Viewer};

/// The window.
pub fn window(viewer: &Viewer) -> Element<'_, Message> {
    let words = |words: String| container(text(words).style(theme::faint)).center(Length::Fill).padding(theme::MARGIN).into();
    let shown: Element<'_, Message> = match &viewer.shown {
        Shown::Picture(it) => Canvas::new(&it.frames[viewer.frame].0, viewer.number, viewer.view_of(), &viewer.room, &viewer.drawn).into(),
        Shown::Loading => words("Reading the picture".to_owned()),
        Shown::Failed(why) => words(why.clone()),
    };
    let bar = (viewer.has_bar && !viewer.is_full).then(|| bar(viewer));
    Column::new().push(container(shown).width(Length::Fill).height(Length::Fill)).push(bar).into()
}

/// What the picture is, and what can be done with it.
fn bar(viewer: &Viewer) -> Element<'_, Message> {
    let act = |label: &'static str, is_possible: bool, message: Message| small_action(label, theme::secondary, is_possible.then_some(message));
    let (several, is_shown) = (viewer.files.len() > 1, matches!(viewer.shown, Shown::Picture(_)));
    let turn = row![act("Previous", several, Message::Turn(-1)), act("Next", several, Message::Turn(1))].spacing(6.0);
    let name = viewer.file().and_then(std::path::Path::file_name).map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let mut facts = Vec::new();
    if let (Shown::Picture(it), Some((width, height))) = (&viewer.shown, viewer.size()) {
        facts.push(if viewer.kind == "SVG" { "SVG".to_owned() } else { format!("{} {width} × {height}", viewer.kind) });
        facts.push(format!("{:.0} %", viewer.zoom() * 100.0));
        if it.is_held {
            facts.push("too large to move".to_owned());
        }
    }
    if several {
        facts.push(format!("{} of {}", viewer.at + 1, viewer.files.len()));
    }
    let name = text(name).font(theme::STRONG).wrapping(Wrapping::None);
    let facts = text(facts.join("   ")).size(theme::size::SMALL).style(theme::faint).wrapping(Wrapping::None);
    let middle = container(column![name, facts].align_x(Alignment::Center)).center_x(Length::Fill).clip(true);
    let is_fitting = if viewer.fits { act("Real size", is_shown, Message::Real) } else { act("Fit", is_shown, Message::Fit) };
    let zoom = row![
        act("−", is_shown, Message::Zoom(1.0 / STEP, (0.0, 0.0))),
        is_fitting,
        act("+", is_shown, Message::Zoom(STEP, (0.0, 0.0))),
        space::horizontal().width(theme::GAP),
        act("Rotate", is_shown, Message::Rotate(Turn::Right)),
        act("Full screen", is_shown, Message::Full)
    ];
    let all = row![turn, middle, zoom.spacing(6.0)].spacing(theme::MARGIN).align_y(Alignment::Center);
    container(all).padding([theme::GAP, 10.0]).width(Length::Fill).style(theme::sidebar).into()
}
