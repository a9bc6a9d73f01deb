//! The Vulkan renderer draws what the software renderer draws. On the device that is the processor: Debian's packages `mesa-vulkan-drivers` and
//! `libvulkan1`.

mod common;

use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::client::{Client, Toplevel};
use common::{Fixture, key};
use gde_compositor::render::choice;
use gde_compositor::render::texture::Texture;
use gde_compositor::render::vulkan::{Devices, Vulkan};
use gde_compositor::render::{Renderer, Target, TargetId};
use gde_raster::{Kernels, Pixmap};
use proptest::prelude::*;
use smithay::backend::renderer::{Color32F, Frame as _, Renderer as _};
use smithay::utils::{Buffer, Physical, Rectangle, Transform};
use wayland_client::protocol::wl_shm;

/// How much a channel may differ, of 255.
const TOLERANCE: u32 = 2;

fn vulkan() -> Vulkan {
    // What is said of why something is not done helps when a test fails.
    let _ = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_test_writer().without_time().try_init();
    match Vulkan::open(Devices::Processor, None) {
        Ok(vulkan) => vulkan,
        Err(error) => panic!("{error}: install mesa-vulkan-drivers and libvulkan1"),
    }
}

/// A renderer that draws by Vulkan.
fn by_vulkan() -> Renderer {
    let mut renderer = Renderer::new(Kernels::best());
    renderer.set_vulkan(vulkan());
    renderer
}

/// The first pixel that differs too much. The highest byte of a screen's pixels means nothing.
fn difference(a: &[u32], b: &[u32], width: usize) -> Option<String> {
    assert_eq!(a.len(), b.len());
    let far = |a: u32, b: u32| (0..3).any(|channel| (a >> (8 * channel) & 255).abs_diff(b >> (8 * channel) & 255) > TOLERANCE);
    let index = a.iter().zip(b).position(|(a, b)| far(*a, *b))?;
    Some(format!("{},{}: {:06x} in software, {:06x} by Vulkan", index % width, index / width, a[index] & 0xff_ffff, b[index] & 0xff_ffff))
}

const WIDTH: i32 = 120;
const HEIGHT: i32 = 90;

/// What textures look like.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Alpha {
    /// Nothing shines through.
    Opaque,
    /// The left half is opaque, and that is known.
    Half,
    /// All sorts of alpha.
    Any,
}

#[derive(Debug, Clone)]
enum Layer {
    Solid { dst: Rectangle<i32, Physical>, colour: [f32; 4] },
    Shadow { dst: Rectangle<i32, Physical>, strength: u8 },
    Texture { index: usize, crop: [f64; 4], at: (i32, i32), scale: Option<(i32, i32)>, transform: Transform, alpha: f32 },
}

#[derive(Debug, Clone)]
struct Scene {
    textures: Vec<(u32, usize, usize, Alpha)>,
    /// For each frame what is drawn, and which part of the screen.
    frames: Vec<(Vec<Layer>, Vec<Rectangle<i32, Physical>>)>,
}

fn rectangle(size: std::ops::Range<i32>) -> impl Strategy<Value = Rectangle<i32, Physical>> {
    (-40..WIDTH, -40..HEIGHT, size.clone(), size).prop_map(|(x, y, w, h)| Rectangle::new((x, y).into(), (w, h).into()))
}

fn transform() -> impl Strategy<Value = Transform> {
    use Transform::*;
    prop_oneof![3 => Just(Normal), 1 => prop::sample::select(vec![_90, _180, _270, Flipped, Flipped90, Flipped180, Flipped270])]
}

