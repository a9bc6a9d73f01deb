//! What a page is made of: sections with rows, each with one control. The window draws them, and keys go through them.

use desktop_settings::Colour;

use crate::Message;

/// Rows that belong together.
#[derive(Debug, Clone)]
pub struct Section {
    /// What they are about; may be empty.
    pub title: String,
    /// From above.
    pub rows: Vec<Row>,
}

impl Section {
    /// A section with rows.
    pub fn new(title: impl Into<String>, rows: Vec<Row>) -> Self {
        Section { title: title.into(), rows }
    }
}

/// One thing.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// More about it; may be empty.
    pub detail: String,
    /// What can be done.
    pub control: Control,
}

/// How a button is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// What the page is for.
    First,
    /// Anything else.
    Usual,
}

/// What can be done with a row. Without a message nothing can.
#[derive(Debug, Clone)]
pub enum Control {
    /// Only to be read.
    Shown(String),
    /// One of few.
    Choice {
        /// Their names and what choosing one means.
        options: Vec<(&'static str, Message)>,
        /// Which one holds.
        chosen: Option<usize>,
    },
    /// One of some colours.
    Colours {
        /// The colours and what choosing one means.
        options: Vec<(Colour, Message)>,
        /// Which one holds.
        chosen: Option<usize>,
    },
    /// On or off.
    Switch {
        /// Which.
        is_on: bool,
        /// The other one is wanted.
        message: Option<Message>,
    },
    /// Something is done.
    Button {
        /// What.
        label: &'static str,
        /// How it is meant.
        weight: Weight,
        /// The wish.
        message: Option<Message>,
    },
    /// One of many, each of which has a row.
    Pick {
        /// Whether it is this one.
        is_chosen: bool,
        /// The wish.
        message: Option<Message>,
    },
    /// Words.
    Field {
        /// The field's name, for the keys.
        id: &'static str,
        /// What is in it while it is empty.
        hint: &'static str,
        /// What is in it.
        value: String,
        /// Whether it is shown as dots.
        is_secret: bool,
        /// Other words.
        input: fn(String) -> Message,
        /// Enter.
        submit: Option<Message>,
    },
}

impl Row {
    /// A row.
    pub fn new(name: impl Into<String>, control: Control) -> Self {
        Row { name: name.into(), detail: String::new(), control }
    }

    /// With more words about it.
    pub fn about(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Only to be read.
    pub fn shown(name: impl Into<String>, value: impl Into<String>) -> Self {
        Row::new(name, Control::Shown(value.into()))
    }

    /// Whether the keys stop here.
    pub fn is_active(&self) -> bool {
        !matches!(self.control, Control::Shown(_))
    }

    /// What Enter and the space bar mean.
    pub fn press(&self) -> Option<Message> {
        match &self.control {
            Control::Shown(_) => None,
            Control::Choice { .. } | Control::Colours { .. } => self.beside(1),
            Control::Switch { message, .. } | Control::Button { message, .. } | Control::Pick { message, .. } => message.clone(),
            Control::Field { submit, .. } => submit.clone(),
        }
    }

    /// What an arrow to the side means.
    pub fn beside(&self, by: isize) -> Option<Message> {
        let next = |chosen: Option<usize>, count: usize| {
            let at = chosen.map_or(if by > 0 { -1 } else { count as isize }, |it| it as isize) + by;
            at.rem_euclid(count.max(1) as isize) as usize
        };
        match &self.control {
            Control::Choice { options, chosen } => options.get(next(*chosen, options.len())).map(|it| it.1.clone()),
            Control::Colours { options, chosen } => options.get(next(*chosen, options.len())).map(|it| it.1.clone()),
            Control::Switch { is_on, message } => message.clone().filter(|_| *is_on != (by > 0)),
            _ => None,
        }
    }
}
