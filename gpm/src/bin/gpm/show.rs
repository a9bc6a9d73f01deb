//! What people and programs get to see.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::{Context, Result, bail};
use gpm::archive::Breadth;
use gpm::gpm::Reach;
use gpm::manifest::Manifest;
use gpm::observer::{Event, Observer};
use gpm::package::{Entry, Kind, Package, Trust};
use gpm::repository::Time;
use gpm::solver::SolveError;
use gpm::{Error, Gpm};
use serde_json::{Value, json};

/// Standard output, as text or JSON.
pub struct Output {
    json: bool,
}

impl Output {
    pub fn new(json: bool) -> Output {
        Output { json }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the one or the other. A reader that has gone is no error.
    pub fn say(&self, text: &str, value: &Value) {
        let _ = if self.json { writeln!(io::stdout(), "{value}") } else if text.is_empty() { Ok(()) } else { writeln!(io::stdout(), "{text}") };
    }

    pub fn error(&self, error: &anyhow::Error) {
        if self.json {
            let conflict = error.downcast_ref::<Error>().and_then(|it| match it {
                Error::Solve(SolveError::Conflict(conflict)) => serde_json::to_value(conflict).ok(),
                _ => None,
            });
            let similar = error.downcast_ref::<Error>().and_then(|it| match it {
                Error::Solve(SolveError::Unknown { similar, .. }) => Some(similar),
                _ => None,
            });
            let _ = writeln!(io::stdout(), "{}", json!({ "error": format!("{error:#}"), "conflict": conflict, "similar": similar }));
        } else {
            let _ = writeln!(io::stderr(), "gpm: {error:#}");
        }
    }
}

/// Tells on standard error how far things are.
pub struct Progress {
    terminal: bool,
    quiet: bool,
    line: Mutex<String>,
}

impl Progress {
    pub fn new(output: &Output) -> Progress {
        Progress { terminal: io::stderr().is_terminal(), quiet: output.is_json(), line: Mutex::default() }
    }

    /// One line that the next one overwrites.
    fn passing(&self, text: String) {
        if let Ok(mut line) = self.line.lock()
            && *line != text
        {
            let _ = write!(io::stderr(), "\r\x1b[K{text}");
            *line = text;
        }
    }

    fn lasting(&self, text: &str) {
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        let _ = writeln!(io::stderr(), "{clear}{text}");
    }
}

impl Observer for Progress {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Note { text } => self.lasting(&format!("gpm: {text}")),
            Event::Output { package, line } => self.lasting(&format!("{package}: {line}")),
            _ if self.quiet || !self.terminal => {}
            Event::Fetch { name, done, total } => match total {
                Some(total) if *total > 0 => self.passing(format!("fetching {name} {:3} % of {}", done * 100 / total, bytes(*total))),
                _ => self.passing(format!("fetching {name} {}", bytes(*done))),
            },
            Event::Verify { name } => self.passing(format!("verifying {name}")),
            Event::Unpack { name, done, total } => self.passing(format!("[{}/{total}] laying out {name}", done + 1)),
            Event::Step { done, total, .. } if *total > 0 => self.passing(format!("switching {:3} %", done * 100 / total)),
            Event::Step { what: "tidy up", .. } => self.passing(String::new()),
            Event::Step { .. } => {}
            Event::Script { package, moment } => match moment {
                Some(moment) => self.passing(format!("{package}: {moment}")),
                None => self.passing(format!("{package}: trigger")),
            },
        }
    }
}

