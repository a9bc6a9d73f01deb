//! What a build tells its user while it runs.

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A step that takes time has begun.
    Step(String),
    /// Something the user should know, such as a replaced package version.
    Notice(String),
}

/// Takes the messages of a build. [`Report::stderr`] prints them.
pub struct Report(Box<dyn Fn(Event) + Send + Sync>);

impl Report {
    /// Hands every message to `sink`.
    pub fn new(sink: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Box::new(sink))
    }

    /// Prints every message on standard error.
    pub fn stderr() -> Self {
        Self::new(|event| match event {
            Event::Step(text) => eprintln!("  {text}"),
            Event::Notice(text) => eprintln!("note: {text}"),
        })
    }

    pub(crate) fn step(&self, text: impl Into<String>) {
        (self.0)(Event::Step(text.into()));
    }

    pub(crate) fn notice(&self, text: impl Into<String>) {
        (self.0)(Event::Notice(text.into()));
    }
}
