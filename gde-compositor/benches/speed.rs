//! What `./gos bench gde` runs: the compositor without a display, natively, with clients in the same process. A JSON object a line.

#[path = "../tests/common/mod.rs"]
mod common;

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::client::Toplevel;
use common::{Fixture, key};
use gde_compositor::render::vulkan::{Devices, Vulkan};
use gde_compositor::render::{Renderer, Target, TargetId};
use gde_raster::Kernels;
use smithay::backend::renderer::Color32F;
use smithay::backend::renderer::damage::OutputDamageTracker;
use wayland_client::protocol::wl_seat::WlSeat;

fn print(name: &str, unit: &str, value: f64) {
    println!("{}", serde_json::json!({"name": name, "unit": unit, "value": value}));
}

/// The processor's time that this program has taken, with all its threads: other programs do not count.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a value of ours.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The time that a part of all is below, in milliseconds.
fn percentile(times: &mut [Duration], part: usize) -> f64 {
    times.sort();
    times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1000.0
}

/// A value of a file of /proc, in its own unit.
fn field(path: &str, name: &str) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name)).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    value.unwrap_or_else(|| panic!("{path} has no {name}"))
}

/// Frames with three windows, all of it drawn, and with a small part of one changed.
fn frames(renderer: Renderer, name: &str) {
    let print = |what: &str, value: f64| print(&format!("{name}{what}"), "ms", value);
    let mut fixture = Fixture::new();
    fixture.gde.renderer = renderer;
    fixture.gde.panel.is_shown = true;
    let mut client = fixture.client();
    let windows: Vec<Toplevel> = (0..3).map(|index| fixture.open(&mut client, (600, 400), 0xff20_3040 + index * 0x10_1010)).collect();
    fixture.settle();
    let (mut full, mut full_cpu) = (Vec::new(), Vec::new());
    for _ in 0..500 {
        let output = fixture.gde.screens[0].output.clone();
        let screen = &mut fixture.gde.screens[0];
        // A new tracker knows nothing of what is shown.
        screen.tracker = OutputDamageTracker::from_output(&output);
        screen.redraw.queue();
        let (start, cpu) = (Instant::now(), cpu_time());
        fixture.gde.redraw();
        full.push(start.elapsed());
        full_cpu.push(cpu_time() - cpu);
        fixture.settle();
    }
    print("full frame, 3 windows, p50", percentile(&mut full, 50));
    print("full frame, 3 windows, p95", percentile(&mut full, 95));
    print("full frame, 3 windows, processor time, p50", percentile(&mut full_cpu, 50));
    print("full frame, 3 windows, processor time, p95", percentile(&mut full_cpu, 95));
    let (mut direct, mut direct_cpu) = into_display(&mut fixture);
    print("full frame into a display's memory, 3 windows, p50", percentile(&mut direct, 50));
    print("full frame into a display's memory, 3 windows, p95", percentile(&mut direct, 95));
    print("full frame into a display's memory, 3 windows, processor time, p50", percentile(&mut direct_cpu, 50));
    print("full frame into a display's memory, 3 windows, processor time, p95", percentile(&mut direct_cpu, 95));
    let mut small = Vec::new();
    for index in 0..500 {
        let surface = &windows[2].surface;
        surface.attach(Some(&client.buffer(600, 400, 0xff50_3040 + index % 2)), 0, 0);
        surface.damage_buffer(10, 10, 200, 100);
        surface.commit();
        client.flush();
        let start = Instant::now();
        fixture.dispatch();
        small.push(start.elapsed());
        fixture.settle();
        fixture.sync(&mut client);
    }
    print("frame with 200x100 changed, p50", percentile(&mut small, 50));
    print("frame with 200x100 changed, p95", percentile(&mut small, 95));
}

