//! Pictures of notices, made small here: the compositor gets pixels, and decodes nothing.

use std::fs::File;
use std::io::{Cursor, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gde_ipc::Picture;
use image::{DynamicImage, ImageFormat, ImageReader, Limits, RgbaImage};
use resvg::{tiny_skia, usvg};
use tokio::sync::Semaphore;

use crate::hints::{Hints, Raw};

/// Pixels a row and rows that there is room for in a notice, and in the panel.
const SIZE: u32 = 48;
pub const SMALL: u32 = 20;
/// The longest name of a file, and the longest file, bytes.
const LONGEST_NAME: usize = 4096;
const LONGEST: u64 = 4 << 20;
/// The most pixels a row and rows of a picture that comes in a message, and of one in a file.
const MOST_RAW: i32 = 1024;
const MOST: u32 = 4096;
/// The most memory that decoding may take, bytes.
const MEMORY: u64 = 80 << 20;
/// A picture that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// Where pictures of a theme are looked for, the best first.
const THEMES: [&str; 2] = ["hicolor", "Adwaita"];
const SIZES: [&str; 9] = ["48x48", "scalable", "64x64", "96x96", "128x128", "256x256", "512x512", "32x32", "symbolic"];
const KINDS: [&str; 8] = ["apps", "status", "actions", "devices", "mimetypes", "categories", "places", "emblems"];
const ENDS: [&str; 2] = ["png", "svg"];

/// One is decoded at a time: of those that take forever there is no second one.
static DECODING: Semaphore = Semaphore::const_new(1);

/// The picture of a notice, where it has one that can be shown.
pub async fn of(app_icon: &str, hints: &Hints<'_>) -> Option<Picture> {
    if let Some(picture) = hints.image.as_ref().and_then(raw) {
        return Some(picture);
    }
    // A program's own picture says more than that of its kind of message.
    let names = [hints.image_path, Some(app_icon), hints.desktop_entry];
    let names: Vec<String> = names.into_iter().flatten().filter(|it| !it.is_empty() && it.len() <= LONGEST_NAME).map(str::to_owned).collect();
    if names.is_empty() {
        return hints.icon.as_ref().and_then(raw);
    }
    let decoded = in_time(move || names.iter().find_map(|name| named(name, &[], SIZE))).await;
    decoded.or_else(|| hints.icon.as_ref().and_then(raw))
}

/// The picture of a name or a file, where it can be shown; `folder` is where its program has pictures of its own.
pub async fn of_name(name: &str, folder: &str, size: u32) -> Option<Picture> {
    if name.is_empty() || name.len() > LONGEST_NAME || folder.len() > LONGEST_NAME {
        return None;
    }
    let (name, folder) = (name.to_owned(), Some(PathBuf::from(folder)).filter(|it| it.is_absolute()));
    in_time(move || named(&name, folder.as_slice(), size)).await
}

/// What is decoded, where that does not take too long.
async fn in_time(decode: impl FnOnce() -> Option<Picture> + Send + 'static) -> Option<Picture> {
    let both = async {
        let permit = DECODING.acquire().await.ok()?;
        let decoded = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            decode()
        });
        decoded.await.ok()?
    };
    tokio::time::timeout(PATIENCE, both).await.ok()?
}

/// A picture of these pixels by rows, each alpha, red, green, blue.
pub fn of_argb(width: i32, height: i32, data: &[u8], size: u32) -> Option<Picture> {
    let (columns, rows) = (usize::try_from(width).ok()?, usize::try_from(height).ok()?);
    if !(1..=MOST_RAW).contains(&width) || !(1..=MOST_RAW).contains(&height) || data.len() < columns * rows * 4 {
        return None;
    }
    let pixels = data[..columns * rows * 4].chunks_exact(4).flat_map(|it| [it[1], it[2], it[3], it[0]]).collect();
    small(RgbaImage::from_raw(width as u32, height as u32, pixels)?.into(), size)
}

/// A picture that came in the message.
fn raw(raw: &Raw<'_>) -> Option<Picture> {
    let channels = if raw.has_alpha { 4 } else { 3 };
    let is_good = raw.bits == 8 && raw.channels == channels && (1..=MOST_RAW).contains(&raw.width) && (1..=MOST_RAW).contains(&raw.height);
    let (width, stride, channels) = (usize::try_from(raw.width).ok()?, usize::try_from(raw.stride).ok()?, usize::try_from(channels).ok()?);
    if !is_good || stride < width * channels {
        return None;
    }
    let mut pixels = Vec::with_capacity(width * 4 * raw.height as usize);
    for row in 0..raw.height as usize {
        let start = stride.checked_mul(row)?;
        for pixel in raw.data.get(start..start.checked_add(width * channels)?)?.chunks_exact(channels) {
            pixels.extend([pixel[0], pixel[1], pixel[2], pixel.get(3).copied().unwrap_or(u8::MAX)]);
        }
    }
    small(RgbaImage::from_raw(raw.width as u32, raw.height as u32, pixels)?.into(), SIZE)
}

