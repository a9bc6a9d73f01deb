//! Commands that change what is installed.

use std::collections::BTreeSet;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use gpm::dependency::{Dependency, Operator, Relation};
use gpm::gpm::Proposal;
use gpm::package::Trust;
use gpm::sandbox::Confinement;
use gpm::solver::{Change, Request, Upgrade};
use gpm::transaction::{Durability, Existing, Options};
use gpm::{Error, Gpm};
use serde_json::json;

use crate::args::{self, Consent};
use crate::show::{Output, as_file, bytes};

/// `name`, `name=version`, or a dependency.
fn parse(text: &str) -> Result<Dependency> {
    if let Some((name, version)) = text.split_once('=')
        && !text.contains('(')
    {
        let relation = Relation { version: Some((Operator::Equal, version.parse()?)), ..Relation::any(name)? };
        return Ok(Dependency { alternatives: vec![relation] });
    }
    Ok(text.parse()?)
}

pub fn install(gpm: &Gpm<'_>, wish: &args::Install, output: &Output) -> Result<ExitCode> {
    let mut request = Request { without_optional: wish.no_optional, ..Request::default() };
    let mut files: Vec<PathBuf> = Vec::new();
    for text in &wish.wanted {
        match as_file(text) {
            Some(path) => files.push(path),
            None => request.install.push(parse(text)?),
        }
    }
    request.remove.extend(wish.remove.iter().cloned());
    request.downgrade.extend(wish.downgrade.iter().cloned());
    let keys = gpm.trusted_keys()?;
    let trust = if wish.allow_unsigned { Trust::Anyone } else { Trust::Keys(&keys) };
    let proposal = gpm.propose(&request, &files, trust)?;
    go(gpm, &proposal, trust, &wish.consent, output)
}

pub fn remove(gpm: &Gpm<'_>, wish: &args::Remove, output: &Output) -> Result<ExitCode> {
    let request = Request { remove: wish.names.iter().cloned().collect(), cascade: wish.cascade, ..Request::default() };
    let proposal = gpm.propose(&request, &[], Trust::Anyone)?;
    go(gpm, &proposal, Trust::Keys(&[]), &wish.consent, output)
}

pub fn upgrade(gpm: &Gpm<'_>, wish: &args::Upgrade, output: &Output) -> Result<ExitCode> {
    let upgrade = if wish.names.is_empty() { Upgrade::All } else { Upgrade::Some(wish.names.iter().cloned().collect()) };
    let request = Request { upgrade, without_optional: wish.no_optional, ..Request::default() };
    let proposal = gpm.propose(&request, &[], Trust::Anyone)?;
    go(gpm, &proposal, Trust::Keys(&[]), &wish.consent, output)
}

pub fn downgrade(gpm: &Gpm<'_>, wish: &args::Downgrade, output: &Output) -> Result<ExitCode> {
    let name = wish.wanted.split('=').next().unwrap_or_default().to_owned();
    let records = gpm.database().records()?;
    let installed = records.get(&name).ok_or_else(|| Error::NotInstalled(name.clone()))?;
    let wanted = if wish.wanted.contains('=') {
        parse(&wish.wanted)?
    } else {
        let version = Some((Operator::Less, installed.manifest.version.clone()));
        Dependency { alternatives: vec![Relation { name: name.clone(), version }] }
    };
    let request = Request { install: vec![wanted], downgrade: BTreeSet::from([name]), ..Request::default() };
    let proposal = gpm.propose(&request, &[], Trust::Anyone)?;
    go(gpm, &proposal, Trust::Keys(&[]), &wish.consent, output)
}

pub fn autoremove(gpm: &Gpm<'_>, consent: &Consent, output: &Output) -> Result<ExitCode> {
    let request = Request { remove: gpm.orphans()?, ..Request::default() };
    let proposal = gpm.propose(&request, &[], Trust::Anyone)?;
    go(gpm, &proposal, Trust::Keys(&[]), consent, output)
}

pub fn undo(gpm: &Gpm<'_>, id: Option<u64>, consent: &Consent, output: &Output) -> Result<ExitCode> {
    let id = match id {
        Some(id) => id,
        None => gpm.database().history()?.last().map_or_else(|| bail!("nothing has been done that could be undone"), |it| Ok(it.id))?,
    };
    go(gpm, &gpm.propose_undo(id)?, Trust::Keys(&[]), consent, output)
}

pub fn rollback(gpm: &Gpm<'_>, id: u64, consent: &Consent, output: &Output) -> Result<ExitCode> {
    go(gpm, &gpm.propose_rollback(id)?, Trust::Keys(&[]), consent, output)
}

