//! What the window shows.

mod chooser;
mod icons;
mod list;
mod side;

use genai_ui::core::{Alignment, Length, Padding};
use genai_ui::parts::{self, action, bytes, heading, small_action};
use genai_ui::runtime::widget::operation;
use genai_ui::widget::{Column, Row, button, column, container, progress_bar, row, rule, scrollable, space, stack, text, text_input};
use genai_ui::{Element, Task, Theme, theme};

use file_operations::transfer::{Collision, Way};

use crate::places::{self, Place};
use crate::{Asking, Files, Layout, Message, Working, work};

/// The field for words.
pub const SEARCH: &str = "search";
/// The field for a name.
pub const NAME: &str = "name";
/// The field for the name of what is saved.
pub const SAVE: &str = "save";
/// The list.
pub const LIST: &str = "list";

const DIALOG_WIDTH: f32 = 440.0;
const SEARCH_WIDTH: f32 = 220.0;
/// Room for the scroll bar.
const BAR: f32 = 14.0;
/// Folders above that are named.
const MOST_CRUMBS: usize = 5;

/// Brings an entry into sight.
pub fn scroll_to(layout: Layout, index: usize) -> Task<Message> {
    let y = match layout {
        Layout::List => index.saturating_sub(3) as f32 * list::ROW,
        // As many tiles as there are in a line is not known here: about five.
        Layout::Grid => (index / 5).saturating_sub(1) as f32 * list::TILE,
    };
    operation::scroll_to(LIST, operation::AbsoluteOffset { x: None, y: Some(y) })
}

/// The window.
pub fn window(files: &Files) -> Element<'_, Message> {
    let main = row![list::entries(files)].push(side::preview(files)).spacing(theme::MARGIN).height(Length::Fill);
    let body = column![top(files), bar(files), main, status(files)].push(files.choice.as_ref().map(|choice| chooser::bar(files, choice))).spacing(theme::GAP + 2.0).padding(Padding::new(theme::MARGIN).bottom(theme::GAP));
    let below = row![side::places(files), body].height(Length::Fill);
    let dialog = files.asking.as_ref().map(|asking| over(files, asking));
    stack![below].push(dialog).into()
}

/// Where one is, and what is looked for.
fn top(files: &Files) -> Element<'_, Message> {
    let arrow = |source, message: Option<Message>| button(icons::drawing(source, 18.0, message.is_none())).padding(7.0).style(theme::entry(false)).on_press_maybe(message);
    let back = arrow(icons::BACK, (!files.before.is_empty()).then_some(Message::Back));
    let forward = arrow(icons::FORWARD, (!files.after.is_empty()).then_some(Message::Forward));
    let up = arrow(icons::UP, files.folder().and_then(std::path::Path::parent).map(|_| Message::Up));
    let crumbs = match &files.place {
        Place::Trash => vec![("Trash".to_owned(), Place::Trash)],
        Place::Folder(path) => places::crumbs(path).into_iter().map(|(name, path)| (name, Place::Folder(path))).collect(),
    };
    let last = crumbs.len().saturating_sub(1);
    let mut path = Row::new().align_y(Alignment::Center);
    // The folders above that there is no room for stay behind the arrow.
    for (index, (name, place)) in crumbs.into_iter().enumerate().skip(last.saturating_sub(MOST_CRUMBS - 1)) {
        let name = text(name).wrapping(text::Wrapping::None);
        let name = if index == last { name.font(theme::STRONG) } else { name.style(theme::faint) };
        path = path.push(button(name).padding([6.0, 8.0]).style(theme::entry(false)).on_press(Message::Go(place)));
        path = path.push((index < last).then(|| text("/").style(theme::faint)));
    }
    let field = text_input("Search", &files.words).id(SEARCH).on_input(Message::Search).on_submit(Message::Open);
    let field = field.width(SEARCH_WIDTH).padding([8.0, 12.0]).size(theme::size::BODY).style(theme::field);
    let path = container(path).width(Length::Fill).clip(true);
    row![back, forward, up, path, field].spacing(2.0).align_y(Alignment::Center).into()
}

/// What can be done here, and how it is shown.
fn bar(files: &Files) -> Element<'_, Message> {
    let is_idle = files.working.is_none();
    let (some, one) = (is_idle && !files.chosen.is_empty(), is_idle && files.chosen.len() == 1);
    let act = |label: &'static str, is_possible: bool, message: Message| small_action(label, theme::secondary, is_possible.then_some(message));
    let left = match files.place {
        Place::Trash => row![
            act("Restore", some, Message::Restore),
            act("Delete", some, Message::Throw),
            small_action("Empty the trash", theme::danger, (is_idle && !files.items.is_empty()).then_some(Message::Empty))
        ],
        Place::Folder(_) if files.choice.is_some() => row![act("New folder", is_idle, Message::NewFolder)],
        Place::Folder(_) => row![
            act("New folder", is_idle, Message::NewFolder),
            act("Copy", some, Message::Take(Way::Copy)),
            act("Cut", some, Message::Take(Way::Move)),
            act("Paste", is_idle, Message::Put),
            act("Rename", one, Message::Name),
            act("Move to trash", some, Message::Throw)
        ],
    };
    let other = if files.layout == Layout::List { ("Tiles", Layout::Grid) } else { ("List", Layout::List) };
    let hidden = (files.place != Place::Trash).then(|| act(if files.has_hidden { "Hide hidden" } else { "Show hidden" }, true, Message::Hidden));
    row![left.spacing(6.0), space::horizontal()].push(hidden).push(act(other.0, true, Message::Show(other.1))).spacing(6.0).align_y(Alignment::Center).into()
}

