//! Which services failed, and why: GCI's state and what its journal says of them.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Finding;

/// What `gci --json status` prints, as far as it is looked at.
#[derive(Debug, Deserialize)]
struct Report {
    units: Vec<Unit>,
}

#[derive(Debug, Deserialize)]
struct Unit {
    name: String,
    #[serde(default)]
    description: String,
    state: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    restarts: u32,
}

fn gci(args: &[&str]) -> Result<String> {
    let out = Command::new("gci").args(args).stdin(Stdio::null()).stderr(Stdio::piped()).output().context("asking gci; this answer needs GenAI OS's init")?;
    if !out.status.success() {
        bail!("gci {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Which services failed, and why?
pub fn services() -> Result<Finding> {
    let report: Report = serde_json::from_str(&gci(&["--json", "status"])?).context("reading what gci says")?;
    Ok(conclude(&report.units, |unit| gci(&["logs", "-b", "-n", "5", "-u", unit]).unwrap_or_default()))
}

fn conclude(units: &[Unit], logs: impl Fn(&str) -> String) -> Finding {
    let mut f = Finding::default();
    let failed: Vec<&Unit> = units.iter().filter(|u| u.state == "failed").collect();
    let unsteady: Vec<&Unit> = units.iter().filter(|u| u.state != "failed" && (u.state == "restarting" || u.restarts > 0)).collect();
    let name = |u: &Unit| if u.description.is_empty() { u.name.clone() } else { format!("{} ({})", u.name, u.description) };
    for u in failed.iter().chain(&unsteady) {
        let restarts = if u.restarts > 0 { format!(", started again {} times", u.restarts) } else { String::new() };
        let detail = if u.detail.is_empty() { String::new() } else { format!(": {}", u.detail) };
        f.evidence.push(format!("{} is {}{restarts}{detail}", name(u), u.state));
        for line in logs(&u.name).lines().filter(|l| !l.trim().is_empty()) {
            f.evidence.push(format!("  {line}"));
        }
    }
    f.answer = match &failed[..] {
        [] if unsteady.is_empty() => {
            f.evidence.push(format!("gci knows {} units; none has failed", units.len()));
            "No service has failed.".to_owned()
        }
        [] => format!("No service has failed, but {} had to be started again.", unsteady.iter().map(|u| u.name.as_str()).collect::<Vec<_>>().join(", ")),
        [one] => format!("{} has failed{}", name(one), if one.detail.is_empty() { ".".to_owned() } else { format!(": {}.", one.detail.trim_end_matches('.')) }),
        many => format!("{} services have failed: {}.", many.len(), many.iter().map(|u| u.name.as_str()).collect::<Vec<_>>().join(", ")),
    };
    for u in &failed {
        f.next.push(format!("gci restart {}", u.name));
        f.next.push(format!("gci logs -u {}", u.name));
    }
    f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_come_with_their_reason_and_words() {
        let text = r#"{"target":"console.target","reached_us":1,"is_starting":false,"units":[
            {"name":"devd","description":"The device database","state":"active","detail":"","pid":5,"restarts":0},
            {"name":"webd","description":"Web","state":"failed","detail":"its program ended with 3","restarts":8},
            {"name":"flaky","description":"","state":"active","detail":"","restarts":2}]}"#;
        let report: Report = serde_json::from_str(text).unwrap();
        let f = conclude(&report.units, |u| format!("12:00 {u}: no port\n"));
        assert_eq!(f.answer, "webd (Web) has failed: its program ended with 3.");
        assert!(f.evidence[0].contains("started again 8 times: its program ended with 3") && f.evidence[1].contains("webd: no port"), "{f:?}");
        assert!(f.evidence.iter().any(|e| e.starts_with("flaky is active, started again 2 times")));
        assert_eq!(f.next[0], "gci restart webd");
        assert_eq!(conclude(&[], |_| String::new()).answer, "No service has failed.");
    }
}
