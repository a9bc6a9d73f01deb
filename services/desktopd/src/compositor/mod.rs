//! The notices that the compositor shows for programs.
//!
//! One task knows them all. It is connected only while there are notices: an idle desktop has nobody to tell of its windows. A compositor that dies takes its
//! notices along, whose programs are told; the next one is connected to when there is something to show.

mod session;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gde_ipc::{Answer, Event, Notice, Reason, Request};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};
use zbus::object_server::SignalEmitter;

use crate::notifications::{DEFAULT, Notifications};
pub use session::Session;

/// Within this time a request is done, or fails: a compositor that has died is started again sooner.
pub const LIMIT: Duration = Duration::from_secs(5);
/// Between attempts to connect.
const AGAIN: Duration = Duration::from_millis(100);
/// Requests that wait at most.
pub const WAITING: usize = 64;
/// Notices at most. The compositor has fewer.
const MOST: usize = 256;

/// Why a request fails.
#[derive(Debug)]
pub enum Problem {
    /// There is no compositor, or it does not answer.
    NoDesktop(String),
    /// It does not want to.
    Refused(String),
    /// There is no such notice.
    Unknown,
}

/// A notice as the compositor gets it: its actions are called by their number, or `default`.
#[derive(Debug)]
pub struct Shown {
    /// What it says.
    pub notice: Notice,
    /// What its program calls the actions, but for `default`.
    pub keys: Vec<String>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Task {
    /// Show a notice, in the place of another one where that number is not 0; the answer is its number.
    Show { shown: Box<Shown>, replaces: u32, answer: oneshot::Sender<Result<u32, Problem>> },
    /// Take a notice away.
    Close { id: u32, answer: oneshot::Sender<Result<(), Problem>> },
}

/// A task, and when it must be done.
#[derive(Debug)]
pub struct Due {
    /// What.
    pub task: Task,
    /// When.
    pub until: Instant,
}

/// A notice that is there.
#[derive(Debug)]
struct Live {
    /// The compositor's number.
    theirs: u32,
    keys: Vec<String>,
}

/// The task that knows all notices.
#[derive(Debug)]
pub struct Compositor {
    path: PathBuf,
    tasks: mpsc::Receiver<Due>,
    programs: SignalEmitter<'static>,
    session: Option<Session>,
    /// By the numbers that programs know, which outlive the compositor.
    live: BTreeMap<u32, Live>,
    last: u32,
}

impl Compositor {
    /// Shows what `tasks` say at the compositor that listens at the path, and tells programs what happens.
    pub fn new(path: PathBuf, tasks: mpsc::Receiver<Due>, programs: SignalEmitter<'static>) -> Self {
        Compositor { path, tasks, programs, session: None, live: BTreeMap::new(), last: 0 }
    }

