//! Actions, whoever asks for them: a key, another program, language.

use std::process::{Command, Stdio};

use ::actions::desktop::{DesktopAction, Part, Side};
use gde_layout::{Direction, Rect, State, Zone};

use crate::state::Gde;
use crate::window::{Client, WindowId};
use crate::x11::Command as X11;

/// The terminals that may be there, the preferred one first.
const TERMINALS: [&str; 4] = ["terminal", "foot", "weston-terminal", "xterm"];

fn state_of(part: Part) -> State {
    match part {
        Part::Free => State::Free,
        Part::Left => State::Snapped(Zone::Left),
        Part::Right => State::Snapped(Zone::Right),
        Part::TopLeft => State::Snapped(Zone::TopLeft),
        Part::TopRight => State::Snapped(Zone::TopRight),
        Part::BottomLeft => State::Snapped(Zone::BottomLeft),
        Part::BottomRight => State::Snapped(Zone::BottomRight),
        Part::Maximized => State::Maximized,
        Part::Fullscreen => State::Fullscreen,
    }
}

/// The part that a state stands for.
pub fn part_of(state: State) -> Part {
    match state {
        State::Free => Part::Free,
        State::Snapped(Zone::Left) => Part::Left,
        State::Snapped(Zone::Right) => Part::Right,
        State::Snapped(Zone::TopLeft) => Part::TopLeft,
        State::Snapped(Zone::TopRight) => Part::TopRight,
        State::Snapped(Zone::BottomLeft) => Part::BottomLeft,
        State::Snapped(Zone::BottomRight) => Part::BottomRight,
        State::Maximized => Part::Maximized,
        State::Fullscreen => Part::Fullscreen,
    }
}

fn direction(side: Side) -> Direction {
    match side {
        Side::Left => Direction::Left,
        Side::Right => Direction::Right,
        Side::Up => Direction::Up,
        Side::Down => Direction::Down,
    }
}

/// Workspaces count from 1 in actions.
fn workspace(number: usize) -> Result<usize, String> {
    let workspaces = gde_layout::WORKSPACES;
    if (1..=workspaces).contains(&number) { Ok(number - 1) } else { Err(format!("there are the workspaces 1 to {workspaces}, not {number}")) }
}

impl Gde {
    fn target(&self, window: Option<WindowId>) -> Result<WindowId, String> {
        match window {
            Some(id) if self.layout.place(id).is_some() => Ok(id),
            Some(id) => Err(format!("there is no window {id}")),
            None => self.layout.focus().ok_or_else(|| "no window has the keyboard".to_owned()),
        }
    }

