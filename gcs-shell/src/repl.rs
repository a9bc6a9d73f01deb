//! The interactive shell: read, recognise, run or propose.

use std::io::IsTerminal;
use std::path::Path;

use actions::RiskContext;
use anyhow::Result;
use intent::{Context, LiveWorld, World};
use nu_ansi_term::Style;

use crate::bash::{Bash, Options, Outcome, Report};
use crate::capture;
use crate::editor::{Editor, Input, ShellPrompt, Surroundings};
use crate::plan::{self, Decision};
use crate::recognise::{Kind, recognise};
use crate::repair::{self, Repair};

struct Shell {
    bash: Bash,
    editor: Editor,
    /// What the user's next lines may be.
    habits: crate::suggest::Shared,
    report: Report,
    context: Context,
    user: String,
    host: String,
    /// What the last line's failure was explained by.
    repair: Option<Repair>,
    /// The last line was `exit`, and jobs that are stopped kept us here.
    tried_to_leave: bool,
}

/// Runs until the user leaves; the exit status to leave with.
pub fn run(login: bool) -> Result<i32> {
    let interactive = std::io::stdin().is_terminal();
    let (bash, ready) = Bash::start(&Options { login, terminal: interactive })?;
    let report = match ready {
        Outcome::Ready(r) => r,
        Outcome::Exited(status) => return Ok(status),
    };
    let user = user_name();
    let host = nix::unistd::gethostname().ok().and_then(|h| h.into_string().ok()).unwrap_or_else(|| "?".into());
    let habits = crate::suggest::Shared::default();
    if interactive
        && let Ok(mut h) = habits.write()
    {
        *h = crate::suggest::Habits::of_user();
    }
    let mut shell = Shell { bash, editor: Editor::new(interactive, &habits), habits, report: Report::default(), context: Context::default(), user, host, repair: None, tried_to_leave: false };
    if interactive {
        println!("GenAI OS shell. Commands run as in bash; say in English what you want. `help me` shows what I understand.");
    }
    shell.settle(report);
    shell.read_and_run()
}

impl Shell {
    /// Takes over what bash reported.
    fn settle(&mut self, report: Report) {
        // Our own directory follows, so that relative names mean the same here.
        let _ = std::env::set_current_dir(&report.cwd);
        self.context.risk = RiskContext { cwd: Some(report.cwd.clone()), home: Some(report.home.clone().into()), redefined: report.names.clone() };
        self.context.last_status = report.status;
        self.report = report;
    }

    fn world(&self) -> LiveWorld {
        LiveWorld { cwd: self.report.cwd.clone(), home: self.report.home.clone().into(), path: std::env::split_paths(&self.report.path).collect() }
    }

    fn prompt(&self) -> ShellPrompt {
        let dir = self.report.cwd.to_string_lossy();
        let home = self.report.home.trim_end_matches('/');
        let shown = match Path::new(dir.as_ref()).strip_prefix(home) {
            Ok(rest) if !home.is_empty() && rest.as_os_str().is_empty() => "~".to_owned(),
            Ok(rest) if !home.is_empty() => format!("~/{}", rest.display()),
            _ => dir.into_owned(),
        };
        ShellPrompt::new(&self.user, &self.host, &shown, self.report.status)
    }

    fn read_and_run(&mut self) -> Result<i32> {
        let mut draft: Option<String> = None;
        loop {
            let world = self.world();
            self.editor.surroundings(Surroundings { world: Some(world.clone()), names: self.report.names.clone() });
            let prompt = self.prompt();
            let input = self.editor.read(&prompt, draft.as_deref(), &world, &self.report.names)?;
            let edited = draft.take().is_some();
            let line = match input {
                Input::Line(l) => l,
                Input::Repair => {
                    println!();
                    match self.show_repair(&mut draft)? {
                        Some(Outcome::Exited(status)) => return Ok(status),
                        Some(Outcome::Ready(report)) => self.settle(report),
                        None => {}
                    }
                    continue;
                }
                Input::Cancelled => {
                    self.report.status = 130;
                    continue;
                }
                Input::End => {
                    // As in bash: jobs that are stopped are named first, a second time leaves.
                    let line = if self.tried_to_leave { "{ exit; } 2>/dev/null\nexit" } else { "exit" };
                    self.tried_to_leave = true;
                    match self.bash.run(line, false)? {
                        Outcome::Exited(status) => return Ok(status),
                        Outcome::Ready(r) => {
                            self.settle(r);
                            if !self.editor.interactive() {
                                return Ok(self.report.status);
                            }
                            continue;
                        }
                    }
                }
            };
            let (typed, place) = (line.clone(), self.report.cwd.clone());
            let kind = recognise(&line, &world, &self.report.names);
            let leaving = matches!(line.split_whitespace().next(), Some("exit" | "logout"));
            // bash leaves stopped jobs behind when `exit` comes twice in a row. Our own builtins run in between, so the
            // second time it gets both at once.
            let line = if leaving && self.tried_to_leave { format!("{{ {line}; }} 2>/dev/null\n{line}") } else { line };
            self.tried_to_leave = leaving;
            let outcome = match kind {
                // bash reports finished jobs before a prompt.
                Kind::Empty if self.editor.interactive() => Some(self.bash.run(":", false)?).map(|o| keep_status(o, self.report.status)),
                Kind::Empty => None,
                // What the user edited is a command line, whatever it looks like.
                _ if edited => Some(self.command(&line, &world)?),
                Kind::Command | Kind::Incomplete => Some(self.command(&line, &world)?),
                Kind::Language => self.language(&line, &world, &mut draft)?,
            };
            match outcome {
                Some(Outcome::Exited(status)) => return Ok(status),
                Some(Outcome::Ready(report)) => {
                    self.settle(report);
                    // What was no command is no habit.
                    if self.editor.interactive()
                        && self.report.status != 127
                        && let Ok(mut h) = self.habits.write()
                    {
                        h.learn(&typed, &place);
                    }
                }
                None => {}
            }
        }
    }

