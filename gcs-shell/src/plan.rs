//! A plan on the screen: shown, explained, edited, run or dropped.

use std::fmt::Write;

use actions::{Plan, Risk, explain};
use anyhow::Result;
use intent::{Answer, Reading};
use nu_ansi_term::{Color, Style};

use crate::terminal::{self, Key};

/// What the user decided.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Run these command lines.
    Run(Plan),
    /// Put this into the editor.
    Edit(String),
    /// Run the line as it was typed, as a command.
    AsTyped,
    /// Nothing.
    Drop,
}

/// `text` in a style, where colours are wanted.
pub fn paint(style: Style, text: &str) -> String {
    if terminal::colours() { style.paint(text).to_string() } else { text.to_owned() }
}

fn risk_label(risk: Risk) -> String {
    match risk {
        Risk::Safe => paint(Style::new().fg(Color::Green), "safe: only looks"),
        Risk::Confirm => paint(Style::new().fg(Color::Yellow), "changes something"),
        Risk::Dangerous => paint(Style::new().fg(Color::Red).bold(), "dangerous: may destroy"),
    }
}

/// The plan in words, several lines.
pub fn describe(plan: &Plan) -> String {
    let mut s = String::new();
    for step in &plan.plan {
        let _ = writeln!(s, "  {}", paint(Style::new().bold(), &step.action.text()));
        let _ = writeln!(s, "  {}", step.why);
        for m in &step.missing {
            let _ = writeln!(s, "  {}", paint(Style::new().fg(Color::Red), &format!("The program {m} is not installed here.")));
        }
    }
    let _ = write!(s, "  [{}] confidence {} %", risk_label(plan.risk()), (plan.confidence * 100.0).round().clamp(0.0, 99.0));
    s
}

/// Each part of a command line and its meaning.
pub fn explanation(command: &str) -> String {
    match explain::explain(command) {
        Ok(parts) => {
            let width = parts.iter().map(|p| p.text.chars().count() + 2 * p.depth).max().unwrap_or(0).min(34);
            parts
                .iter()
                .map(|p| {
                    let left = format!("{}{}", "  ".repeat(p.depth), p.text);
                    format!("  {left:<width$}  {}\n", p.meaning)
                })
                .collect()
        }
        Err(e) => format!("  {e}\n"),
    }
}

/// Shows what a request was understood to mean and asks what to do. `typed_is_command`: the line could also run as typed.
pub fn decide(answer: &Answer, typed_is_command: bool) -> Result<Decision> {
    match answer {
        Answer::OutOfScope { .. } => {
            println!("  I cannot do that. I turn requests about files, text, processes, disks, the system, the network,");
            println!("  users and packages into commands; `gcs intents` lists them with examples.");
            if typed_is_command {
                println!("  r runs the line as typed, any other key goes back.");
                return Ok(if terminal::key()? == Key::Char('r') { Decision::AsTyped } else { Decision::Drop });
            }
            Ok(Decision::Drop)
        }
        Answer::Missing { question, others, .. } => {
            println!("  {question}");
            if others.is_empty() { Ok(Decision::Drop) } else { pick("  Or did you mean:", others, typed_is_command) }
        }
        Answer::Unsure { readings } => match &readings[..] {
            [only] => {
                println!("  I am not sure. Perhaps:");
                confirm(only, typed_is_command)
            }
            several => pick("  I am not sure. Did you mean:", several, typed_is_command),
        },
        Answer::Plan { best, .. } => confirm(best, typed_is_command),
    }
}

fn pick(title: &str, readings: &[Reading], typed_is_command: bool) -> Result<Decision> {
    println!("{title}");
    for (i, r) in readings.iter().take(3).enumerate() {
        println!("  {} {}", i + 1, paint(Style::new().bold(), &r.plan.plan[0].action.text()));
        println!("    {}", r.plan.plan[0].why);
    }
    println!("  Its number chooses, any other key goes back.{}", if typed_is_command { " r runs the line as typed." } else { "" });
    match terminal::key()? {
        Key::Char('r') if typed_is_command => Ok(Decision::AsTyped),
        Key::Char(c) => match c.to_digit(10).and_then(|n| readings.iter().take(3).nth((n as usize).wrapping_sub(1))) {
            Some(r) => confirm(r, false),
            None => Ok(Decision::Drop),
        },
        _ => Ok(Decision::Drop),
    }
}

fn confirm(reading: &Reading, typed_is_command: bool) -> Result<Decision> {
    let plan = &reading.plan;
    println!("{}", describe(plan));
    let danger = plan.risk() == Risk::Dangerous;
    let run = if danger { "y then yes" } else { "Enter" };
    let typed = if typed_is_command { " · r run as typed" } else { "" };
    println!("  {}", paint(Style::new().dimmed(), &format!("{run} run · e edit · x explain · n drop{typed}")));
    loop {
        match terminal::key()? {
            Key::Enter | Key::Char('y' | 'Y') if danger => {
                let word = terminal::plain_line("  This may destroy data. Type yes to run it: ")?;
                return Ok(if word.is_some_and(|w| w.trim() == "yes") { Decision::Run(plan.clone()) } else { Decision::Drop });
            }
            Key::Enter | Key::Char('y' | 'Y') => return Ok(Decision::Run(plan.clone())),
            Key::Char('e' | 'E') => return Ok(Decision::Edit(commands(plan))),
            Key::Char('x' | 'X') => print!("{}", explanation(&commands(plan))),
            Key::Char('r') if typed_is_command => return Ok(Decision::AsTyped),
            Key::Escape | Key::Char('n' | 'N' | 'q') => return Ok(Decision::Drop),
            Key::Char(_) | Key::Other => {}
        }
    }
}

/// The command lines of a plan, as one text.
pub fn commands(plan: &Plan) -> String {
    plan.plan.iter().map(|s| s.action.text()).collect::<Vec<_>>().join("\n")
}
