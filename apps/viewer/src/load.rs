//! Pictures from files: their kind is told by what they begin with, their size is looked at before they are decoded.

use image::{DynamicImage, ImageDecoder, ImageReader};
use resvg::{tiny_skia, usvg};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::time::Duration;

use crate::picture::Picture;

/// Pixels of a picture at most.
pub const MOST_PIXELS: u64 = 64_000_000;
/// Pixels of all pictures of a moving one together; of more only the first is shown.
const MOST_MOVING: u64 = 32_000_000;
/// Bytes that a pixel takes while it is decoded and kept.
const BYTES: u64 = 10;
/// Bytes of a drawing at most.
const MOST_DRAWING: u64 = 32 << 20;
/// The longer side that a drawing has in pixels.
const DRAWING: f32 = 2048.0;
/// What stands still is shown so long at least: browsers do so too.
const SHORTEST: Duration = Duration::from_millis(20);

/// Why a picture is not shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is of no kind that is known.
    #[error("it is no picture of a kind that is known here: PNG, JPEG, GIF, WebP or SVG")]
    Kind,
    /// It is broken.
    #[error("it is damaged: {0}")]
    Broken(String),
    /// It is too large.
    #[error("it is too large: {0} × {1} pixels, of which {most} million are possible", most = MOST_PIXELS / 1_000_000)]
    Large(u64, u64),
    /// There is not so much memory.
    #[error("there is not enough memory: {0} MB are needed, {1} MB are free")]
    Memory(u64, u64),
}

/// A picture, and how long it is shown where it moves.
pub type Frame = (Picture, Duration);

/// What a file holds.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// One picture, or several where it moves.
    pub frames: Vec<Frame>,
    /// Its kind.
    pub kind: &'static str,
    /// Whether it would move, if it were not so large.
    pub is_held: bool,
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::Broken(error.to_string())
}

/// Memory that is free, bytes.
fn free() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|it| it.strip_prefix("MemAvailable:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Refuses what is too large.
fn check(width: u64, height: u64) -> Result<(), Error> {
    let pixels = width.saturating_mul(height);
    if pixels > MOST_PIXELS {
        return Err(Error::Large(width, height));
    }
    match free() {
        Some(free) if pixels * BYTES > free => Err(Error::Memory(pixels * BYTES / 1_000_000, free / 1_000_000)),
        _ => Ok(()),
    }
}

fn one(picture: Option<Picture>, kind: &'static str) -> Result<Loaded, Error> {
    let picture = picture.ok_or_else(|| broken("it has no pixels"))?;
    Ok(Loaded { frames: vec![(picture, Duration::ZERO)], kind, is_held: false })
}

/// Reads a picture.
///
/// # Errors
/// Where the file cannot be read, is none, is damaged, or too large for the memory.
pub fn load(path: &Path) -> Result<Loaded, Error> {
    if !path.metadata()?.is_file() {
        return Err(Error::Kind);
    }
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    (&mut file).take(512).read_to_end(&mut start)?;
    file.rewind()?;
    let file = BufReader::new(file);
    match start.as_slice() {
        it if it.starts_with(b"\x89PNG\r\n\x1a\n") => pixels(file, "PNG"),
        it if it.starts_with(b"\xff\xd8\xff") => pixels(file, "JPEG"),
        it if it.starts_with(b"GIF8") => gif(file),
        it if it.starts_with(b"RIFF") && it.get(8..12) == Some(b"WEBP") => webp(file),
        it if is_drawing(path, it) => drawing(file),
        _ => Err(Error::Kind),
    }
}

/// Packed drawings are not known here.
fn is_drawing(path: &Path, start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    text.contains("<svg") || (path.extension().is_some_and(|it| it.eq_ignore_ascii_case("svg")) && text.trim_start().starts_with('<'))
}

fn pixels(file: BufReader<File>, kind: &'static str) -> Result<Loaded, Error> {
    let mut reader = ImageReader::new(file).with_guessed_format()?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MOST_PIXELS * 8);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    check(u64::from(width), u64::from(height))?;
    // Cameras turn pictures by a note beside them.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    image.apply_orientation(orientation);
    let image = image.into_rgba8();
    one(Picture::from_rgba(image.width(), image.height(), &image), kind)
}

