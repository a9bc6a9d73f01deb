//! The typed action and the plan made of actions.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::desktop::DesktopAction;
use crate::risk::Risk;

/// Something the system can be asked to do, whoever asks: language, a key binding, a menu, or IPC.
///
/// Serialised with the tag `kind`, so that `{"kind": "command", "text": "ls"}` is the first variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Run `text` in the user's shell, as bash would.
    Command {
        /// The command line, complete and parseable.
        text: String,
    },
    /// Do something with windows, workspaces or the desktop as a whole.
    Desktop {
        /// What.
        action: DesktopAction,
    },
}

impl Action {
    /// What a person would type to get the same.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Action::Command { text } => text.into(),
            Action::Desktop { action } => format!("gdectl action {action}").into(),
        }
    }
}

/// One action of a plan with the reason for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    #[serde(flatten)]
    pub action: Action,
    /// One line in words: what it does for the request.
    pub why: String,
    /// How careful to be, from the parsed action.
    pub risk: Risk,
    /// Programs the step needs which are not on this machine. Empty when it can run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// What a request was understood to mean: shown before anything runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The steps in order.
    pub plan: Vec<Step>,
    /// Probability, 0 to 1, that this is what was meant.
    pub confidence: f32,
    /// Which part of the pipeline made it, e.g. `intent:files.largest`.
    pub source: String,
}

impl Plan {
    /// The highest risk of its steps; [`Risk::Safe`] for an empty plan.
    pub fn risk(&self) -> Risk {
        self.plan.iter().map(|s| s.risk).max().unwrap_or(Risk::Safe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_serialises_as_documented() {
        let plan = Plan {
            plan: vec![Step {
                action: Action::Command { text: "df -h".into() },
                why: "free space".into(),
                risk: Risk::Safe,
                missing: vec![],
            }],
            confidence: 0.5,
            source: "intent:disk.free".into(),
        };
        assert_eq!(
            serde_json::to_string(&plan).unwrap(),
            r#"{"plan":[{"kind":"command","text":"df -h","why":"free space","risk":"safe"}],"confidence":0.5,"source":"intent:disk.free"}"#
        );
    }
}