fn layer() -> impl Strategy<Value = Layer> {
    let colour = (0.0..=1.0f32, 0.0..=1.0f32, 0.0..=1.0f32, 0.0..=1.0f32).prop_map(|(a, r, g, b)| [r * a, g * a, b * a, a]);
    let crop = prop_oneof![
        3 => Just([0.0, 0.0, 1.0, 1.0]),
        1 => (0.0..0.5, 0.0..0.5, 0.3..0.5, 0.3..0.5).prop_map(|(x, y, w, h)| [x, y, w, h]),
    ];
    let scale = prop_oneof![2 => Just(None), 1 => (1..100i32, 1..100i32).prop_map(Some)];
    let alpha = prop_oneof![Just(1.0f32), 0.0..1.0f32];
    let texture = (0..4usize, crop, (-40..WIDTH, -40..HEIGHT), scale, transform(), alpha)
        .prop_map(|(index, crop, at, scale, transform, alpha)| Layer::Texture { index, crop, at, scale, transform, alpha });
    prop_oneof![
        1 => (rectangle(1..80), colour).prop_map(|(dst, colour)| Layer::Solid { dst, colour }),
        1 => (rectangle(60..140), any::<u8>()).prop_map(|(dst, strength)| Layer::Shadow { dst, strength }),
        6 => texture,
    ]
}

fn scene() -> impl Strategy<Value = Scene> {
    let alpha = prop::sample::select(vec![Alpha::Opaque, Alpha::Half, Alpha::Any]);
    let textures = prop::collection::vec((any::<u32>(), 1..70usize, 1..70usize, alpha), 4);
    let damage = prop_oneof![
        Just(vec![Rectangle::from_size((WIDTH, HEIGHT).into())]),
        (1..WIDTH - 1, 1..HEIGHT - 1).prop_map(|(x, y)| {
            // Two that do not touch.
            vec![Rectangle::from_size((x, y).into()), Rectangle::new((x, y).into(), (WIDTH - x, HEIGHT - y).into())]
        }),
    ];
    let frames = prop::collection::vec((prop::collection::vec(layer(), 1..7), damage), 1..4);
    (textures, frames).prop_map(|(textures, frames)| Scene { textures, frames })
}

/// Pixels without any order, premultiplied.
fn noise(seed: u32, width: usize, height: usize, alpha: Alpha) -> Pixmap {
    let mut state = u64::from(seed) * 2 + 1;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let mut pixels = Vec::new();
    for index in 0..width * height {
        let is_opaque = alpha == Alpha::Opaque || (alpha == Alpha::Half && index % width < width / 2);
        let a = if is_opaque { 255 } else { byte() };
        pixels.push(gde_raster::argb(a, byte(), byte(), byte()));
    }
    Pixmap::from_pixels(width, height, pixels).unwrap()
}

/// Draws a frame as the damage tracker has it drawn: for each layer the changed parts, counted from its corner.
fn draw(renderer: &mut Renderer, target: &mut Target<'_>, textures: &[(Texture, Alpha)], layers: &[Layer], damage: &[Rectangle<i32, Physical>]) {
    let mut frame = renderer.render(target, (WIDTH, HEIGHT).into(), Transform::Normal).unwrap();
    frame.clear(Color32F::new(0.1, 0.2, 0.3, 1.0), damage).unwrap();
    let parts = |dst: Rectangle<i32, Physical>| -> Vec<Rectangle<i32, Physical>> {
        damage.iter().filter_map(|rect| rect.intersection(dst)).map(|rect| Rectangle::new(rect.loc - dst.loc, rect.size)).collect()
    };
    for layer in layers {
        match layer {
            Layer::Solid { dst, colour: [r, g, b, a] } => frame.draw_solid(*dst, &parts(*dst), Color32F::new(*r, *g, *b, *a)).unwrap(),
            Layer::Shadow { dst, strength } => frame.draw_shadow(*dst, &parts(*dst), *strength).unwrap(),
            Layer::Texture { index, crop, at, scale, transform, alpha } => {
                let (texture, kind) = &textures[*index];
                let (w, h) = { use smithay::backend::renderer::Texture as _; (f64::from(texture.width()), f64::from(texture.height())) };
                let [x, y, cw, ch] = crop;
                let src = Rectangle::<f64, Buffer>::new((x * w, y * h).into(), (cw * w, ch * h).into());
                let same = ((src.size.w.ceil() as i32).max(1), (src.size.h.ceil() as i32).max(1));
                let dst = Rectangle::<i32, Physical>::new((*at).into(), scale.unwrap_or(same).into());
                let is_plain = *crop == [0.0, 0.0, 1.0, 1.0] && scale.is_none() && *transform == Transform::Normal;
                let opaque = match kind {
                    Alpha::Half if is_plain => vec![Rectangle::from_size((w as i32 / 2, h as i32).into())],
                    _ => Vec::new(),
                };
                frame.render_texture_from_to(texture, src, dst, &parts(dst), &opaque, *transform, *alpha).unwrap();
            }
        }
    }
    let _ = frame.finish().unwrap();
}

