//! The keyboard's layout: the machine's by keyboard(5), or one of XKB's that the user has chosen, which holds at once.

use std::fs;

use desktop_settings::{Keyboard, Settings};
use genai_ui::{Task, job};

use crate::form::{Control, Row, Section};
use crate::{Message as All, Places};

/// Layouts that are shown at once: who wants another one looks for it.
const SHOWN: usize = 14;

/// What Caps Lock is, by XKB's options.
const CAPS: [(&str, &str); 3] = [("Caps Lock", ""), ("Escape", "caps:escape"), ("Control", "ctrl:nocaps")];

/// A layout in one of its forms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// XKB's name: `de`.
    pub layout: String,
    /// The form's: `neo`; empty for the usual one.
    pub variant: String,
    /// For people: `German (Neo 2)`.
    pub name: String,
}

/// What holds.
#[derive(Debug, Default)]
pub struct State {
    layouts: Vec<Layout>,
    machine: Keyboard,
    own: Option<Keyboard>,
    words: String,
    tried: String,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// What there is was read: layouts, the machine's, the user's.
    Read(Box<(Vec<Layout>, Keyboard, Result<Option<Keyboard>, String>)>),
    /// Only layouts with these words.
    Search(String),
    /// Something was typed to try it.
    Try(String),
    /// This should hold; without one the machine's.
    Want(Option<Keyboard>),
}

/// Reads what there is.
pub fn load(places: Places) -> Task<All> {
    job::start(move |_| {
        let layouts = parse(&fs::read_to_string(&places.layouts).unwrap_or_default());
        let machine = machine(&fs::read_to_string(places.etc.join("default/keyboard")).unwrap_or_default());
        let own = Settings::read(&places.settings).map(|it| it.keyboard).map_err(|error| error.to_string());
        All::Keyboard(Message::Read(Box::new((layouts, machine, own))))
    })
}