    /// Works until nobody is there who could ask for anything.
    pub async fn run(mut self) {
        loop {
            let event = async {
                match &mut self.session {
                    Some(session) => session.next_event().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                event = event => match event {
                    Ok(event) => self.happened(event).await,
                    Err(error) => self.lost(&error).await,
                },
                due = self.tasks.recv() => match due {
                    Some(due) => self.work(due).await,
                    None => return,
                },
            }
            if self.live.is_empty() {
                self.session = None;
            }
        }
    }

    async fn work(&mut self, due: Due) {
        match due.task {
            // Who does not wait any more needs no answer.
            Task::Show { shown, replaces, answer } => drop(answer.send(self.show(*shown, replaces, due.until).await)),
            Task::Close { id, answer } => drop(answer.send(self.close(id, due.until).await)),
        }
    }

    async fn show(&mut self, shown: Shown, replaces: u32, until: Instant) -> Result<u32, Problem> {
        if self.live.len() >= MOST && !self.live.contains_key(&replaces) {
            return Err(Problem::Refused("there are too many notices".into()));
        }
        loop {
            let request = Request::Notify { notice: shown.notice.clone(), replaces: self.live.get(&replaces).map(|it| it.theirs) };
            self.connect(until).await?;
            match self.ask(&request, until).await {
                Ok(Answer::Notified { id: theirs }) => {
                    let id = if replaces == 0 { self.next_number() } else { replaces };
                    self.live.insert(id, Live { theirs, keys: shown.keys });
                    return Ok(id);
                }
                Ok(Answer::Failed { problem }) => return Err(Problem::Refused(problem)),
                Ok(other) => {
                    let error = io::Error::other(format!("an answer to another question: {other:?}"));
                    self.lost(&error).await;
                    return Err(Problem::NoDesktop(error.to_string()));
                }
                // Its successor may show it.
                Err(error) if Instant::now() < until => tracing::info!("the desktop is gone ({error}); waiting for the next one"),
                Err(error) => return Err(Problem::NoDesktop(error.to_string())),
            }
        }
    }

    async fn close(&mut self, id: u32, until: Instant) -> Result<(), Problem> {
        let theirs = self.live.get(&id).ok_or(Problem::Unknown)?.theirs;
        match self.ask(&Request::CloseNotice { id: theirs }, until).await {
            Ok(Answer::Done) => Ok(()),
            // It has just gone: the event says so.
            Ok(_) => Err(Problem::Unknown),
            Err(error) => Err(Problem::NoDesktop(error.to_string())),
        }
    }

    /// A number that is not in use.
    fn next_number(&mut self) -> u32 {
        loop {
            self.last = self.last.checked_add(1).unwrap_or(1);
            if !self.live.contains_key(&self.last) {
                return self.last;
            }
        }
    }

    async fn connect(&mut self, until: Instant) -> Result<(), Problem> {
        while self.session.is_none() {
            let error = match timeout_at(until, Session::connect(&self.path)).await {
                Ok(Ok(session)) => {
                    self.session = Some(session);
                    return Ok(());
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it does not answer".to_owned(),
            };
            if Instant::now() + AGAIN >= until {
                return Err(Problem::NoDesktop(format!("{}: {error}", self.path.display())));
            }
            sleep(AGAIN).await;
        }
        Ok(())
    }

    async fn ask(&mut self, request: &Request, until: Instant) -> io::Result<Answer> {
        let session = self.session.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let answer = timeout_at(until, session.ask(request)).await.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "the desktop does not answer")));
        if let Err(error) = &answer {
            self.lost(error).await;
        }
        answer
    }

    async fn happened(&mut self, event: Event) {
        let of = |theirs: u32| self.live.iter().find(|it| it.1.theirs == theirs).map(|(id, live)| (*id, live));
        let told = match event {
            Event::NoticeClosed { id, reason } => {
                let Some((id, _)) = of(id) else { return };
                self.live.remove(&id);
                Notifications::notification_closed(&self.programs, id, number(reason)).await
            }
            Event::NoticeAction { id, action, token } => {
                let Some((id, live)) = of(id) else { return };
                let key = if action == DEFAULT { Some(DEFAULT) } else { action.parse::<usize>().ok().and_then(|it| live.keys.get(it)).map(String::as_str) };
                let Some(key) = key else { return };
                // First what brings its window to the front.
                if !token.is_empty()
                    && let Err(error) = Notifications::activation_token(&self.programs, id, &token).await
                {
                    tracing::warn!("telling programs: {error}");
                }
                Notifications::action_invoked(&self.programs, id, key).await
            }
            _ => return,
        };
        if let Err(error) = told {
            tracing::warn!("telling programs: {error}");
        }
    }

    /// Nothing is known of the notices any more: they go, where they are still there.
    async fn lost(&mut self, error: &io::Error) {
        let all = std::mem::take(&mut self.live);
        if let Some(session) = self.session.take() {
            tracing::debug!("the connection to the desktop ends with {} notices: {error}", all.len());
            let requests: Vec<Request> = all.values().map(|it| Request::CloseNotice { id: it.theirs }).collect();
            session.end(&requests, AGAIN).await;
        }
        for id in all.into_keys() {
            if let Err(error) = Notifications::notification_closed(&self.programs, id, number(Reason::Undefined)).await {
                tracing::warn!("telling programs: {error}");
            }
        }
    }
}

/// The variables of the compositor's programs.
///
/// # Errors
/// Where there is no compositor, or it does not answer.
pub async fn environment(path: &Path) -> io::Result<BTreeMap<String, String>> {
    let answer = async { Session::connect(path).await?.ask(&Request::Environment).await };
    match timeout_at(Instant::now() + LIMIT, answer).await?? {
        Answer::Environment { variables } => Ok(variables),
        other => Err(io::Error::other(format!("an answer to another question: {other:?}"))),
    }
}

/// The specification's numbers.
fn number(reason: Reason) -> u32 {
    match reason {
        Reason::Expired => 1,
        Reason::Dismissed => 2,
        Reason::Closed => 3,
        Reason::Undefined => 4,
    }
}
