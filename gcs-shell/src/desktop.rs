//! The desktop, where one runs: its windows, and learning in one of them.

use std::time::Duration;

use gde_ipc::{Answer, Client, Request};
use intent::windows::Window;

/// A desktop that hangs is no reason for the shell to hang.
const PATIENCE: Duration = Duration::from_secs(2);

/// Its windows, the topmost first. `None` without a desktop.
pub fn windows() -> Option<Vec<Window>> {
    let mut client = Client::connect().ok()?;
    client.wait_at_most(PATIENCE).ok()?;
    let Answer::Windows { windows } = client.ask(&Request::Windows).ok()? else { return None };
    let window = |w: gde_ipc::Window| Window { id: w.id, title: w.title, app: w.app_id, focused: w.is_focused, minimized: w.is_minimized, workspace: w.workspace };
    Some(windows.into_iter().map(window).collect())
}

/// The desktop's part in a lesson: what the user wants of it while learning, until this is dropped or the shell ends.
pub struct Learning {
    // The session is this connection.
    _client: Client,
    focuses: bool,
}

impl Learning {
    /// Tells the desktop whose terminal this is that a lesson begins. `None` outside of one, and where it wants none.
    pub fn begin() -> Option<Learning> {
        // What its terminals have. Another user's screen, or one far away, is not to be dimmed by somebody who learns here.
        std::env::var_os(gde_ipc::SOCKET)?;
        let mut client = Client::connect().ok()?;
        client.wait_at_most(PATIENCE).ok()?;
        match client.ask(&Request::Lesson { lesson: None }).ok()? {
            Answer::Lesson { lesson } => Some(Learning { _client: client, focuses: lesson.focus }),
            _ => None,
        }
    }

    /// What the learner should know of it; empty where nothing is different.
    pub fn sentence(&self) -> &'static str {
        if self.focuses { "Other windows are dimmed meanwhile; Super+D shows them." } else { "" }
    }
}