/// The line below: what goes on, or what was done and how much is here.
fn status(files: &Files) -> Element<'_, Message> {
    if let Some(working) = &files.working {
        return going_on(working);
    }
    let chosen = files.chosen.len();
    let count = match (files.shown.len(), chosen) {
        (all, 0) => work::items(all),
        (all, some) => format!("{some} of {} chosen", work::items(all)),
    };
    let count = files.free.filter(|_| chosen == 0).map_or(count.clone(), |free| format!("{count}, {} free", bytes(free)));
    let count = if files.searching.is_some() { format!("{count}, still searching") } else { count };
    let small = |words: String| text(words).size(theme::size::SMALL).style(theme::faint);
    let said = files.said.clone().map(small);
    let undo = (!files.done.is_empty()).then(|| button(text("Undo").size(theme::size::SMALL)).padding([4.0, 10.0]).style(theme::secondary).on_press(Message::Undo));
    let line = row![small(count), space::horizontal()].push(said).push(undo).spacing(theme::GAP).align_y(Alignment::Center);
    column![rule::horizontal(1), container(line).height(26.0).align_y(Alignment::Center)].spacing(4.0).into()
}

fn going_on(working: &Working) -> Element<'_, Message> {
    let it = &working.progress;
    let part = match (it.all_bytes, it.all_things) {
        (0, 0) => 0.0,
        (0, all) => it.things as f32 / all as f32,
        (all, _) => it.bytes as f32 / all as f32,
    };
    let is_stopping = working.cancelled.load(std::sync::atomic::Ordering::Relaxed);
    let stop = button(text(if is_stopping { "Stopping" } else { "Stop" }).size(theme::size::SMALL)).padding([3.0, 10.0]).style(theme::secondary);
    let words = format!("{}  {}", working.label, it.name);
    let line = row![
        container(text(words).size(theme::size::SMALL).style(theme::faint).wrapping(text::Wrapping::None)).width(Length::Fill).clip(true),
        container(progress_bar(0.0..=1.0, part).girth(6.0)).width(160.0),
        stop.on_press_maybe((!is_stopping).then_some(Message::Cancel))
    ];
    column![rule::horizontal(1), container(line.spacing(theme::GAP).align_y(Alignment::Center)).height(26.0)].spacing(4.0).into()
}

/// A question.
fn over<'a>(files: &'a Files, asking: &'a Asking) -> Element<'a, Message> {
    let cancel = || action("Cancel", theme::secondary, Some(Message::Cancel));
    let buttons = |all: Vec<Element<'static, Message>>| Row::with_children(std::iter::once(space::horizontal().into()).chain(all)).spacing(theme::GAP);
    let wrong = || files.said.as_ref().map(|words| text(words).size(theme::size::SMALL).style(text::danger));
    let field = |words| text_input("", words).id(NAME).on_input(Message::Naming).on_submit(Message::Named).padding([10.0, 14.0]).style(theme::field);
    let named = |label| buttons(vec![cancel(), action(label, theme::primary, Some(Message::Named))]);
    let inside: Column<'_, Message, Theme, genai_ui::Renderer> = match asking {
        Asking::Name(Some(_), name) => column![heading("Rename"), field(name)].push(wrong()).push(named("Rename")),
        Asking::Name(None, name) => column![heading("New folder"), field(name)].push(wrong()).push(named("Create")),
        Asking::Path(path) => column![heading("Go to"), field(path)].push(wrong()).push(named("Go")),
        Asking::Collision(way, sources) => {
            let verb = if *way == Way::Copy { "copied" } else { "moved" };
            let words = format!("Of {} to be {verb}, some have names that are taken here. What is replaced goes into the trash.", work::items(sources.len()));
            let choice = |label, style, collision| action(label, style, Some(Message::Collide(collision)));
            let choices = vec![
                cancel(),
                choice("Skip", theme::secondary, Collision::Skip),
                choice("Replace", theme::danger, Collision::Replace),
                choice("Keep both", theme::primary, Collision::KeepBoth),
            ];
            column![heading("The name is taken"), text(words).style(theme::faint), buttons(choices)]
        }
        Asking::Replace(path) => {
            let words = format!("{} is there already. What it holds is lost when it is replaced.", path.file_name().unwrap_or_default().display());
            column![heading("Replace the file?"), text(words).style(theme::faint), buttons(vec![cancel(), action("Replace", theme::danger, Some(Message::Confirm))])]
        }
        Asking::Filter => column![heading("Which files?"), chooser::filters(files), buttons(vec![cancel()])],
        Asking::Delete(doomed) => {
            let words = format!("{} will be gone for good. This cannot be undone.", work::items(doomed.len()));
            column![heading("Delete for good?"), text(words).style(theme::faint), buttons(vec![cancel(), action("Delete", theme::danger, Some(Message::Confirm))])]
        }
    };
    parts::dialog(inside.spacing(theme::MARGIN), DIALOG_WIDTH)
}

/// What scrolls, with room for its bar.
fn scrolling<'a>(inside: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    scrollable(container(inside).padding(Padding::ZERO.right(BAR))).height(Length::Fill).width(Length::Fill).id(LIST).into()
}