fn compare(scene: &Scene, vulkan: &mut Renderer) -> Result<(), TestCaseError> {
    let textures: Vec<(Texture, Alpha)> = scene
        .textures
        .iter()
        .map(|(seed, w, h, alpha)| (Texture::Memory { pixmap: Arc::new(noise(*seed, *w, *h, *alpha)), is_opaque: *alpha == Alpha::Opaque }, *alpha))
        .collect();
    let mut software = Renderer::new(Kernels::best());
    let mut pictures = [Pixmap::new(WIDTH as usize, HEIGHT as usize), Pixmap::new(WIDTH as usize, HEIGHT as usize)];
    let id = TargetId::next();
    for (number, (layers, damage)) in scene.frames.iter().enumerate() {
        let [a, b] = &mut pictures;
        draw(&mut software, &mut Target::of_pixmap(a), &textures, layers, damage);
        let before = vulkan.vulkan().unwrap().frames();
        draw(vulkan, &mut Target::of_pixmap(b).named(id), &textures, layers, damage);
        prop_assert_eq!(vulkan.vulkan().map(|vulkan| vulkan.frames()), Some(before + 1), "it was not Vulkan that drew");
        if let Some(difference) = difference(a.pixels(), b.pixels(), WIDTH as usize) {
            return Err(TestCaseError::fail(format!("frame {number}, {difference}")));
        }
    }
    vulkan.forget_targets();
    Ok(())
}

#[test]
fn random_scenes_look_the_same() {
    let cases = std::env::var("GDE_VULKAN_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(400);
    let renderer = std::cell::RefCell::new(by_vulkan());
    proptest!(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }, |(scene in scene())| {
        compare(&scene, &mut renderer.borrow_mut())?;
    });
}

/// Memory that begins with a page, as a display's does.
struct Pages {
    memory: Vec<u8>,
    len: usize,
}

impl Pages {
    fn new(len: usize) -> Self {
        Pages { memory: vec![0; len + 4096], len }
    }

    fn bytes(&mut self) -> &mut [u8] {
        let begin = self.memory.as_ptr().align_offset(4096);
        &mut self.memory[begin..begin + self.len]
    }
}

