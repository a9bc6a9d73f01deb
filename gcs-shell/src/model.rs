//! Questions that no command answers, put to the language model where the AI service has one.

use std::time::Duration;

use actions::quote::quote;
use actions::{Action, Plan, RiskContext, Step};
use genai_protocol::Client;
use intent::{Answer, Reading};

/// A service that is stuck is no reason for the shell to be.
const PATIENCE: Duration = Duration::from_millis(300);

/// Below what is proposed as sure: a small model is often wrong, and the plan says so.
const CONFIDENCE: f32 = 0.3;

/// How requests begin that want words for an answer.
const BEGINNINGS: &[&str] = &[
    "what is", "what are", "what was", "what were", "what does", "what do", "who is", "who was", "who were", "who wrote", "who invented", "who discovered", "why is", "why are", "why do", "why does", "why did", "how does", "how do", "how did",
    "when was", "when did", "where is", "where was", "explain", "tell me about", "tell me why", "tell me a", "tell me what", "write a poem", "write me a poem", "write a story", "write a haiku", "write a letter", "write an essay", "write a text", "write a paragraph",
    "compose a", "compose me a", "translate", "summarise", "summarize", "describe", "define", "suggest a", "give me ideas", "give me an idea", "give me advice",
];

/// The answer; where the request means no command, but the model can be asked, that.
pub fn or_ask(answer: Answer, text: &str, risk: &RiskContext) -> Answer {
    if matches!(answer, Answer::OutOfScope { .. }) { asking(text, risk).unwrap_or(answer) } else { answer }
}

/// A plan that asks the model. `None` where the request wants no words, or where there is no model.
fn asking(text: &str, risk: &RiskContext) -> Option<Answer> {
    if !wants_words(text) || !has_model() {
        return None;
    }
    let command = format!("genai ask -- {}", quote(text.trim()));
    let why = "asks the language model, which is small and may be wrong".to_owned();
    let step = Step { risk: actions::classify(&command, risk), action: Action::Command { text: command }, why, missing: Vec::new() };
    let plan = Plan { plan: vec![step], confidence: CONFIDENCE, source: "model".to_owned() };
    Some(Answer::Unsure { readings: vec![Reading { intent: "model.ask", plan }] })
}

fn wants_words(text: &str) -> bool {
    let text = intent::text::plain(text);
    text.split_whitespace().count() > 2 && BEGINNINGS.iter().any(|beginning| text.strip_prefix(beginning).is_some_and(|rest| rest.starts_with(' ')))
}

/// Whether the AI service answers, and can.
fn has_model() -> bool {
    let Ok(mut client) = Client::connect() else { return false };
    client.set_timeout(Some(PATIENCE)).is_ok() && client.status().is_ok_and(|status| status.model_problem.is_empty() && status.engine != "n-gram")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_texts_want_words() {
        for text in ["What is the capital of France?", "please explain how photosynthesis works", "write a poem about the sea", "who wrote Hamlet?", "could you please translate good morning into German"] {
            assert!(wants_words(text), "{text}");
        }
        for text in ["order me a pizza", "what", "composer install", "turn on the kitchen light", "whatever is here"] {
            assert!(!wants_words(text), "{text}");
        }
    }
}