/// As small as there is room for.
fn small(image: DynamicImage, size: u32) -> Option<Picture> {
    let fits = image.width() <= size && image.height() <= size;
    let image = if fits { image } else { image.thumbnail(size, size) };
    Picture::new(image.width(), image.height(), image.into_rgba8().into_raw())
}

/// A picture in a file, or of the icon theme.
fn named(name: &str, own: &[PathBuf], size: u32) -> Option<Picture> {
    let path = name.strip_prefix("file://").map(decoded).unwrap_or_else(|| name.to_owned());
    if path.starts_with('/') {
        return decode(Path::new(&path), size);
    }
    let is_name = !name.contains(['/', '\0']) && !name.starts_with('.');
    is_name.then(|| find(name, own, &data_folders())).flatten().and_then(|path| decode(&path, size))
}

/// The path of a file's URI.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The folders of the XDG Base Directory Specification.
fn data_folders() -> Vec<PathBuf> {
    let home = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share")));
    let others = std::env::var_os("XDG_DATA_DIRS").filter(|it| !it.is_empty()).unwrap_or_else(|| "/usr/local/share:/usr/share".into());
    home.into_iter().chain(std::env::split_paths(&others)).filter(|it| it.is_absolute()).collect()
}

/// The file of an icon, in folders of its program's own or those of all.
fn find(name: &str, own: &[PathBuf], folders: &[PathBuf]) -> Option<PathBuf> {
    let icons = own.iter().cloned().chain(folders.iter().map(|it| it.join("icons")));
    let icons = icons.flat_map(|folder| THEMES.map(|theme| folder.join(theme))).filter(|it| it.is_dir());
    let places = icons.flat_map(|theme| SIZES.map(|size| theme.join(size))).filter(|it| it.is_dir()).flat_map(|size| KINDS.map(|kind| size.join(kind)));
    let mut places = own.iter().cloned().chain(places).chain(folders.iter().map(|it| it.join("pixmaps")));
    // Names have dots: an end is added, not replaced.
    places.find_map(|place| ENDS.map(|end| place.join(format!("{name}.{end}"))).into_iter().find(|it| it.is_file()))
}

fn decode(path: &Path, size: u32) -> Option<Picture> {
    // Another kind of file could make it wait.
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path).ok()?;
    if !file.metadata().ok().is_some_and(|it| it.is_file() && it.len() <= LONGEST) {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    match image::guess_format(&bytes) {
        Ok(ImageFormat::Png | ImageFormat::Jpeg) => {
            let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
            let mut limits = Limits::default();
            limits.max_image_width = Some(MOST);
            limits.max_image_height = Some(MOST);
            limits.max_alloc = Some(MEMORY);
            reader.limits(limits);
            small(reader.decode().ok()?, size)
        }
        _ => drawing(&bytes, size),
    }
}