/// A number of bytes for people.
pub fn bytes(count: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (count as f64, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", units[unit]) }
}

pub fn search(gpm: &Gpm<'_>, words: &[String], output: &Output) -> Result<ExitCode> {
    let found = gpm.search(words)?;
    let mut seen = std::collections::BTreeSet::new();
    let (mut text, mut list) = (String::new(), Vec::new());
    for known in found {
        let it = &known.available;
        if !seen.insert(it.manifest.name.clone()) {
            continue;
        }
        let mark = if it.installed { " [installed]" } else { "" };
        text += &format!("{} {}{mark}\n    {}\n", it.manifest.name, it.manifest.version, it.manifest.summary);
        let manifest = &it.manifest;
        list.push(json!({ "name": manifest.name, "version": manifest.version, "summary": manifest.summary, "installed": it.installed, "repository": it.repository.as_deref() }));
    }
    output.say(text.trim_end(), &json!(list));
    Ok(if list.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A name that is rather a file's.
pub fn as_file(name: &str) -> Option<PathBuf> {
    (name.ends_with(".gcpkg") || name.contains('/')).then(|| PathBuf::from(name))
}

fn describe(manifest: &Manifest) -> String {
    let mut text = format!("{} {} ({})\n{}\n", manifest.name, manifest.version, manifest.architecture, manifest.summary);
    if !manifest.description.is_empty() {
        text += &format!("\n{}\n\n", manifest.description.trim());
    }
    let mut field = |name: &str, value: String| {
        if !value.is_empty() {
            text += &format!("{name:14} {value}\n");
        }
    };
    let join = |list: Vec<String>| list.join(", ");
    field("licence", manifest.licence.clone());
    field("homepage", manifest.homepage.clone());
    field("maintainer", manifest.maintainer.clone());
    field("needs", join(manifest.depends.iter().map(ToString::to_string).collect()));
    field("optional", join(manifest.optional.iter().map(|it| it.dependency.to_string()).collect()));
    field("provides", join(manifest.provides.iter().map(ToString::to_string).collect()));
    field("conflicts", join(manifest.conflicts.iter().map(ToString::to_string).collect()));
    field("replaces", join(manifest.replaces.iter().map(ToString::to_string).collect()));
    if let Some(it) = manifest.consciousness {
        field("consciousness", format!("level {} or more, best at {}", it.required_level, it.optimal_level));
    }
    if let Some(ai) = &manifest.ai {
        let modes: Vec<String> = ai.modes.iter().map(|it| format!("{it:?}").to_lowercase()).collect();
        field("AI", format!("{}{}", if ai.required { "required: " } else { "" }, modes.join(", ")));
    }
    field("state checksum", manifest.state_checksum.clone().unwrap_or_default());
    for (moment, scriptlet) in &manifest.scriptlets {
        field("scriptlet", format!("{moment}, with the rights {:?}", scriptlet.rights));
    }
    text
}

pub fn info(gpm: &Gpm<'_>, name: &str, output: &Output) -> Result<ExitCode> {
    if let Some(path) = as_file(name) {
        let package = Package::open(&path, Trust::Anyone).with_context(|| path.display().to_string())?;
        let (header, keys) = (package.header(), gpm.trusted_keys()?);
        let trusted = Package::open(&path, Trust::Keys(&keys)).err().map_or_else(|| "signed by a trusted key".to_owned(), |error| error.to_string());
        let text = format!("{}{:14} {}\n{:14} {trusted}", describe(&header.manifest), "size", bytes(header.payload.size), "signature");
        output.say(&text, &json!({ "manifest": header.manifest, "sha512": package.digest(), "signature": trusted, "size": header.payload.size }));
        return Ok(ExitCode::SUCCESS);
    }
    let mut versions: Vec<_> = gpm.known(&[], Trust::Anyone, Reach::Names(&[name.to_owned()].into(), Breadth::None))?.into_iter().filter(|it| it.available.manifest.name == name).collect();
    versions.sort_by(|a, b| b.available.manifest.version.cmp(&a.available.manifest.version));
    let Some(first) = versions.iter().find(|it| it.available.installed).or_else(|| versions.first()) else {
        bail!("no package is called {name}: 'gpm search {name}' looks for it");
    };
    let mut text = describe(&first.available.manifest);
    let mut list = Vec::new();
    for it in &versions {
        let version = &it.available.manifest.version;
        let places: Vec<&str> = it.available.installed.then_some("installed").into_iter().chain(it.available.repository.as_deref()).collect();
        text += &format!("{:14} {version} ({})\n", "version", places.join(", "));
        list.push(json!({ "version": version, "installed": it.available.installed, "repository": it.available.repository.as_deref() }));
    }
    output.say(text.trim_end(), &json!({ "manifest": *first.available.manifest, "versions": list }));
    Ok(ExitCode::SUCCESS)
}

pub fn list(gpm: &Gpm<'_>, output: &Output) -> Result<ExitCode> {
    let policy = gpm.database().policy()?;
    let records = gpm.database().records()?;
    let mut text = String::new();
    for (name, it) in &records {
        let mark = if policy.manual.contains(name) { "" } else { " (as a dependency)" };
        text += &format!("{name} {}{mark}\n", it.manifest.version);
    }
    let list: Vec<Value> = records
        .values()
        .map(|it| json!({ "name": it.manifest.name, "version": it.manifest.version, "size": it.size, "repository": it.repository, "manual": policy.manual.contains(&it.manifest.name) }))
        .collect();
    output.say(text.trim_end(), &json!(list));
    Ok(ExitCode::SUCCESS)
}

pub fn files(gpm: &Gpm<'_>, name: &str, output: &Output) -> Result<ExitCode> {
    let files: Vec<Entry> = if let Some(path) = as_file(name) {
        Package::open(&path, Trust::Anyone).with_context(|| path.display().to_string())?.header().files.clone()
    } else if gpm.database().records()?.contains_key(name) {
        gpm.database().files(name)?
    } else {
        return Err(Error::NotInstalled(name.into()).into());
    };
    let lines: Vec<String> = files.iter().map(|it| format!("/{}{}", it.path, if it.kind == Kind::Directory { "/" } else { "" })).collect();
    output.say(&lines.join("\n"), &json!(files));
    Ok(ExitCode::SUCCESS)
}

pub fn owns(gpm: &Gpm<'_>, path: &str, output: &Output) -> Result<ExitCode> {
    let absolute = if path.starts_with('/') { path.to_owned() } else { std::env::current_dir()?.join(Path::new(path)).display().to_string() };
    let owners = gpm.owners(&absolute)?;
    if owners.is_empty() {
        bail!("{absolute} belongs to no package");
    }
    output.say(&owners.join("\n"), &json!(owners));
    Ok(ExitCode::SUCCESS)
}

pub fn why(gpm: &Gpm<'_>, name: &str, output: &Output) -> Result<ExitCode> {
    let chains = gpm.why(name)?;
    let text = if chains.is_empty() {
        format!("nobody asked for {name}, and nothing needs it: 'gpm autoremove' removes it")
    } else {
        chains.iter().map(|chain| if chain.len() == 1 { format!("{name}: asked for") } else { chain.join(" needs ") }).collect::<Vec<_>>().join("\n")
    };
    output.say(&text, &json!(chains));
    Ok(ExitCode::SUCCESS)
}

pub fn history(gpm: &Gpm<'_>, output: &Output) -> Result<ExitCode> {
    let history = gpm.database().history()?;
    let mut text = String::new();
    for past in &history {
        text += &format!("{:4}  {}  {}\n", past.id, Time(past.time), past.what);
        for it in &past.changes {
            let version = |it: &Option<(String, gpm::digest::Digest)>| it.as_ref().map(|(version, _)| version.clone());
            let versions: Vec<String> = version(&it.from).into_iter().chain(version(&it.to)).collect();
            text += &format!("      {} {} {}\n", it.verb(), it.name, versions.join(" -> "));
        }
    }
    output.say(text.trim_end(), &json!(history));
    Ok(ExitCode::SUCCESS)
}

pub fn verify(gpm: &Gpm<'_>, names: &[String], output: &Output) -> Result<ExitCode> {
    let flaws = gpm.verify(names)?;
    let lines: Vec<String> = flaws
        .iter()
        .map(|it| if it.path.is_empty() { format!("{}: {}", it.package, it.what) } else { format!("{}: /{} {}", it.package, it.path, it.what) })
        .collect();
    let text = if lines.is_empty() { "all files are as they were delivered".to_owned() } else { lines.join("\n") };
    output.say(&text, &json!(flaws));
    Ok(if flaws.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
