//! An OpenAI-compatible endpoint: `POST BASE/chat/completions`, with the answer as a stream of server-sent events.

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use genai_protocol::{Completed, Completion, ErrorCode, Finish, Role, Source};
use serde_json::{Value, json};

use crate::config;
use crate::engine::{Failure, Until, stop_at};
use crate::policy::{Audit, Leaving, Policy, sha256, user_name};

/// Longest line of an answer, in bytes.
const MAX_EVENT: u64 = 1 << 20;

/// The endpoint, with the rules before it.
pub struct Cloud {
    settings: config::Cloud,
    policy: std::path::PathBuf,
    audit: Audit,
    agent: ureq::Agent,
}

/// Whether an address is encrypted, or does not leave the machine.
fn is_private(endpoint: &str) -> bool {
    if endpoint.starts_with("https://") {
        return true;
    }
    let Some(rest) = endpoint.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    if authority.contains('@') {
        return false;
    }
    let host = if let Some(inside) = authority.strip_prefix('[') { inside.split(']').next().unwrap_or("") } else { authority.split(':').next().unwrap_or("") };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback())
}

impl Cloud {
    pub fn new(config: &config::Config) -> Cloud {
        let seconds = match config.cloud.timeout_seconds {
            0 => 60,
            s => s,
        };
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(seconds)))
            // What was allowed for one address must not go to another.
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .into();
        Cloud { settings: config.cloud.clone(), policy: config.policy.clone(), audit: Audit::new(&config.audit), agent }
    }

    pub fn endpoint(&self) -> &str {
        &self.settings.endpoint
    }

    pub fn is_configured(&self) -> bool {
        !self.settings.endpoint.is_empty()
    }

    fn key(&self) -> Result<Option<String>, Failure> {
        use std::os::unix::fs::MetadataExt;
        let Some(path) = &self.settings.key_file else { return Ok(None) };
        let fail = |e: &dyn std::fmt::Display| Failure::new(ErrorCode::Backend, format!("the key {}: {e}", path.display()));
        let mode = std::fs::metadata(path).map_err(|e| fail(&e))?.mode();
        if mode & 0o077 != 0 {
            return Err(fail(&format!("its mode is {:o}, so others could read it: chmod 600", mode & 0o777)));
        }
        let key = std::fs::read_to_string(path).map_err(|e| fail(&e))?.trim().to_owned();
        if key.is_empty() || key.contains(|c: char| c.is_control() || !c.is_ascii()) {
            return Err(fail(&"it is empty, or no key"));
        }
        Ok(Some(key))
    }

    fn body(&self, c: &Completion) -> Value {
        let mut messages: Vec<Value> = c.messages.iter().map(|m| json!({"role": m.role, "content": m.content})).collect();
        if !c.prompt.is_empty() {
            messages.push(json!({"role": Role::User, "content": c.prompt}));
        }
        let mut body = json!({"model": self.settings.model, "messages": messages, "max_tokens": c.max_tokens, "temperature": c.temperature, "stream": true});
        if !c.stop.is_empty() {
            body["stop"] = json!(c.stop);
        }
        if c.temperature > 0.0 {
            body["seed"] = json!(c.seed);
        }
        body
    }

    /// Whether a request may leave: rule number and what would be sent. The rules are read anew each time, so that one that was
    /// taken away no longer counts.
    fn permit(&self, uid: u32, user: &str, c: &Completion) -> Result<(usize, Vec<u8>), Failure> {
        if !self.is_configured() {
            return Err(Failure::new(ErrorCode::NoModel, "no endpoint is configured (cloud.endpoint)"));
        }
        if !is_private(&self.settings.endpoint) {
            return Err(Failure::new(ErrorCode::Denied, format!("the endpoint {} is not encrypted: only https leaves this machine", self.settings.endpoint)));
        }
        let body = serde_json::to_vec(&self.body(c)).map_err(|e| Failure::new(ErrorCode::Backend, e.to_string()))?;
        let policy = Policy::read(&self.policy).map_err(|e| Failure::new(ErrorCode::Denied, format!("{e:#}")))?;
        Ok((policy.allows(uid, user, &c.purpose, c.text_bytes())?, body))
    }

    /// Whether a request may leave.
    pub fn may(&self, uid: u32, c: &Completion) -> bool {
        self.permit(uid, &user_name(uid), c).is_ok()
    }

    /// Asks the endpoint.
    pub fn complete(&self, uid: u32, c: &Completion, until: &Until, on_token: &mut dyn FnMut(&str)) -> Result<Completed, Failure> {
        let user = user_name(uid);
        let (rule, body) = self.permit(uid, &user, c)?;
        let grammar: Option<gbnf::Grammar> = c.grammar.as_deref().map(str::parse).transpose().map_err(|e| Failure::new(ErrorCode::BadRequest, format!("{e}")))?;
        let key = self.key()?;
        let endpoint = &self.settings.endpoint;
        self.audit.record(&Leaving { uid, user: &user, purpose: &c.purpose, endpoint, model: &self.settings.model, rule, bytes: body.len(), sha256: sha256(&body) })?;
        let start = Instant::now();
        let failed = |e: &dyn std::fmt::Display| Failure::new(ErrorCode::Backend, format!("asking {endpoint}: {e}"));
        let mut request = self.agent.post(format!("{}/chat/completions", endpoint.trim_end_matches('/'))).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut response = request.send(&body[..]).map_err(|e| failed(&e))?;
        let status = response.status();
        if !status.is_success() {
            let text: String = response.body_mut().read_to_string().unwrap_or_default().chars().take(300).collect();
            return Err(failed(&format!("it answered {status}: {text}")));
        }
        let mut answer = Answer { text: String::new(), shown: 0, tokens: 0, prompt_tokens: 0, first: None, finish: Finish::Stop, stop: &c.stop };
        // An answer under a grammar is checked before anybody sees it.
        let mut show = |piece: &str| {
            if grammar.is_none() {
                on_token(piece);
            }
        };
        let streamed = response.headers().get("content-type").and_then(|v| v.to_str().ok()).is_some_and(|t| t.starts_with("text/event-stream"));
        if streamed {
            let mut reader = BufReader::new(response.body_mut().as_reader());
            loop {
                if until.is_cancelled() {
                    answer.finish = Finish::Cancelled;
                    break;
                }
                if until.passed() {
                    answer.finish = Finish::Deadline;
                    break;
                }
                let mut line = Vec::new();
                let n = std::io::Read::take(&mut reader, MAX_EVENT).read_until(b'\n', &mut line).map_err(|e| failed(&e))?;
                if n == 0 {
                    break;
                }
                let line = String::from_utf8_lossy(&line);
                let Some(data) = line.strip_prefix("data:").map(str::trim) else { continue };
                if data == "[DONE]" {
                    break;
                }
                let event: Value = serde_json::from_str(data).map_err(|e| failed(&format!("{e} in {data}")))?;
                if answer.take(&event, start, &mut show) {
                    break;
                }
            }
        } else {
            let text = response.body_mut().with_config().limit(16 << 20).read_to_string().map_err(|e| failed(&e))?;
            let event: Value = serde_json::from_str(&text).map_err(|e| failed(&format!("{e} in its answer")))?;
            answer.take(&event, start, &mut show);
        }
        if answer.shown < answer.text.len() {
            show(&answer.text[answer.shown..]);
        }
        if let Some(g) = &grammar {
            if !g.matches(&answer.text) {
                return Err(failed(&"its answer does not match the grammar (endpoints know no grammars; ask for route local)"));
            }
            on_token(&answer.text);
        }
        Ok(Completed {
            text: answer.text,
            finish: answer.finish,
            source: Source::Cloud,
            model: self.settings.model.clone(),
            confidence: 0.0,
            prompt_tokens: answer.prompt_tokens,
            reused_tokens: 0,
            tokens: answer.tokens,
            first_token_ms: answer.first.unwrap_or_else(|| start.elapsed()).as_secs_f64() * 1e3,
            total_ms: start.elapsed().as_secs_f64() * 1e3,
        })
    }
}

