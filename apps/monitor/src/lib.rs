//! Monitor: what the system does, its processes and its services.
//!
//! [`sample`] reads `/proc`, `sampler` does so again and again, [`services`] asks process 1, and `view` is the window.

pub mod sample;
mod sampler;
pub mod services;
pub mod storage;
mod update;
mod view;

use genai_ui::Task;
use genai_ui::core::Color;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use sample::{Process, Sample};
use services::{Service, Verb};

/// Samples that the plots show.
pub const HISTORY: usize = 80;
/// Processes that are shown; more than anybody reads.
const MOST_SHOWN: usize = 300;

/// What the window shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// All processes.
    Processes,
    /// Plots.
    Resources,
    /// Process 1's services.
    Services,
}

/// By what processes are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Names.
    Name,
    /// Numbers.
    Pid,
    /// Processor time now, the most first.
    Processor,
    /// Memory, the most first.
    Memory,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// The system was looked at.
    Sampled(Arc<Sample>),
    /// Another page.
    Go(Page),
    /// Names with these letters only.
    Search(String),
    /// Letters typed beside the field.
    Letter(String),
    /// The field is to have the keys.
    Find,
    /// Another order; the same again turns it round.
    Sort(Column),
    /// A process is chosen.
    Choose(u32),
    /// A service is chosen.
    ChooseService(String),
    /// The next one, so many further on.
    Step(isize),
    /// The chosen process is to end: asked first, or at once by force.
    End(Force),
    /// Something is to be done to the chosen service.
    Do(Verb),
    /// It is meant.
    Confirm,
    /// Not so.
    Cancel,
    /// What services there are.
    Services(Result<Vec<Service>, String>),
    /// Something was done to a service.
    Acted(Result<(), String>),
}

/// How a process is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// It is asked to (SIGTERM).
    Asked,
    /// It has no choice (SIGKILL).
    Killed,
}

/// What waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asking {
    /// Whether this process is to end.
    End(Process, Force),
    /// Whether this service is to be stopped, and perhaps started again.
    Stop(Service, Verb),
}

/// Rates and levels of one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Moment {
    /// Of all processors, per cent.
    processor: f32,
    /// Of all memory, per cent.
    memory: f32,
    /// Bytes a second.
    received: f32,
    sent: f32,
    read: f32,
    written: f32,
}

/// The app.
pub struct Monitor {
    page: Page,
    sample: Arc<Sample>,
    last: Option<std::time::Instant>,
    shares: HashMap<u32, f32>,
    history: VecDeque<Moment>,
    order: (Column, bool),
    words: String,
    /// The processes that are shown, in order.
    shown: Vec<Process>,
    chosen: Option<u32>,
    services: Vec<Service>,
    service: Option<String>,
    trouble: Option<String>,
    asking: Option<Asking>,
    said: Option<String>,
    is_acting: bool,
    is_light: bool,
}

impl Monitor {
    /// An app that knows nothing yet.
    pub fn new(is_light: bool) -> (Self, Task<Message>) {
        let monitor = Monitor {
            page: Page::Processes,
            sample: Arc::default(),
            last: None,
            shares: HashMap::new(),
            history: VecDeque::new(),
            order: (Column::Processor, false),
            words: String::new(),
            shown: Vec::new(),
            chosen: None,
            services: Vec::new(),
            service: None,
            trouble: None,
            asking: None,
            said: None,
            is_acting: false,
            is_light,
        };
        (monitor, services::list())
    }

    /// The processes that are shown, in order.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.shown.iter()
    }

    /// What was said last.
    pub fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }

    fn chosen_process(&self) -> Option<&Process> {
        self.shown.iter().find(|it| Some(it.pid) == self.chosen)
    }

    fn chosen_service(&self) -> Option<&Service> {
        self.services.iter().find(|it| Some(&it.name) == self.service.as_ref())
    }

    fn share(&self, process: &Process) -> f32 {
        self.shares.get(&process.pid).copied().unwrap_or_default()
    }

    /// Orders the processes that have the words.
    fn arrange(&mut self) {
        let words = self.words.trim().to_lowercase();
        let is_meant = |it: &&Process| words.is_empty() || it.name.to_lowercase().contains(&words) || it.command.to_lowercase().contains(&words) || it.pid.to_string() == words;
        let mut shown: Vec<Process> = self.sample.processes.iter().filter(is_meant).cloned().collect();
        let (column, is_reversed) = self.order;
        shown.sort_by(|a, b| {
            let order = match column {
                Column::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
                Column::Pid => a.pid.cmp(&b.pid),
                Column::Processor => self.share(b).total_cmp(&self.share(a)).then(b.memory.cmp(&a.memory)),
                Column::Memory => b.memory.cmp(&a.memory),
            };
            (if is_reversed { order.reverse() } else { order }).then(a.pid.cmp(&b.pid))
        });
        shown.truncate(MOST_SHOWN);
        self.shown = shown;
    }

    fn sampled(&mut self, sample: Arc<Sample>) {
        let now = std::time::Instant::now();
        if let Some(last) = self.last.replace(now) {
            let (before, seconds) = (&self.sample, (now - last).as_secs_f32().max(0.001));
            let rate = |now: u64, before: u64| now.saturating_sub(before) as f32 / seconds;
            let part = |part: u64, all: u64| if all > 0 { part as f32 * 100.0 / all as f32 } else { 0.0 };
            let disk = |now: Option<u64>, before: Option<u64>| now.zip(before).map_or(0.0, |(now, before)| rate(now, before));
            self.history.push_back(Moment {
                processor: part(sample.busy.saturating_sub(before.busy), sample.all.saturating_sub(before.all)),
                memory: part(sample.used, sample.memory),
                received: rate(sample.received, before.received),
                sent: rate(sample.sent, before.sent),
                read: disk(sample.read, before.read),
                written: disk(sample.written, before.written),
            });
            if self.history.len() > HISTORY {
                self.history.pop_front();
            }
            self.shares = sample::shares(before, &sample);
        }
        self.sample = sample;
        self.arrange();
    }
}

/// The colours of plots: one for what comes, one for what goes.
const FIRST: Color = Color::from_rgb(0.30, 0.55, 1.0);
const SECOND: Color = Color::from_rgb(0.88, 0.63, 0.24);
