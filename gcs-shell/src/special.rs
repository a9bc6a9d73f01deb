//! Requests whose answer is one of this shell's own commands: lessons, and questions that need measuring.

use actions::{Action, Plan, RiskContext, Step};
use intent::{Answer, Reading};

use crate::{diagnose, lessons};

/// Politeness and beginnings that carry nothing.
const BEGINNINGS: &[&str] = &["please", "can you", "could you", "would you", "i want to", "i would like to", "i'd like to", "let me", "help me", "hey", "ok", "now"];

/// Beginnings after which a topic follows.
const TEACH: &[&str] = &["teach me how to use", "teach me about", "teach me", "give me a lesson on", "give me a lesson about", "give me a tutorial on", "start a lesson on", "start the lesson", "start a tutorial on", "a lesson on", "lesson on", "lesson about", "tutorial on", "tutorial about", "learn how to use", "learn about", "learn to use", "learn", "practise", "practice", "train me in", "train me on"];
const QUIZ: &[&str] = &["quiz me on", "quiz me about", "quiz me in", "quiz on", "test me on", "test me in", "test my knowledge of", "examine me on"];

/// What a request means, where it is one of these.
pub fn answer(text: &str, risk: &RiskContext) -> Option<Answer> {
    let (intent, command, why): (&'static str, String, String) = if let Some(subject) = diagnose::recognise(text) {
        ("system.diagnose", format!("gcs diagnose {}", subject.name()), "measures, and answers with the figures".to_owned())
    } else {
        lesson(text)?
    };
    let step = Step { risk: actions::classify(&command, risk), action: Action::Command { text: command }, why, missing: Vec::new() };
    let plan = Plan { plan: vec![step], confidence: 0.97, source: format!("intent:{intent}") };
    Some(Answer::Plan { best: Reading { intent, plan }, others: Vec::new() })
}

fn lesson(text: &str) -> Option<(&'static str, String, String)> {
    let mut rest = text.trim().trim_end_matches(['.', '!', '?']).to_lowercase();
    while let Some(shorter) = BEGINNINGS.iter().find_map(|b| rest.strip_prefix(b).filter(|r| r.starts_with([' ', ','])).map(|r| r.trim_start_matches([' ', ',']).to_owned())) {
        rest = shorter;
    }
    let after = |list: &[&str]| list.iter().find_map(|b| rest.strip_prefix(b).filter(|r| r.is_empty() || r.starts_with(' ')).map(|r| r.trim().to_owned()));
    if let Some(topic) = after(QUIZ) {
        let name = lessons::find(&topic)?;
        return Some(("education.quiz", format!("gcs learn --quiz {name}"), format!("asks for commands about {name}, and checks them in a directory of its own")));
    }
    let topic = after(TEACH)?;
    if matches!(topic.as_str(), "" | "something" | "the shell" | "shell" | "bash" | "commands" | "the command line" | "linux") {
        return Some(("education.lessons", "gcs learn".to_owned(), "lists the lessons".to_owned()));
    }
    let name = lessons::find(&topic)?;
    Some(("education.teach", format!("gcs learn {name}"), format!("a lesson about {name}, with exercises in a directory of its own")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Option<String> {
        match answer(text, &RiskContext::default())? {
            Answer::Plan { best, .. } => {
                assert_eq!(best.plan.risk(), actions::Risk::Safe, "{text}");
                Some(best.plan.plan[0].action.text().into_owned())
            }
            _ => None,
        }
    }

    #[test]
    fn lessons_and_questions() {
        for (text, expected) in [
            ("teach me pipes", "gcs learn pipes"), ("Please teach me how to use grep!", "gcs learn grep"), ("I want to learn about file permissions", "gcs learn permissions"), ("can you give me a lesson on loops?", "gcs learn loops"), ("teach me something", "gcs learn"), ("quiz me on git", "gcs learn --quiz git"), ("test me on sorting", "gcs learn --quiz text"), ("help me practise redirecting", "gcs learn redirection"),
            ("why is it slow?", "gcs diagnose slow"), ("what is filling the disk?", "gcs diagnose disk"), ("which service failed, and why?", "gcs diagnose services"),
        ] {
            assert_eq!(command(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["list files", "test if the file exists", "teach me the piano", "learner.txt", "quiz me on cooking", "practice.txt"] {
            assert_eq!(command(text), None, "{text}");
        }
    }
}