/// A picture that is drawn: SVG.
fn drawing(bytes: &[u8], size: u32) -> Option<Picture> {
    // Of other files, which it may name, it gets nothing.
    let alone = usvg::ImageHrefResolver { resolve_data: Box::new(|_, _, _| None), resolve_string: Box::new(|_, _| None) };
    let tree = usvg::Tree::from_data(bytes, &usvg::Options { image_href_resolver: alone, ..usvg::Options::default() }).ok()?;
    let scale = size as f32 / tree.size().width().max(tree.size().height());
    let mut pixmap = tiny_skia::Pixmap::new(size, size)?;
    let middle = |length: f32| (size as f32 - length * scale) / 2.0;
    let place = tiny_skia::Transform::from_scale(scale, scale).post_translate(middle(tree.size().width()), middle(tree.size().height()));
    resvg::render(&tree, place, &mut pixmap.as_mut());
    if pixmap.pixels().iter().all(|it| it.alpha() == 0) {
        return None;
    }
    Picture::new(size, size, pixmap.pixels().iter().map(|it| it.demultiply()).flat_map(|it| [it.red(), it.green(), it.blue(), it.alpha()]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_of(width: i32, height: i32, stride: i32, has_alpha: bool, data: &[u8]) -> Option<Picture> {
        raw(&Raw { width, height, stride, has_alpha, bits: 8, channels: if has_alpha { 4 } else { 3 }, data })
    }

    #[test]
    fn pixels_of_messages_are_checked() {
        let picture = made_of(1, 2, 5, false, &[1, 2, 3, 0, 0, 4, 5, 6]).expect("a picture");
        assert_eq!(picture.pixels(), [1, 2, 3, 255, 4, 5, 6, 255]);
        assert_eq!(made_of(1, 1, 4, true, &[1, 2, 3, 4]).expect("a picture").pixels(), [1, 2, 3, 4]);
        let large = made_of(400, 100, 1200, false, &[9; 120_000]).expect("a picture");
        assert_eq!((large.width(), large.height(), &large.pixels()[..4]), (48, 12, &[9, 9, 9, 255][..]));
        let data = [0; 64];
        for (width, height, stride, has_alpha) in [
            (0, 1, 0, false), (-1, 1, 4, false), (1, 0, 4, true), (4, 4, 11, false), (4, 6, 12, false), (4, 5, 16, true), (2, 2, -8, true), (2, 2, i32::MAX, true), (i32::MAX, i32::MAX, i32::MAX, true),
        ] {
            assert!(made_of(width, height, stride, has_alpha, &data).is_none(), "{width} {height} {stride}");
        }
        assert_eq!(raw(&Raw { width: 1, height: 1, stride: 4, has_alpha: true, bits: 16, channels: 4, data: &data }), None);
        assert_eq!(raw(&Raw { width: 1, height: 1, stride: 4, has_alpha: false, bits: 8, channels: 4, data: &data }), None);
    }

    #[test]
    fn pixels_of_the_panel_are_checked() {
        let picture = of_argb(40, 20, &[9, 1, 2, 3].repeat(800), SMALL).expect("a picture");
        assert_eq!((picture.width(), picture.height(), &picture.pixels()[..4]), (20, 10, &[1, 2, 3, 9][..]));
        for (width, height, len) in [(2, 2, 15), (0, 1, 4), (-1, 1, 4), (1, i32::MIN, 4), (i32::MAX, i32::MAX, 4), (1025, 1, 4100)] {
            assert!(of_argb(width, height, &vec![0; len], SMALL).is_none(), "{width} {height}");
        }
    }

    #[test]
    fn icons_are_found_and_drawn() {
        let folder = tempfile::tempdir().expect("a folder");
        let apps = folder.path().join("icons/hicolor/scalable/apps");
        std::fs::create_dir_all(&apps).expect("made");
        std::fs::write(apps.join("org.mail.Mail.svg"), r##"<svg xmlns="http://www.w3.org/2000/svg" width="10" height="5"><rect width="10" height="5" fill="#00ff00"/></svg>"##).expect("written");
        let folders = [PathBuf::from("/nowhere"), folder.path().to_owned()];
        let path = find("org.mail.Mail", &[], &folders).expect("an icon");
        assert_eq!(find("org.mail", &[], &folders), None);
        assert_eq!(find("org.mail.Mail", &[folder.path().join("icons")], &[]).as_ref(), Some(&path));
        assert_eq!(find("org.mail.Mail", std::slice::from_ref(&apps), &[]).as_ref(), Some(&path));
        let picture = named(&format!("file://{}", path.display()).replace("Mail.svg", "%4dail.svg"), &[], SIZE).expect("a picture");
        let pixel = |x: usize, y: usize| &picture.pixels()[(y * 48 + x) * 4..][..4];
        assert_eq!((pixel(24, 24), pixel(24, 2)), (&[0, 255, 0, 255][..], &[0, 0, 0, 0][..]));
        let png = folder.path().join("a.png");
        RgbaImage::from_pixel(96, 96, image::Rgba([1, 2, 3, 255])).save(&png).expect("written");
        let picture = named(png.to_str().expect("a path"), &[], SIZE).expect("a picture");
        assert_eq!((picture.width(), &picture.pixels()[..4]), (48, &[1, 2, 3, 255][..]));
    }

    #[test]
    fn odd_files_are_no_pictures() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in [("text", &b"hello"[..]), ("empty", b""), ("torn.png", b"\x89PNG\r\n\x1a\n\0\0"), ("torn.svg", b"<svg xmlns='http://www.w3.org/2000/svg'>"), ("none.svg", b"<svg/>")] {
            std::fs::write(folder.path().join(name), content).expect("written");
            assert!(decode(&folder.path().join(name), SIZE).is_none(), "{name}");
        }
        let other = folder.path().join("other.svg");
        std::fs::write(&other, r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/><image href="/dev/zero" width="9" height="9"/></svg>"#).expect("written");
        assert!(decode(&other, SIZE).is_some_and(|it| it.pixels().chunks(4).all(|it| it == [0, 0, 0, 255])));
        for odd in ["/dev/zero", "/proc/self/mem", "/", "", "../x", ".hidden", "a/b", "\0", "file://", "file:///%", "/no/such/file.png"] {
            assert!(named(odd, &[], SIZE).is_none(), "{odd:?}");
        }
    }
}
