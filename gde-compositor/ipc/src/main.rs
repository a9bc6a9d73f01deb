//! `gdectl`: the desktop by commands.

use std::fs::File;
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};

use actions::desktop::DesktopAction;
use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use gde_ipc::{Answer, Client, Request};

/// Looks at the desktop and does things with it.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Print JSON, one object a line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the windows, the topmost first
    Windows,
    /// List the workspaces
    Workspaces,
    /// List the screens
    Outputs,
    /// Give a screen another size, until the settings say so again: `mode Virtual-1 1024x768`
    Mode {
        /// The screen's name
        output: String,
        /// Pixels a row and rows, as `outputs` lists them
        #[arg(value_parser = size)]
        size: (u32, u32),
    },
    /// Make everything on a screen larger, until the settings say so again: `scale Virtual-1 150`
    Scale {
        /// The screen's name
        output: String,
        /// Per cent
        #[arg(value_parser = clap::value_parser!(u16).range(100..=300))]
        percent: u16,
    },
    /// Switch a screen on or off, until the settings say so again: `screen Virtual-2 off`; one stays on
    Screen {
        /// The screen's name
        output: String,
        /// on or off
        #[arg(value_parser = ["on", "off"])]
        state: String,
    },
    /// Do something: `snap left`, `put 3 top-right`, `close`, `workspace 2`, `undo`, `run foot`
    Action {
        /// The action in words
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Write what a screen shows into a PNG file
    Screenshot {
        /// The file
        file: PathBuf,
        /// The screen's name; without it the first one
        #[arg(long)]
        output: Option<String>,
    },
    /// List the notices that are seen, from above
    Notices,
    /// List the programs at the right of the panel
    Tray,
    /// List what is in the quick settings, while they are open
    QuickSettings,
    /// Begin a learning session that lasts as long as a command runs: `lesson --focus --text 125 -- gcs learn pipes`; without options as the settings have it
    Lesson {
        /// Text of this size at least, in per cent
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u16).range(75..=200))]
        text: Option<u16>,
        /// As much contrast as there is
        #[arg(long)]
        high_contrast: bool,
        /// Dim all but the focused window, and show only urgent notices
        #[arg(long)]
        focus: bool,
        /// The command
        #[arg(required = true, last = true)]
        command: Vec<std::ffi::OsString>,
    },
    /// List what was learnt of windows that are used together; the file is ~/.local/state/gde/habits.json
    Habits,
    /// Forget what was learnt of windows: all, or of one program
    ForgetHabits {
        /// What the program calls itself, as `habits` lists it
        app: Option<String>,
    },
    /// List the variables that programs of the session have, as NAME=value
    Environment,
    /// Print what happens until the desktop ends, as JSON
    Events,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let request = match &args.command {
        Command::Windows => Request::Windows,
        Command::Workspaces => Request::Workspaces,
        Command::Outputs => Request::Outputs,
        Command::Mode { output, size: (width, height) } => Request::Mode { output: output.clone(), width: *width, height: *height },
        Command::Scale { output, percent } => Request::Screen { output: output.clone(), scale_percent: Some(*percent), is_on: None },
        Command::Screen { output, state } => Request::Screen { output: output.clone(), scale_percent: None, is_on: Some(state == "on") },
        Command::Action { words } => Request::Action { action: words.join(" ").parse::<DesktopAction>()? },
        Command::Notices => Request::Notices,
        Command::Tray => Request::Tray,
        Command::QuickSettings => Request::QuickSettings,
        Command::Environment => Request::Environment,
        Command::Habits => Request::Habits,
        Command::ForgetHabits { app } => Request::ForgetHabits { app: app.clone() },
        Command::Lesson { text, high_contrast, focus, command } => {
            let wanted = gde_ipc::Lesson { text_percent: *text, high_contrast: *high_contrast, focus: *focus };
            return lesson(Some(wanted).filter(|it| *it != gde_ipc::Lesson::default()), command);
        }
        Command::Screenshot { file, output } => return screenshot(file, output.clone()),
        Command::Events => return events(),
    };
    let answer = Client::connect()?.ask(&request)?;
    if let Answer::Failed { problem } = answer {
        bail!("{problem}");
    }
    if args.json {
        return print_json(&answer);
    }
    match answer {
        Answer::Windows { windows } => {
            for it in windows {
                let marks = [(it.is_focused, "focused"), (it.is_minimized, "minimized"), (it.is_sticky, "sticky")];
                let marks: Vec<&str> = marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).collect();
                println!("{:>4}  {:>5}x{:<5} +{:<5} +{:<5} workspace {}  {} ({}) {}", it.id, it.width, it.height, it.x, it.y, it.workspace, it.title, it.app_id, marks.join(", "));
            }
        }
        Answer::Workspaces { workspaces } => {
            for it in workspaces {
                println!("{}{}  {} windows{}", it.number, if it.is_active { "*" } else { " " }, it.windows, if it.is_tiled { ", tiled" } else { "" });
            }
        }
        Answer::Outputs { outputs } => {
            for it in outputs {
                if it.is_on {
                    println!("{}  {}x{} at {:.3} Hz, +{} +{}, scale {}", it.name, it.width, it.height, f64::from(it.refresh_mhz) / 1000.0, it.x, it.y, it.scale);
                } else {
                    println!("{}  off", it.name);
                }
                let sizes: Vec<String> = it.modes.iter().map(|mode| format!("{}x{}", mode.width, mode.height)).collect();
                if !sizes.is_empty() {
                    println!("    can show {}", sizes.join(", "));
                }
            }
        }
        Answer::Notices { titles } | Answer::Tray { titles } => titles.iter().for_each(|it| println!("{it}")),
        Answer::QuickSettings { controls } => {
            for it in controls {
                let mark = it.is_on.map_or("", |is_on| if is_on { "on" } else { "off" });
                println!("{:<16}  {mark:<3}  {}{}{}", it.name, it.label, if it.detail.is_empty() { "" } else { ": " }, it.detail);
            }
        }
        Answer::Habits { habits } => print_habits(&habits),
        Answer::Environment { variables } => variables.iter().for_each(|(name, value)| println!("{name}={value}")),
        Answer::Done | Answer::Failed { .. } | Answer::Lesson { .. } | Answer::Screenshot { .. } | Answer::Notified { .. } => {}
    }
    Ok(())
}

