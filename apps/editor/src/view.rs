//! What the window shows.

use genai_ui::core::{Alignment, Length, Padding};
use genai_ui::parts::{self, action, heading, small_action};
use genai_ui::widget::text::Wrapping;
use genai_ui::widget::{Column, Row, button, column, container, row, rule, space, stack, text, text_input};
use genai_ui::{Element, theme};
use std::path::{Path, PathBuf};

use crate::file::Ending;
use crate::page::Page;
use crate::saving::typed;
use crate::{Asking, Editor, Finding, Message, find, recent};

/// The text.
pub const PAGE: &str = "page";
/// The field for what is looked for.
pub const WORDS: &str = "words";
/// The field of a question.
pub const FIELD: &str = "field";

const TAB_WIDTH: f32 = 200.0;
const DIALOG_WIDTH: f32 = 480.0;
/// Files that a question offers.
const OFFERED: usize = 7;

/// The window.
pub fn window(editor: &Editor) -> Element<'_, Message> {
    let query = editor.finding.as_ref().map(|it| &it.query);
    let page = Page::new(editor.front(), query, editor.size, editor.cell, &editor.sight);
    let tabs = (editor.documents.len() > 1).then(|| tabs(editor));
    let below = Column::new().push(bar(editor)).push(tabs).push(page).push(editor.finding.as_ref().map(|it| finding(editor, it))).push(status(editor));
    stack![below].push(editor.asking.as_ref().map(|it| question(editor, it))).into()
}

/// What can be done.
fn bar(editor: &Editor) -> Element<'_, Message> {
    let buffer = &editor.front().buffer;
    let (undo, redo) = buffer.can();
    let act = |label: &'static str, is_possible: bool, message: Message| small_action(label, theme::secondary, is_possible.then_some(message));
    let left = row![act("New", true, Message::New), act("Open", true, Message::Open), act("Save", buffer.is_changed() || editor.front().path.is_none(), Message::Save), act("Save as", true, Message::SaveAs)];
    let right = row![act("Undo", undo, Message::Undo), act("Redo", redo, Message::Redo), act("Find", true, Message::Find(false)), act("Go to line", true, Message::GoTo)];
    let all = row![left.spacing(6.0), space::horizontal(), right.spacing(6.0)];
    container(all.align_y(Alignment::Center)).padding([theme::GAP, 10.0]).style(theme::sidebar).width(Length::Fill).into()
}

fn tabs(editor: &Editor) -> Element<'_, Message> {
    let tabs = editor.documents.iter().enumerate().map(|(index, document)| {
        let mark = if document.buffer.is_changed() { "* " } else { "" };
        let name = text(format!("{mark}{}", document.name())).size(theme::size::SMALL + 1.0).wrapping(Wrapping::None);
        let close = button(text("×").size(theme::size::BODY)).padding([0.0, 6.0]).style(theme::entry(false)).on_press(Message::Close(document.number));
        let inside = row![container(name).width(Length::Fill).clip(true), close].align_y(Alignment::Center).spacing(4.0);
        let tab = button(inside).width(Length::Fill).padding(Padding::new(4.0).left(12.0)).style(theme::entry(index == editor.front)).on_press(Message::Show(document.number));
        container(tab).max_width(TAB_WIDTH).into()
    });
    container(Row::with_children(tabs).spacing(4.0).align_y(Alignment::Center)).width(Length::Fill).padding(Padding::new(4.0).top(0.0)).style(theme::sidebar).into()
}

/// The bar below for finding and replacing.
fn finding<'a>(editor: &'a Editor, it: &'a Finding) -> Element<'a, Message> {
    let field = |hint: &'a str, words: &'a str| text_input(hint, words).padding([7.0, 10.0]).size(theme::size::BODY).style(theme::field);
    let words = field("Find", &it.query.words).id(WORDS).on_input(Message::Words).on_submit(Message::Next(false));
    let selection = editor.front().buffer.selection();
    let here = selection.and_then(|selection| it.all.iter().position(|found| *found == selection));
    let count = match (here, it.all.len()) {
        _ if it.query.words.is_empty() => String::new(),
        (_, 0) => "None".to_owned(),
        (Some(at), all) => format!("{} of {all}{}", at + 1, if all == find::MOST { "+" } else { "" }),
        (None, all) => format!("{all}{}", if all == find::MOST { "+" } else { "" }),
    };
    let count = container(text(count).size(theme::size::SMALL).style(theme::faint)).width(76.0);
    let some = !it.all.is_empty();
    let act = |label: &'static str, is_possible: bool, message: Message| small_action(label, theme::secondary, is_possible.then_some(message));
    let exact = small_action("Aa", if it.query.is_exact { theme::primary } else { theme::secondary }, Some(Message::Exact));
    let more = (!it.replaces).then(|| act("Replace", true, Message::Find(true)));
    let first = row![words, count, exact, act("Previous", some, Message::Next(true)), act("Next", some, Message::Next(false))].push(more).push(act("Close", true, Message::Cancel));
    let second = it.replaces.then(|| {
        let with = field("Replace with", &it.replacement).on_input(Message::Replacement).on_submit(Message::Replace);
        row![with, act("Replace", some, Message::Replace), act("Replace all", some, Message::ReplaceAll)].spacing(6.0).align_y(Alignment::Center)
    });
    let all = Column::new().push(first.spacing(6.0).align_y(Alignment::Center)).push(second).spacing(6.0);
    container(all).padding(theme::GAP).width(Length::Fill).style(theme::sidebar).into()
}

