//! Pictures of the screen by keys: of all of it, of a window, of a part that is chosen. They go into a folder and to the clipboard.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::actions::desktop::Shot;
use gde_layout::{Point, Rect};
use gde_raster::Pixmap;
use smithay::backend::renderer::element::Id;
use smithay::input::keyboard::Keysym;
use smithay::output::Output;
use smithay::reexports::calloop::channel::{self, Event};
use smithay::wayland::selection::SelectionTarget;
use smithay::wayland::selection::data_device::set_data_device_selection;

use crate::render::scene::Scene;
use crate::state::Gde;
use crate::theme;
use crate::x11::Own;

/// Below the user's pictures.
const FOLDER: &str = "Screenshots";
const PNG: &str = "image/png";
const PATHS: &str = "text/uri-list";
/// For programs that take words alone: the file's path. Files takes it for the file.
const WORDS: [&str; 3] = ["text/plain;charset=utf-8", "text/plain", "UTF8_STRING"];
/// What is smaller is a click, not a part: pixels.
const SMALLEST: i32 = 4;

/// What the desktop has put on the clipboard itself.
#[derive(Debug, Clone)]
pub struct Selection(Arc<Saved>);

#[derive(Debug)]
struct Saved {
    path: PathBuf,
    png: Vec<u8>,
}

impl Selection {
    /// Writes it in the wanted form, on a thread of its own: who reads may be slow.
    pub fn send(&self, mime: &str, to: OwnedFd) {
        let saved = Arc::clone(&self.0);
        let words = match mime {
            PNG => None,
            PATHS => Some(format!("{}\r\n", desktop_entries::uri(&saved.path)).into_bytes()),
            _ => Some(saved.path.as_os_str().as_encoded_bytes().to_vec()),
        };
        let writer = std::thread::Builder::new().name("clipboard".into()).stack_size(64 << 10).spawn(move || {
            let mut to = File::from(to);
            // Who does not read any more has got what it wanted.
            let _ = to.write_all(words.as_deref().unwrap_or(&saved.png));
        });
        if let Err(error) = writer {
            tracing::warn!("giving the clipboard's picture: {error}");
        }
    }
}

/// A part of the screen while it is chosen.
#[derive(Debug)]
pub struct Region {
    output: Output,
    from: Option<Point>,
    to: Point,
    shades: [Id; 4],
    lines: [Id; 4],
}

impl Region {
    fn rect(&self) -> Option<Rect> {
        let from = self.from?;
        let (x, y) = (from.x.min(self.to.x), from.y.min(self.to.y));
        Some(Rect::new(x, y, (from.x - self.to.x).abs() + 1, (from.y - self.to.y).abs() + 1))
    }

    /// Adds it to a scene: all is darker but what is chosen.
    pub fn add(&self, scene: &mut Scene<'_>) {
        let screen = scene.screen;
        let Some(it) = self.rect() else {
            scene.solid(&self.shades[0], &screen, theme::colours().shade);
            return;
        };
        let lines = [Rect::new(it.x - 1, it.y - 1, it.w + 2, 1), Rect::new(it.x - 1, it.bottom(), it.w + 2, 1), Rect::new(it.x - 1, it.y, 1, it.h), Rect::new(it.right(), it.y, 1, it.h)];
        let shades = [
            Rect::new(screen.x, screen.y, screen.w, it.y - screen.y),
            Rect::new(screen.x, it.bottom(), screen.w, screen.bottom() - it.bottom()),
            Rect::new(screen.x, it.y, it.x - screen.x, it.h),
            Rect::new(it.right(), it.y, screen.right() - it.right(), it.h),
        ];
        for (id, line) in self.lines.iter().zip(&lines) {
            scene.solid(id, line, theme::colours().accent);
        }
        for (id, shade) in self.shades.iter().zip(&shades).filter(|(_, it)| it.w > 0 && it.h > 0) {
            scene.solid(id, shade, theme::colours().shade);
        }
    }
}

