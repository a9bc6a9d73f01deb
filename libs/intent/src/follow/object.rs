//! What the last command was about: the file that it made or that it named.

use actions::shell::{self, Invocation};

use crate::world::{Exists, World};

/// The operands of a command: words that are no options.
pub fn operands(i: &Invocation) -> Vec<String> {
    let mut all = Vec::new();
    let mut only = false;
    for w in i.words.iter().skip(1) {
        let Some(text) = w.literal() else { continue };
        if text == "--" && !only {
            only = true;
        } else if only || !text.starts_with('-') {
            all.push(text.to_owned());
        }
    }
    all
}

/// The name of a path's last part.
pub fn base(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// Where `source` came to be, copied or moved to `target`.
pub fn arrived(source: &str, target: &str, world: &dyn World) -> String {
    let inside = format!("{}/{}", target.trim_end_matches('/'), base(source));
    if world.exists(target) == Some(Exists::Dir) && world.exists(&inside).is_some() { inside } else { target.to_owned() }
}

/// The one file or directory that a command left, or spoke of.
pub fn of(command: &str, world: &dyn World) -> Option<String> {
    let script = shell::parse(command).ok()?;
    let [one] = &script.invocations[..] else { return None };
    let name = one.words.first()?.literal()?;
    let operands = operands(one);
    let object = match (name, &operands[..]) {
        ("cp" | "mv", [source, target]) => arrived(source, target, world),
        ("ln", [_, link]) => link.clone(),
        ("tar", _) => {
            let at = one.words.iter().position(|w| w.text.starts_with('-') && w.text.ends_with('f'))?;
            one.words.get(at + 1)?.literal()?.to_owned()
        }
        ("ls" | "cat" | "head" | "tail" | "less" | "mkdir" | "touch" | "stat" | "file" | "wc" | "du" | "nano" | "realpath" | "sha256sum" | "cd" | "tree" | "sort", [.., object]) => object.clone(),
        ("chmod" | "chown" | "grep" | "sed", [_, object]) => object.clone(),
        _ => return None,
    };
    world.exists(&object).map(|_| object)
}
