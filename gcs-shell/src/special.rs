//! Requests whose answer is one of this shell's own commands: lessons, and questions that need measuring.

use actions::{Action, Plan, RiskContext, Step};
use intent::text::plain;
use intent::{Answer, Reading};

use crate::{diagnose, lessons};

/// Beginnings after which a topic follows.
const TEACH: &[&str] = &["teach me how to use", "teach me about", "teach me", "give me a lesson on", "give me a lesson about", "give me a tutorial on", "start a lesson on", "start the lesson", "start a tutorial on", "a lesson on", "lesson on", "lesson about", "tutorial on", "tutorial about", "learn how to use", "learn about", "learn to use", "learn", "practise", "practice", "train me in", "train me on"];
const QUIZ: &[&str] = &["quiz me on", "quiz me about", "quiz me in", "quiz on", "test me on", "test me in", "test my knowledge of", "examine me on"];

/// What a request means, where it is one of these.
pub fn answer(text: &str, risk: &RiskContext, has_gpm: bool) -> Option<Answer> {
    let (intent, command, why): (&'static str, String, String) = if let Some(subject) = diagnose::recognise(text) {
        ("system.diagnose", format!("gcs diagnose {}", subject.name()), "measures, and answers with the figures".to_owned())
    } else if let Some(found) = package(text, has_gpm) {
        found
    } else {
        lesson(text)?
    };
    let step = Step { risk: actions::classify(&command, risk), action: Action::Command { text: command }, why, missing: Vec::new() };
    let plan = Plan { plan: vec![step], confidence: 0.97, source: format!("intent:{intent}") };
    Some(Answer::Plan { best: Reading { intent, plan }, others: Vec::new() })
}

/// Questions to gpm: who needs a package, and software by what it is for. A name that may be a package's is left to the classifier.
fn package(text: &str, has_gpm: bool) -> Option<(&'static str, String, String)> {
    if !has_gpm {
        return None;
    }
    let text = plain(text);
    let words: Vec<&str> = text.split(' ').collect();
    let name = |w: &str| w.len() > 1 && w.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) && !w.starts_with(['-', '.']);
    let rest = |skip: usize| words[skip..].iter().copied().filter(|w| !matches!(*w, "the" | "package" | "library" | "program")).collect::<Vec<_>>();
    let asked = match words[..] {
        ["what" | "which" | "who", "depends", "on", ..] => Some(rest(3)),
        ["what" | "which" | "who", "package" | "packages" | "else" | "program" | "programs", "depends" | "depend" | "needs" | "need" | "requires" | "require", ..] => Some(rest(3).into_iter().filter(|w| *w != "on").collect()),
        ["what" | "who", "needs" | "requires", ..] => Some(rest(2)),
        ["why", "is", .., "installed"] => Some(rest(2).into_iter().filter(|w| *w != "installed").collect()),
        ["why", "do", "i" | "we", "have", .., "installed"] => Some(rest(4).into_iter().filter(|w| *w != "installed").collect()),
        _ => None,
    };
    if let Some(asked) = asked {
        let [one] = asked[..] else { return None };
        return name(one).then(|| ("pkg.why", format!("gpm why {one}"), format!("tells who needs {one}, or that it was asked for")));
    }
    // "install a text editor": what it is, not what it is called.
    if let ["install" | "get" | "find", "a" | "an" | "some", kind @ ..] = &words[..] {
        let kind: Vec<&str> = kind.iter().copied().filter(|w| !matches!(*w, "program" | "app" | "application" | "package" | "tool" | "software" | "good" | "nice" | "small" | "for" | "me" | "to" | "that" | "can" | "new")).collect();
        let software = ["editor", "browser", "player", "viewer", "compiler", "server", "game", "games", "client", "terminal", "shell", "calculator", "debugger", "database", "manager", "reader", "monitor", "converter", "interpreter", "font", "fonts"];
        if (1..=3).contains(&kind.len()) && kind.iter().all(|w| name(w)) && kind.iter().any(|w| software.contains(w)) {
            return Some(("pkg.search", format!("gpm search {}", kind.join(" ")), "looks for packages by what they are; then: install, and the name".to_owned()));
        }
    }
    None
}