    /// Proposes what an English line means, and runs it if the user wants that.
    fn language(&mut self, line: &str, world: &LiveWorld, draft: &mut Option<String>) -> Result<Option<Outcome>> {
        let forced = line.trim_start().starts_with('?');
        let text = line.trim_start().trim_start_matches('?').trim();
        if text.is_empty() && self.repair.is_some() {
            return self.show_repair(draft);
        }
        if text.is_empty() {
            println!("  Say what you want after the question mark, for example: ? free disk space");
            return Ok(None);
        }
        self.context.windows = crate::desktop::windows();
        let answer = crate::special::answer(text, &self.context.risk, world.has_command("gpm")).unwrap_or_else(|| intent::ask(text, world, &self.context));
        let answer = crate::packages::known(answer, &self.context.risk);
        let answer = crate::model::or_ask(answer, text, &self.context.risk);
        if !self.editor.interactive() {
            match answer.readings().first() {
                Some(r) => eprintln!("gcs: not run, nobody can confirm it here: {}", plan::commands(&r.plan)),
                None => eprintln!("gcs: not understood: {text}"),
            }
            self.report.status = 127;
            return Ok(None);
        }
        // Where the first word is a command after all, it can run as it was typed.
        let first = line.split_whitespace().next().unwrap_or("");
        let typed_is_command = !forced && (world.has_command(first) || self.report.names.iter().any(|n| n == first));
        match plan::decide(&answer, typed_is_command)? {
            Decision::Drop => Ok(None),
            Decision::Edit(command) => {
                *draft = Some(command);
                Ok(None)
            }
            Decision::AsTyped => Ok(Some(self.command(line, world)?)),
            Decision::Run(plan) => self.carry_out(text, plan, world),
        }
    }

    /// Runs the steps of a plan until one fails.
    fn carry_out(&mut self, request: &str, plan: actions::Plan, world: &LiveWorld) -> Result<Option<Outcome>> {
        let mut outcome = None;
        for step in &plan.plan {
            let o = self.command(&step.action.text(), world)?;
            let failed = match &o {
                Outcome::Ready(r) if r.status != 0 => {
                    println!("  exit status {}", r.status);
                    true
                }
                Outcome::Ready(_) => false,
                Outcome::Exited(_) => true,
            };
            outcome = Some(o);
            if failed {
                break;
            }
        }
        // Later requests may speak of it, and of what it printed.
        self.context.output = self.bash.printed().map(|k| {
            let (text, complete) = k.beginning();
            intent::follow::Output { text, complete }
        });
        self.context.last = Some((request.to_owned(), plan));
        Ok(outcome)
    }

    /// Runs a command line; where it fails and the reason is understood, says so in a line.
    fn command(&mut self, line: &str, world: &LiveWorld) -> Result<Outcome> {
        let catch = self.editor.interactive() && capture::may_catch(line, world, &self.report.names);
        let outcome = self.bash.run(line, catch)?;
        self.repair = None;
        if let Outcome::Ready(report) = &outcome
            && report.status != 0
            && report.status != 130
            && let Some(printed) = self.bash.printed()
        {
            // It failed where it was started, not where it left us.
            let place = repair::Place { world, names: &report.names, risk: &self.context.risk };
            self.repair = repair::explain(line, &printed.text(), &place);
            if let Some(r) = &self.repair {
                println!("  {}", plan::paint(Style::new().dimmed(), &r.offer()));
            }
        }
        Ok(outcome)
    }

    /// Shows what was found about the last failure, and offers the repairs like plans.
    fn show_repair(&mut self, draft: &mut Option<String>) -> Result<Option<Outcome>> {
        let Some(repair) = self.repair.take() else {
            println!("  Nothing has failed that I could explain.");
            return Ok(None);
        };
        println!("  {}", repair.problem);
        for e in &repair.evidence {
            println!("  - {e}");
        }
        let Some(answer) = repair.answer() else { return Ok(None) };
        match plan::decide(&answer, false)? {
            Decision::Drop | Decision::AsTyped => Ok(None),
            Decision::Edit(command) => {
                *draft = Some(command);
                Ok(None)
            }
            Decision::Run(plan) => {
                let world = self.world();
                self.carry_out("repair", plan, &world)
            }
        }
    }
}

/// The user's name from `/etc/passwd`, read here: a static program should not load name service modules.
fn user_name() -> String {
    let uid = nix::unistd::geteuid().as_raw().to_string();
    std::fs::read_to_string("/etc/passwd")
        .ok()
        .and_then(|t| t.lines().find(|l| l.split(':').nth(2) == Some(&uid)).and_then(|l| l.split(':').next().map(str::to_owned)))
        .unwrap_or(uid)
}

fn keep_status(outcome: Outcome, status: i32) -> Outcome {
    match outcome {
        Outcome::Ready(r) => Outcome::Ready(Report { status, ..r }),
        o => o,
    }
}
