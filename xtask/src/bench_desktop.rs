//! `./gos bench desktop`: from power-on to a desktop, from a key to a pixel, memory and frames, seen from outside of the machine.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use system_tests::{Lab, Machine, System};
use vm::input;
use vm::machine::Boot;
use vm::screen::Picture;

use crate::bench::Measurement;

/// For each step, emulated and on a busy host.
const LIMIT: Duration = Duration::from_secs(240);
/// How many keys are pressed.
const KEYS: usize = 15;
/// Rows at the top that may change by themselves: the panel with its clock.
const PANEL: u32 = 40;

/// What draws the desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compositor {
    /// Ours; a service.
    Gde,
    /// The reference, drawing by pixman. It is started as soon as the machine takes commands.
    Weston,
}

/// Starts weston on a terminal of its own. What it says is in /tmp/weston.log.
const WESTON: &str = r#"
command -v weston > /dev/null || { echo "this edition has no weston" >&2; exit 3; }
mkdir -p -m 700 /run/weston
cat > /tmp/weston.ini <<'END'
[core]
use-pixman=true
idle-time=0
[shell]
background-color=0xff336699
locking=false
END
XDG_RUNTIME_DIR=/run/weston setsid weston --backend=drm-backend.so --tty=3 --continue-without-input --socket=wayland-bench \
    --config=/tmp/weston.ini --log=/tmp/weston.log < /dev/null > /tmp/weston.out 2>&1 &
"#;

/// Weston's background, as above.
const BACKGROUND: [u8; 3] = [0x33, 0x66, 0x99];

impl Compositor {
    /// Its program.
    pub fn name(self) -> &'static str {
        match self {
            Compositor::Gde => "gde",
            Compositor::Weston => "weston",
        }
    }

    /// Whether a picture shows its empty desktop.
    fn is_shown(self, picture: &Picture) -> bool {
        match self {
            // The wallpaper: violet in the lower left corner, rose in the lower right one.
            Compositor::Gde => {
                let (left, right) = (picture.pixel(4, picture.height - 4), picture.pixel(picture.width - 4, picture.height - 4));
                left[2] > left[1] && right[0] > right[1] && right[0] > left[0]
            }
            Compositor::Weston => picture.pixel(picture.width / 2, picture.height / 2) == BACKGROUND,
        }
    }

    /// What a client needs to reach it.
    fn environment(self) -> &'static str {
        match self {
            Compositor::Gde => "export XDG_RUNTIME_DIR=/run/user/0 WAYLAND_DISPLAY=wayland-1",
            Compositor::Weston => "export XDG_RUNTIME_DIR=/run/weston WAYLAND_DISPLAY=wayland-bench",
        }
    }
}

/// What is below the panel.
fn below(picture: &Picture) -> &[u8] {
    picture.pixels.get((3 * PANEL * picture.width) as usize..).unwrap_or_default()
}