fn lesson(text: &str) -> Option<(&'static str, String, String)> {
    let rest = plain(text);
    let after = |list: &[&str]| list.iter().find_map(|b| rest.strip_prefix(b).filter(|r| r.is_empty() || r.starts_with(' ')).map(|r| r.trim().to_owned()));
    if let Some(topic) = after(QUIZ) {
        let name = lessons::find(&topic)?;
        return Some(("education.quiz", format!("gcs learn --quiz {name}"), format!("asks for commands about {name}, and checks them in a directory of its own")));
    }
    let Some(topic) = after(TEACH) else { return otherwise(&rest) };
    if matches!(topic.as_str(), "" | "something" | "the shell" | "shell" | "bash" | "commands" | "the command line" | "linux") {
        return Some(("education.lessons", "gcs learn".to_owned(), "lists the lessons".to_owned()));
    }
    let name = lessons::find(&topic)?;
    Some(("education.teach", format!("gcs learn {name}"), format!("a lesson about {name}, with exercises in a directory of its own")))
}

/// Lessons asked for in other words: "exercises for find", "test my git knowledge", "start the permissions lesson", "which lessons are there".
fn otherwise(text: &str) -> Option<(&'static str, String, String)> {
    let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || "'-_./".contains(c))).filter(|w| !w.is_empty()).collect();
    let has = |list: &[&str]| words.iter().any(|w| list.contains(w));
    let asks = has(&["quiz", "knowledge", "questions"]) && has(&["quiz", "test", "ask", "examine", "check"]);
    let teaches = has(&["lesson", "lessons", "tutorial", "tutorials", "exercise", "exercises", "teach", "course", "courses"]) || (has(&["learn", "understand", "practice", "practise"]) && has(&["i", "me", "how", "what", "want"]));
    if !(asks || teaches) || words.len() > 9 || words.iter().any(|w| w.contains(['.', '/'])) {
        return None;
    }
    const EMPTY: &[&str] = &[
        "quiz", "knowledge", "questions", "test", "ask", "examine", "check", "lesson", "lessons", "tutorial", "tutorials", "exercise", "exercises", "teach", "course", "courses", "learn", "understand", "practice", "practise", "i", "me", "my", "how", "what", "want", "to", "a", "the", "for", "about", "on", "of", "some", "do", "does", "can",
        "with", "start", "explain", "give", "show", "is", "are", "there", "which", "work", "works", "in", "list", "all", "available", "here", "us", "please", "you", "have", "need", "begin", "open", "command", "commands", "use", "using", "and", "it", "today", "next", "could", "interactive",
    ];
    let topic: Vec<&str> = words.iter().copied().filter(|w| !EMPTY.contains(w)).collect();
    if topic.is_empty() {
        let lists = has(&["lessons", "tutorials", "exercises", "courses"]) || (has(&["learn"]) && has(&["what", "can"]));
        return lists.then(|| ("education.lessons", "gcs learn".to_owned(), "lists the lessons".to_owned()));
    }
    let name = lessons::find(&topic.join(" "))?;
    // "understand" and "learn" speak of other things as well: the topic must be all that is left.
    if topic.len() > 2 {
        return None;
    }
    Some(if asks {
        ("education.quiz", format!("gcs learn --quiz {name}"), format!("asks for commands about {name}, and checks them in a directory of its own"))
    } else {
        ("education.teach", format!("gcs learn {name}"), format!("a lesson about {name}, with exercises in a directory of its own"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Option<String> {
        match answer(text, &RiskContext::default(), true)? {
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
            ("install a text editor", "gpm search text editor"), ("please install an image viewer", "gpm search image viewer"), ("what depends on libssl3?", "gpm why libssl3"), ("why is the package bash installed?", "gpm why bash"), ("which packages need libc6", "gpm why libc6"),
            ("why is it slow?", "gcs diagnose slow"), ("what is filling the disk?", "gcs diagnose disk"), ("which service failed, and why?", "gcs diagnose services"),
        ] {
            assert_eq!(command(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["list files", "test if the file exists", "teach me the piano", "learner.txt", "quiz me on cooking", "practice.txt", "install htop", "install a.deb", "find a file", "get some sleep", "what needs to be done today", "why is it installed so slowly"] {
            assert_eq!(command(text), None, "{text}");
        }
    }
}