/// Runs a command in a learning session; ends with its status.
fn lesson(lesson: Option<gde_ipc::Lesson>, command: &[std::ffi::OsString]) -> Result<()> {
    let mut client = Client::connect()?;
    if let Answer::Failed { problem } = client.ask(&Request::Lesson { lesson })? {
        bail!("{problem}");
    }
    let Some((program, arguments)) = command.split_first() else { bail!("a command is missing") };
    let status = std::process::Command::new(program).args(arguments).status().with_context(|| format!("starting {}", program.to_string_lossy()))?;
    drop(client);
    // As shells tell of a signal.
    std::process::exit(status.code().unwrap_or_else(|| 128 + std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0)))
}

fn print_habits(habits: &gde_ipc::Habits) {
    for it in &habits.habits {
        let windows: Vec<String> = it.windows.iter().map(|it| format!("{} {} ({}, workspace {})", it.app, it.place, it.output, it.workspace)).collect();
        println!("{:>2} of {:<2}  {}", it.times, it.of, windows.join(", "));
    }
    let learns = if habits.learns { "" } else { "; nothing is learnt" };
    let offers = if habits.offers { "" } else { "; nothing is offered" };
    println!("{} sessions are remembered{learns}{offers}", habits.sessions);
}

fn size(text: &str) -> Result<(u32, u32), String> {
    text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?))).ok_or_else(|| "two numbers with an x between, such as 1024x768".into())
}

fn print_json(answer: &Answer) -> Result<()> {
    match answer {
        Answer::Windows { windows } => println!("{}", serde_json::to_string(windows)?),
        Answer::Workspaces { workspaces } => println!("{}", serde_json::to_string(workspaces)?),
        Answer::Outputs { outputs } => println!("{}", serde_json::to_string(outputs)?),
        Answer::Notices { titles } | Answer::Tray { titles } => println!("{}", serde_json::to_string(titles)?),
        Answer::QuickSettings { controls } => println!("{}", serde_json::to_string(controls)?),
        Answer::Habits { habits } => println!("{}", serde_json::to_string(habits)?),
        Answer::Environment { variables } => println!("{}", serde_json::to_string(variables)?),
        other => println!("{}", serde_json::to_string(other)?),
    }
    Ok(())
}

fn events() -> Result<()> {
    let mut client = Client::connect()?;
    client.ask(&Request::Events)?;
    loop {
        match client.next_event() {
            Ok(event) => println!("{}", serde_json::to_string(&event)?),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// A file that goes when it is done with.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Whoever clears the directory was quicker.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn screenshot(file: &Path, output: Option<String>) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let dir = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = if dir.is_dir() { dir } else { std::env::temp_dir() };
    let raw = Temporary(dir.join(format!("gdectl-{}.raw", std::process::id())));
    let mut pixels = File::options().read(true).write(true).create_new(true).mode(0o600).open(&raw.0).with_context(|| format!("making {}", raw.0.display()))?;
    let answer = Client::connect()?.ask(&Request::Screenshot { output, path: raw.0.clone() })?;
    let (width, height) = match answer {
        Answer::Screenshot { width, height } => (width, height),
        Answer::Failed { problem } => bail!("{problem}"),
        other => bail!("an answer to another question: {other:?}"),
    };
    let mut bytes = Vec::new();
    pixels.read_to_end(&mut bytes)?;
    if bytes.len() != width * height * 4 {
        bail!("the picture has {} bytes where {width} x {height} pixels have {}", bytes.len(), width * height * 4);
    }
    let rgb: Vec<u8> = bytes.chunks_exact(4).flat_map(|p| [p[2], p[1], p[0]]).collect();
    let out = File::create(file).with_context(|| format!("writing {}", file.display()))?;
    let mut encoder = png::Encoder::new(BufWriter::new(out), width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // An emulated machine takes seconds for anything better.
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header()?.write_image_data(&rgb)?;
    Ok(())
}
