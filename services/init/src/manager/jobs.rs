//! What is to start and stop, in which order.

use super::{Manager, Outcome, StartJob, State};
use gci_units::graph::{self, PlanError, Strictness};
use gci_units::{Activation, Kind, UnitName};
use std::time::Instant;

impl Manager {
    /// Asks for units with all that they require and want. They start as soon as what they wait for is there.
    ///
    /// # Errors
    /// Where there are none of that name, or loops.
    pub fn start(&mut self, roots: &[UnitName], strictness: Strictness) -> Result<(), PlanError> {
        if self.is_stopping {
            return Ok(());
        }
        let plan = graph::start(&self.loaded.set, roots, &self.active(), strictness)?;
        for (name, reason) in &plan.left_out {
            let message = format!("{name} is not started: {reason}");
            if !matches!(reason, graph::Reason::Unknown) {
                tracing::warn!("{message}");
            }
            self.left_out.push(message);
        }
        self.left_out.truncate(256);
        for name in &plan.stops {
            tracing::info!("{name} conflicts with what starts: stopping it");
        }
        self.queue_stops(&plan.stops);
        let now = Instant::now();
        let starting: Vec<UnitName> = plan.starts.iter().filter(|name| self.must_start(name)).cloned().collect();
        // Two sessions cannot have one terminal.
        let leaving = self.records.values().filter(|it| it.unit.terminal.is_some() && (it.state == State::Stopping || self.stops.contains_key(it.name())));
        let leaving: Vec<UnitName> = leaving.map(|it| it.name().clone()).collect();
        for name in &starting {
            let waits = plan.waits.get(name).into_iter().flatten();
            let mut waits: Vec<UnitName> = waits.filter(|other| self.starts.contains_key(other) || starting.contains(other)).cloned().collect();
            // What an earlier request has begun to start may come before it, too.
            waits.extend(self.starts.keys().filter(|other| !plan.waits.contains_key(other) && self.comes_before(other, name)).cloned());
            let Some(record) = self.record(name) else { continue };
            record.times = super::record::Times { asked: Some(now), ..Default::default() };
            record.detail.clear();
            if !record.state.is_up() {
                record.state = State::Waiting;
                record.failures = 0;
                record.starts.clear();
            }
            let leaving = leaving.iter().filter(|_| record.unit.terminal.is_some());
            let stops = plan.stops.iter().chain(leaving).cloned().collect();
            self.outcomes.remove(name);
            self.starts.insert(name.clone(), StartJob { waits, stops });
        }
        self.settle();
        Ok(())
    }

    fn comes_before(&self, first: &UnitName, second: &UnitName) -> bool {
        let is_before = self.records.get(first).is_some_and(|it| it.unit.before.contains(second));
        is_before || self.loaded.set.get(second).is_some_and(|it| it.after.contains(first))
    }

    fn must_start(&self, name: &UnitName) -> bool {
        let is_there = matches!(self.state(name), State::Active | State::Starting | State::Listening | State::Restarting);
        !is_there && !self.starts.contains_key(name)
    }

    /// Stops units, and those that require them first.
    pub fn stop(&mut self, roots: &[UnitName]) {
        let names = graph::stop(&self.loaded.set, roots, &self.active());
        self.queue_stops(&names);
        self.settle();
    }

    /// Stops units, and starts them again with those that were stopped for them.
    ///
    /// # Errors
    /// As [`Manager::start`].
    pub fn restart(&mut self, roots: &[UnitName]) -> Result<(), PlanError> {
        let names = graph::stop(&self.loaded.set, roots, &self.active());
        let (up, down): (Vec<UnitName>, Vec<UnitName>) = names.into_iter().partition(|name| self.state(name).is_up());
        self.queue_stops(&up);
        for name in &up {
            if let Some(record) = self.records.get_mut(name) {
                record.start_after_stop = true;
            }
        }
        self.start(&down, Strictness::Refuse)?;
        self.settle();
        Ok(())
    }

    /// Starts a target and stops all that it does not take, but for what the system runs on.
    ///
    /// # Errors
    /// As [`Manager::start`].
    pub fn isolate(&mut self, target: &UnitName, strictness: Strictness) -> Result<(), PlanError> {
        let plan = graph::start(&self.loaded.set, std::slice::from_ref(target), &self.active(), strictness)?;
        let is_needed = |name: &UnitName| plan.starts.contains(name) || self.records.get(name).is_some_and(|it| it.unit.is_essential);
        let others: Vec<UnitName> = self.active().into_iter().filter(|name| name.kind() == Kind::Service && !is_needed(name)).collect();
        let waiting: Vec<UnitName> = self.starts.keys().filter(|name| !is_needed(name)).cloned().collect();
        for name in waiting {
            self.starts.remove(&name);
            self.set_state(&name, State::Inactive, "");
        }
        for record in self.records.values_mut() {
            // The target itself is to be reached anew: who asked waits for what it still lacks.
            if record.name().kind() == Kind::Target && (record.name() == target || !plan.starts.contains(&record.unit.name)) {
                record.state = State::Inactive;
            }
        }
        self.stop(&others);
        self.target = Some(target.clone());
        self.reached = None;
        self.start(std::slice::from_ref(target), strictness)
    }

