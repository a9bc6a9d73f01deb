//! Who answers questions, and what may leave the machine for that: genaid's settings and rules, its state by `genai`, and its list of what has left. What else
//! others may learn of the user is in the user's settings of the desktop.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use desktop_settings::{Pictures, Settings};
use genai_ui::{Task, job};
use serde::Deserialize;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::command::run;
use crate::form::{Control, Row, Section, Weight};
use crate::{Message as All, Places};

/// Where answers come from: genaid's word, and words for people.
const MODES: [(&str, &str, &str); 3] = [
    ("local", "This machine", "Nothing leaves it"),
    ("hybrid", "This machine first", "The service, where this machine is unsure and a rule allows it"),
    ("cloud", "The service", "Where a rule allows it"),
];

/// Whether the Store may ask servers for pictures.
const PICTURES: [(&str, Pictures); 3] = [("Ask", Pictures::Ask), ("Always", Pictures::Always), ("Never", Pictures::Never)];

/// Of `genai status --json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Status {
    mode: String,
    model: String,
    model_problem: String,
    engine: String,
    loaded: bool,
    answered_local: u64,
    answered_cloud: u64,
}

/// What there is, and what is typed.
#[derive(Debug, Clone, Default)]
pub struct State {
    status: Option<Status>,
    trouble: Option<String>,
    endpoint: String,
    model: String,
    /// How many rules let something leave.
    rules: usize,
    /// Whether one of them is for everybody and everything.
    is_open: bool,
    /// What has left last: how much, whose and for what; when and where to.
    left: Vec<(String, String)>,
    /// Whether the Store may ask servers for pictures; none where the settings are not understood.
    pictures: Option<Pictures>,
    is_edited: bool,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// What there is was read.
    Read(Box<State>),
    /// Answers are to come from there.
    Mode(&'static str),
    /// The service's address is typed.
    Endpoint(String),
    /// The model's name there is typed.
    Model(String),
    /// They hold.
    Set,
    /// Whether everybody's questions may leave.
    Open(bool),
    /// Whether the Store may ask servers for pictures.
    Pictures(Pictures),
}

/// Reads what there is.
pub fn load(places: Places) -> Task<All> {
    job::start(move |_| All::Ai(Message::Read(Box::new(State { pictures: pictures(&places.settings), ..read(&places.etc) }))))
}

/// A line of the list of what has left.
#[derive(Deserialize)]
struct Left {
    time_ms: u64,
    user: String,
    purpose: String,
    endpoint: String,
    bytes: u64,
}

fn pictures(settings: &Path) -> Option<Pictures> {
    Settings::read(settings).ok().map(|it| it.privacy.store_pictures)
}

fn read(etc: &Path) -> State {
    let mut state = State::default();
    match run("genai", &["status", "--json"], "").and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())) {
        Ok(status) => state.status = Some(status),
        Err(problem) => state.trouble = Some(problem),
    }
    let config = document(&etc.join("genaid/genaid.toml")).unwrap_or_default();
    let word = |table: &str, key: &str| config.get(table).and_then(|it| it.get(key)).and_then(Item::as_str).unwrap_or_default().to_owned();
    (state.endpoint, state.model) = (word("cloud", "endpoint"), word("cloud", "model"));
    let rules = document(&etc.join("genaid/policy.toml")).unwrap_or_default();
    let allowed = rules.get("allow").and_then(Item::as_array_of_tables);
    state.rules = allowed.map_or(0, ArrayOfTables::len);
    state.is_open = allowed.is_some_and(|it| it.iter().any(is_for_all));
    let audit = config.get("audit").and_then(Item::as_str).unwrap_or("/var/log/genaid/audit.jsonl");
    let text = fs::read_to_string(audit).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let lines = text.lines().rev().filter_map(|line| serde_json::from_str::<Left>(line).ok());
    state.left = lines.take(5).map(|it| (format!("{} bytes of {}'s, for {}", it.bytes, it.user, it.purpose), format!("{} ago, to {}", age(now.saturating_sub(it.time_ms)), it.endpoint))).collect();
    state
}

/// Milliseconds in words.
fn age(ms: u64) -> String {
    match ms / 60_000 {
        minutes @ 0..120 => format!("{minutes} min"),
        minutes @ 120..2880 => format!("{} h", minutes / 60),
        minutes => format!("{} days", minutes / 1440),
    }
}

