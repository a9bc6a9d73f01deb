//! The questions of the guided installation.

use crate::print_disk;
use anyhow::{Context, bail};
use image_builder::tree::Tree;
use installer::Error;
use installer::answers::{Answers, Console, User};
use installer::disks::{self, Disk};
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

/// Asks for a line; an empty one is the default.
pub fn line(question: &str, default: &str) -> anyhow::Result<String> {
    let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
    print!("{question}{shown}: ");
    std::io::stdout().flush()?;
    let mut text = String::new();
    if std::io::stdin().lock().read_line(&mut text)? == 0 {
        bail!("the input has ended: nothing was written");
    }
    let text = text.trim();
    Ok(if text.is_empty() { default.to_owned() } else { text.to_owned() })
}

const CANNOT_LOG_IN: &str = "cannot log in";

/// Asks for a password without showing it.
pub fn secret(question: &str) -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() { rpassword::prompt_password(format!("{question}: ")).context("reading a password") } else { line(question, "") }
}

/// Asks for a password, twice, without showing it; an empty one is none.
pub fn password(of: &str, if_empty: &str) -> anyhow::Result<Option<String>> {
    let once = secret;
    loop {
        let first = once(&format!("Password of {of} (empty: {if_empty})"))?;
        if first.is_empty() {
            return Ok(None);
        }
        if once("The same again")? == first {
            return Ok(Some(first));
        }
        println!("These are not the same.");
    }
}

fn is_yes(text: &str) -> bool {
    matches!(text, "y" | "Y" | "yes")
}

/// Asks until the answers can be followed.
pub fn answers(system: &Tree) -> anyhow::Result<Answers> {
    println!("This installs GenAI OS onto a disk. Nothing is written before you have confirmed the plan; Ctrl-C ends it.\n");
    let disk = disk()?;
    let mut answers = Answers {
        disk,
        erase: None,
        hostname: "genai".into(),
        timezone: "Etc/UTC".into(),
        keyboard: "us".into(),
        console: Console::Login,
        disk_password: None,
        root_password: None,
        root_password_hash: None,
        users: Vec::new(),
    };
    loop {
        answers.hostname = line("Name of the machine", &answers.hostname)?;
        answers.timezone = line("Time zone (genai-install timezones lists all)", &answers.timezone)?;
        answers.keyboard = line("Keyboard layout of the desktop, such as us, de or de(neo)", &answers.keyboard)?;
        answers.disk_password = password("the disk, which nobody can read then without it", "not encrypted")?;
        answers.users.clear();
        let name = line("Your name to log in by (empty: nobody but root)", "")?;
        if !name.is_empty() {
            let full_name = line("Your full name", "")?;
            let password = password(&name, CANNOT_LOG_IN)?;
            let administrator = is_yes(&line("Are you an administrator? (y/n)", "y")?);
            answers.users.push(User { name, full_name, password, password_hash: None, administrator });
        }
        answers.root_password = password("root", CANNOT_LOG_IN)?;
        match answers.check(system) {
            Ok(()) => return Ok(answers),
            Err(Error::Answers(problems)) => println!("\nThat cannot be followed:\n  {}\n", problems.join("\n  ")),
            Err(other) => return Err(other.into()),
        }
    }
}

fn disk() -> anyhow::Result<PathBuf> {
    let disks: Vec<Disk> = disks::all();
    if disks.iter().all(|disk| disk.unusable.is_some()) {
        bail!("there is no disk to install to (genai-install disks lists all)");
    }
    for (number, disk) in (1..).zip(&disks) {
        print_disk(disk, &format!("{number:2}  "));
    }
    loop {
        let text = line("\nWhich disk? Its number", "")?;
        match text.parse::<usize>().ok().and_then(|number| disks.get(number.checked_sub(1)?)) {
            Some(disk) if disk.unusable.is_none() => return Ok(disk.path.clone()),
            Some(disk) => println!("{} cannot be installed to: {}", disk.path.display(), disk.unusable.clone().unwrap_or_default()),
            None => println!("There is no disk of that number."),
        }
    }
}
