//! `gde`: the desktop.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use boot_params::Level;
use clap::{Parser, ValueEnum};
use gde_compositor::backend::{Backend, headless, kms, nested};
use gde_compositor::clock::Clock;
use gde_compositor::render::choice::{self, Wanted};
use gde_compositor::{Gde, server, sys};
use gde_habits::Initiative;
use gde_raster::Kernels;
use service_notify::Manager;
use smithay::reexports::calloop::EventLoop;
use smithay::reexports::wayland_server::Display;

/// The desktop: a Wayland compositor with its windows' decorations, a launcher and an overview.
///
/// Keys: Super opens the launcher, Super+T a terminal, Super+Q closes, Super+arrows snap, Super+Tab is the overview, Alt+Tab switches,
/// Super+Z takes the last change back, Super+1 to 9 are workspaces, Super+Y tiles,
/// Super+L locks, Print takes a picture of the screen. `gdectl` does the same by commands.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where to draw
    #[arg(long, value_enum, default_value_t = Where::Kms)]
    backend: Where,
    /// Size of the screen without a display, and of the window, as WIDTHxHEIGHT
    #[arg(long, default_value = "1280x800", value_parser = size)]
    size: (i32, i32),
    /// A command to start when the desktop is there
    #[arg(long)]
    start: Vec<String>,
    /// Lock the screen after so many minutes without input, where the user has a password; 0 never does
    #[arg(long, default_value_t = 10, value_name = "MINUTES")]
    lock_after: u64,
    /// What draws; without this option GDE_RENDERER says it
    #[arg(long, value_enum)]
    renderer: Option<Wanted>,
    /// Look for a device to draw by, tell, and end
    #[arg(long, hide = true)]
    probe_renderer: bool,
    /// Windows appear at once
    #[arg(long)]
    no_animations: bool,
}

/// Where programs are, where nobody has said it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Clone, Copy, ValueEnum)]
enum Where {
    /// On the machine's display
    Kms,
    /// Nowhere
    Headless,
    /// In a window of the Wayland compositor that WAYLAND_DISPLAY names
    Nested,
}

fn size(text: &str) -> Result<(i32, i32), String> {
    let parts = text.split_once('x').and_then(|(w, h)| Some((w.parse::<i32>().ok()?, h.parse::<i32>().ok()?)));
    parts.filter(|(w, h)| (1..=16384).contains(w) && (1..=16384).contains(h)).ok_or_else(|| "two numbers from 1 to 16384 with an x between".into())
}

/// The directory for sockets, which nobody else may look into; made where the system has not.
fn runtime_dir() -> Result<PathBuf> {
    // SAFETY: the call has no arguments and cannot fail.
    let user = unsafe { libc::geteuid() };
    let dir = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(|| PathBuf::from(format!("/run/user/{user}")), PathBuf::from);
    if !dir.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).with_context(|| format!("making {}", dir.display()))?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
    }
    let owner = fs::metadata(&dir).with_context(|| format!("looking at {}", dir.display()))?.uid();
    ensure!(owner == user, "{} belongs to user {owner}, not to {user}", dir.display());
    Ok(dir)
}

fn main() -> Result<()> {
    let args = Args::parse();
    let filter = std::env::var("GDE_LOG").ok().and_then(|level| level.parse::<tracing::Level>().ok()).unwrap_or(tracing::Level::INFO);
    tracing_subscriber::fmt().with_max_level(filter).with_writer(std::io::stderr).with_target(false).without_time().with_ansi(false).init();
    if args.probe_renderer {
        // The desktop, which has just begun, comes first.
        // SAFETY: the call takes numbers only.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) };
        choice::probe(Kernels::from_environment().map_err(anyhow::Error::msg)?);
        return Ok(());
    }
    let signals = sys::signals(&[libc::SIGUSR1, libc::SIGUSR2, libc::SIGTERM, libc::SIGINT, libc::SIGHUP]).context("taking signals")?;
    let dir = runtime_dir()?;
    let manager = Manager::of_environment();
    // SAFETY: no thread has been started yet.
    unsafe {
        std::env::set_var("XDG_RUNTIME_DIR", &dir);
        // It is not for the programs that the desktop starts.
        std::env::remove_var(service_notify::VARIABLE);
    }
    run(args, signals, &dir, manager)
}

