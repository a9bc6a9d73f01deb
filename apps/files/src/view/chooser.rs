//! The line below everything where another program wants something to be chosen.

use genai_ui::core::{Alignment, Length};
use genai_ui::parts::action;
use genai_ui::widget::{Column, Row, button, row, scrollable, space, text, text_input};
use genai_ui::{Element, theme};

use super::SAVE;
use crate::choose::{Choice, What};
use crate::{Files, Message};

const NAME_WIDTH: f32 = 320.0;
const MOST_HEIGHT: f32 = 280.0;

/// The name to save as, the kind of files, and the buttons that end it.
pub fn bar<'a>(files: &'a Files, choice: &'a Choice) -> Element<'a, Message> {
    let mut line = Row::new().spacing(theme::GAP).align_y(Alignment::Center);
    if choice.what == What::Save {
        let field = text_input("The file's name", &choice.name).id(SAVE).on_input(Message::Saving).on_submit(Message::Accept);
        line = line.push(text("Name").style(theme::faint)).push(field.width(NAME_WIDTH).padding([9.0, 12.0]).style(theme::field));
    }
    let filter = choice.filters.get(choice.filter).filter(|_| choice.what != What::Folders).map(|filter| {
        let name = row![text(filter.name.as_str()).wrapping(text::Wrapping::None), text("▾").style(theme::faint)].spacing(6.0);
        button(name).padding([9.0, 14.0]).style(theme::secondary).on_press_maybe((choice.filters.len() > 1).then_some(Message::Filters))
    });
    line.push(filter)
        .push(space::horizontal())
        .push(action("Cancel", theme::secondary, Some(Message::Close)))
        .push(action(choice.accept.as_str(), theme::primary, files.may_accept().then_some(Message::Accept)))
        .into()
}

/// All kinds of files.
pub fn filters(files: &Files) -> Element<'_, Message> {
    let all = files.choice.iter().flat_map(|choice| choice.filters.iter().enumerate().map(move |(number, filter)| (number, filter, number == choice.filter)));
    let one = |(number, filter, is_chosen): (usize, &'_ crate::choose::Filter, bool)| {
        button(text(filter.name.clone())).width(Length::Fill).padding([8.0, 12.0]).style(theme::entry(is_chosen)).on_press(Message::Filter(number)).into()
    };
    let all = Column::with_children(all.map(one)).spacing(2.0);
    genai_ui::widget::container(scrollable(all)).max_height(MOST_HEIGHT).into()
}