    /// Whether a unit has still to start or stop.
    pub fn is_pending(&self, name: &UnitName) -> bool {
        let is_moving = matches!(self.state(name), State::Starting | State::Stopping | State::Waiting);
        self.starts.contains_key(name) || self.stops.contains_key(name) || is_moving
    }

    /// Whether anything has still to start.
    pub fn is_starting(&self) -> bool {
        !self.starts.is_empty()
    }

    fn queue_stops(&mut self, names: &[UnitName]) {
        // Each waits for those that start after it: they stand on it.
        for name in names {
            let stands_on = |other: &&UnitName| *other != name && self.comes_before(name, other);
            let waits: Vec<UnitName> = names.iter().filter(stands_on).cloned().collect();
            self.starts.remove(name);
            if let Some(record) = self.records.get_mut(name) {
                record.start_after_stop = false;
                if record.state == State::Waiting {
                    record.state = State::Inactive;
                }
                self.stops.insert(name.clone(), waits);
            }
        }
    }

    /// Begins what waits for nothing any more, until nothing changes.
    pub(super) fn settle(&mut self) {
        loop {
            let stopping = self.stops.iter().filter(|(_, waits)| !waits.iter().any(|it| self.stops.contains_key(it) || self.state(it) == State::Stopping));
            let stopping: Vec<UnitName> = stopping.map(|(name, _)| name.clone()).collect();
            for name in &stopping {
                self.stops.remove(name);
                self.begin_stop(name);
            }
            let is_free = |job: &StartJob| {
                let is_down = |it: &UnitName| !self.stops.contains_key(it) && !self.state(it).is_up();
                !job.waits.iter().any(|it| self.starts.contains_key(it)) && job.stops.iter().all(is_down)
            };
            let is_waiting = |name: &UnitName| !matches!(self.state(name), State::Starting | State::Stopping | State::Restarting);
            let free = self.starts.iter().filter(|(name, job)| is_waiting(name) && is_free(job));
            let mut free: Vec<_> = free.map(|(name, _)| (self.records.get(name).map(|it| it.unit.class), name.clone())).collect();
            // The more important first.
            free.sort();
            for (_, name) in &free {
                self.begin_job(name);
            }
            if free.is_empty() && stopping.is_empty() {
                break;
            }
        }
        let reached = self.target.as_ref().is_some_and(|target| self.state(target) == State::Active);
        if reached && self.reached.is_none() && self.starts.is_empty() {
            self.reached = Some(Instant::now());
            self.boot_is_over();
        }
    }

    /// Starts one that waits for nothing any more, or says why not.
    fn begin_job(&mut self, name: &UnitName) {
        let Some(record) = self.records.get(name) else {
            self.starts.remove(name);
            return;
        };
        let required = record.unit.requires.iter();
        let broken = required.filter(|it| self.records.contains_key(it)).find(|it| {
            let is_late = record.unit.after.contains(it);
            is_late && matches!(self.state(it), State::Failed | State::Skipped | State::Inactive)
        });
        if let Some(broken) = broken.cloned() {
            let is_skip = self.state(&broken) == State::Skipped;
            let detail = format!("it requires {broken}, which is {}", self.state(&broken).name());
            self.set_state(name, if is_skip { State::Skipped } else { State::Failed }, &detail);
            if !is_skip {
                tracing::warn!("{name} is not started: {detail}");
            }
            return self.job_is_done(name, if is_skip { Outcome::Skipped } else { Outcome::Failed });
        }
        if let Some(skip) = self.skip(name) {
            self.set_state(name, State::Skipped, &skip.to_string());
            return self.job_is_done(name, Outcome::Skipped);
        }
        let is_target = name.kind() == Kind::Target;
        if is_target {
            self.set_state(name, State::Active, "");
            self.mark_ready(name);
            return self.job_is_done(name, Outcome::Ready);
        }
        if let Err(error) = self.listen(name) {
            tracing::error!("{name}: {error}");
            self.set_state(name, State::Failed, &error.to_string());
            return self.job_is_done(name, Outcome::Failed);
        }
        if self.records.get(name).is_some_and(|it| it.unit.activation == Activation::OnDemand) {
            self.set_state(name, State::Listening, "");
            self.mark_ready(name);
            return self.job_is_done(name, Outcome::Ready);
        }
        self.begin(name);
    }

    /// A unit's start has ended, well or not.
    pub(super) fn job_is_done(&mut self, name: &UnitName, outcome: Outcome) {
        self.starts.remove(name);
        self.outcomes.insert(name.clone(), outcome);
    }

    /// How the last start of a unit ended.
    pub fn outcome(&self, name: &UnitName) -> Option<Outcome> {
        self.outcomes.get(name).copied()
    }

    pub(super) fn set_state(&mut self, name: &UnitName, state: State, detail: &str) {
        if let Some(record) = self.records.get_mut(name) {
            record.state = state;
            detail.clone_into(&mut record.detail);
        }
    }

    /// From now on all have the processor by their own nice values.
    fn boot_is_over(&mut self) {
        if let Some(target) = &self.target {
            tracing::info!("{target} reached in {} ms", self.began.elapsed().as_millis());
        }
        if !std::mem::take(&mut self.is_booting) {
            return;
        }
        for record in self.records.values() {
            if let Some(group) = record.group.filter(|_| record.unit.class.boot_nice() != record.unit.nice) {
                crate::sys::set_group_priority(group, record.unit.nice);
            }
        }
    }
}