/// Full frames into memory that begins with a page, as a display's does: their time, and the processor's.
fn into_display(fixture: &mut Fixture) -> (Vec<Duration>, Vec<Duration>) {
    let (size, stride) = ((1280, 800), 5120);
    let len = stride * size.1 as usize;
    let mut memory = vec![0u8; len + 4096];
    let begin = memory.as_ptr().align_offset(4096);
    let output = fixture.gde.screens[0].output.clone();
    let id = TargetId::next();
    let (mut times, mut cpu_times) = (Vec::new(), Vec::new());
    for _ in 0..500 {
        let (start, cpu) = (Instant::now(), cpu_time());
        let elements = fixture.gde.scene(&output, true);
        let mut target = Target::new(&mut memory[begin..begin + len], size, stride).expect("enough memory").named(id);
        let mut tracker = OutputDamageTracker::from_output(&output);
        tracker.render_output(&mut fixture.gde.renderer, &mut target, 0, &elements, Color32F::BLACK).expect("it is drawn");
        times.push(start.elapsed());
        cpu_times.push(cpu_time() - cpu);
    }
    fixture.gde.renderer.forget_targets();
    (times, cpu_times)
}

/// From a key to the pixels of a client that answers at once.
fn key_to_pixel() {
    let mut fixture = Fixture::new();
    let mut client = fixture.client();
    client.bind::<WlSeat>().get_keyboard(&client.qh, ());
    let window = fixture.open(&mut client, (600, 400), 0xff20_3040);
    fixture.settle();
    let mut times = Vec::new();
    for index in 0..300u32 {
        let heard = client.heard.keys.len();
        let buffer = client.buffer(600, 400, 0xff00_0000 | index);
        fixture.sync(&mut client);
        let start = Instant::now();
        fixture.press(key::A);
        while client.heard.keys.len() == heard {
            client.receive();
        }
        window.surface.attach(Some(&buffer), 0, 0);
        window.surface.damage_buffer(0, 0, 20, 20);
        window.surface.commit();
        client.flush();
        fixture.dispatch();
        times.push(start.elapsed());
        fixture.release(key::A);
        fixture.settle();
        fixture.sync(&mut client);
    }
    print("key to pixel, p50", "ms", percentile(&mut times, 50));
}

/// Memory that is left after many windows were opened and closed.
fn growth() {
    let mut fixture = Fixture::new();
    let mut cycle = |clients: usize| {
        for _ in 0..clients {
            // The test's client never gives its globals back: it is not to live long.
            let mut client = fixture.client();
            for _ in 0..50 {
                let window = fixture.open(&mut client, (64, 48), 0xff20_3040);
                window.toplevel.destroy();
                window.xdg_surface.destroy();
                window.surface.destroy();
                fixture.sync(&mut client);
            }
            drop(client);
            fixture.settle();
        }
    };
    cycle(20);
    let before = field("/proc/self/smaps_rollup", "Pss:");
    cycle(200);
    print("growth by 10000 windows of 200 clients", "KiB", field("/proc/self/smaps_rollup", "Pss:") - before);
}

/// A compositor of its own, ended when dropped.
struct Program(Child, std::path::PathBuf);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = fs::remove_dir_all(&self.1);
    }
}

/// Memory and wake-ups of the program while nothing happens.
fn idle() {
    let dir = std::env::temp_dir().join(format!("gde-speed-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a directory for sockets");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gde"));
    let child = command.args(["--backend", "headless"]).env("XDG_RUNTIME_DIR", &dir).stderr(Stdio::null()).spawn().expect("gde starts");
    let program = Program(child, dir.clone());
    let start = Instant::now();
    while !dir.join("gde.socket").exists() {
        assert!(start.elapsed() < Duration::from_secs(30), "gde does not come up");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_secs(2));
    let proc = format!("/proc/{}", program.0.id());
    let switches = || field(&format!("{proc}/status"), "voluntary_ctxt_switches:");
    let before = switches();
    std::thread::sleep(Duration::from_secs(20));
    print("wake-ups in 20 s without input (the clock's minute counts)", "1", switches() - before);
    print("memory of the compositor (PSS), no windows", "MiB", field(&format!("{proc}/smaps_rollup"), "Pss:") / 1024.0);
}

/// The same by Vulkan, where there is a device.
fn frames_by_vulkan() {
    match Vulkan::open(Devices::All, None) {
        Ok(vulkan) => {
            let name = format!("Vulkan on {}: ", vulkan.device_name());
            let mut renderer = Renderer::new(Kernels::best());
            renderer.set_vulkan(vulkan);
            frames(renderer, &name);
        }
        Err(error) => eprintln!("nothing is measured by Vulkan: {error}"),
    }
}

fn main() {
    frames(Renderer::new(Kernels::best()), "");
    frames_by_vulkan();
    key_to_pixel();
    growth();
    idle();
}