    /// Does what an action says.
    ///
    /// # Errors
    /// Why it cannot be done, in words.
    pub fn act(&mut self, action: &DesktopAction) -> Result<(), String> {
        if self.lock.is_locked && !matches!(action, DesktopAction::Quit) {
            return Err("the session is locked".to_owned());
        }
        tracing::debug!("action: {action}");
        match action {
            DesktopAction::Focus { window } => {
                let id = self.target(Some(*window))?;
                self.activate(id);
            }
            DesktopAction::Close { window } => {
                let id = self.target(*window)?;
                match self.layout.window(id).map(|window| &window.client) {
                    Some(Client::Xdg(toplevel)) => toplevel.send_close(),
                    Some(Client::X11(toplevel)) => {
                        let window = toplevel.window;
                        self.tell_x11(X11::Close(window));
                    }
                    None => {}
                }
            }
            DesktopAction::Snap { window, side } => {
                let id = self.target(*window)?;
                self.layout.step(id, direction(*side));
            }
            DesktopAction::Put { window, part } => {
                let id = self.target(*window)?;
                self.layout.set_state(id, state_of(*part));
            }
            DesktopAction::Frame { window, x, y, width, height } => {
                let id = self.target(*window)?;
                self.layout.set_frame(id, Rect::new(*x, *y, *width, *height));
            }
            DesktopAction::ToggleMaximized { window } => self.toggle_state(*window, State::Maximized)?,
            DesktopAction::ToggleFullscreen { window } => self.toggle_state(*window, State::Fullscreen)?,
            DesktopAction::Minimize { window } => {
                let id = self.target(*window)?;
                self.layout.set_minimized(id, true);
            }
            DesktopAction::ToggleSticky { window } => {
                let id = self.target(*window)?;
                self.layout.toggle_sticky(id);
            }
            DesktopAction::ToggleFloating { window } => {
                let id = self.target(*window)?;
                self.layout.toggle_floating(id);
            }
            DesktopAction::ToScratchpad { window } => {
                let id = self.target(*window)?;
                self.layout.toggle_scratchpad_of(id);
            }
            DesktopAction::Scratchpad => {
                self.layout.toggle_scratchpad();
            }
            DesktopAction::Swap { window, other } => {
                let (one, other) = (self.target(Some(*window))?, self.target(Some(*other))?);
                self.layout.swap(one, other);
            }
            DesktopAction::MoveTo { window, workspace: number } => {
                let id = self.target(*window)?;
                self.layout.move_to(id, workspace(*number)?);
            }
            DesktopAction::Workspace { workspace: number } => {
                self.layout.switch_to(workspace(*number)?);
            }
            DesktopAction::ToggleTiling => self.toggle_tiling(),
            DesktopAction::Share { by } => {
                self.layout.change_share(*by);
            }
            DesktopAction::NextWindow => self.switch_window(true),
            DesktopAction::PreviousWindow => self.switch_window(false),
            DesktopAction::Undo => {
                if !self.layout.undo() {
                    return Err("there is nothing to undo".to_owned());
                }
                self.offer_undone();
            }
            DesktopAction::Redo => {
                if !self.layout.redo() {
                    return Err("there is nothing to redo".to_owned());
                }
            }
            DesktopAction::Terminal => {
                let terminal = terminal().ok_or_else(|| format!("none of {} is installed", TERMINALS.join(", ")))?;
                self.spawn(terminal)?;
            }
            DesktopAction::Launcher => self.toggle_launcher(),
            DesktopAction::Overview => self.toggle_overview(),
            DesktopAction::QuickSettings => self.toggle_quick(),
            DesktopAction::Screenshot { shot } => self.shoot(*shot)?,
            DesktopAction::Lock => self.lock_session()?,
            DesktopAction::DismissNotices => self.dismiss_notices(),
            DesktopAction::ToggleQuiet => self.toggle_quiet(),
            DesktopAction::ToggleFocusMode => self.set_focus_mode(!self.focus_mode.is_on()),
            DesktopAction::AcceptOffer => self.accept_offer()?,
            DesktopAction::DismissOffer => self.dismiss_offer()?,
            DesktopAction::Run { command } => self.spawn(command)?,
            DesktopAction::Quit => self.is_stopping = true,
        }
        self.layout_changed();
        Ok(())
    }

    fn toggle_state(&mut self, window: Option<WindowId>, state: State) -> Result<(), String> {
        let id = self.target(window)?;
        let Some(place) = self.layout.place(id).copied() else { return Ok(()) };
        let next = match (place.state == state, state) {
            (true, State::Fullscreen) => place.before_fullscreen,
            (true, _) => State::Free,
            (false, _) => state,
        };
        self.layout.set_state(id, next);
        Ok(())
    }

    /// Starts a program by its command line.
    ///
    /// # Errors
    /// Where no shell can be started; what the shell says of the command goes to the log.
    pub fn spawn(&mut self, command: &str) -> Result<(), String> {
        use std::os::unix::process::CommandExt;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(format!("exec {command}"));
        shell.envs(self.environment.iter().map(|(name, value)| (name, value)));
        shell.stdin(Stdio::null()).process_group(0);
        // SAFETY: what is called after fork only changes the mask of signals.
        unsafe { shell.pre_exec(crate::sys::release_signals) };
        match shell.spawn() {
            Ok(mut child) => {
                // Somebody has to take its exit status.
                let name = command.to_owned();
                let waiter = std::thread::Builder::new().name("child".into()).stack_size(64 << 10).spawn(move || match child.wait() {
                    Ok(status) if !status.success() => tracing::info!("{name}: {status}"),
                    Ok(_) => {}
                    Err(error) => tracing::warn!("{name}: {error}"),
                });
                waiter.map(drop).map_err(|error| format!("waiting for {command}: {error}"))
            }
            Err(error) => Err(format!("starting {command}: {error}")),
        }
    }
}

/// The terminal that is there.
pub fn terminal() -> Option<&'static str> {
    TERMINALS.into_iter().find(|name| is_program(name))
}

/// Whether there is a program of this name.
pub fn is_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&path).any(|dir| dir.join(name).is_file())
}