/// Of XKB's list (`base.lst`): layouts and their forms, by names for people.
pub fn parse(text: &str) -> Vec<Layout> {
    let mut all = Vec::new();
    let mut part = "";
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('!') {
            part = name.trim();
            continue;
        }
        let Some((name, words)) = line.trim().split_once(char::is_whitespace) else { continue };
        let words = words.trim();
        match part {
            "layout" if name != "custom" => all.push(Layout { layout: name.to_owned(), variant: String::new(), name: words.to_owned() }),
            "variant" => {
                if let Some((layout, words)) = words.split_once(':') {
                    all.push(Layout { layout: layout.trim().to_owned(), variant: name.to_owned(), name: words.trim().to_owned() });
                }
            }
            _ => {}
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Of keyboard(5).
fn machine(text: &str) -> Keyboard {
    let get = |name: &str| {
        let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().trim().trim_matches('"').to_owned()
    };
    let layout = Some(get("XKBLAYOUT")).filter(|it| !it.is_empty()).unwrap_or_else(|| "us".to_owned());
    Keyboard { layout, variant: get("XKBVARIANT"), options: get("XKBOPTIONS") }
}

impl State {
    /// What follows.
    pub fn update(&mut self, message: Message, places: &Places) -> Task<All> {
        match message {
            Message::Read(read) => {
                let (layouts, machine, own) = *read;
                (self.layouts, self.machine) = (layouts, machine);
                match own {
                    Ok(own) => self.own = own,
                    Err(problem) => return Task::done(All::Failed(problem)),
                }
            }
            Message::Search(words) => self.words = words,
            Message::Try(words) => self.tried = words,
            Message::Want(keyboard) => {
                let path = places.settings.clone();
                return job::start(move |_| {
                    let kept = Settings::change(&path, |it| it.keyboard = keyboard);
                    All::Finished(kept.map(|_| "It holds from now on.".to_owned()).map_err(|error| error.to_string()))
                });
            }
        }
        Task::none()
    }

    /// What people call a keyboard's layout.
    fn name(&self, keyboard: &Keyboard) -> String {
        let found = self.layouts.iter().find(|it| it.layout == keyboard.layout && it.variant == keyboard.variant);
        found.map_or_else(|| [keyboard.layout.as_str(), keyboard.variant.as_str()].join(" ").trim().to_owned(), |it| it.name.clone())
    }

    /// Layouts that have all the words in their names, those that begin so first.
    fn found(&self) -> Vec<&Layout> {
        let words = self.words.trim().to_lowercase();
        let has = |it: &&Layout| words.split_whitespace().all(|word| it.name.to_lowercase().contains(word) || it.layout == word);
        let mut found: Vec<&Layout> = self.layouts.iter().filter(|_| !words.is_empty()).filter(has).collect();
        found.sort_by_key(|it| (!it.name.to_lowercase().starts_with(&words), !it.variant.is_empty()));
        found
    }

    /// The page.
    pub fn sections(&self) -> Vec<Section> {
        let want = |keyboard: Option<Keyboard>| All::Keyboard(Message::Want(keyboard));
        let now = self.own.as_ref().unwrap_or(&self.machine);
        let pick = |name: String, detail: String, is_chosen: bool, keyboard: Option<Keyboard>| {
            Row::new(name, Control::Pick { is_chosen, message: (!is_chosen).then(|| want(keyboard)) }).about(detail)
        };
        let mut held = vec![pick(self.name(&self.machine), "As this machine is set up".to_owned(), self.own.is_none(), None)];
        if let Some(own) = &self.own {
            held.push(pick(self.name(own), "Your own choice".to_owned(), true, self.own.clone()));
        }
        let caps = CAPS.map(|(label, option)| {
            let others = now.options.split(',').filter(|it| !it.is_empty() && !CAPS.iter().any(|(_, name)| name == it));
            let options = others.chain([option]).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(",");
            (label, want(Some(Keyboard { options, ..now.clone() })))
        });
        let chosen = CAPS.iter().rposition(|(_, option)| now.options.split(',').any(|it| it == *option)).or(Some(0));
        let caps = Row::new("The key Caps Lock is", Control::Choice { options: caps.to_vec(), chosen });
        let tried = Control::Field {
            id: "try",
            hint: "Type here",
            value: self.tried.clone(),
            is_secret: false,
            input: |it| All::Keyboard(Message::Try(it)),
            submit: None,
        };
        let search = Control::Field {
            id: "layouts",
            hint: "German, French (AZERTY), Dvorak ...",
            value: self.words.clone(),
            is_secret: false,
            input: |it| All::Keyboard(Message::Search(it)),
            submit: None,
        };
        let found = self.found();
        let left = found.len().saturating_sub(SHOWN);
        let detail = if left > 0 { format!("{left} more are not shown: more letters find them") } else { format!("{} are known", self.layouts.len()) };
        let mut other = vec![Row::new("Look for a layout", search).about(detail)];
        for it in found.into_iter().take(SHOWN) {
            let keyboard = Keyboard { layout: it.layout.clone(), variant: it.variant.clone(), options: now.options.clone() };
            let code = if it.variant.is_empty() { it.layout.clone() } else { format!("{} {}", it.layout, it.variant) };
            other.push(pick(it.name.clone(), code, self.own.as_ref().is_some_and(|own| (&own.layout, &own.variant) == (&it.layout, &it.variant)), Some(keyboard)));
        }
        vec![Section::new("Layout", held), Section::new("Keys", vec![caps, Row::new("Try it", tried)]), Section::new("Another layout", other)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let text = "! model\n  pc105  Generic\n\n! layout\n  us              English (US)\n  de              German\n  custom A user-defined\n! variant\n  neo             de: German (Neo 2)\n! option\n  caps Caps\n";
        let names: Vec<_> = parse(text).into_iter().map(|it| (it.layout, it.variant, it.name)).collect();
        let one = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(names, [one("us", "", "English (US)"), one("de", "", "German"), one("de", "neo", "German (Neo 2)")]);
        assert_eq!(machine("XKBLAYOUT=\"fr\"\nXKBOPTIONS=\"\"\n"), Keyboard { layout: "fr".into(), ..Keyboard::default() });
        assert_eq!(machine("").layout, "us");
    }
}
