//! The desktop's own lock: a field for the password over the wallpaper. It takes over also where another program's lock has died.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use gde_layout::Rect;
use gde_raster::Pixmap;
use smithay::input::keyboard::Keysym;
use smithay::reexports::calloop::channel::{self, Event};
use smithay::reexports::calloop::timer::{TimeoutAction, Timer};

use crate::panel::local_time;
use crate::render::picture::Canvas;
use crate::render::scene::Scene;
use crate::state::Gde;
use crate::theme::{self, Fonts};

/// Checks a password as PAM's module for `/etc/shadow` has it checked (unix_chkpwd(8)).
const CHECKER: &str = "/usr/sbin/unix_chkpwd";
/// How long a wrong password takes at least, so that they cannot be tried in numbers.
const WRONG: Duration = Duration::from_secs(2);
/// Bytes of a password at most.
const LONGEST: usize = 512;
/// Dots that are shown at most.
const DOTS: usize = 24;
const WIDTH: i32 = 420;
const HEIGHT: i32 = 250;
const FIELD: i32 = 44;
/// Upon the wallpaper, which is dark whatever the windows are, and what makes it darker still.
const INK: u32 = gde_raster::rgb(0xf2_f4f7);
/// Over the wallpaper while the session is locked.
pub const SHADE: u32 = gde_raster::argb(150, 8, 10, 16);
/// In the runtime directory while the session is locked.
const MARK: &str = "gde.locked";

/// What is said below the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saying {
    Nothing,
    Checking,
    Wrong,
    Failed,
}

/// All that the picture depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    time: String,
    dots: usize,
    saying: Saying,
}

/// The lock.
#[derive(Debug)]
pub struct LockScreen {
    user: String,
    password: Vec<u8>,
    saying: Saying,
    look: Option<Look>,
    canvas: Canvas,
    /// Who checks a password, in tests.
    pub check: fn(&str, &[u8]) -> Option<bool>,
}

/// What the user's entry among the passwords allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Password {
    /// There is one.
    Set,
    /// None is needed.
    Empty,
    /// None opens.
    Barred,
}

/// What the lines of shadow(5) say of a user.
fn password_in(shadow: &str, user: &str) -> Password {
    let entry = shadow.lines().find_map(|line| line.strip_prefix(user)?.strip_prefix(':')).map(|rest| rest.split(':').next().unwrap_or_default());
    match entry {
        Some("") => Password::Empty,
        Some(hash) if !hash.starts_with(['*', '!']) => Password::Set,
        _ => Password::Barred,
    }
}

/// The user whose desktop it is.
pub fn user() -> String {
    ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty())).unwrap_or_else(|| "root".to_owned())
}

/// Whether the user has a password. Who may not read that has to be believed to have one.
pub fn password_of(user: &str) -> Password {
    std::fs::read_to_string("/etc/shadow").map_or(Password::Set, |text| password_in(&text, user))
}

