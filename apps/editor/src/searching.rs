//! Finding and replacing in the text in front.

use genai_ui::Task;
use genai_ui::runtime::widget::operation;

use crate::find;
use crate::{Editor, Finding, Message, view};

impl Editor {
    /// Shows the bar: what is selected within a line is looked for.
    pub(crate) fn find(&mut self, replaces: bool) -> Task<Message> {
        let selected = self.front().buffer.selected().filter(|it| !it.contains('\n'));
        let finding = self.finding.get_or_insert_with(Finding::default);
        finding.replaces |= replaces;
        if let Some(words) = selected {
            finding.query.words = words;
        }
        self.refind();
        Task::batch([operation::focus(view::WORDS), operation::select_all(view::WORDS)])
    }

    /// Looks again, for the text or the words have changed.
    pub(crate) fn refind(&mut self) {
        let Some(document) = self.documents.get(self.front) else { return };
        if let Some(finding) = &mut self.finding {
            finding.all = finding.query.all(&document.buffer);
        }
    }

    /// Other words: the first one from where the last one began is shown.
    pub(crate) fn look_for(&mut self, words: String) {
        let from = self.front().buffer.selection().map_or(self.front().buffer.cursor(), |(from, _)| from);
        if let Some(finding) = &mut self.finding {
            finding.query.words = words;
        }
        self.refind();
        let all = self.finding.as_ref().map(|it| it.all.as_slice()).unwrap_or_default();
        match find::next(all, from).map(|at| all[at]) {
            Some((from, to)) => self.front_mut().buffer.select(from, to),
            None => self.front_mut().buffer.go(from, false),
        }
        self.front().reveal(self.sight.get());
    }

    /// Shows the next one, or the one before.
    pub(crate) fn next(&mut self, is_back: bool) -> Task<Message> {
        let Some(finding) = &self.finding else { return self.find(false) };
        let selection = self.front().buffer.selection();
        let (from, to) = selection.unwrap_or((self.front().buffer.cursor(), self.front().buffer.cursor()));
        let found = if is_back { find::previous(&finding.all, from) } else { find::next(&finding.all, to) };
        match found.map(|at| finding.all[at]) {
            Some((start, end)) => {
                self.said = match is_back {
                    false if start < to => Some("Gone on at the beginning.".to_owned()),
                    true if start >= from => Some("Gone on at the end.".to_owned()),
                    _ => None,
                };
                self.front_mut().buffer.select(start, end);
                self.front().reveal(self.sight.get());
            }
            None => self.said = Some("It is not in this text.".to_owned()),
        }
        Task::none()
    }

    /// Replaces the one that is selected, and shows the next.
    pub(crate) fn replace(&mut self) -> Task<Message> {
        let Some(finding) = &self.finding else { return Task::none() };
        let selection = self.front().buffer.selection();
        if let Some((from, to)) = selection.filter(|it| finding.all.contains(it)) {
            let text = finding.replacement.clone();
            self.front_mut().buffer.change(&[(from, to, &text)]);
            self.changed();
        }
        self.next(false)
    }

    /// Replaces all in one step.
    pub(crate) fn replace_all(&mut self) {
        let Some(finding) = &self.finding else { return };
        let (all, text) = (finding.all.clone(), finding.replacement.clone());
        if all.is_empty() {
            self.said = Some("It is not in this text.".to_owned());
            return;
        }
        let parts: Vec<_> = all.iter().map(|(from, to)| (*from, *to, text.as_str())).collect();
        self.front_mut().buffer.change(&parts);
        self.said = Some(if all.len() == 1 { "One was replaced.".to_owned() } else { format!("{} were replaced.", all.len()) });
        self.changed();
    }

    /// The text in front has changed.
    pub(crate) fn changed(&mut self) {
        self.front_mut().settle();
        self.refind();
        self.front().reveal(self.sight.get());
    }
}
