//! The state of everything, for those who ask.

use super::Manager;
use crate::protocol::{Report, UnitReport};
use gci_units::Unit;
use std::time::Instant;

fn command_of(unit: &Unit) -> String {
    unit.exec_start.iter().map(|command| command.words.join(" ")).collect::<Vec<_>>().join("; ")
}

impl Manager {
    /// The state of all units, those too that have not been asked for.
    pub fn report(&self) -> Report {
        let since = |time: Instant| time.duration_since(self.began).as_micros() as u64;
        let set = &self.loaded.set;
        let mut units: Vec<UnitReport> = self
            .records
            .values()
            .map(|record| {
                let unit = &record.unit;
                UnitReport {
                    name: unit.name.to_string(),
                    description: unit.description.clone(),
                    state: record.state.name().to_owned(),
                    detail: record.detail.clone(),
                    pid: record.pid,
                    restarts: record.restarts,
                    priority: unit.class.priority(),
                    is_enabled: set.is_enabled(unit),
                    asked_us: record.times.asked.map(since),
                    started_us: record.times.started.map(since),
                    ready_us: record.times.ready.map(since),
                    after: set.waits_for(unit).iter().map(ToString::to_string).collect(),
                    command: command_of(unit),
                    file: unit.file.clone(),
                }
            })
            .collect();
        let others = set.iter().filter(|unit| !self.records.contains_key(&unit.name));
        units.extend(others.map(|unit| UnitReport {
            name: unit.name.to_string(),
            description: unit.description.clone(),
            state: if unit.name.is_template() { "template" } else { "inactive" }.to_owned(),
            priority: unit.class.priority(),
            is_enabled: set.is_enabled(unit),
            after: set.waits_for(unit).iter().map(ToString::to_string).collect(),
            command: command_of(unit),
            file: unit.file.clone(),
            ..UnitReport::default()
        }));
        units.sort_by(|a, b| a.name.cmp(&b.name));
        Report {
            target: self.target.as_ref().map(ToString::to_string).unwrap_or_default(),
            reached_us: self.reached.map(since),
            is_starting: self.is_starting(),
            units,
        }
    }

    /// A unit's state in a sentence.
    pub fn describe(&self, name: &gci_units::UnitName) -> String {
        match self.records.get(name) {
            Some(record) if !record.detail.is_empty() => format!("{name} is {}: {}", record.state.name(), record.detail),
            Some(record) => format!("{name} is {}", record.state.name()),
            None => format!("{name} is inactive"),
        }
    }

    /// What was left out of starts since the last call.
    pub fn take_left_out(&mut self) -> Vec<String> {
        std::mem::take(&mut self.left_out)
    }
}
