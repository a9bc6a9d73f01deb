//! The windows of the desktop, where one runs.

use gde_ipc::{Answer, Client, Request};
use intent::windows::Window;

/// Its windows, the topmost first. `None` without a desktop.
pub fn windows() -> Option<Vec<Window>> {
    let mut client = Client::connect().ok()?;
    // A desktop that hangs is no reason for the shell to hang.
    client.wait_at_most(std::time::Duration::from_secs(2)).ok()?;
    let Answer::Windows { windows } = client.ask(&Request::Windows).ok()? else { return None };
    let window = |w: gde_ipc::Window| Window { id: w.id, title: w.title, app: w.app_id, focused: w.is_focused, minimized: w.is_minimized, workspace: w.workspace };
    Some(windows.into_iter().map(window).collect())
}
