//! `org.freedesktop.Notifications`, by the Desktop Notifications Specification 1.2.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use gde_ipc::Notice;
use tokio::sync::{mpsc, oneshot};
use zbus::fdo;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;

use crate::compositor::{Due, LIMIT, Problem, Shown, Task};
use crate::hints::Hints;
use crate::limits::{Limits, Rate};
use crate::{picture, text};

/// The name on the bus.
pub const NAME: &str = "org.freedesktop.Notifications";
/// Where the object is.
pub const PATH: &str = "/org/freedesktop/Notifications";
/// The action of a click on the words.
pub const DEFAULT: &str = "default";

/// A progress that is shown by a notice changes a few times a second.
const EACH: Rate = Rate { burst: 50.0, per_second: 20.0 };
const TOGETHER: Rate = Rate { burst: 100.0, per_second: 40.0 };
/// Characters at most of a program's name, a title, a body, the label of an action; more has no room on the screen.
const APP: usize = 80;
const TITLE: usize = 200;
const BODY: usize = 1000;
const LABEL: usize = 60;
/// What of a body is looked at, bytes: markup may be longer than its words.
const BODY_BYTES: usize = 64 << 10;
/// Actions at most, and bytes of what a program calls one.
const ACTIONS: usize = 8;
const KEY_BYTES: usize = 1024;
/// The longest time that a program may want, a day.
const LONGEST_MS: u32 = 86_400_000;

/// Takes notices from programs.
pub struct Notifications {
    tasks: mpsc::Sender<Due>,
    limits: Mutex<Limits>,
}

impl Notifications {
    /// Hands notices on by `tasks`.
    pub fn new(tasks: mpsc::Sender<Due>) -> Self {
        Notifications { tasks, limits: Mutex::new(Limits::new(EACH, TOGETHER, Instant::now())) }
    }

    /// Who floods is refused.
    fn allow(&self, header: &Header<'_>) -> fdo::Result<()> {
        let program = header.sender().map(|it| it.as_str()).unwrap_or_default();
        let is_allowed = self.limits.lock().unwrap_or_else(PoisonError::into_inner).allow(program, Instant::now());
        is_allowed.then_some(()).ok_or_else(|| fdo::Error::LimitsExceeded("too many requests about notices at once: wait a second".into()))
    }

    async fn ask<T>(&self, task: impl FnOnce(oneshot::Sender<Result<T, Problem>>) -> Task) -> fdo::Result<T> {
        let (answer, answered) = oneshot::channel();
        let due = Due { task: task(answer), until: tokio::time::Instant::now() + LIMIT };
        // Waiting for room would only move the queue to here.
        self.tasks.try_send(due).map_err(|_| fdo::Error::LimitsExceeded("the desktop is behind with notices: wait some seconds".into()))?;
        match answered.await {
            Ok(Ok(it)) => Ok(it),
            Ok(Err(Problem::NoDesktop(why))) => Err(fdo::Error::Failed(format!("the desktop shows no notices now: {why}"))),
            Ok(Err(Problem::Refused(why))) => Err(fdo::Error::LimitsExceeded(why)),
            Ok(Err(Problem::Unknown)) => Err(fdo::Error::InvalidArgs("there is no notice of this number, or not any more".into())),
            Err(_) => Err(fdo::Error::Failed("the service ends".into())),
        }
    }
}

/// The name that is shown for a program.
fn app(name: &str, hints: &Hints<'_>) -> String {
    let given = text::line(name, APP);
    // An empty one would be the desktop itself.
    let entry = || hints.desktop_entry.map(|it| text::line(it.rsplit('.').next().unwrap_or(it), APP)).filter(|it| !it.is_empty());
    if given.is_empty() { entry().unwrap_or_else(|| "A program".into()) } else { given }
}

