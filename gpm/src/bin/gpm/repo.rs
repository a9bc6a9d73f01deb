//! Commands about repositories.

use std::fs::{self, File};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use gpm::Gpm;
use gpm::gpm::Source;
use gpm::keys::{PublicKey, SecretKey};
use gpm::package::Trust;
use gpm::repository::{Expiry, Keys, Maker, Time, Updated, default_priority};
use serde_json::json;

use crate::args::{Repo, RepoKeys};
use crate::show::Output;

/// Whether a command is for those who make repositories.
pub fn needs_no_tree(command: &Repo) -> bool {
    !matches!(command, Repo::List | Repo::Trust { .. } | Repo::Forget { .. })
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
        Repo::List | Repo::Trust { .. } | Repo::Forget { .. } => unreachable!("these need a tree"),
    }
    Ok(ExitCode::SUCCESS)
}

pub fn use_one(gpm: &Gpm<'_>, command: &Repo, output: &Output) -> Result<ExitCode> {
    match command {
        Repo::List => {
            let sources = gpm.sources()?;
            let priority = |name: &str, it: &Source| it.priority.unwrap_or_else(|| default_priority(name));
            let lines: Vec<String> = sources
                .iter()
                .map(|(name, it)| format!("{name} {} (priority {}){}", it.url, priority(name, it), if it.enabled { "" } else { ", not used" }))
                .collect();
            let list: Vec<_> = sources.iter().map(|(name, it)| json!({ "name": name, "url": it.url, "priority": priority(name, it), "enabled": it.enabled })).collect();
            output.say(&lines.join("\n"), &json!(list));
        }
        Repo::Trust { name, url, root_file, priority } => {
            let root = fs::read(root_file).with_context(|| format!("cannot read {}", root_file.display()))?;
            gpm.add_source(name, &Source { url: url.clone(), priority: *priority, enabled: true }, &root)?;
            output.say(&format!("{name} is trusted; 'gpm update' asks it what it has"), &json!({ "name": name }));
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
