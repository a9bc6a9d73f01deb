//! What deletes never takes more than was said.

#[allow(dead_code)]
mod common;

use common::world;
use intent::{Answer, Context};

/// The first plan's command; nothing where it asks back or understands nothing.
fn first(text: &str) -> Option<String> {
    match intent::ask(text, &world(), &Context::default()) {
        Answer::Missing { .. } | Answer::OutOfScope { .. } => None,
        other => Some(other.readings()[0].plan.plan[0].action.text().into_owned()),
    }
}

/// Whether it deletes whatever lies below a directory.
fn takes_all(command: &str) -> bool {
    command.contains("-delete") && !["-name", "-iname", "-size", "-mtime", "-mmin", "-empty", "-user", "-perm", "-newer", "-path"].iter().any(|test| command.contains(test))
}

#[test]
fn files_of_a_kind_that_is_not_understood_are_not_all_files() {
    for text in ["remove all core files in the file system", "delete all foo files here", "delete every weird file below this directory", "remove all files in nosuchplace", "delete all files under the nosuchplace"] {
        let command = first(text);
        assert!(!command.as_deref().is_some_and(takes_all), "{text}: {command:?}");
    }
}

#[test]
fn all_files_are_where_they_are_meant() {
    for text in ["delete all files here", "delete all the files in this directory", "remove every file under /tmp/x", "delete all files in the current directory"] {
        let command = first(text);
        assert!(command.as_deref().is_some_and(takes_all), "{text}: {command:?}");
    }
}