fn run(args: Args, signals: std::os::fd::OwnedFd, dir: &Path, manager: Manager) -> Result<()> {
    let kernels = Kernels::from_environment().map_err(anyhow::Error::msg)?;
    let renderer = args.renderer.map_or_else(Wanted::from_environment, Ok).map_err(anyhow::Error::msg)?;
    let mut events: EventLoop<'static, Gde> = EventLoop::try_new().context("making the event loop")?;
    let display: Display<Gde> = Display::new().context("making the display")?;
    let backend = match args.backend {
        Where::Kms => Backend::Kms(Box::new(kms::Kms::open()?)),
        Where::Headless => Backend::Headless(headless::Headless::default()),
        Where::Nested => {
            let host = wayland_client::Connection::connect_to_env().context("connecting to the compositor that WAYLAND_DISPLAY names")?;
            Backend::Nested(Box::new(nested::Nested::new(host, args.size)))
        }
    };
    let mut gde = Gde::new(&display, events.handle(), Clock::system(), backend, kernels)?;
    gde.chosen.no_animations = args.no_animations;
    gde.manager = manager;
    server::serve(display, &events)?;
    let socket = gde.listen_for_clients()?;
    let is_nested = matches!(args.backend, Where::Nested);
    // The host may be a GDE, too.
    let control = if is_nested { dir.join(format!("gde-{}.socket", socket.to_string_lossy())) } else { dir.join("gde.socket") };
    gde.listen(&control)?;
    gde.environment = vec![
        ("WAYLAND_DISPLAY".into(), socket.clone()),
        ("XDG_RUNTIME_DIR".into(), dir.into()),
        (gde_ipc::SOCKET.into(), control.into()),
        ("DBUS_SESSION_BUS_ADDRESS".into(), format!("unix:path={}/bus", dir.display()).into()),
        // Where programs of the session are looked for, also by who starts them without this desktop.
        ("PATH".into(), std::env::var_os("PATH").unwrap_or_else(|| PATH.into())),
        ("XDG_CURRENT_DESKTOP".into(), "GDE".into()),
        ("XDG_SESSION_TYPE".into(), "wayland".into()),
        ("HOME".into(), std::env::var_os("HOME").unwrap_or_else(|| "/root".into())),
    ];
    match gde.serve_x11() {
        Ok(Some(name)) => gde.environment.push(("DISPLAY".into(), name.into())),
        Ok(None) => tracing::info!("Xwayland is not installed: X11 programs cannot be shown"),
        Err(error) => tracing::warn!("X11 programs cannot be shown: {error:#}"),
    }
    // As a service it has no home, and is root's, as what it starts.
    gde.follow_settings(&desktop_settings::path().unwrap_or_else(|| "/root/.config/genai/desktop.toml".into()));
    gde.focus_mode.has_lessons = std::env::var_os("GENAI_EDUCATION").is_none_or(|it| it != "off");
    if !is_nested {
        // Its program has died with the desktop that it had told.
        gde.forget_lesson();
        // Else two would write the same file.
        gde.remember_arrangements(gde_compositor::arrangement::keep::path(Path::new("/root")));
    }
    gde.arrangement.initiative = initiative();
    match args.backend {
        Where::Kms => kms::start(&mut gde, signals)?,
        Where::Headless => {
            gde.add_screen("HEADLESS-1", args.size, 60_000, (0, 0), 1.0);
            pace_headless(&mut gde, signals)?;
        }
        Where::Nested => {
            end_by_signals(&mut gde, signals)?;
            nested::start(&mut gde)?;
        }
    }
    gde.choose_renderer(renderer);
    gde.start_clock();
    if !is_nested {
        // The lock's mark is that of the session, which the host locks.
        gde.runtime_dir = Some(dir.to_owned());
        gde.resume_lock();
    }
    if args.lock_after > 0 && !is_nested {
        gde.lock_when_idle(std::time::Duration::from_secs(args.lock_after.saturating_mul(60)));
    }
    tracing::info!("the desktop is on {} with {:?}", socket.to_string_lossy(), kernels);
    for command in &args.start {
        gde.spawn(command).map_err(anyhow::Error::msg)?;
    }
    let result = server::run(&mut events, &mut gde);
    gde.end_arrangements();
    result
}

/// How much the system may do of its own accord: its level, as services are told it.
fn initiative() -> Initiative {
    let level = std::env::var("GENAI_CONSCIOUSNESS").ok().and_then(|text| Level::parse(&text)).unwrap_or(Level::DEFAULT);
    Initiative::of(level.thousandths())
}

/// Without a display a frame is shown for as long as it would be there.
fn pace_headless(gde: &mut Gde, signals: std::os::fd::OwnedFd) -> Result<()> {
    gde.headless_frames = Some(Box::new(headless::pace));
    end_by_signals(gde, signals)
}

fn end_by_signals(gde: &mut Gde, signals: std::os::fd::OwnedFd) -> Result<()> {
    use smithay::reexports::calloop::generic::Generic;
    use smithay::reexports::calloop::{Interest, Mode, PostAction};
    let source = Generic::new(signals, Interest::READ, Mode::Level);
    let added = gde.events.insert_source(source, |_, fd, gde| {
        while sys::next_signal(fd).is_some() {
            gde.is_stopping = true;
        }
        Ok(PostAction::Continue)
    });
    added.map(drop).map_err(|error| anyhow::anyhow!("waiting for signals: {error}"))
}
