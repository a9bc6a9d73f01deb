//! The AI service in the machine: it runs, answers with the image's model and with a small one, keeps what it should, and lets nothing out.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::lab::{Lab, Machine};
use crate::{Test, check};

/// On an emulated processor the model reads some tokens a second.
const LIMIT: Duration = Duration::from_secs(300);

pub fn tests() -> Vec<Test> {
    vec![Test::new("vm/genaid", genaid), Test::new("vm/language-model", language_model)]
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

/// Right after the boot the system's own may not be up yet.
const UP: &str = "for n in $(seq 600); do genai status > /dev/null 2>&1 && exit 0; sleep 0.1; done; genai status";

/// What a script prints, without the blanks around it.
fn sh(machine: &Machine, line: &str) -> Result<String> {
    let output = machine.sh(line, LIMIT)?;
    check::succeeds(&output).with_context(|| line.to_owned())?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// An answer of `genai ask --json`.
#[derive(Deserialize)]
struct Answer {
    text: String,
    tokens: u32,
    source: String,
}

/// The image's model, mapped by llama.cpp: it answers, obeys a grammar, gives its memory back, and comes back after its process was killed.
fn language_model(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    let sh = |line: &str| sh(&machine, line);
    let ask = |what: &str| -> Result<Answer> { serde_json::from_str(&sh(&format!("genai ask --json --no-cache {what}"))?).context("no answer") };
    sh(UP)?;
    // Nobody has asked for it: it takes no memory.
    let status = sh("genai status --json")?;
    ensure!(status.contains("\"engine\":\"llama.cpp\"") && status.contains("\"loaded\":false"), "{status}");
    let answer = ask("--max-tokens 8 'Name the capital of France.'")?;
    ensure!(answer.source == "local" && answer.text.contains("Paris") && (1..=8).contains(&answer.tokens), "{:?} of {} tokens", answer.text, answer.tokens);
    // Its weights are the file's pages; the limit is that of the issue of a small machine.
    let resident: u64 = sh("awk '/^VmRSS/ { print $2 }' /proc/$(pidof genaid-llama-v2 genaid-llama-v3)/status")?.parse().context("no process of the model")?;
    ensure!(resident < 200 << 10, "{resident} KiB are resident");
    sh("grep -q 'smollm2.*gguf' /proc/$(pidof genaid-llama-v2 genaid-llama-v3)/maps")?;
    sh("printf 'root ::= \"yes\" | \"no\"\\n' > /tmp/yes-no")?;
    let answer = ask("--grammar /tmp/yes-no --max-tokens 4 'Is water wet?'")?;
    ensure!(["yes", "no"].contains(&answer.text.as_str()), "{:?}", answer.text);
    // Killed, it is started again by the next question; told to go, it goes.
    sh("it=$(pidof genaid-llama-v2 genaid-llama-v3); kill -9 $it; while grep -q '^State:[[:space:]]*[DRST]' /proc/$it/status 2> /dev/null; do sleep 0.05; done")?;
    let answer = ask("--grammar /tmp/yes-no --max-tokens 4 'Is water wet?'")?;
    ensure!(["yes", "no"].contains(&answer.text.as_str()), "{:?}", answer.text);
    sh("genai unload && ! pidof genaid-llama-v2 genaid-llama-v3; rm /tmp/yes-no; genai status --json | grep -q '\"loaded\":false'")?;
    sh("gpm verify model-smollm2-135m genaid-llama")?;
    Ok(())
}

fn genaid(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    let sh = |line: &str| sh(&machine, line);
    sh(UP)?;
    let status = sh("genai status --json")?;
    ensure!(status.contains("\"mode\":\"local\""), "{status}");
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
    // Where the model is not installed it says so, at once, and what would help.
    sh(&format!("kill $(cat /tmp/ai/pid); sed -i 's|model.txt|model.gguf|' /tmp/ai/genaid.toml; {START}"))?;
    sh("! GENAI_SOCKET=/tmp/ai/socket genai ask hello 2> /tmp/ask.err && grep -q 'there is no model.*gpm install model-smollm2-135m' /tmp/ask.err")?;
    sh("! GENAI_SOCKET=/tmp/ai/socket genai ask --route cloud hello 2> /tmp/ask.err && grep -q 'no endpoint is configured' /tmp/ask.err && ! test -e /tmp/ai/audit.jsonl")?;
    sh("kill $(cat /tmp/ai/pid); rm -rf /tmp/ai")?;
    Ok(())
}
