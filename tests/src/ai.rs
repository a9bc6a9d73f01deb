//! The AI service in the machine: it runs, answers with a model, keeps what it should, and lets nothing out.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::lab::Lab;
use crate::{Test, check};

const LIMIT: Duration = Duration::from_secs(120);

pub fn tests() -> Vec<Test> {
    vec![Test::new("vm/genaid", genaid)]
}

/// Settings of a second genaid, whose model is made from a text.
const SETTINGS: &str = r#"
socket = "/tmp/ai/socket"
state = "/tmp/ai/state"
policy = "/tmp/ai/policy.toml"
audit = "/tmp/ai/audit.jsonl"
[local]
model = "/tmp/ai/model.txt"
"#;

/// Starts it and waits until it answers.
const START: &str = "setsid genaid --config /tmp/ai/genaid.toml > /tmp/ai/log 2>&1 < /dev/null & echo $! > /tmp/ai/pid
    for n in $(seq 600); do GENAI_SOCKET=/tmp/ai/socket genai status > /dev/null 2>&1 && exit 0; sleep 0.1; done; cat /tmp/ai/log; exit 1";

fn genaid(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    let sh = |line: &str| -> Result<String> {
        let output = machine.sh(line, LIMIT)?;
        check::succeeds(&output).with_context(|| line.to_owned())?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // The system's own: no model is installed, which it says, and goes on. Right after the boot it may not be up yet.
    sh("for n in $(seq 600); do genai status > /dev/null 2>&1 && exit 0; sleep 0.1; done; genai status")?;
    let status = sh("genai status --json")?;
    ensure!(status.contains("\"mode\":\"local\"") && status.contains("gpm install model-smollm2-135m"), "{status}");
    sh("! genai ask hello 2> /tmp/ask.err && grep -q 'there is no model' /tmp/ask.err")?;
    sh("[ $(stat -c %a /run/genaid.sock) = 666 ] && [ $(stat -c %a /var/lib/genaid) = 700 ]")?;
    // One with a model.
    sh(&format!("rm -rf /tmp/ai && mkdir /tmp/ai && cat > /tmp/ai/genaid.toml <<'END'\n{SETTINGS}END\nprintf 'what is a file?\\nA file is a named piece of data.\\n\\nwhat is a pipe?\\nA pipe joins two programs.\\n' > /tmp/ai/model.txt"))?;
    sh(START)?;
    let ask = |what: &str| sh(&format!("GENAI_SOCKET=/tmp/ai/socket genai ask --json '{what}'"));
    let first = ask("what is a file?")?;
    ensure!(first.contains("A file is a named piece of data.") && first.contains("\"source\":\"local\""), "{first}");
    let again = ask("what is a file?")?;
    ensure!(again.contains("\"source\":\"cache\""), "{again}");
    // Killed in its work, the cache holds what it had.
    sh(&format!("kill -9 $(cat /tmp/ai/pid); {START}"))?;
    let after = ask("What is a file")?;
    ensure!(after.contains("\"source\":\"cache"), "{after}");
    sh("! GENAI_SOCKET=/tmp/ai/socket genai ask --route cloud hello 2> /tmp/ask.err && grep -q 'no endpoint is configured' /tmp/ask.err && ! test -e /tmp/ai/audit.jsonl")?;
    sh("kill $(cat /tmp/ai/pid); rm -rf /tmp/ai")?;
    Ok(())
}