#[test]
fn a_displays_memory_is_drawn_into_directly() {
    // A row of the device's is a multiple of 64 bytes; other lengths are copied out.
    for (size, stride, expected) in [((WIDTH, HEIGHT), 480, (0, 1)), ((128, 96), 512, (1, 0)), ((1280, 800), 5120, (1, 0)), ((1366, 768), 5464, (0, 1))] {
        let mut pages = Pages::new((stride * size.1 as usize).next_multiple_of(4096));
        let mut renderer = by_vulkan();
        let id = TargetId::next();
        let textures = [(Texture::Memory { pixmap: Arc::new(noise(7, 50, 40, Alpha::Any)), is_opaque: false }, Alpha::Any)];
        let layer = |at| Layer::Texture { index: 0, crop: [0.0, 0.0, 1.0, 1.0], at, scale: None, transform: Transform::Normal, alpha: 0.8 };
        let screen = vec![Rectangle::from_size((WIDTH, HEIGHT).into())];
        let mut expectation = Pixmap::new(size.0 as usize, size.1 as usize);
        for at in [(3, 4), (30, 20)] {
            draw(&mut renderer, &mut Target::new(pages.bytes(), size, stride).unwrap().named(id), &textures, &[layer(at)], &screen);
            draw(&mut Renderer::new(Kernels::best()), &mut Target::of_pixmap(&mut expectation), &textures, &[layer(at)], &screen);
        }
        let vulkan = renderer.vulkan().expect("Vulkan draws");
        assert_eq!((vulkan.frames(), vulkan.target_count()), (2, expected), "{size:?}");
        let rows = pages.bytes().chunks_exact(stride).take(size.1 as usize);
        let pixels: Vec<u32> = rows.flat_map(|row| row[..size.0 as usize * 4].chunks_exact(4)).map(|p| u32::from_le_bytes(p.try_into().unwrap())).collect();
        assert_eq!(difference(expectation.pixels(), &pixels, size.0 as usize), None, "{size:?}");
        renderer.forget_targets();
    }
}

#[test]
fn what_is_too_large_for_the_device_is_drawn_in_software() {
    let mut renderer = by_vulkan();
    let textures = [(Texture::Memory { pixmap: Arc::new(noise(3, 40_000, 1, Alpha::Opaque)), is_opaque: true }, Alpha::Opaque)];
    let large = Layer::Texture { index: 0, crop: [0.0, 0.0, 1.0, 1.0], at: (-5, 3), scale: None, transform: Transform::Normal, alpha: 1.0 };
    let small = Layer::Solid { dst: Rectangle::new((10, 10).into(), (20, 20).into()), colour: [0.2, 0.1, 0.0, 0.5] };
    let screen = vec![Rectangle::from_size((WIDTH, HEIGHT).into())];
    let (id, mut software) = (TargetId::next(), Renderer::new(Kernels::best()));
    let (mut a, mut b) = (Pixmap::new(WIDTH as usize, HEIGHT as usize), Pixmap::new(WIDTH as usize, HEIGHT as usize));
    for (layers, frames) in [(vec![small.clone()], 1), (vec![large, small.clone()], 1), (vec![small], 2)] {
        // The last frame changes a part only: the rest is what the software has drawn.
        let damage = if frames == 2 { vec![Rectangle::from_size((15, 15).into())] } else { screen.clone() };
        draw(&mut software, &mut Target::of_pixmap(&mut a), &textures, &layers, &damage);
        draw(&mut renderer, &mut Target::of_pixmap(&mut b).named(id), &textures, &layers, &damage);
        assert_eq!(renderer.vulkan().expect("Vulkan goes on").frames(), frames);
        assert_eq!(difference(a.pixels(), b.pixels(), WIDTH as usize), None);
    }
}

#[test]
fn a_short_measurement_tells_both_times() {
    let measured = choice::measure(&mut vulkan(), Kernels::best()).unwrap();
    assert!(measured.software > Duration::ZERO && measured.vulkan > Duration::ZERO, "{measured:?}");
}

fn picture(fixture: &mut Fixture) -> Pixmap {
    fixture.settle();
    let output = fixture.gde.screens[0].output.clone();
    fixture.headless().picture(&output).unwrap().clone()
}

/// Two desktops, one in software and one by Vulkan, to which the same happens.
struct Both([(Fixture, Client, Vec<Toplevel>); 2]);

impl Both {
    fn new() -> Self {
        let desktop = |renderer: Renderer| {
            let mut fixture = Fixture::new();
            fixture.gde.renderer = renderer;
            fixture.gde.queue_redraws();
            let client = fixture.client();
            (fixture, client, Vec::new())
        };
        Both([desktop(Renderer::new(Kernels::best())), desktop(by_vulkan())])
    }

