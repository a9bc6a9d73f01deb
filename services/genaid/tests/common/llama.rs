//! A genaid with a language model, which `./gos` names.

use std::path::PathBuf;

use genai_protocol::{Completion, Message, Role};

use super::Genaid;

/// What a person would write before each question, long enough to be worth keeping.
pub const SYSTEM: &str = "You are the assistant of an operating system. You answer questions about files, programs, packages, services, disks, the network and the settings of the machine. \
You answer in one short sentence, without any introduction and without repeating the question. Where a command does what is asked you name that command and say in a few words what it does. \
Commands are those of a Debian system: ls lists files, cp copies them, mv moves or renames them, rm deletes them, mkdir makes a folder, cat shows what is in a file, grep finds lines with a word, \
find looks for files by name, du tells how much space a folder takes, df tells how much space is left on the disks, ps shows what is running, kill ends a process, free tells about memory, \
tar packs folders into an archive and unpacks it again, ssh opens a shell on another machine, ping asks whether a machine answers. You never make up a command that does not exist. \
Where you do not know the answer you say so. You do not talk about yourself. Dangerous commands you name only together with a warning that says what would be lost.";

fn named(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: these tests run by `./gos test host/genaid`, the measurements by `./gos bench genai`")).into()
}

/// The model's file.
pub fn model() -> PathBuf {
    named("GENAID_MODEL")
}

/// The folder of the programs that run models.
pub fn runners() -> PathBuf {
    named("GENAID_RUNNERS")
}

/// Starts one; `local` are further lines of the table `local`.
pub fn start(local: &str) -> Genaid {
    Genaid::start_in(tempfile::tempdir().unwrap(), &format!("[local]\nmodel = {:?}\nrunners = {:?}\n{local}", model(), runners()))
}

/// A question in the chat format, never answered from the cache.
pub fn question(system: &str, text: &str) -> Completion {
    let messages = [(Role::System, system), (Role::User, text)].into_iter().filter(|(_, content)| !content.is_empty());
    let messages = messages.map(|(role, content)| Message { role, content: content.to_owned() }).collect();
    Completion { messages, max_tokens: 24, cache: false, stream: true, ..Completion::default() }
}
