//! Applications' way to the AI service, genaid.
//!
//! In Rust: [`App`]. In C: `include/libgenai.h`, whose functions are in [`abi`].

pub mod abi;

use std::time::Duration;

pub use genai_protocol::{ClientError, Completed, Completion, ErrorCode, Finish, Message, Op, Role, Route, Source, SubjectProgress};
use genai_protocol::{Client, Event};

/// What an application may use, and for what.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where answers may come from; `None`: as genaid is set.
    pub route: Option<Route>,
    /// What requests are for, in a word: rules on what may leave the machine name it.
    pub purpose: String,
    /// What the user is learning here, where that is so: put before each request.
    pub subject: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Config { route: None, purpose: "app".to_owned(), subject: None }
    }
}

/// An application that uses the AI service. Connects when it asks, and again after genaid was started anew.
pub struct App {
    config: Config,
    client: Option<Client>,
}

impl App {
    /// Connects.
    pub fn new(config: Config) -> Result<App, ClientError> {
        Ok(App { config, client: Some(Client::connect()?) })
    }

    /// Asks and waits; `on_token` gets the pieces of the answer where `completion.stream` is set.
    pub fn complete(&mut self, mut completion: Completion, timeout: Option<Duration>, mut on_token: impl FnMut(&str)) -> Result<Completed, ClientError> {
        completion.route = completion.route.or(self.config.route);
        completion.purpose.clone_from(&self.config.purpose);
        if let Some(t) = timeout {
            completion.deadline_ms = u64::try_from(t.as_millis()).unwrap_or(u64::MAX).max(1);
        }
        if let Some(subject) = &self.config.subject
            && !completion.messages.iter().any(|m| m.role == Role::System)
            && !completion.messages.is_empty()
        {
            completion.messages.insert(0, Message { role: Role::System, content: format!("You help somebody who is learning about {subject}. Be brief and correct.") });
        }
        // The service ends the answer at the deadline; we wait a little longer for its last word.
        let patience = timeout.map(|t| t + Duration::from_secs(30));
        match self.ask(Op::Complete(Box::new(completion)), patience, &mut on_token)? {
            Event::Done(done) => Ok(done),
            other => Err(ClientError::Unexpected(format!("{other:?}"))),
        }
    }

    /// Records how far the user is in a subject.
    pub fn progress(&mut self, subject: &str, fraction: f64, score: Option<f64>) -> Result<(), ClientError> {
        match self.ask(Op::Progress { subject: subject.to_owned(), fraction, score }, None, &mut |_| {})? {
            Event::Ok => Ok(()),
            other => Err(ClientError::Unexpected(format!("{other:?}"))),
        }
    }

    /// What has been recorded of this user.
    pub fn progress_report(&mut self) -> Result<Vec<SubjectProgress>, ClientError> {
        match self.ask(Op::ProgressReport, None, &mut |_| {})? {
            Event::Progress { subjects } => Ok(subjects),
            other => Err(ClientError::Unexpected(format!("{other:?}"))),
        }
    }

    fn ask(&mut self, op: Op, timeout: Option<Duration>, on_token: &mut dyn FnMut(&str)) -> Result<Event, ClientError> {
        let had = self.client.is_some();
        let mut client = match self.client.take() {
            Some(c) => c,
            None => Client::connect()?,
        };
        let mut began = false;
        let mut result = client.set_timeout(timeout).and_then(|()| {
            client.ask(op.clone(), |t| {
                began = true;
                on_token(t);
            })
        });
        // The connection from before may be to a genaid that has ended since. Only a hang-up says so: after a
        // time-out the service may still be at work.
        if had && !began && matches!(&result, Err(ClientError::Broken(e)) if matches!(e.kind(), std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::ConnectionReset)) {
            client = Client::connect()?;
            result = client.set_timeout(timeout).and_then(|()| client.ask(op, on_token));
        }
        if !matches!(result, Err(ClientError::Broken(_) | ClientError::Unexpected(_))) {
            self.client = Some(client);
        }
        result
    }
}