    fn each(&mut self, step: &str, act: impl Fn(&mut Fixture, &mut Client, &mut Vec<Toplevel>)) {
        let pictures = self.0.each_mut().map(|(fixture, client, windows)| {
            act(fixture, client, windows);
            fixture.sync(client);
            picture(fixture)
        });
        assert_eq!(difference(pictures[0].pixels(), pictures[1].pixels(), pictures[0].width()), None, "{step}");
    }

    fn frames(&mut self) -> u64 {
        self.0[1].0.gde.renderer.vulkan().expect("Vulkan draws").frames()
    }
}

#[test]
fn a_desktop_looks_the_same() {
    let mut both = Both::new();
    both.each("one window", |fixture, client, windows| windows.push(fixture.open(client, (300, 200), 0xff20_3040)));
    both.each("a translucent one", |fixture, client, windows| windows.push(fixture.open(client, (500, 350), 0x8020_1000)));
    both.each("the panel", |fixture, _, _| fixture.gde.panel.is_shown = true);
    let before = both.frames();
    for step in 0..6u32 {
        both.each("a part of a window", |_, client, windows| {
            let surface = &windows[1].surface;
            let (buffer, file) = client.file_buffer(500, 350, 0x8020_1000, wl_shm::Format::Argb8888);
            // What was changed before is as it was at first.
            for y in 10..110 {
                file.write_all_at(&(0xff40_2000 + step * 0x20).to_le_bytes().repeat(200), (y * 500 + 10 + u64::from(step)) * 4).unwrap();
            }
            surface.attach(Some(&buffer), 0, 0);
            surface.damage_buffer(10, 10, 206, 100);
            surface.commit();
        });
    }
    assert!(both.frames() >= before + 6, "parts are drawn by Vulkan, too");
    both.each("the window in another size", |_, client, windows| client.show(&windows[0].surface, 340, 260, 0xffa0_8040));
    both.each("the overview", |fixture, _, _| {
        fixture.press(key::SUPER);
        fixture.press(key::TAB);
        fixture.release(key::TAB);
        fixture.release(key::SUPER);
    });
    both.each("no overview", |fixture, _, _| {
        fixture.press(key::ESC);
        fixture.release(key::ESC);
    });
    both.each("a window less", |_, _, windows| {
        let window = windows.remove(0);
        window.toplevel.destroy();
        window.xdg_surface.destroy();
        window.surface.destroy();
    });
}

#[test]
fn a_lost_device_loses_no_window() {
    let mut both = Both::new();
    both.each("two windows", |fixture, client, windows| {
        windows.push(fixture.open(client, (300, 200), 0xff20_3040));
        windows.push(fixture.open(client, (400, 250), 0xff60_2040));
    });
    both.0[1].0.gde.renderer.vulkan().expect("Vulkan draws").fail_after(0);
    both.each("the device is lost", |_, client, windows| client.show(&windows[0].surface, 300, 200, 0xff80_a0c0));
    assert!(both.0[1].0.gde.renderer.vulkan().is_none(), "the device is not used any more");
    assert_eq!(both.0[1].0.gde.layout.windows().count(), 2);
    both.each("life goes on", |fixture, client, windows| windows.push(fixture.open(client, (200, 100), 0xff00_ff00)));
    both.each("in other colours", |_, client, windows| client.show(&windows[1].surface, 400, 250, 0xff10_2030));
    // And on another device.
    both.0[1].0.gde.renderer.set_vulkan(vulkan());
    both.each("with a new device", |_, client, windows| client.show(&windows[0].surface, 300, 200, 0xff33_6699));
    assert!(both.frames() > 0);
}