fn describe(proposal: &Proposal) -> String {
    let mut text = String::new();
    for change in &proposal.changes {
        let unasked = match change {
            Change::Install { requested: false, .. } => " (as a dependency)",
            Change::Remove { requested: false, .. } => " (in the way, and nobody asked for it)",
            _ => "",
        };
        let versions = match change {
            Change::Install { version, .. } | Change::Remove { version, .. } => version.to_string(),
            Change::Replace { from, version, .. } => format!("{from} -> {version}"),
        };
        text += &format!("  {:9} {} {versions}{unasked}\n", change.verb(), change.name());
    }
    let growth = bytes(proposal.growth.unsigned_abs());
    let sign = if proposal.growth < 0 { "freed" } else { "more on the disk" };
    text + &format!("{} to fetch, {growth} {sign}", bytes(proposal.download))
}

fn agreed() -> Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("nobody is there to be asked: --yes goes ahead, --dry-run only tells what would be done");
    }
    write!(io::stderr(), "Go ahead? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn go(gpm: &Gpm<'_>, proposal: &Proposal, trust: Trust<'_>, consent: &Consent, output: &Output) -> Result<ExitCode> {
    let value = |done: Option<u64>| json!({ "changes": proposal.changes, "download": proposal.download, "growth": proposal.growth, "transaction": done });
    if !proposal.essential.is_empty() && !consent.allow_essential {
        return Err(Error::Essential(proposal.essential.clone()).into());
    }
    if proposal.changes.is_empty() {
        if !consent.dry_run {
            gpm.make(proposal, trust, &Options::default())?;
        }
        output.say("nothing to do", &value(None));
        return Ok(ExitCode::SUCCESS);
    }
    if consent.dry_run {
        output.say(&describe(proposal), &value(None));
        return Ok(ExitCode::SUCCESS);
    }
    if !output.is_json() {
        output.say(&describe(proposal), &json!(null));
    }
    if !consent.yes && !agreed()? {
        bail!("nothing has been changed");
    }
    let options = Options {
        what: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        existing: if consent.overwrite { Existing::Overwrite } else { Existing::Refuse },
        confinement: if consent.unconfined { Confinement::WherePossible } else { Confinement::Always },
        durability: if consent.no_sync { Durability::Crash } else { Durability::PowerCut },
        without_scripts: consent.no_scripts,
        time: None,
    };
    let past = gpm.make(proposal, trust, &options)?;
    output.say("done", &value(past.map(|it| it.id)));
    Ok(ExitCode::SUCCESS)
}

pub fn pin(gpm: &Gpm<'_>, relation: &Option<String>, output: &Output) -> Result<ExitCode> {
    let Some(relation) = relation else {
        let policy = gpm.database().policy()?;
        let mut lines: Vec<String> = policy.pins.iter().map(|it| format!("pinned: {it}")).collect();
        lines.extend(policy.holds.iter().map(|it| format!("held: {it}")));
        output.say(&lines.join("\n"), &json!({ "pins": policy.pins, "holds": policy.holds }));
        return Ok(ExitCode::SUCCESS);
    };
    let relation: Relation = relation.parse()?;
    if relation.version.is_none() {
        bail!("a pin names versions, as in 'gpm pin \"{} (<< 2)\"'; 'gpm hold {}' keeps what is installed", relation.name, relation.name);
    }
    gpm.change_policy(|policy| {
        policy.pins.retain(|it| it.name != relation.name);
        policy.pins.push(relation.clone());
    })?;
    output.say(&format!("pinned: {relation}"), &json!({ "pinned": relation }));
    Ok(ExitCode::SUCCESS)
}

pub fn unpin(gpm: &Gpm<'_>, name: &str, output: &Output) -> Result<ExitCode> {
    if !gpm.database().policy()?.pins.iter().any(|it| it.name == name) {
        bail!("{name} is not pinned");
    }
    gpm.change_policy(|policy| policy.pins.retain(|it| it.name != name))?;
    output.say("", &json!({ "unpinned": name }));
    Ok(ExitCode::SUCCESS)
}

pub fn hold(gpm: &Gpm<'_>, names: &[String], output: &Output) -> Result<ExitCode> {
    let records = gpm.database().records()?;
    if let Some(missing) = names.iter().find(|it| !records.contains_key(*it)) {
        return Err(Error::NotInstalled(missing.clone()).into());
    }
    gpm.change_policy(|policy| policy.holds.extend(names.iter().cloned()))?;
    output.say("", &json!({ "held": names }));
    Ok(ExitCode::SUCCESS)
}

pub fn unhold(gpm: &Gpm<'_>, names: &[String], output: &Output) -> Result<ExitCode> {
    let holds = gpm.database().policy()?.holds;
    if let Some(missing) = names.iter().find(|it| !holds.contains(*it)) {
        bail!("{missing} is not held");
    }
    gpm.change_policy(|policy| policy.holds.retain(|it| !names.contains(it)))?;
    output.say("", &json!({ "unheld": names }));
    Ok(ExitCode::SUCCESS)
}
