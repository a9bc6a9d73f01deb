//! Commands about repositories.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, anyhow, bail};
use gpm::Gpm;
use gpm::archive::Debian;
use gpm::gpm::Source;
use gpm::keys::{PublicKey, SecretKey};
use gpm::package::Trust;
use gpm::repository::{DeltaMade, Expiry, Keys, Maker, Time, Updated};
use serde_json::json;

use crate::args::{Repo, RepoKeys};
use crate::show::{Output, bytes};

/// Whether a command is for those who make repositories.
pub fn needs_no_tree(command: &Repo) -> bool {
    !matches!(
        command,
        Repo::List | Repo::Trust { .. } | Repo::Archive { .. } | Repo::Enable { .. } | Repo::Disable { .. } | Repo::Forget { .. }
    )
}

fn maker(dir: &Path, keys: &RepoKeys) -> Maker {
    Maker::new(dir, Keys::new(&keys.keys), Expiry { long: keys.long, short: keys.short }, Time::now())
}

pub fn look_after(command: &Repo, output: &Output) -> Result<ExitCode> {
    match command {
        Repo::Init { dir, keys, root_keys, threshold } => {
            if threshold > root_keys {
                bail!("{threshold} of {root_keys} root keys cannot sign");
            }
            if !keys.keys.join("root.key").exists() {
                Keys::new(&keys.keys).generate(*root_keys)?;
            }
            maker(dir, keys).init(*threshold)?;
            let root = dir.join("metadata/1.root.json");
            output.say(&format!("{}: what its users must trust is {}", dir.display(), root.display()), &json!({ "root": root }));
        }
        Repo::Add { dir, packages, keys, allow_unsigned } => {
            let ours: Vec<PublicKey> = Keys::new(&keys.keys).packages()?.iter().map(SecretKey::public).collect();
            let trust = if *allow_unsigned { Trust::Anyone } else { Trust::Keys(&ours) };
            maker(dir, keys).add(packages, trust)?;
            output.say("", &json!({ "added": packages }));
        }
        Repo::Delta { dir, keys, back } => {
            let made = maker(dir, keys).make_deltas(*back)?;
            let line = |it: &DeltaMade| match &it.outcome {
                Ok(length) => format!("{} from {}: {} instead of {}", it.package, it.from, bytes(*length), bytes(it.whole)),
                Err(why) => format!("{} from {}: none, {why}", it.package, it.from),
            };
            let object = |it: &DeltaMade| {
                let (length, why) = (it.outcome.as_ref().ok(), it.outcome.as_ref().err());
                json!({ "package": it.package, "from": it.from, "whole": it.whole, "length": length, "why-not": why })
            };
            output.say(&made.iter().map(line).collect::<Vec<_>>().join("\n"), &json!(made.iter().map(object).collect::<Vec<_>>()));
        }
        Repo::Drop { dir, names, keys } => {
            maker(dir, keys).remove(names)?;
            output.say("", &json!({ "dropped": names }));
        }
        Repo::Sign { dir, keys } => {
            maker(dir, keys).renew()?;
            let until = Time::now().after_days(keys.short);
            output.say(&format!("signed until {until}"), &json!({ "expires": until }));
        }
        Repo::Rotate { dir, keys, old_keys, threshold } => {
            maker(dir, keys).rotate(*threshold, &Keys::new(old_keys))?;
            output.say("", &json!({ "rotated": true }));
        }
        Repo::Serve { dir, listen } => serve(dir, listen, output)?,
        Repo::FromApt { codename, folder } => from_apt(codename, folder)?,
        Repo::List | Repo::Trust { .. } | Repo::Archive { .. } | Repo::Enable { .. } | Repo::Disable { .. } | Repo::Forget { .. } => {
            unreachable!("these need a tree")
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub fn use_one(gpm: &Gpm<'_>, command: &Repo, output: &Output) -> Result<ExitCode> {
    match command {
        Repo::List => {
            let sources = gpm.sources()?;
            let suites = |it: &Source| it.debian.as_ref().map_or_else(String::new, |it| format!(" {}, {}", it.suites.join(" "), it.components.join(" ")));
            let lines: Vec<String> = sources
                .iter()
                .map(|(name, it)| format!("{name} {}{} (priority {}){}", it.url, suites(it), it.priority(name), if it.enabled { "" } else { ", not used" }))
                .collect();
            let list: Vec<_> = sources.iter().map(|(name, it)| json!({ "name": name, "url": it.url, "priority": it.priority(name), "debian": it.debian, "enabled": it.enabled })).collect();
            output.say(&lines.join("\n"), &json!(list));
        }
        Repo::Trust { name, url, root_file, priority } => {
            let root = fs::read(root_file).with_context(|| format!("cannot read {}", root_file.display()))?;
            gpm.add_source(name, &Source { priority: *priority, ..Source::new(url) }, &root)?;
            output.say(&format!("{name} is trusted; 'gpm update' asks it what it has"), &json!({ "name": name }));
        }
        Repo::Archive { name, url, suites, components, keyring, priority } => {
            let debian = Debian { suites: suites.clone(), components: components.clone(), keyring: keyring.clone() };
            gpm.add_archive(name, &Source { priority: *priority, debian: Some(debian), ..Source::new(url) })?;
            output.say(&format!("{name} is used; 'gpm update' asks it what it has"), &json!({ "name": name }));
        }
        Repo::Enable { name } => {
            gpm.enable_source(name, true)?;
            output.say("", &json!({ "enabled": name }));
        }
        Repo::Disable { name } => {
            gpm.enable_source(name, false)?;
            output.say("", &json!({ "disabled": name }));
        }
        Repo::Forget { name } => {
            gpm.remove_source(name)?;
            output.say("", &json!({ "forgotten": name }));
        }
        _ => unreachable!("these need no tree"),
    }
    Ok(ExitCode::SUCCESS)
}

pub fn update(gpm: &Gpm<'_>, output: &Output) -> Result<ExitCode> {
    let found = gpm.update()?;
    if found.is_empty() {
        bail!("no repository is used: 'gpm repo trust' adds one");
    }
    let (mut lines, mut list, mut failed) = (Vec::new(), Vec::new(), false);
    for (name, result) in &found {
        let (text, word) = match result {
            Ok(Updated::Same) => ("as it was".to_owned(), "same"),
            Ok(Updated::News) => ("has news".to_owned(), "news"),
            Err(error) => {
                failed = true;
                (error.to_string(), "failed")
            }
        };
        lines.push(format!("{name}: {text}"));
        list.push(json!({ "name": name, "result": word, "error": result.as_ref().err().map(ToString::to_string) }));
    }
    output.say(&lines.join("\n"), &json!(list));
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Writes `etc/gpm/repositories/LABEL.toml` below `folder` for each of Debian's archives that apt uses.
fn from_apt(codename: &str, folder: &Path) -> Result<()> {
    let format = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(LABEL)|$(CODENAME)";
    let done = Command::new("apt-get").args(["indextargets", "--format", format, "Created-By: Packages", "Origin: Debian"]).output();
    let done = done.context("cannot run apt-get")?;
    if !done.status.success() {
        bail!("apt-get does not tell which archives it uses: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    let mut sources: BTreeMap<String, Source> = BTreeMap::new();
    for line in String::from_utf8_lossy(&done.stdout).lines() {
        let parts: Vec<&str> = line.split('|').collect();
        let &[url, suite, component, label, name] = parts.as_slice() else { continue };
        if !name.starts_with(codename) || !["http://", "https://"].iter().any(|it| url.starts_with(it)) {
            continue;
        }
        let source = sources.entry(label.to_lowercase()).or_insert_with(|| {
            let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg".into();
            Source { debian: Some(Debian { suites: Vec::new(), components: Vec::new(), keyring }), ..Source::new(url.trim_end_matches('/')) }
        });
        // Two mirrors of the same archive: the first is enough.
        if let Some(debian) = source.debian.as_mut().filter(|_| source.url == url.trim_end_matches('/')) {
            for (list, it) in [(&mut debian.suites, suite), (&mut debian.components, component)] {
                if !list.iter().any(|known| known == it) {
                    list.push(it.to_owned());
                }
            }
        }
    }
    let folder = folder.join("etc/gpm/repositories");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, source) in sources {
        let path = folder.join(format!("{name}.toml"));
        fs::write(&path, toml::to_string(&source)?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn serve(dir: &Path, listen: &str, output: &Output) -> Result<()> {
    let dir = dir.canonicalize().with_context(|| format!("cannot serve {}", dir.display()))?;
    let server = tiny_http::Server::http(listen).map_err(|error| anyhow!("cannot listen on {listen}: {error}"))?;
    let address = server.server_addr().to_string();
    output.say(&format!("serving {} at http://{address}", dir.display()), &json!({ "url": format!("http://{address}") }));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Ok(request) = server.recv() {
                    let path = request.url().split('?').next().unwrap_or("/").trim_start_matches('/').to_owned();
                    let _ = match public(&dir, &path, request.method()) {
                        Some(file) => request.respond(tiny_http::Response::from_file(file)),
                        None => request.respond(tiny_http::Response::empty(404)),
                    };
                }
            });
        }
    });
    Ok(())
}

/// A file that a repository is made of. No others are served, whatever lies beside them.
fn public(dir: &Path, path: &str, method: &tiny_http::Method) -> Option<File> {
    let (folder, name) = path.split_once('/')?;
    let safe = matches!(folder, "metadata" | "targets" | "packages") && !name.contains(['/', '\\', '\0']) && !name.starts_with('.');
    if !safe || !matches!(method, tiny_http::Method::Get | tiny_http::Method::Head) {
        return None;
    }
    let path = dir.join(folder).join(name);
    let file = File::open(&path).ok()?;
    file.metadata().ok()?.is_file().then_some(file)
}