/// What the compositor gets of a program's words.
fn shown(app_name: &str, summary: &str, body: &str, actions: &[&str], hints: &Hints<'_>, timeout_ms: i32) -> Shown {
    let mut keys = Vec::new();
    let pairs = actions.chunks_exact(2).filter(|it| it[0].len() <= KEY_BYTES).take(ACTIONS);
    let actions = pairs.map(|it| {
        let label = text::line(it[1], LABEL);
        if it[0] == DEFAULT {
            return (DEFAULT.to_owned(), label);
        }
        keys.push(it[0].to_owned());
        ((keys.len() - 1).to_string(), label)
    });
    let actions = actions.collect();
    let app = app(app_name, hints);
    let title = Some(text::line(summary, TITLE)).filter(|it| !it.is_empty()).unwrap_or_else(|| app.clone());
    let body = &body[..body.floor_char_boundary(BODY_BYTES)];
    let notice = Notice {
        title,
        body: text::short(&text::plain(body), BODY),
        actions,
        urgency: hints.urgency,
        // -1 leaves it to the desktop.
        timeout_ms: u32::try_from(timeout_ms).ok().map(|it| it.min(LONGEST_MS)),
        picture: None,
        app,
    };
    Shown { notice, keys }
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    /// Shows a notice; its number.
    #[allow(clippy::too_many_arguments)]
    #[zbus(out_args("id"))]
    async fn notify(
        &self,
        #[zbus(header)] header: Header<'_>,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: Vec<&str>,
        hints: Hints<'_>,
        expire_timeout: i32,
    ) -> fdo::Result<u32> {
        self.allow(&header)?;
        let mut shown = Box::new(shown(app_name, summary, body, &actions, &hints, expire_timeout));
        shown.notice.picture = picture::of(app_icon, &hints).await;
        self.ask(|answer| Task::Show { shown, replaces: replaces_id, answer }).await
    }

    /// Takes a notice away.
    async fn close_notification(&self, #[zbus(header)] header: Header<'_>, id: u32) -> fdo::Result<()> {
        self.allow(&header)?;
        self.ask(|answer| Task::Close { id, answer }).await
    }

    /// What is done of what the specification lets be left out.
    #[zbus(out_args("capabilities"))]
    fn get_capabilities(&self) -> Vec<&'static str> {
        vec!["actions", "body", "icon-static"]
    }

    /// Who answers here.
    #[zbus(out_args("name", "vendor", "version", "spec_version"))]
    fn get_server_information(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        ("desktopd", "GenAI OS", env!("CARGO_PKG_VERSION"), "1.2")
    }

    /// A notice has gone: 1 its time was over, 2 the user has put it away, 3 its program has, 4 for another reason.
    #[zbus(signal)]
    pub async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;

    /// With this the program may give a window of its the keyboard; an action follows.
    #[zbus(signal)]
    pub async fn activation_token(emitter: &SignalEmitter<'_>, id: u32, activation_token: &str) -> zbus::Result<()>;

    /// The user has chosen an action.
    #[zbus(signal)]
    pub async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action_key: &str) -> zbus::Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use gde_ipc::Request;

    #[test]
    fn words_have_bounds() {
        // JSON has six bytes for some characters.
        let huge = "\u{2028}".repeat(1 << 20);
        let actions: Vec<&str> = std::iter::repeat_n(["key", huge.as_str()], 1000).flatten().collect();
        let mut it = shown(&huge, &huge, &huge, &actions, &Hints::default(), i32::MAX);
        it.notice.picture = gde_ipc::Picture::new(48, 48, vec![0x5a; 48 * 48 * 4]);
        assert_eq!((it.notice.actions.len(), it.keys.len(), it.notice.timeout_ms), (ACTIONS, ACTIONS, Some(LONGEST_MS)));
        let line = serde_json::to_vec(&Request::Notify { notice: it.notice, replaces: Some(u32::MAX) }).expect("a line");
        // The compositor takes 64 KiB.
        assert!(line.len() < 32 << 10, "{} bytes", line.len());
    }

    #[test]
    fn actions_are_called_by_numbers() {
        let long = "x".repeat(KEY_BYTES + 1);
        let it = shown("", "", "", &["open\n", "Open\n it", &long, "Long", "default", "", "b", "B", "odd"], &Hints { desktop_entry: Some("org.mail.Mail"), ..Hints::default() }, -1);
        let wanted = [("0", "Open  it"), ("default", ""), ("1", "B")].map(|(key, label)| (key.to_owned(), label.to_owned()));
        assert_eq!((it.notice.actions, it.keys), (wanted.to_vec(), vec!["open\n".to_owned(), "b".to_owned()]));
        assert_eq!((it.notice.app.as_str(), it.notice.title.as_str(), it.notice.timeout_ms), ("Mail", "Mail", None));
        assert_eq!(shown("", "x", "", &[], &Hints::default(), 0).notice.app, "A program");
    }
}
