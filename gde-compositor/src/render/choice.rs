//! Which renderer draws.
//!
//! A graphics card draws by Vulkan. Where the only device is the processor itself (Mesa's lavapipe), a short measurement decides. Either way the
//! desktop begins in software, and another process looks for Vulkan once the first frame is shown: drivers take long to load, they may hang or
//! die, and they do not give their memory back.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gde_raster::{Kernels, Pixmap};
use smithay::reexports::calloop::channel;
use smithay::utils::{Physical, Rectangle, Transform};

use super::op::{Op, Picture};
use super::software::Software;
use super::texture::{Target, TargetId, Texture};
use super::vulkan::{self, Devices, Vulkan};
use crate::state::Gde;

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Wanted {
    /// Vulkan on a graphics card; on the processor what is faster
    Auto,
    /// Draw in software
    Software,
    /// Draw by Vulkan wherever there is a device
    Vulkan,
}

impl FromStr for Wanted {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        clap::ValueEnum::from_str(text, false).map_err(|_| format!("{text:?} is none of auto, software and vulkan"))
    }
}

impl Wanted {
    /// What the environment (`GDE_RENDERER`) asks for.
    ///
    /// # Errors
    /// Where that is no renderer.
    pub fn from_environment() -> Result<Self, String> {
        match std::env::var("GDE_RENDERER") {
            Ok(text) => text.parse().map_err(|error| format!("GDE_RENDERER: {error}")),
            Err(_) => Ok(Wanted::Auto),
        }
    }
}

/// Where drivers' compiled shaders are kept.
pub fn cache_dir() -> PathBuf {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    // As a service it has no home, and is root's.
    let caches = absolute("XDG_CACHE_HOME").unwrap_or_else(|| absolute("HOME").unwrap_or_else(|| "/root".into()).join(".cache"));
    caches.join("gde")
}

/// How long a frame of both takes.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// In software.
    pub software: Duration,
    /// By Vulkan.
    pub vulkan: Duration,
}

impl Measured {
    /// Whether Vulkan is worth its memory.
    pub fn is_vulkan_better(&self) -> bool {
        self.vulkan * 10 < self.software * 9
    }
}

/// Frames that are measured.
const FRAMES: usize = 5;
/// Their size.
const SIZE: (i32, i32) = (1280, 800);
/// A page: what devices draw into directly begins with one.
const PAGE: usize = 4096;

/// A desktop with three windows that are just appearing.
fn scene() -> Vec<Op> {
    let screen = Rectangle::<i32, Physical>::from_size(SIZE.into());
    let picture = |width: usize, height: usize, at: (i32, i32), alpha: u8| {
        let pixels = (0..width * height).map(|index| 0xff00_0000 | (index as u32).wrapping_mul(2_654_435_761) >> 8).collect();
        let dst = Rectangle::new(at.into(), (width as i32, height as i32).into());
        let pixmap = Pixmap::from_pixels(width, height, pixels)?;
        Some(Op::Texture(Picture {
            texture: Texture::Memory { pixmap: Arc::new(pixmap), is_opaque: true },
            src: Rectangle::from_size((width as f64, height as f64).into()),
            dst,
            parts: dst.intersection(screen).into_iter().collect(),
            opaque: Vec::new(),
            transform: Transform::Normal,
            alpha,
        }))
    };
    let wallpaper = picture(SIZE.0 as usize, SIZE.1 as usize, (0, 0), 255);
    let windows = (0..3).flat_map(|index| {
        let at = (80 + 240 * index, 60 + 120 * index);
        let dst = Rectangle::<i32, Physical>::new((at.0 - 28, at.1 - 20).into(), (656, 456).into());
        let shadow = Op::Shadow { dst, parts: dst.intersection(screen).into_iter().collect(), strength: 150 };
        [Some(shadow), picture(600, 400, at, 230)]
    });
    std::iter::once(wallpaper).chain(windows).flatten().collect()
}

/// The middle one of some frames' times; the first frame is not counted.
fn time<E>(mut frame: impl FnMut() -> Result<(), E>) -> Result<Duration, E> {
    frame()?;
    let mut times = Vec::with_capacity(FRAMES);
    for _ in 0..FRAMES {
        let start = Instant::now();
        frame()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times[FRAMES / 2])
}

/// Draws some frames with both.
///
/// # Errors
/// Vulkan's.
pub fn measure(vulkan: &mut Vulkan, kernels: Kernels) -> Result<Measured, vulkan::Error> {
    let ops = scene();
    let stride = SIZE.0 as usize * 4;
    let len = stride * SIZE.1 as usize;
    let mut memory = vec![0u8; len + PAGE];
    let begin = memory.as_ptr().align_offset(PAGE).min(PAGE);
    let id = TargetId::next();
    let small = || vulkan::Error::Unsuitable("too little memory to measure".into());
    let mut target = Target::new(&mut memory[begin..begin + len], SIZE, stride).ok_or_else(small)?.named(id);
    let mut renderer = Software::new(kernels);
    let software = time(|| ops.iter().try_for_each(|op| renderer.draw(&mut target, op)));
    let software = software.map_err(|error| vulkan::Error::Unsuitable(error.to_string()))?;
    let by_vulkan = time(|| vulkan.draw(&mut target, &ops));
    // The memory goes.
    vulkan.forget_targets();
    Ok(Measured { software, vulkan: by_vulkan? })
}

