//! Which programs' windows are used together, where and when, and offers to arrange them so again. What is learnt and what follows from it is in the crate
//! `gde-habits`; here it is told what is seen, and what it offers is shown as a notice. Nothing is moved before the user says so.

pub mod keep;
mod sketch;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::Duration;

use ::actions::desktop::{DesktopAction, Part};
use gde_habits::{Frame, Habits, Initiative, Move, Offer, Place, Seen, Session, Spot, To, View};
use gde_ipc::{Notice, Reason, Urgency};
use gde_layout::{Area, Rect, State, Zone};
use smithay::reexports::calloop::RegistrationToken;
use smithay::reexports::calloop::timer::{TimeoutAction, Timer};

use crate::state::Gde;
use crate::window::WindowId;

/// A pause of this length ends a session.
const PAUSE: Duration = Duration::from_secs(30 * 60);
/// A view that has not changed for longer counts no more than this: nobody may have been there.
const LONGEST: Duration = Duration::from_secs(600);
/// How often what is learnt is kept during a session.
const KEPT: Duration = Duration::from_secs(300);
/// Windows that have just appeared are left alone so long.
const SETTLED: Duration = Duration::from_secs(2);
/// How long an offer is seen.
const SHOWN_MS: u32 = 20_000;
/// An offer that was not taken is no wish, but a hint.
const IGNORED: f64 = 0.3;
/// Who takes an accepted offer back so soon did not want it.
const REGRET: Duration = Duration::from_secs(60);

/// An offer that is shown.
#[derive(Debug)]
struct Offered {
    offer: Offer,
    notice: u32,
}

/// What was learnt, and what is offered.
#[derive(Debug)]
pub struct Arrangement {
    habits: Habits,
    session: Option<Session>,
    /// What is seen now, and since when.
    seen: Option<(Duration, View)>,
    /// Programs that are left alone until the next session.
    spared: BTreeSet<String>,
    offered: Option<Offered>,
    accepted: Option<(Duration, Offer)>,
    timer: Option<RegistrationToken>,
    /// How much may be offered.
    pub initiative: Initiative,
    settings: desktop_settings::Arrangement,
    keeper: Option<keep::Keeper>,
    kept: Duration,
    /// What programs are called, once they were looked for.
    names: HashMap<String, String>,
}

impl Default for Arrangement {
    fn default() -> Self {
        Arrangement {
            habits: Habits::default(),
            session: None,
            seen: None,
            spared: BTreeSet::new(),
            offered: None,
            accepted: None,
            timer: None,
            initiative: Initiative::of(500),
            settings: desktop_settings::Arrangement::default(),
            keeper: None,
            kept: Duration::ZERO,
            names: HashMap::new(),
        }
    }
}

impl Arrangement {
    /// The notice of what is offered.
    pub fn notice(&self) -> Option<u32> {
        self.offered.as_ref().map(|it| it.notice)
    }

    /// What was learnt in sessions before this one.
    pub fn habits(&self) -> &Habits {
        &self.habits
    }

    fn keep(&self) {
        let Some(keeper) = &self.keeper else { return };
        let mut habits = self.habits.clone();
        // If the desktop died now, the session so far would be one.
        self.session.iter().for_each(|it| habits.add(it));
        match habits.to_json() {
            Ok(text) => keeper.keep(text),
            Err(problem) => tracing::warn!("keeping habits: {problem}"),
        }
    }
}