#[test]
fn memory_that_goes_away_ends_only_its_owner() {
    let mut both = Both::new();
    both.each("a window", |fixture, client, windows| windows.push(fixture.open(client, (300, 200), 0xff20_3040)));
    both.each("another client's memory goes", |fixture, _, _| {
        let mut bad = fixture.client();
        let window = bad.toplevel();
        window.surface.commit();
        fixture.sync(&mut bad);
        let (buffer, file) = bad.file_buffer(256, 256, 0xffff_0000, wl_shm::Format::Argb8888);
        window.surface.attach(Some(&buffer), 0, 0);
        window.surface.damage_buffer(0, 0, 256, 256);
        window.surface.commit();
        bad.flush();
        // Before it is drawn for the first time.
        file.set_len(0).unwrap();
        fixture.sync(&mut bad);
        fixture.settle();
        fixture.sync(&mut bad);
        assert!(bad.is_dead(), "it is told that its pool is bad");
    });
    let before = both.frames();
    both.each("the other one goes on", |_, client, windows| client.show(&windows[0].surface, 300, 200, 0xff50_6070));
    assert!(both.frames() > before, "by Vulkan");
}

/// Starts the desktop without a display, and waits for these words in its log.
fn log_of(environment: &[(&str, &std::ffi::OsStr)], args: &[&str], words: &str) -> String {
    use std::io::{BufRead, BufReader};
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gde"));
    command.args(["--backend", "headless"]).args(args).env("XDG_RUNTIME_DIR", dir.path()).env("XDG_CACHE_HOME", dir.path());
    let mut child = command.envs(environment.iter().copied()).stderr(Stdio::piped()).spawn().expect("gde starts");
    let log = BufReader::new(child.stderr.take().unwrap());
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let (start, mut all) = (Instant::now(), String::new());
    while !all.contains(words) && start.elapsed() < Duration::from_secs(60) {
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => all = all + &line + "\n",
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    let is_running = child.try_wait().unwrap().is_none();
    let _ = child.kill();
    let _ = child.wait();
    assert!(all.contains(words), "no {words:?} in: {all}");
    assert!(is_running, "gde has ended: {all}");
    all
}

#[test]
fn without_a_loader_or_drivers_the_desktop_is_drawn_in_software() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("libvulkan.so.1"), "no library").unwrap();
    let no_loader = [("LD_LIBRARY_PATH", dir.path().as_os_str())];
    assert!(log_of(&no_loader, &["--renderer", "auto"], "drawing in software").contains("libvulkan.so.1"));
    log_of(&no_loader, &["--renderer", "vulkan"], "Vulkan was asked for, but no Vulkan loader");
    let none = dir.path().join("none.json");
    log_of(&[("VK_DRIVER_FILES", none.as_os_str()), ("VK_ICD_FILENAMES", none.as_os_str())], &[], "drawing in software");
    log_of(&[("GDE_RENDERER", "software".as_ref())], &[], "drawing in software: that was asked for");
}

#[test]
fn on_the_processor_a_measurement_decides() {
    vulkan();
    let lavapipe = std::fs::read_dir("/usr/share/vulkan/icd.d").unwrap().map(|entry| entry.unwrap().path());
    let lavapipe = lavapipe.into_iter().find(|path| path.to_string_lossy().contains("lvp")).expect("the package mesa-vulkan-drivers is there");
    let log = log_of(&[("VK_DRIVER_FILES", lavapipe.as_os_str())], &["--renderer", "auto"], "where the software takes");
    assert!(log.contains("drawing by Vulkan: ") || log.contains("drawing in software: "), "{log}");
}

#[test]
fn a_renderer_can_be_asked_for() {
    log_of(&[], &["--renderer", "vulkan"], "drawing by Vulkan on");
    log_of(&[("GDE_RENDERER", "vulkan".as_ref())], &[], "drawing by Vulkan on");
    let wrong = Command::new(env!("CARGO_BIN_EXE_gde")).args(["--backend", "headless"]).env("GDE_RENDERER", "opengl").output().unwrap();
    let error = String::from_utf8_lossy(&wrong.stderr);
    assert!(!wrong.status.success() && error.contains("none of auto, software and vulkan"), "{error}");
}