fn webp(file: BufReader<File>) -> Result<Loaded, Error> {
    let mut decoder = image_webp::WebPDecoder::new(file).map_err(broken)?;
    let (width, height) = decoder.dimensions();
    check(u64::from(width), u64::from(height))?;
    decoder.set_memory_limit((MOST_PIXELS * 8) as usize);
    let size = decoder.output_buffer_size().ok_or_else(|| broken("it has no size"))?;
    let has_alpha = decoder.has_alpha();
    let picture = |bytes: &[u8]| {
        let pixels = if has_alpha { None } else { Some(bytes.chunks_exact(3).map(|it| u32::from_be_bytes([255, it[0], it[1], it[2]])).collect()) };
        match pixels {
            Some(pixels) => Picture::from_pixels(width as usize, height as usize, pixels),
            None => Picture::from_rgba(width, height, bytes),
        }
    };
    let mut bytes = vec![0; size];
    let count = decoder.num_frames();
    let is_held = u64::from(count) * u64::from(width) * u64::from(height) > MOST_MOVING;
    if !decoder.is_animated() || is_held {
        decoder.read_image(&mut bytes).map_err(broken)?;
        return Ok(Loaded { is_held: decoder.is_animated(), ..one(picture(&bytes), "WebP")? });
    }
    let mut frames = Vec::new();
    for _ in 0..count {
        let shown = decoder.read_frame(&mut bytes).map_err(broken)?;
        let picture = picture(&bytes).ok_or_else(|| broken("it has no pixels"))?;
        frames.push((picture, Duration::from_millis(u64::from(shown)).max(SHORTEST)));
    }
    if frames.is_empty() { Err(broken("it has no pictures")) } else { Ok(Loaded { frames, kind: "WebP", is_held: false }) }
}

fn gif(file: BufReader<File>) -> Result<Loaded, Error> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    options.set_memory_limit(gif::MemoryLimit::Bytes(std::num::NonZeroU64::MIN.saturating_add(MOST_PIXELS * 4)));
    let mut decoder = options.read_info(file).map_err(broken)?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    check(width as u64, height as u64)?;
    let mut canvas = vec![[0u8; 4]; width * height];
    let (mut frames, mut is_held, mut failed) = (Vec::new(), false, None);
    loop {
        let frame = match decoder.read_next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            // What came before it can be shown.
            Err(error) => {
                failed = Some(broken(error));
                break;
            }
        };
        if (frames.len() as u64 + 1) * (width * height) as u64 > MOST_MOVING.max((width * height) as u64) {
            is_held = true;
            break;
        }
        let before = (frame.dispose == gif::DisposalMethod::Previous).then(|| canvas.clone());
        let (left, top, across) = (usize::from(frame.left), usize::from(frame.top), usize::from(frame.width).max(1));
        let places = |number: usize| (left + number % across, top + number / across);
        for (number, pixel) in frame.buffer.chunks_exact(4).enumerate() {
            let (x, y) = places(number);
            if x < width && y < height && pixel[3] > 0 {
                canvas[y * width + x] = [pixel[0], pixel[1], pixel[2], pixel[3]];
            }
        }
        // A hundredth and less is not meant.
        let delay = if frame.delay <= 1 { Duration::from_millis(100) } else { Duration::from_millis(u64::from(frame.delay) * 10) };
        let picture = Picture::from_rgba(width as u32, height as u32, canvas.as_flattened()).ok_or_else(|| broken("it has no pixels"))?;
        frames.push((picture, delay.max(SHORTEST)));
        match (frame.dispose, before) {
            (gif::DisposalMethod::Background, _) => {
                for (x, y) in (0..across * usize::from(frame.height)).map(places).filter(|(x, y)| *x < width && *y < height) {
                    canvas[y * width + x] = [0; 4];
                }
            }
            (_, Some(before)) => canvas = before,
            _ => {}
        }
    }
    if is_held {
        frames.truncate(1);
    }
    match failed {
        Some(error) if frames.is_empty() => Err(error),
        _ if frames.is_empty() => Err(broken("it has no pictures")),
        _ => Ok(Loaded { frames, kind: "GIF", is_held }),
    }
}

/// Letters of drawings are left out: no fonts are looked for.
fn drawing(file: BufReader<File>) -> Result<Loaded, Error> {
    let mut bytes = Vec::new();
    file.take(MOST_DRAWING + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_DRAWING {
        return Err(broken("a drawing of more than 32 MB"));
    }
    let tree = usvg::Tree::from_data(&bytes, &usvg::Options::default()).map_err(broken)?;
    let size = tree.size();
    let scale = (DRAWING / size.width().max(size.height())).clamp(0.001, 10_000.0);
    let (width, height) = ((size.width() * scale).ceil().max(1.0) as u32, (size.height() * scale).ceil().max(1.0) as u32);
    check(u64::from(width), u64::from(height))?;
    let mut pixmap = tiny_skia::Pixmap::new(width, height).ok_or_else(|| broken("it has no size"))?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    let pixels = pixmap.pixels().iter().map(|it| u32::from_be_bytes([it.alpha(), it.red(), it.green(), it.blue()])).collect();
    one(Picture::from_pixels(width as usize, height as usize, pixels), "SVG")
}