/// The line below.
fn status(editor: &Editor) -> Element<'_, Message> {
    let it = editor.front();
    let small = |words: String| text(words).size(theme::size::SMALL).style(theme::faint).wrapping(Wrapping::None);
    let cursor = it.buffer.cursor();
    let column = crate::columns::letters(&it.buffer.lines()[cursor.line]).take_while(|letter| letter.byte < cursor.byte).count() + 1;
    let selected = it.buffer.selection().map(|(from, to)| {
        let lines = to.line - from.line + 1;
        if lines > 1 { format!("{lines} lines selected") } else { format!("{} selected", it.buffer.between(from, to).chars().count()) }
    });
    let place = selected.unwrap_or_else(|| format!("Line {}, column {column}", cursor.line + 1));
    let where_ = it.path.as_ref().map(|path| path.display().to_string()).unwrap_or_else(|| "Not saved yet".to_owned());
    let left = editor.said.clone().unwrap_or(where_);
    let form = if it.form.ending == Ending::CrLf { "CRLF" } else { "LF" };
    let language = it.language.map_or("Text", |it| it.name);
    let right = row![small(place), small(form.to_owned()), small(language.to_owned())].spacing(theme::MARGIN + 4.0);
    let line = row![container(small(left)).width(Length::Fill).clip(true), right].spacing(theme::MARGIN).align_y(Alignment::Center);
    column![rule::horizontal(1), container(line).padding([5.0, 12.0])].into()
}

/// A question.
fn question<'a>(editor: &'a Editor, asking: &'a Asking) -> Element<'a, Message> {
    let cancel = || action("Cancel", theme::secondary, Some(Message::Cancel));
    let yes = |label, style| action(label, style, Some(Message::Confirm));
    let no = |label| action(label, theme::danger, Some(Message::Decline));
    let buttons = |all: Vec<Element<'static, Message>>| Row::with_children(std::iter::once(space::horizontal().into()).chain(all)).spacing(theme::GAP);
    let field = |hint: &'a str, words: &'a str| text_input(hint, words).id(FIELD).on_input(Message::Field).on_submit(Message::Confirm).padding([10.0, 14.0]).style(theme::field);
    let name = |number: u64| editor.documents.iter().find(|it| it.number == number).map(|it| it.name()).unwrap_or_default();
    let says = |words: String| text(words).style(theme::faint).wrapping(Wrapping::WordOrGlyph);
    let inside = match asking {
        Asking::Open(words) => {
            column![heading("Open a file"), field("Its path", words), offers(editor, words), buttons(vec![cancel(), yes("Open", theme::primary)])]
        }
        Asking::SaveAs(words) => {
            let wrong = editor.said.as_ref().map(|words| text(words).size(theme::size::SMALL).style(text::danger));
            column![heading("Save as"), field("Its path", words)].push(wrong).push(buttons(vec![cancel(), yes("Save", theme::primary)]))
        }
        Asking::Line(words) => column![heading("Go to line"), field("Its number", words), buttons(vec![cancel(), yes("Go", theme::primary)])],
        Asking::Lose(number) => {
            let words = format!("{} has changes that are not on the disk.", name(*number));
            column![heading("Save the changes?"), says(words), buttons(vec![cancel(), no("Discard"), yes("Save", theme::primary)])]
        }
        Asking::Overtaken(number) => {
            let words = format!("{} was changed on the disk by another program, and here as well. One of both will be lost.", name(*number));
            column![heading("Which one is to stay?"), says(words), buttons(vec![cancel(), no("That on the disk"), yes("This one", theme::primary)])]
        }
        Asking::Replace(path) => {
            let words = format!("{} is there already.", path.display());
            column![heading("Replace the file?"), says(words), buttons(vec![cancel(), yes("Replace", theme::danger)])]
        }
        Asking::Wrong(words) => column![heading("That is not possible"), says(words.clone()), buttons(vec![yes("Close", theme::primary)])],
    };
    parts::dialog(inside.spacing(theme::MARGIN), DIALOG_WIDTH)
}

/// Files that may be meant.
fn offers<'a>(editor: &'a Editor, words: &str) -> Element<'a, Message> {
    let all = candidates(words, editor.front().path.as_deref(), words == editor.folder());
    let lines = all.into_iter().map(|(name, path)| {
        let name = text(name).wrapping(Wrapping::None);
        let inside = row![container(name).width(Length::Fill).clip(true)];
        button(inside).width(Length::Fill).padding([6.0, 12.0]).style(theme::entry(false)).on_press(Message::OpenPath(path)).into()
    });
    Column::with_children(lines).spacing(2.0).into()
}

/// What is offered: what was edited lately before anything is typed, then what begins so.
fn candidates(words: &str, beside: Option<&Path>, is_untouched: bool) -> Vec<(String, PathBuf)> {
    let recent = if is_untouched { recent::files() } else { Vec::new() };
    if !recent.is_empty() {
        return recent.into_iter().take(OFFERED).map(|path| (path.display().to_string(), path)).collect();
    }
    let path = typed(words, beside);
    let (folder, start) = if words.trim().ends_with('/') || words.trim().is_empty() {
        (path, String::new())
    } else {
        (path.parent().map(Path::to_owned).unwrap_or_default(), path.file_name().unwrap_or_default().to_string_lossy().to_lowercase())
    };
    let mut found: Vec<(String, PathBuf)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|it| {
            let name = it.file_name().to_string_lossy().into_owned();
            let is_meant = name.to_lowercase().starts_with(&start) && (start.starts_with('.') || !name.starts_with('.'));
            let path = it.path();
            is_meant.then(|| (if path.is_dir() { format!("{name}/") } else { name }, path))
        })
        .collect();
    found.sort();
    found.truncate(OFFERED);
    found
}