struct Answer<'a> {
    text: String,
    shown: usize,
    tokens: u32,
    prompt_tokens: u32,
    first: Option<Duration>,
    finish: Finish,
    stop: &'a [String],
}

impl Answer<'_> {
    /// Takes an event (or a whole answer); whether the answer has ended.
    fn take(&mut self, event: &Value, start: Instant, show: &mut dyn FnMut(&str)) -> bool {
        if let Some(usage) = event.get("usage").filter(|u| u.is_object()) {
            self.prompt_tokens = usage["prompt_tokens"].as_u64().unwrap_or(0) as u32;
            self.tokens = usage["completion_tokens"].as_u64().unwrap_or(u64::from(self.tokens)) as u32;
        }
        let choice = &event["choices"][0];
        let piece = choice["delta"]["content"].as_str().or_else(|| choice["message"]["content"].as_str()).unwrap_or("");
        if !piece.is_empty() {
            self.first.get_or_insert_with(|| start.elapsed());
            self.tokens += u32::from(event.get("usage").is_none_or(Value::is_null));
            self.text.push_str(piece);
            let (stopped, showable) = stop_at(&mut self.text, self.stop);
            if showable > self.shown {
                show(&self.text[self.shown..showable]);
                self.shown = showable;
            }
            if stopped {
                self.finish = Finish::Stop;
                return true;
            }
        }
        if choice["finish_reason"].as_str() == Some("length") {
            self.finish = Finish::Length;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_or_own_addresses() {
        for good in ["https://example.org/v1", "http://localhost:8000/v1", "http://127.0.0.1/v1", "http://[::1]:1/v1"] {
            assert!(is_private(good), "{good}");
        }
        for bad in ["http://example.org/v1", "http://localhost.example.org/", "http://localhost@example.org/", "http://127.0.0.1.example.org", "ftp://localhost", "", "http://[::2]/"] {
            assert!(!is_private(bad), "{bad}");
        }
    }
}