/// Takes pictures until one is as wanted; the moment that it was asked for.
fn wait(machine: &Machine, what: &str, mut is_it: impl FnMut(&Picture) -> bool) -> Result<(Instant, Picture)> {
    let start = Instant::now();
    loop {
        let asked = Instant::now();
        let picture = Picture::of(machine.dir())?;
        if is_it(&picture) {
            return Ok((asked, picture));
        }
        machine.dir().check_panic()?;
        if start.elapsed() > LIMIT {
            let path = machine.dir().file("wrong-screen.png");
            picture.save(&path)?;
            bail!("the screen does not show {what} ({})", path.display());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs a script; what it printed.
fn run(machine: &Machine, script: &str) -> Result<String> {
    let output = machine.sh(script, LIMIT)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.outcome == exec_protocol::Outcome::Code(0), "{}", errors.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Measures one compositor on one system, in a machine of its own.
pub fn measure(lab: &Lab, system: System, compositor: Compositor) -> Result<Vec<Measurement>> {
    let mut description = lab.describe(system)?;
    if let (Boot::Kernel { command_line, .. }, Compositor::Gde) = (&mut description.boot, compositor) {
        // The last one counts.
        command_line.push_str(" target=desktop");
    }
    let label = if system == System::Linux { "linux" } else { "genai" };
    let power_on = Instant::now();
    let machine = Machine::start(&lab.dir(&format!("desktop-{}-{label}", compositor.name())), &description)?;
    let mut found = Vec::new();
    let mut add = |what: &str, unit: &str, value: f64| {
        eprintln!("    {what} {value:.2} {unit}");
        found.push(Measurement { name: format!("{}: {what}", compositor.name()), unit: unit.into(), value, linux: None });
    };
    if compositor == Compositor::Weston {
        machine.dir().wait_ready(LIMIT)?;
        run(&machine, WESTON)?;
    }
    let (shown, _) = wait(&machine, "the desktop", |picture| compositor.is_shown(picture)).with_context(|| log_of(&machine))?;
    add("power-on to first frame", "s", (shown - power_on).as_secs_f64());
    machine.dir().wait_ready(LIMIT)?;
    add("memory used by the system", "MiB", number(&run(&machine, "awk '/^MemTotal/{t=$2} /^MemAvailable/{a=$2} END{print t-a}' /proc/meminfo")?)? / 1024.0);
    let pss = format!("awk '/^Pss:/{{s+=$2}} END{{print s}}' /proc/$(pidof {})/smaps", compositor.name());
    add("memory of the compositor (PSS)", "MiB", number(&run(&machine, &pss)?)? / 1024.0);
    if let Some(milliseconds) = key_to_pixel(&machine, compositor).context("key to pixel")? {
        add("key to pixel, terminal, p50", "ms", milliseconds);
    }
    if let Some((drawn, rate)) = frames(&machine, compositor).context("frames")? {
        add("commit to presentation of 250x250, p50", "ms", drawn);
        add("frames", "1/s", rate);
    }
    Ok(found)
}

fn number(text: &str) -> Result<f64> {
    text.trim().parse().with_context(|| format!("no number: {text:?}"))
}

fn log_of(machine: &Machine) -> String {
    machine.sh("tail -n 20 /tmp/weston.log /tmp/weston.out 2>/dev/null", LIMIT).map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// From a key to a change on the screen, in milliseconds. Taking a picture takes some itself.
fn key_to_pixel(machine: &Machine, compositor: Compositor) -> Result<Option<f64>> {
    let (_, empty) = wait(machine, "the desktop", |picture| compositor.is_shown(picture))?;
    run(machine, &format!("{}; cd /root; setsid foot -o cursor.blink=no sh -c 'stty -echo; echo ready > /tmp/ready; stty echo; exec cat' < /dev/null > /tmp/foot.log 2>&1 & for i in $(seq 600); do [ -e /tmp/ready ] && exit 0; sleep 0.1; done; cat /tmp/foot.log >&2; exit 1", compositor.environment()))?;
    wait(machine, "a terminal", |picture| below(picture) != below(&empty))?;
    settle(machine)?;
    let mut times = Vec::new();
    for _ in 0..KEYS {
        let before = Picture::of(machine.dir())?;
        let pressed = Instant::now();
        input::tap(machine.dir(), "a")?;
        loop {
            let picture = Picture::of(machine.dir())?;
            if below(&picture) != below(&before) {
                times.push(pressed.elapsed().as_secs_f64() * 1000.0);
                break;
            }
            if pressed.elapsed() > Duration::from_secs(20) {
                eprintln!("gos: {}: keys do not reach the terminal", compositor.name());
                return Ok(None);
            }
        }
        settle(machine)?;
    }
    run(machine, "kill $(pidof foot)")?;
    Ok(median(times))
}

/// Waits until the screen stays as it is for half a second.
fn settle(machine: &Machine) -> Result<()> {
    let mut last = Picture::of(machine.dir())?;
    let mut since = Instant::now();
    let (_, _) = wait(machine, "something that stays", |picture| {
        if below(picture) != below(&last) {
            last = picture.clone();
            since = Instant::now();
        }
        since.elapsed() > Duration::from_millis(500)
    })?;
    Ok(())
}

/// Milliseconds from a client's commit to its presentation, and frames a second, as weston's own client tells; nothing where the edition lacks it.
fn frames(machine: &Machine, compositor: Compositor) -> Result<Option<(f64, f64)>> {
    if run(machine, "command -v weston-presentation-shm || echo none")?.trim() == "none" {
        return Ok(None);
    }
    let text = run(machine, &format!("{}; timeout 15 weston-presentation-shm -f 2>&1 || true", compositor.environment()))?;
    // 17: f2c 3 ms, c2p 12 ms, f2p 15 ms, p2p 16667 us, t2p 0 us, [vsync___], seq 345
    let values = |key: &str| -> Vec<f64> {
        let after = text.lines().filter_map(|line| line.split(key).nth(1)).filter_map(|rest| rest.split_whitespace().next());
        after.filter_map(|word| word.parse::<f64>().ok()).collect()
    };
    let (drawn, between) = (median(values("c2p ")), median(values("p2p ")));
    match drawn.zip(between.filter(|it| *it > 0.0)) {
        Some((drawn, between)) => Ok(Some((drawn, 1e6 / between))),
        None => bail!("weston-presentation-shm says {:?}", text.chars().take(400).collect::<String>()),
    }
}
