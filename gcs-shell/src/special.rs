//! Requests whose answer is one of this shell's own commands: questions that need measuring.

use actions::{Action, Plan, RiskContext, Step};
use intent::{Answer, Reading};

use crate::diagnose;

/// What a request means, where it is one of these.
pub fn answer(text: &str, risk: &RiskContext) -> Option<Answer> {
    let subject = diagnose::recognise(text)?;
    let (intent, command) = ("system.diagnose", format!("gcs diagnose {}", subject.name()));
    let why = "measures, and answers with the figures".to_owned();
    let step = Step { risk: actions::classify(&command, risk), action: Action::Command { text: command }, why, missing: Vec::new() };
    let plan = Plan { plan: vec![step], confidence: 0.97, source: format!("intent:{intent}") };
    Some(Answer::Plan { best: Reading { intent, plan }, others: Vec::new() })
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
    fn questions_that_need_measuring() {
        for (text, expected) in [("why is it slow?", "gcs diagnose slow"), ("what is filling the disk?", "gcs diagnose disk"), ("which service failed, and why?", "gcs diagnose services")] {
            assert_eq!(command(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["list files", "test if the file exists", "why.txt"] {
            assert_eq!(command(text), None, "{text}");
        }
    }
}
