//! What lies over the window: a plan to agree to, work in progress, and what was not possible.

use genai_ui::core::{Alignment, Length, Padding};
use genai_ui::parts::{self, action, bytes, heading};
use genai_ui::widget::{Column, Row, button, column, container, progress_bar, row, scrollable, space, text, toggler};
use genai_ui::{Element, theme};

use crate::plan::{Extra, Plan};
use crate::worker::{Failure, Progress, Wish, changes};
use crate::{Doing, Message, Store};

const WIDTH: f32 = 460.0;
const MOST_HEIGHT: f32 = 260.0;

/// The dialog, where there is one.
pub fn over(store: &Store) -> Option<Element<'_, Message>> {
    let inside = match &store.doing {
        Doing::Nothing | Doing::Planning(_) => return None,
        Doing::Asking(plan) => asking(plan, store.words(&plan.wish)),
        Doing::Working(wish, progress) => working(store.words(wish), progress, store.cancelled.load(std::sync::atomic::Ordering::Relaxed)),
        Doing::Failed(wish, failure) => failed(wish.as_ref().map(|it| (it, store.words(it))), failure),
    };
    Some(parts::dialog(inside, WIDTH))
}

fn asking(plan: &Plan, words: String) -> Element<'_, Message> {
    let proposal = plan.proposal();
    let mut lines = Column::new().spacing(theme::GAP).padding(Padding::ZERO.right(14.0)).width(Length::Fill);
    for (heading, names) in changes(proposal) {
        lines = lines.push(text(heading).size(theme::size::SMALL).style(theme::faint));
        lines = lines.push(Column::with_children(names.into_iter().map(|it| text(it).into())).spacing(3.0));
    }
    let growth = match proposal.growth {
        0 => "the disk stays as full as it is".to_owned(),
        more @ 1.. => format!("takes {} of the disk", bytes(more.unsigned_abs())),
        less => format!("frees {} of the disk", bytes(less.unsigned_abs())),
    };
    let cost = match proposal.download {
        0 => format!("Nothing is fetched; {growth}."),
        much => format!("{} are fetched; {growth}.", bytes(much)),
    };
    let warning = (!proposal.essential.is_empty())
        .then(|| text(format!("{} belongs to what the system needs to work.", proposal.essential.join(", "))).style(text::danger));
    let removes = proposal.changes.iter().any(|it| matches!(it, gpm::solver::Change::Remove { .. }));
    // What the system cannot work without does not go by a click.
    let confirm = proposal.essential.is_empty().then_some(Message::Confirm);
    let buttons = row![
        space::horizontal(),
        action("Cancel", theme::secondary, Some(Message::Cancel)),
        action("Go on", if removes { theme::danger } else { theme::primary }, confirm)
    ];
    column![heading(format!("{words}?"))]
        .push(container(scrollable(lines)).max_height(MOST_HEIGHT))
        .push(plan.extra().map(recommended))
        .push(text(cost).size(theme::size::SMALL).style(theme::faint))
        .push(warning)
        .push(buttons.spacing(theme::GAP))
        .spacing(theme::MARGIN)
        .into()
}

/// The choice to take along what packages only recommend.
fn recommended<'a>(extra: Extra) -> Element<'a, Message> {
    let packages = if extra.packages == 1 { "1 package".to_owned() } else { format!("{} packages", extra.packages) };
    let cost = if extra.download == 0 { packages } else { format!("{packages}, {} more to fetch", bytes(extra.download)) };
    let words = column![text("Also what is recommended"), text(cost).size(theme::size::SMALL).style(theme::faint)].spacing(2.0);
    let switch = toggler(extra.is_chosen).size(20.0).style(theme::switch).on_toggle(Message::Recommended);
    row![words.width(Length::Fill), switch].spacing(theme::GAP).align_y(Alignment::Center).into()
}

fn working<'a>(words: String, progress: &'a Progress, is_stopping: bool) -> Element<'a, Message> {
    let bar = progress_bar(0.0..=1.0, progress.part.unwrap_or(0.0)).girth(6.0);
    let label = if is_stopping { "Stopping" } else { "Stop" };
    let buttons = Row::new().push(space::horizontal()).push(action(label, theme::secondary, (!is_stopping).then_some(Message::Cancel)));
    column![heading(words), text(&progress.text).style(theme::faint), bar, buttons].spacing(theme::MARGIN).into()
}

fn failed<'a>(wish: Option<(&Wish, String)>, failure: &'a Failure) -> Element<'a, Message> {
    let title = match &wish {
        Some((_, words)) => format!("{words} is not possible"),
        None => "That did not work".to_owned(),
    };
    let mut all = column![heading(title), container(scrollable(text(&failure.text).style(theme::faint))).max_height(MOST_HEIGHT)];
    if let Some((wish, _)) = wish {
        for (words, concessions) in &failure.choices {
            let message = Message::Concede(wish.clone(), concessions.clone());
            all = all.push(button(text(words)).width(Length::Fill).padding([10.0, 14.0]).style(theme::secondary).on_press(message));
        }
    }
    let close = row![space::horizontal(), action("Close", theme::primary, Some(Message::Dismiss))].align_y(Alignment::Center);
    all.push(close).spacing(theme::MARGIN).into()
}