/// Looks for a device that is better than the software: whether there is one, and why.
fn look(kernels: Kernels) -> (bool, String) {
    let mut vulkan = match Vulkan::open(Devices::All, Some(&cache_dir())) {
        Ok(vulkan) => vulkan,
        Err(error) => return (false, error.to_string()),
    };
    let name = vulkan.device_name().to_owned();
    if !vulkan.is_cpu() {
        return (true, format!("{name} is a graphics card"));
    }
    match measure(&mut vulkan, kernels) {
        Ok(measured) => {
            let reason = format!("{name} is the processor, and takes {:.1?} for a frame where the software takes {:.1?}", measured.vulkan, measured.software);
            (measured.is_vulkan_better(), reason)
        }
        Err(error) => (false, format!("{name}: {error}")),
    }
}

/// The option by which the program looks for a device, tells what it has found, and ends.
pub const PROBE: &str = "--probe-renderer";

/// What the program does then.
pub fn probe(kernels: Kernels) {
    let (is_better, reason) = look(kernels);
    println!("{} {reason}", if is_better { "vulkan" } else { "software" });
}

/// Has another process look.
fn ask() -> (bool, String) {
    let asked = std::process::Command::new("/proc/self/exe").arg(PROBE).stdin(std::process::Stdio::null()).output();
    let output = match asked {
        Ok(output) => output,
        Err(error) => return (false, format!("looking for a device: {error}")),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim().split_once(' ') {
        Some((answer, reason)) if output.status.success() => (answer == "vulkan", reason.into()),
        _ => (false, format!("the drivers die when they are loaded ({}) {}", output.status, String::from_utf8_lossy(&output.stderr).trim())),
    }
}

impl Gde {
    /// Has the desktop drawn as the user wants.
    pub fn choose_renderer(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::Software => tracing::info!("drawing in software: that was asked for"),
            Wanted::Vulkan => match Vulkan::open(Devices::All, Some(&cache_dir())) {
                Ok(vulkan) => {
                    tracing::info!("drawing by Vulkan on {}: that was asked for", vulkan.device_name());
                    self.renderer.set_vulkan(vulkan);
                }
                Err(error) => tracing::warn!("drawing in software: Vulkan was asked for, but {error}"),
            },
            Wanted::Auto => self.is_renderer_open = true,
        }
    }

    /// Looks for a better renderer, where that is still to be done.
    pub fn look_for_renderer(&mut self) {
        if !std::mem::take(&mut self.is_renderer_open) {
            return;
        }
        let (sender, receiver) = channel::channel();
        let added = self.events.insert_source(receiver, |event, (), gde: &mut Gde| {
            let channel::Event::Msg((found, reason)) = event else { return };
            match found {
                Some(Ok(vulkan)) => {
                    tracing::info!("drawing by Vulkan: {reason}");
                    gde.renderer.set_vulkan(vulkan);
                }
                Some(Err(error)) => tracing::warn!("drawing in software: {reason}, but {error}"),
                None => tracing::info!("drawing in software: {reason}"),
            }
        });
        if let Err(error) = added {
            tracing::warn!("drawing in software: waiting for a device: {error}");
            return;
        }
        let looking = std::thread::Builder::new().name("renderer".into()).spawn(move || {
            let (is_better, reason) = ask();
            let found = is_better.then(|| Vulkan::open(Devices::All, Some(&cache_dir())));
            // Where nobody listens the desktop has ended.
            let _ = sender.send((found, reason));
        });
        if let Err(error) = looking {
            tracing::warn!("drawing in software: a thread to look for a device: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renderers_have_names() {
        for (text, wanted) in [("auto", Wanted::Auto), ("software", Wanted::Software), ("vulkan", Wanted::Vulkan)] {
            assert_eq!(text.parse(), Ok(wanted));
        }
        assert!("opengl".parse::<Wanted>().unwrap_err().contains("auto, software and vulkan"));
    }

    #[test]
    fn a_little_faster_is_not_worth_it() {
        let ms = Duration::from_millis;
        assert!(Measured { software: ms(10), vulkan: ms(5) }.is_vulkan_better());
        assert!(!Measured { software: ms(100), vulkan: ms(95) }.is_vulkan_better());
        assert!(!Measured { software: ms(2), vulkan: ms(4) }.is_vulkan_better());
    }
}