/// Year, month, day, hour, minute, second, here.
fn stamp() -> String {
    // SAFETY: time takes a null pointer.
    let now = unsafe { libc::time(std::ptr::null_mut()) };
    let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to values of ours; a zeroed tm is valid.
    let it = unsafe {
        libc::localtime_r(&now, parts.as_mut_ptr());
        parts.assume_init()
    };
    format!("{:04}-{:02}-{:02} {:02}-{:02}-{:02}", it.tm_year + 1900, it.tm_mon + 1, it.tm_mday, it.tm_hour, it.tm_min, it.tm_sec)
}

/// A new file in the folder, which is made where it is not there.
fn new_file(folder: &Path) -> io::Result<(PathBuf, File)> {
    fs::create_dir_all(folder)?;
    let stamp = stamp();
    for number in 1..1000 {
        let name = if number == 1 { format!("Screenshot {stamp}.png") } else { format!("Screenshot {stamp} ({number}).png") };
        let path = folder.join(name);
        match File::options().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return Ok((path, other?)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// A PNG of a part of a picture.
fn encode(picture: &Pixmap, part: Rect) -> io::Result<Vec<u8>> {
    let mut rows = Vec::with_capacity((part.w * part.h * 3).max(0) as usize);
    for y in part.y..part.bottom() {
        let start = y as usize * picture.width();
        let row = picture.pixels().get(start + part.x as usize..start + part.right() as usize).ok_or(io::ErrorKind::InvalidInput)?;
        rows.extend(row.iter().flat_map(|pixel| [(pixel >> 16) as u8, (pixel >> 8) as u8, *pixel as u8]));
    }
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, part.w as u32, part.h as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&rows)).map_err(io::Error::other)?;
    Ok(png)
}

fn save(picture: &Pixmap, part: Rect, folder: &Path) -> io::Result<Saved> {
    let png = encode(picture, part)?;
    let (path, file) = new_file(folder)?;
    let mut file = BufWriter::new(file);
    let written = file.write_all(&png).and_then(|()| file.flush());
    if let Err(error) = written {
        // Half a picture is none.
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok(Saved { path, png })
}

impl Gde {
    /// Takes a picture, or lets a part be chosen for one.
    ///
    /// # Errors
    /// Where there is no screen, or no window for a picture of one.
    pub fn shoot(&mut self, shot: Shot) -> Result<(), String> {
        let at = self.pointer.current_location();
        let screen = self.screen_at(at).ok_or_else(|| "there is no screen".to_owned())?;
        let (output, rect) = (screen.output.clone(), self.screen_rect(screen));
        match shot {
            Shot::Screen => self.take(&output, rect),
            Shot::Window => {
                let id = self.layout.focus().ok_or_else(|| "no window has the keyboard".to_owned())?;
                let frame = self.shown_frame(id).ok_or_else(|| "the window is not shown".to_owned())?;
                self.take(&output, frame);
            }
            Shot::Region => {
                (self.launcher, self.overview, self.switcher) = (None, None, None);
                self.close_menu(None);
                let to = Point { x: at.x as i32, y: at.y as i32 };
                self.region = Some(Region { output, from: None, to, shades: std::array::from_fn(|_| Id::new()), lines: std::array::from_fn(|_| Id::new()) });
                self.update_focus();
                self.update_pointer_focus();
                self.queue_redraws();
            }
        }
        Ok(())
    }

    /// The user's folder for them.
    fn shots_folder(&self) -> PathBuf {
        let home = self.environment.iter().find(|(name, _)| name == "HOME").map(|(_, home)| PathBuf::from(home));
        let home = home.or_else(|| std::env::var_os("HOME").map(PathBuf::from)).unwrap_or_else(|| PathBuf::from("/root"));
        home.join("Pictures").join(FOLDER)
    }

    /// Draws a part of a screen, and has it saved beside.
    fn take(&mut self, output: &Output, part: Rect) {
        let Some(screen) = self.screens.iter().find(|screen| screen.output == *output) else { return };
        let rect = self.screen_rect(screen);
        let Some(picture) = self.picture_of(output, false) else { return };
        // In pixels of the picture, and within it.
        let scale = output.current_scale().fractional_scale();
        let pixel = |it: i32, most: usize| ((f64::from(it) * scale).round() as i32).clamp(0, most as i32);
        let (left, top) = (pixel(part.x - rect.x, picture.width()), pixel(part.y - rect.y, picture.height()));
        let (right, bottom) = (pixel(part.right() - rect.x, picture.width()), pixel(part.bottom() - rect.y, picture.height()));
        let part = Rect::new(left, top, right - left, bottom - top);
        if part.w < 1 || part.h < 1 {
            return;
        }
        let folder = self.shots_folder();
        let (sender, saved) = channel::channel();
        let added = self.events.insert_source(saved, |event, (), gde| {
            if let Event::Msg(saved) = event {
                gde.shot_saved(saved);
            }
        });
        if let Err(error) = added {
            tracing::warn!("a picture of the screen: {error}");
            return;
        }
        let worker = std::thread::Builder::new().name("picture".into()).spawn(move || {
            // The desktop is there for as long as its threads.
            let _ = sender.send(save(&picture, part, &folder).map_err(|error| format!("{}: {error}", folder.display())));
        });
        if let Err(error) = worker {
            self.shot_saved(Err(error.to_string()));
        }
    }

    fn shot_saved(&mut self, saved: Result<Saved, String>) {
        match saved {
            Ok(saved) => {
                let name = saved.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let selection = Own::Picture(Selection(Arc::new(saved)));
                let forms: Vec<String> = [PNG, PATHS].into_iter().chain(WORDS).map(str::to_owned).collect();
                set_data_device_selection(&self.display, &self.seat, forms.clone(), selection);
                self.offer_x11(SelectionTarget::Clipboard, forms);
                self.tell("Picture of the screen taken", &format!("{name}\nIn Pictures, and on the clipboard"));
            }
            Err(problem) => {
                tracing::warn!("saving a picture of the screen: {problem}");
                self.tell("The picture of the screen could not be saved", &problem);
            }
        }
    }

    /// The pointer has moved while a part is chosen.
    pub fn region_moved(&mut self, to: Point) {
        if let Some(region) = &mut self.region {
            region.to = to;
            self.queue_redraws();
        }
    }

    /// A button while a part is chosen: its first corner, and its last one.
    pub fn region_button(&mut self, at: Point, is_pressed: bool) {
        let Some(region) = &mut self.region else { return };
        region.to = at;
        if is_pressed {
            region.from = Some(at);
            self.queue_redraws();
            return;
        }
        if let Some(rect) = region.rect().filter(|it| it.w >= SMALLEST && it.h >= SMALLEST) {
            self.end_region(Some(rect));
        } else if let Some(region) = &mut self.region {
            region.from = None;
        }
    }

    /// A key while a part is chosen: Enter takes all, Escape nothing.
    pub fn region_key(&mut self, key: Keysym) {
        let all = self.region.as_ref().and_then(|region| self.screens.iter().find(|screen| screen.output == region.output)).map(|screen| self.screen_rect(screen));
        match key {
            Keysym::Escape => self.end_region(None),
            Keysym::Return | Keysym::KP_Enter => self.end_region(all),
            _ => {}
        }
    }

    fn end_region(&mut self, part: Option<Rect>) {
        let Some(region) = self.region.take() else { return };
        if let Some(part) = part {
            self.take(&region.output, part);
        }
        self.update_focus();
        self.update_pointer_focus();
        self.update_cursor();
        self.queue_redraws();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_encoded() {
        let pixels = (0..20u32).map(|it| 0xff00_0000 | it << 16 | (255 - it)).collect();
        let picture = Pixmap::from_pixels(5, 4, pixels).unwrap();
        let png = encode(&picture, Rect::new(1, 2, 3, 2)).unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        assert_eq!((reader.info().width, reader.info().height), (3, 2));
        assert_eq!(bytes[..6], [11, 0, 244, 12, 0, 243]);
        assert!(encode(&picture, Rect::new(3, 3, 9, 9)).is_err());
    }
}