/// Whether it is the user's password; none where that cannot be found out.
fn check(user: &str, password: &[u8]) -> Option<bool> {
    let mut checker = Command::new(CHECKER).args([user, "nullok"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let mut input = checker.stdin.take()?;
    input.write_all(password).and_then(|()| input.write_all(&[0])).ok()?;
    drop(input);
    Some(checker.wait().ok()?.success())
}

impl LockScreen {
    fn new() -> Self {
        LockScreen { user: user(), password: Vec::new(), saying: Saying::Nothing, look: None, canvas: Canvas::new(Pixmap::new(1, 1)), check }
    }

    fn forget(&mut self) {
        self.password.fill(0);
        self.password.clear();
    }

    /// It is drawn anew with the next frame.
    pub fn forget_picture(&mut self) {
        self.look = None;
    }

    /// Adds it to a scene.
    pub fn add(&self, scene: &mut Scene<'_>) {
        let screen = scene.screen;
        let at = scene.physical(screen.x + (screen.w - WIDTH) / 2, screen.y + (screen.h - HEIGHT) / 2);
        scene.elements.push(self.canvas.at(at, 1.0).into());
    }

    fn draw(&self, look: &Look, fonts: &Fonts) -> Pixmap {
        let mut pixmap = theme::picture(WIDTH, HEIGHT);
        let (day, hour) = look.time.rsplit_once("   ").unwrap_or(("", &look.time));
        let field = Rect::new(50, 158, WIDTH - 100, FIELD);
        let line = if look.saying == Saying::Wrong { theme::colours().danger } else { theme::colours().box_line };
        pixmap.fill_rounded(field.x, field.y, field.w, field.h, (12, 12), line);
        pixmap.fill_rounded(field.x + 1, field.y + 1, field.w - 2, field.h - 2, (11, 11), theme::colours().ground);
        let middle = |width: i32| (WIDTH - width) / 2;
        if let (Some(regular), Some(bold)) = (&fonts.regular, &fonts.bold) {
            let mut centred = |font: &gde_raster::text::Font, y: i32, text: &str, size: u32, colour: u32| {
                font.draw(&mut pixmap, middle(font.width(text, size)), y, text, size, colour);
            };
            centred(bold, 66, hour, 64, INK);
            centred(regular, 98, day, 16, INK);
            centred(bold, 142, &self.user, 15, INK);
            let below = match look.saying {
                Saying::Nothing => "",
                Saying::Checking => "One moment",
                Saying::Wrong => "That is not the password",
                Saying::Failed => "The password cannot be checked",
            };
            centred(regular, field.bottom() + 28, below, theme::TEXT_SIZE, INK);
            if look.dots == 0 {
                centred(regular, field.y + FIELD / 2 + 5, "Password", 14, theme::colours().text_dim);
            }
        }
        let dots = look.dots.min(DOTS) as i32;
        for dot in 0..dots {
            let x = WIDTH / 2 - (dots - 1) * 6 + dot * 12;
            pixmap.fill_disc((x * 4, (field.y + FIELD / 2) * 4), 14, theme::colours().text);
        }
        pixmap
    }
}

impl Gde {
    /// Locks the session.
    ///
    /// # Errors
    /// Where nobody could unlock it again.
    pub fn lock_session(&mut self) -> Result<(), String> {
        let user = user();
        if password_of(&user) == Password::Barred {
            let problem = format!("{user} has no password");
            self.tell("The screen is not locked", &format!("{problem}: nobody could unlock it. Set one first, with passwd in a terminal."));
            return Err(problem);
        }
        if !Path::new(CHECKER).exists() {
            self.tell("The screen is not locked", "The program that checks passwords is not installed.");
            return Err(format!("{CHECKER} is not installed"));
        }
        self.lock_now();
        Ok(())
    }

    /// Locks the session, whoever can unlock it.
    pub fn lock_now(&mut self) {
        self.lock.own = Some(LockScreen::new());
        self.begin_lock();
    }

    /// Nothing of the session is shown or takes input from now on.
    pub fn begin_lock(&mut self) {
        self.lock.is_locked = true;
        (self.launcher, self.overview, self.switcher, self.region) = (None, None, None, None);
        self.close_quick();
        self.close_menu(None);
        self.layout.cancel_drag();
        self.mark_lock();
        self.update_focus();
        self.update_pointer_focus();
        self.queue_redraws();
    }

    /// The session is shown again.
    pub fn end_lock(&mut self) {
        self.lock.is_locked = false;
        self.lock.own = None;
        self.lock.surfaces.clear();
        self.mark_lock();
        self.last_input = self.clock.now();
        self.update_focus();
        self.update_pointer_focus();
        self.queue_redraws();
    }

    fn mark(&self) -> Option<PathBuf> {
        Some(self.runtime_dir.as_ref()?.join(MARK))
    }

    /// Leaves a mark for who is started after this desktop has died.
    fn mark_lock(&self) {
        let Some(mark) = self.mark() else { return };
        let done = if self.lock.is_locked { std::fs::write(&mark, "") } else { std::fs::remove_file(&mark) };
        if let Err(error) = done.or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }) {
            tracing::warn!("{}: {error}", mark.display());
        }
    }

    /// Where the desktop before this one has died while it was locked, this one is locked too.
    pub fn resume_lock(&mut self) {
        if self.mark().is_some_and(|it| it.exists()) {
            self.lock_now();
        }
    }

    /// Where another program's lock has died, ours takes its place.
    pub fn keep_locked(&mut self) {
        let has_died = !self.lock.surfaces.is_empty() && !self.lock.surfaces.values().any(|it| it.alive());
        if self.lock.is_locked && has_died {
            self.lock.surfaces.clear();
            self.lock.own.get_or_insert_with(LockScreen::new);
            self.update_focus();
            self.queue_redraws();
        }
    }

    /// A key while the session is locked.
    pub fn lock_key(&mut self, key: Keysym, text: Option<char>) {
        let is_ctrl = self.keyboard.modifier_state().ctrl;
        let Some(lock) = &mut self.lock.own else { return };
        if lock.saying == Saying::Checking {
            return;
        }
        lock.saying = Saying::Nothing;
        match key {
            Keysym::Return | Keysym::KP_Enter => self.check_password(),
            Keysym::Escape => lock.forget(),
            Keysym::u if is_ctrl => lock.forget(),
            Keysym::BackSpace => {
                // Bytes that go on with a letter go with it.
                while lock.password.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            _ => {
                if let Some(letter) = text.filter(|it| !it.is_control()).filter(|it| lock.password.len() + it.len_utf8() <= LONGEST) {
                    lock.password.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        self.queue_redraws();
    }

    fn check_password(&mut self) {
        let Some(lock) = &mut self.lock.own else { return };
        lock.saying = Saying::Checking;
        let (user, mut password, check) = (lock.user.clone(), std::mem::take(&mut lock.password), lock.check);
        let (sender, answer) = channel::channel();
        let added = self.events.insert_source(answer, |event, (), gde| {
            if let Event::Msg(answer) = event {
                gde.password_checked(answer);
            }
        });
        let worker = std::thread::Builder::new().name("password".into()).stack_size(128 << 10).spawn(move || {
            let answer = check(&user, &password);
            password.fill(0);
            if answer != Some(true) {
                std::thread::sleep(WRONG);
            }
            // The desktop is there for as long as its threads.
            let _ = sender.send(answer);
        });
        let failed = added.err().map(|error| error.to_string()).or_else(|| worker.err().map(|error| error.to_string()));
        if let Some(error) = failed {
            tracing::warn!("checking a password: {error}");
            self.password_checked(None);
        }
    }

    fn password_checked(&mut self, answer: Option<bool>) {
        if answer == Some(true) && self.lock.own.is_some() {
            return self.end_lock();
        }
        if let Some(lock) = &mut self.lock.own {
            lock.saying = if answer.is_none() { Saying::Failed } else { Saying::Wrong };
        }
        self.queue_redraws();
    }

    /// Draws the lock anew where it must look otherwise.
    pub fn update_lock(&mut self) {
        let Some(lock) = &mut self.lock.own else { return };
        let dots = String::from_utf8_lossy(&lock.password).chars().count();
        let look = Look { time: local_time(), dots, saying: lock.saying };
        if lock.look.as_ref() != Some(&look) {
            let pixmap = lock.draw(&look, &self.fonts);
            lock.canvas.replace(pixmap);
            lock.look = Some(look);
        }
    }

    /// Locks the session when nobody has touched it for so long, where there is a password and nothing keeps it awake.
    pub fn lock_when_idle(&mut self, limit: Duration) {
        self.last_input = self.clock.now();
        let added = self.events.insert_source(Timer::from_duration(limit), move |_, (), gde| {
            let idle = gde.clock.now().saturating_sub(gde.last_input);
            if idle < limit {
                return TimeoutAction::ToDuration(limit - idle);
            }
            let is_kept_awake = gde.inhibitors.iter().any(smithay::reexports::wayland_server::Resource::is_alive);
            if !gde.lock.is_locked && !is_kept_awake && password_of(&user()) == Password::Set && Path::new(CHECKER).exists() {
                gde.lock_now();
            }
            TimeoutAction::ToDuration(limit)
        });
        if let Err(error) = added {
            tracing::warn!("the session is not locked by itself: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_understood() {
        let shadow = "root:*:1::\nann:$6$salt$hash:1::\nann2:!$6$x:1\nbob::1:\n";
        let of = |user| password_in(shadow, user);
        assert_eq!([of("root"), of("ann"), of("ann2"), of("bob"), of("nobody")], [Password::Barred, Password::Set, Password::Barred, Password::Empty, Password::Barred]);
    }
}