/// A name for people of what a program calls itself: the last part of `org.example.Text-Editor`.
fn plain_name(app: &str) -> String {
    let last = app.rsplit('.').next().filter(|it| !it.is_empty()).unwrap_or(app);
    let mut chars = last.chars().map(|it| if matches!(it, '-' | '_') { ' ' } else { it });
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn spot_of(state: State, frame: &Rect, usable: &Rect, is_tiled: bool) -> Option<Spot> {
    Some(match state {
        State::Snapped(Zone::Left) => Spot::Left,
        State::Snapped(Zone::Right) => Spot::Right,
        State::Snapped(Zone::TopLeft) => Spot::TopLeft,
        State::Snapped(Zone::TopRight) => Spot::TopRight,
        State::Snapped(Zone::BottomLeft) => Spot::BottomLeft,
        State::Snapped(Zone::BottomRight) => Spot::BottomRight,
        State::Maximized => Spot::Maximized,
        State::Fullscreen => return None,
        State::Free if is_tiled => Spot::Tile,
        State::Free => {
            let part = |value: i32, length: i32| (i64::from(value) * 1000 / i64::from(length.max(1))).clamp(-2000, 2000) as i16;
            Spot::Free(Frame { x: part(frame.x - usable.x, usable.w), y: part(frame.y - usable.y, usable.h), w: part(frame.w, usable.w), h: part(frame.h, usable.h) })
        }
    })
}

fn part_of(spot: Spot) -> Option<Part> {
    Some(match spot {
        Spot::Left => Part::Left,
        Spot::Right => Part::Right,
        Spot::TopLeft => Part::TopLeft,
        Spot::TopRight => Part::TopRight,
        Spot::BottomLeft => Part::BottomLeft,
        Spot::BottomRight => Part::BottomRight,
        Spot::Maximized => Part::Maximized,
        Spot::Tile | Spot::Free(_) => return None,
    })
}

impl Gde {
    /// Takes what was learnt before, and keeps there what is learnt from now on.
    pub fn remember_arrangements(&mut self, path: PathBuf) {
        self.arrangement.habits = keep::read(&path);
        self.arrangement.keeper = keep::Keeper::start(path).inspect_err(|error| tracing::warn!("what is learnt of windows is not kept: {error}")).ok();
    }

    /// Keeps what was learnt; to be called at the end.
    pub fn end_arrangements(&mut self) {
        self.end_session();
        self.arrangement.keeper = None;
    }

    /// What the settings say.
    pub fn set_arrangement(&mut self, settings: desktop_settings::Arrangement) {
        self.arrangement.settings = settings;
        if !settings.learn {
            self.arrangement.session = None;
            self.arrangement.seen = None;
        }
        if !settings.learn || !settings.offer {
            self.withdraw_offer();
        }
    }

    fn end_session(&mut self) {
        self.count_seen();
        self.withdraw_offer();
        if let Some(session) = self.arrangement.session.take() {
            self.arrangement.habits.add(&session);
            self.arrangement.keep();
        }
        self.arrangement.spared.clear();
        self.arrangement.accepted = None;
    }

    /// The user has come back after so long.
    pub fn pause_noticed(&mut self, pause: Duration) {
        if pause >= PAUSE && self.arrangement.session.is_some() {
            self.end_session();
            self.note_windows();
        }
    }

    /// What has been seen so far counts; from now on anew.
    fn count_seen(&mut self) {
        let Some((since, view)) = self.arrangement.seen.take() else { return };
        let seconds = self.clock.now().saturating_sub(since).min(LONGEST).as_secs() as u32;
        if let Some(session) = &mut self.arrangement.session {
            session.saw(&view, seconds);
        }
    }

    fn output_of(&self, area: &Area) -> Option<String> {
        self.screens.iter().find(|screen| self.screen_rect(screen) == area.full).map(|screen| screen.output.name())
    }

    fn seen_window(&self, id: WindowId) -> Option<Seen> {
        let (window, place) = self.window_and_place(id)?;
        if place.is_sticky || place.is_scratchpad || self.parent_of(&window.client).is_some() {
            return None;
        }
        let area = self.layout.area_of(&place.free);
        let frame = self.layout.frame(id)?;
        let spot = spot_of(place.state, &frame, &area.usable, self.layout.is_tiled(place))?;
        let place = Place { output: self.output_of(&area)?, workspace: place.workspace as u8, spot };
        Some(Seen { window: id, app: window.names().1, place, is_focused: self.layout.focus() == Some(id) })
    }

    fn view(&self) -> View {
        View {
            workspace: self.layout.active() as u8,
            outputs: self.screens.iter().map(|screen| screen.output.name()).collect(),
            windows: self.layout.visible().into_iter().filter_map(|id| self.seen_window(id)).collect(),
        }
    }

    /// Windows may be elsewhere than before.
    pub fn note_windows(&mut self) {
        if !self.arrangement.settings.learn || self.layout.dragged().is_some() {
            return;
        }
        let view = if self.lock.is_locked { View::default() } else { self.view() };
        if self.arrangement.seen.as_ref().is_some_and(|seen| seen.1 == view) {
            return;
        }
        self.count_seen();
        let now = self.clock.now();
        if self.arrangement.session.is_none() && !view.windows.is_empty() {
            self.arrangement.session = Some(Session::new(self.clock.wall()));
            self.arrangement.kept = now;
        }
        if now.saturating_sub(self.arrangement.kept) >= KEPT {
            self.arrangement.kept = now;
            self.arrangement.keep();
        }
        let is_stale = self.arrangement.offered.as_ref().is_some_and(|it| !it.offer.moves.iter().all(|it| is_still_wanted(&view, it)));
        if is_stale {
            self.withdraw_offer();
        }
        let is_worth_a_look = view.windows.len() >= 2;
        self.arrangement.seen = Some((now, view));
        self.look_later(is_worth_a_look);
    }

    /// Looks for an offer when nothing has changed for a moment.
    fn look_later(&mut self, is_wanted: bool) {
        if let Some(timer) = self.arrangement.timer.take() {
            self.events.remove(timer);
        }
        let may_offer = self.arrangement.settings.offer && self.arrangement.initiative.needed(0.0).is_some() && !self.arrangement.habits.sessions().is_empty();
        if !is_wanted || !may_offer || self.arrangement.offered.is_some() {
            return;
        }
        let added = self.events.insert_source(Timer::from_duration(SETTLED), |_, (), gde| {
            gde.arrangement.timer = None;
            gde.look_for_offer();
            TimeoutAction::Drop
        });
        self.arrangement.timer = added.inspect_err(|error| tracing::warn!("no arrangement is offered: {error}")).ok();
    }

    /// Offers an arrangement where there is reason to.
    pub fn look_for_offer(&mut self) {
        let is_busy = self.lock.is_locked
            || self.launcher.is_some()
            || self.overview.is_some()
            || self.switcher.is_some()
            || self.region.is_some()
            || self.menu.is_some()
            || self.quick.is_open()
            || self.notices.is_quiet
            || self.layout.dragged().is_some();
        let settings = self.arrangement.settings;
        if is_busy || !settings.learn || !settings.offer || self.arrangement.offered.is_some() {
            return;
        }
        let view = self.view();
        // Whoever fills the screen with something wants to see nothing else.
        let covers = |id: WindowId| self.layout.place(id).is_some_and(|place| place.state == State::Fullscreen);
        if self.layout.visible().into_iter().any(covers) {
            return;
        }
        let found = self.arrangement.habits.offer(&view, self.arrangement.initiative, &self.arrangement.spared, self.clock.wall());
        if let Some(offer) = found {
            self.show_offer(offer);
        }
    }

    fn show_offer(&mut self, offer: Offer) {
        for (app, _) in &offer.arrangement {
            if !self.arrangement.names.contains_key(app) {
                let name = desktop_entries::installed().into_iter().find(|it| it.id == *app).map_or_else(|| plain_name(app), |it| it.name);
                self.arrangement.names.insert(app.clone(), name);
            }
        }
        let name = |app: &str| self.arrangement.names.get(app).cloned().unwrap_or_else(|| plain_name(app));
        let notice = Notice {
            title: offer.question(name),
            body: offer.why(name),
            actions: vec![("accept".into(), "Arrange  Super+Enter".into()), ("dismiss".into(), "Not now  Super+Esc".into())],
            urgency: Urgency::Low,
            timeout_ms: Some(SHOWN_MS),
            picture: sketch::of(&offer),
            ..Notice::default()
        };
        tracing::debug!("offered: {} {}", notice.title, notice.body);
        let notice = self.notify(notice, None);
        self.arrangement.offered = Some(Offered { offer, notice });
    }

    /// What is offered goes, without a word of the user's.
    fn withdraw_offer(&mut self) {
        if let Some(offered) = self.arrangement.offered.take() {
            self.close_notice(offered.notice, Reason::Closed);
        }
    }

    fn take_offer(&mut self) -> Result<Offer, String> {
        let offered = self.arrangement.offered.take().ok_or("no arrangement is offered now")?;
        self.close_notice(offered.notice, Reason::Dismissed);
        self.arrangement.spared.extend(offered.offer.moved_apps().map(str::to_owned));
        Ok(offered.offer)
    }

    /// Arranges windows as it is offered: one change, which can be undone.
    ///
    /// # Errors
    /// Where nothing is offered.
    pub fn accept_offer(&mut self) -> Result<(), String> {
        let offer = self.take_offer()?;
        let view = self.view();
        self.layout.begin_together();
        let mut result = Ok(());
        for it in offer.moves.iter().filter(|it| is_still_wanted(&view, it)) {
            for action in self.actions_of(it) {
                result = result.and(self.act(&action));
            }
        }
        self.layout.end_together();
        let now = self.clock.wall();
        self.arrangement.habits.accepted(&offer, now);
        self.arrangement.accepted = Some((self.clock.now(), offer));
        self.arrangement.keep();
        result
    }

    /// The actions that a move is made of.
    fn actions_of(&self, it: &Move) -> Vec<DesktopAction> {
        let window = Some(it.window);
        let (output, spot) = match &it.to {
            To::Workspace(workspace) => return vec![DesktopAction::MoveTo { window, workspace: usize::from(*workspace) + 1 }],
            To::Spot { output, spot } => (output, *spot),
        };
        let screen = self.screens.iter().find(|screen| screen.output.name() == *output).map(|screen| self.screen_rect(screen));
        let Some(area) = screen.map(|rect| self.layout.area_of(&rect)) else { return Vec::new() };
        let frame = |rect: Rect| DesktopAction::Frame { window, x: rect.x, y: rect.y, width: rect.w, height: rect.h };
        let Some(part) = part_of(spot) else { return vec![frame(sketch::rect_of(spot, &area.usable))] };
        let put = DesktopAction::Put { window, part };
        match self.layout.place(it.window).map(|place| place.free) {
            // A part is one of the screen that the window is on.
            Some(free) if self.layout.area_of(&free) != area => vec![frame(free.at(area.usable.x, area.usable.y).pushed_into(&area.usable)), put],
            _ => vec![put],
        }
    }

    /// Puts away what is offered.
    ///
    /// # Errors
    /// Where nothing is offered.
    pub fn dismiss_offer(&mut self) -> Result<(), String> {
        let offer = self.take_offer()?;
        self.judge_offer(&offer, 1.0);
        Ok(())
    }

    fn judge_offer(&mut self, offer: &Offer, weight: f64) {
        let now = self.clock.wall();
        self.arrangement.habits.dismissed(offer, weight, now);
        self.arrangement.keep();
    }

    /// A button of an offer was pressed.
    pub fn offer_answered(&mut self, action: &str) {
        let done = if action == "accept" { self.accept_offer() } else { self.dismiss_offer() };
        if let Err(problem) = done {
            tracing::debug!("{problem}");
        }
        self.layout_changed();
    }

    /// A notice has gone; perhaps it was that of an offer.
    pub fn offer_notice_gone(&mut self, notice: u32, reason: Reason) {
        let Some(offered) = self.arrangement.offered.take_if(|it| it.notice == notice) else { return };
        self.arrangement.spared.extend(offered.offer.moved_apps().map(str::to_owned));
        match reason {
            Reason::Dismissed => self.judge_offer(&offered.offer, 1.0),
            Reason::Expired => self.judge_offer(&offered.offer, IGNORED),
            Reason::Closed | Reason::Undefined => {}
        }
    }

    /// The last change of the layout was taken back; perhaps it was an offer.
    pub fn offer_undone(&mut self) {
        let now = self.clock.now();
        if let Some((_, offer)) = self.arrangement.accepted.take().filter(|(at, _)| now.saturating_sub(*at) < REGRET) {
            self.judge_offer(&offer, 1.0);
        }
    }

    /// Forgets what was learnt: of one program, or all.
    ///
    /// # Errors
    /// Where nothing is known of the program.
    pub fn forget_habits(&mut self, app: Option<&str>) -> Result<(), String> {
        self.withdraw_offer();
        self.arrangement.session = None;
        self.arrangement.seen = None;
        self.arrangement.accepted = None;
        let is_known = match app {
            Some(app) => self.arrangement.habits.forget_app(app),
            None => {
                self.arrangement.habits.forget();
                true
            }
        };
        self.arrangement.keep();
        self.note_windows();
        if is_known { Ok(()) } else { Err(format!("nothing is known of {}", app.unwrap_or_default())) }
    }

    /// What was learnt, for who asks.
    pub fn list_habits(&self) -> gde_ipc::Habits {
        let known = self.arrangement.habits.known().into_iter().map(|it| gde_ipc::Habit {
            windows: it.apps.into_iter().map(|(app, place)| gde_ipc::Usual { app, output: place.output, workspace: usize::from(place.workspace) + 1, place: place.spot.to_string() }).collect(),
            times: it.times,
            of: it.of,
        });
        gde_ipc::Habits {
            learns: self.arrangement.settings.learn,
            offers: self.arrangement.settings.learn && self.arrangement.settings.offer && self.arrangement.initiative.needed(0.0).is_some(),
            sessions: self.arrangement.habits.sessions().len(),
            habits: known.collect(),
        }
    }
}

/// Whether the window of a move is still there, without the keyboard, and elsewhere.
fn is_still_wanted(view: &View, it: &Move) -> bool {
    let seen = view.windows.iter().find(|seen| seen.window == it.window && !seen.is_focused);
    seen.is_some_and(|seen| match &it.to {
        To::Workspace(workspace) => seen.place.workspace != *workspace,
        To::Spot { output, spot } => seen.place.output != *output || !seen.place.spot.is_like(spot),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_programs_without_an_entry() {
        assert_eq!(["foot", "org.gnome.Text-Editor", "x.", "é"].map(plain_name), ["Foot", "Text Editor", "X.", "É"]);
    }
}