fn document(path: &Path) -> Result<DocumentMut, String> {
    match fs::read_to_string(path) {
        Ok(text) => text.parse().map_err(|error| format!("{} is not understood: {error}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(DocumentMut::new()),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Changes a file; what it says besides, also for people, stays. Nobody but its owner may write it, which genaid insists on.
fn change(path: &Path, change: impl FnOnce(&mut DocumentMut)) -> Result<(), String> {
    let mut document = document(path)?;
    change(&mut document);
    let new = path.with_extension("toml.new");
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = fs::File::options().write(true).create(true).truncate(true).mode(0o644).open(&new)?;
        file.write_all(document.to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(|error| format!("{}: {error}", path.display()))
}

fn is_for_all(rule: &Table) -> bool {
    ["user", "purpose"].iter().all(|key| rule.get(key).and_then(Item::as_str) == Some("*"))
}

fn set_mode(etc: &Path, mode: &str) -> Result<(), String> {
    change(&etc.join("genaid/genaid.toml"), |it| it["mode"] = value(mode))
}

fn set_cloud(etc: &Path, endpoint: &str, model: &str) -> Result<(), String> {
    change(&etc.join("genaid/genaid.toml"), |it| {
        let cloud = it.entry("cloud").or_insert_with(toml_edit::table);
        cloud["endpoint"] = value(endpoint);
        cloud["model"] = value(model);
    })
}

/// A rule for everybody and everything, or none such; other rules stay.
fn set_open(etc: &Path, is_open: bool) -> Result<(), String> {
    change(&etc.join("genaid/policy.toml"), |it| {
        let rules = it.entry("allow").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        let Some(rules) = rules.as_array_of_tables_mut() else { return };
        rules.retain(|rule| !is_for_all(rule));
        if is_open {
            let mut rule = Table::new();
            rule["user"] = value("*");
            rule["purpose"] = value("*");
            rules.push(rule);
        }
    })
}

fn restart() -> Result<(), String> {
    run("gci", &["restart", "genaid.gcservice"], "").map(drop)
}

impl State {
    /// What follows.
    pub fn update(&mut self, message: Message, places: &Places) -> Task<All> {
        let (etc, settings) = (places.etc.clone(), places.settings.clone());
        match message {
            Message::Read(read) => {
                let typed = self.is_edited.then(|| (std::mem::take(&mut self.endpoint), std::mem::take(&mut self.model)));
                *self = *read;
                if let Some((endpoint, model)) = typed {
                    (self.endpoint, self.model, self.is_edited) = (endpoint, model, true);
                }
            }
            Message::Mode(mode) => return job::start(move |_| All::Finished(set_mode(&etc, mode).and_then(|()| restart()).map(|()| "It holds from now on.".to_owned()))),
            Message::Endpoint(words) => (self.endpoint, self.is_edited) = (words, true),
            Message::Model(words) => (self.model, self.is_edited) = (words, true),
            Message::Set => {
                let endpoint = self.endpoint.trim().to_owned();
                if !endpoint.is_empty() && !endpoint.starts_with("https://") && !endpoint.starts_with("http://127.0.0.1") && !endpoint.starts_with("http://localhost") {
                    return Task::done(All::Failed("An address begins with https://; nothing leaves otherwise.".to_owned()));
                }
                let model = self.model.trim().to_owned();
                self.is_edited = false;
                return job::start(move |_| All::Finished(set_cloud(&etc, &endpoint, &model).and_then(|()| restart()).map(|()| "The service is set.".to_owned())));
            }
            // Rules are read for each question.
            Message::Open(is_open) => {
                let words = if is_open { "Questions may leave this machine." } else { "That rule is gone." };
                return job::start(move |_| All::Finished(set_open(&etc, is_open).map(|()| words.to_owned())));
            }
            Message::Pictures(pictures) => {
                let words = match pictures {
                    Pictures::Ask => "The Store asks for each program.",
                    Pictures::Always => "The Store brings pictures of whatever is looked at.",
                    Pictures::Never => "The Store shows no pictures but those that it has.",
                };
                return job::start(move |_| {
                    let kept = Settings::change(&settings, |it| it.privacy.store_pictures = pictures);
                    All::Finished(kept.map(|_| words.to_owned()).map_err(|error| error.to_string()))
                });
            }
        }
        Task::none()
    }

    /// The page.
    pub fn sections(&self) -> Vec<Section> {
        let mode = self.status.as_ref().map(|it| it.mode.as_str());
        let pick = |(word, name, about): (&'static str, &str, &str)| {
            let is_chosen = mode == Some(word);
            Row::new(name, Control::Pick { is_chosen, message: (!is_chosen).then_some(All::Ai(Message::Mode(word))) }).about(about)
        };
        let mut all = vec![Section::new("Answers come from", MODES.map(pick).to_vec())];
        let mut rows = Vec::new();
        match (&self.status, &self.trouble) {
            (Some(it), _) => {
                let name = it.model.rsplit('/').next().unwrap_or_default();
                let about = match () {
                    () if !it.model_problem.is_empty() => it.model_problem.clone(),
                    () if it.loaded => format!("By {}, in memory", it.engine),
                    () => format!("By {}, brought into memory when it is asked", it.engine),
                };
                rows.push(Row::shown("Model on this machine", name).about(about));
                rows.push(Row::shown("Answered since the start", format!("{} here, {} by the service", it.answered_local, it.answered_cloud)));
            }
            (None, Some(trouble)) => rows.push(Row::shown("The AI service does not answer", "").about(trouble.clone())),
            (None, None) => {}
        }
        all.push(Section::new("On this machine", rows));
        let set = Some(All::Ai(Message::Set));
        let field = |id, hint, value: &str, input| Control::Field { id, hint, value: value.to_owned(), is_secret: false, input, submit: set.clone() };
        all.push(Section::new(
            "Service",
            vec![
                Row::new("Address", field("endpoint", "https://example.org/v1", &self.endpoint, |it| All::Ai(Message::Endpoint(it)))).about("Of an OpenAI-compatible service"),
                Row::new("Model", field("model", "Its name there", &self.model, |it| All::Ai(Message::Model(it)))),
                Row::new("", Control::Button { label: "Use it", weight: Weight::First, message: set.clone().filter(|_| self.is_edited) }),
            ],
        ));
        let others = self.rules - usize::from(self.is_open);
        let others = if others > 0 { format!("{others} other rules are in /etc/genaid/policy.toml") } else { "Without a rule nothing leaves".to_owned() };
        let open = Control::Switch { is_on: self.is_open, message: Some(All::Ai(Message::Open(!self.is_open))) };
        let mut rows = vec![Row::new("Questions may leave this machine", open).about(others)];
        if self.left.is_empty() {
            rows.push(Row::shown("Has left so far", "Nothing"));
        }
        rows.extend(self.left.iter().map(|(what, when)| Row::shown(what.clone(), "").about(when.clone())));
        all.push(Section::new("Privacy", rows));
        let options = PICTURES.map(|(label, it)| (label, All::Ai(Message::Pictures(it)))).to_vec();
        let choice = Control::Choice { options, chosen: PICTURES.iter().position(|it| Some(it.1) == self.pictures) };
        all.push(Section::new("Store", vec![Row::new("Pictures of programs", choice).about("Their server learns what is looked at")]));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_keep_what_they_say_besides() {
        let folder = tempfile::tempdir().expect("a folder");
        let genaid = folder.path().join("genaid");
        fs::create_dir_all(&genaid).expect("made");
        fs::write(genaid.join("genaid.toml"), include_str!("../../../../recipes/genaid/files/etc/genaid/genaid.toml")).expect("written");
        fs::write(genaid.join("policy.toml"), "# Mine.\n[[allow]]\nuser = \"ann\"\npurpose = \"chat\"\n").expect("written");
        set_mode(folder.path(), "hybrid").expect("set");
        set_cloud(folder.path(), "https://example.org/v1", "small").expect("set");
        let text = fs::read_to_string(genaid.join("genaid.toml")).expect("read");
        assert!(text.contains("mode = \"hybrid\"") && text.contains("# Where answers come from") && text.contains("near = 0.95"), "{text}");
        set_open(folder.path(), true).expect("set");
        let state = read(folder.path());
        assert_eq!((state.rules, state.is_open, state.endpoint.as_str(), state.model.as_str()), (2, true, "https://example.org/v1", "small"));
        set_open(folder.path(), true).expect("set");
        set_open(folder.path(), false).expect("set");
        let text = fs::read_to_string(genaid.join("policy.toml")).expect("read");
        assert!(text.contains("# Mine.") && text.contains("ann") && !text.contains('*'), "{text}");
    }

    #[test]
    fn what_is_not_understood_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("genaid/genaid.toml");
        fs::create_dir_all(folder.path().join("genaid")).expect("made");
        fs::write(&file, "mode = ").expect("written");
        assert!(set_mode(folder.path(), "local").is_err_and(|it| it.contains("not understood")));
        assert_eq!(fs::read_to_string(&file).expect("read"), "mode = ");
    }
}
