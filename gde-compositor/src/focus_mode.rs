//! Focus mode: one window, and nothing that distracts. Others are dimmed, only urgent notices are seen, and nothing is offered; leaving it brings everything back.
//!
//! A learning session may ask for it, and for larger text and more contrast. It lasts as long as the connection of who asks; what it wants of the look is in the
//! settings' file, which all apps follow, and never makes less of what the user has chosen.

use desktop_settings::{Contrast, Learning, Lesson};
use gde_raster::argb;
use smithay::backend::renderer::element::Id;

use crate::settings::Change;
use crate::state::Gde;
use crate::window::WindowId;

/// What lies upon all that is not looked at.
pub const SHADE: u32 = argb(168, 6, 8, 12);

/// What is on.
#[derive(Debug)]
pub struct FocusMode {
    /// Whether only urgent notices were seen before it; none while it is off.
    was_quiet: Option<bool>,
    /// Of what dims the others.
    pub shade_id: Id,
    /// Whether there may be learning sessions.
    pub has_lessons: bool,
    lesson: Option<Owned>,
}

/// A learning session.
#[derive(Debug)]
struct Owned {
    /// Whose it is.
    asker: u64,
    /// Whether it has switched focus mode on.
    has_focused: bool,
    /// Whether it leaves what it wants to the user's settings.
    is_as_set: bool,
}

impl Default for FocusMode {
    fn default() -> Self {
        FocusMode { was_quiet: None, shade_id: Id::new(), has_lessons: true, lesson: None }
    }
}

impl FocusMode {
    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.was_quiet.is_some()
    }

    /// The user has said which notices are to be seen: that holds also afterwards.
    pub fn quiet_was_chosen(&mut self, is_quiet: bool) {
        if let Some(was_quiet) = &mut self.was_quiet {
            *was_quiet = is_quiet;
        }
    }
}

/// What the user's settings say of learning.
fn as_set(learning: Learning) -> gde_ipc::Lesson {
    gde_ipc::Lesson { text_percent: learning.text_percent, high_contrast: learning.contrast == Contrast::High, focus: learning.focus }
}

/// What a session wants of the look.
fn look(lesson: gde_ipc::Lesson) -> Lesson {
    let contrast = if lesson.high_contrast { Contrast::High } else { Contrast::Normal };
    Lesson { text_percent: lesson.text_percent, contrast }
}

impl Gde {
    /// Switches focus mode on or off.
    pub fn set_focus_mode(&mut self, is_on: bool) {
        if is_on == self.focus_mode.is_on() {
            return;
        }
        self.notices.is_quiet = match self.focus_mode.was_quiet.take() {
            Some(was_quiet) => was_quiet,
            None => {
                self.focus_mode.was_quiet = Some(self.notices.is_quiet);
                true
            }
        };
        if let Some(lesson) = &mut self.focus_mode.lesson {
            // Whoever switches it decides from now on.
            lesson.has_focused = false;
        }
        // Nothing is put away: what was seen comes back while its time lasts.
        self.arrange_notices();
        self.queue_redraws();
    }

    /// The windows that are not dimmed: the focused one and its dialogs, or whose dialog it is. None where nothing is dimmed.
    pub fn bright_windows(&self) -> Option<Vec<WindowId>> {
        if !self.focus_mode.is_on() {
            return None;
        }
        let parent = |id: WindowId| self.parent_of(&self.layout.window(id)?.client);
        let root = |mut id: WindowId| {
            // Clients may make circles of them.
            for _ in 0..16 {
                match parent(id) {
                    Some(above) => id = above,
                    None => break,
                }
            }
            id
        };
        let focus = root(self.layout.focus()?);
        Some(self.layout.visible().into_iter().filter(|id| root(*id) == focus).collect())
    }

    /// A learning session begins, and lasts until its program is gone. Where it does not say what it wants, that is what the user's settings say of learning; the
    /// answer is what it comes to.
    ///
    /// # Errors
    /// Where there is another one, or education is off.
    pub fn begin_lesson(&mut self, lesson: Option<gde_ipc::Lesson>, asker: u64) -> Result<gde_ipc::Lesson, String> {
        if !self.focus_mode.has_lessons {
            return Err("education is off (the boot parameter education)".into());
        }
        if self.focus_mode.lesson.as_ref().is_some_and(|it| it.asker != asker) {
            return Err("there is another learning session".into());
        }
        let is_as_set = lesson.is_none();
        let lesson = lesson.unwrap_or_else(|| as_set(self.chosen.learning));
        let had_focused = self.focus_mode.lesson.take().is_some_and(|it| it.has_focused);
        let switches = lesson.focus && !self.focus_mode.is_on();
        if lesson.focus || had_focused {
            self.set_focus_mode(lesson.focus);
        }
        self.focus_mode.lesson = Some(Owned { asker, has_focused: switches || (had_focused && lesson.focus), is_as_set });
        self.want_look(Some(look(lesson)));
        Ok(lesson)
    }

    /// The settings say something else of learning: that holds also for a session that is under way. Focus mode stays as the user has switched it, where they say
    /// of it what they said before.
    pub fn learning_changed(&mut self, before: Learning) {
        let now = self.chosen.learning;
        let Some(lesson) = self.focus_mode.lesson.as_ref().filter(|it| it.is_as_set && now != before) else { return };
        if now.focus == before.focus {
            return self.want_look(Some(look(as_set(now))));
        }
        let asker = lesson.asker;
        // It is its own session, so that nothing speaks against it.
        if let Err(problem) = self.begin_lesson(None, asker) {
            tracing::warn!("the learning session stays as it is: {problem}");
        }
    }

    /// A program is gone; perhaps a learning session with it.
    pub fn lesson_owner_gone(&mut self, asker: u64) {
        let Some(lesson) = self.focus_mode.lesson.take_if(|it| it.asker == asker) else { return };
        if lesson.has_focused {
            self.set_focus_mode(false);
        }
        self.want_look(None);
    }

    /// There is no learning session, whatever the settings say.
    pub fn forget_lesson(&mut self) {
        self.want_look(None);
    }

    fn want_look(&mut self, lesson: Option<Lesson>) {
        let lesson = lesson.filter(|it| *it != Lesson::default());
        if lesson != self.chosen.lesson {
            self.change_appearance(Change::Lesson(lesson));
        }
    }
}
