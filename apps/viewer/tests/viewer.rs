//! The viewer as a person uses it, in a window that nobody sees.

use genai_ui::headless::Headless;
use std::path::Path;
use viewer::picture::Turn;
use viewer::{Message, Viewer, load};

/// A picture of four colours, one in each corner.
fn corners(width: u32, height: u32) -> image::RgbaImage {
    image::RgbaImage::from_fn(width, height, |x, y| {
        let right = x >= width / 2;
        image::Rgba(match (right, y >= height / 2) {
            (false, false) => [255, 0, 0, 255],
            (true, false) => [0, 255, 0, 255],
            (false, true) => [0, 0, 255, 255],
            (true, true) => [255, 255, 255, 255],
        })
    })
}

fn gif(path: &Path) {
    let mut file = std::fs::File::create(path).expect("a file");
    let mut encoder = gif::Encoder::new(&mut file, 40, 30, &[255, 0, 0, 0, 0, 255]).expect("an encoder");
    for colour in [0, 1] {
        let frame = gif::Frame { width: 40, height: 30, delay: 2, buffer: vec![colour; 1200].into(), ..gif::Frame::default() };
        encoder.write_frame(&frame).expect("a frame");
    }
}

fn webp(path: &Path) {
    let file = std::fs::File::create(path).expect("a file");
    image_webp::WebPEncoder::new(file).encode(&corners(64, 48), 64, 48, image_webp::ColorType::Rgba8).expect("a picture");
}

const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10" fill="#00ff00"/></svg>"##;

fn open(path: &Path) -> Headless<Viewer> {
    let (app, start) = Viewer::new(vec![path.to_owned()], false);
    let mut window = Headless::new(app, 800, 600).with_tasks_beside();
    window.follow(start);
    settle(&mut window);
    window
}

fn settle(window: &mut Headless<Viewer>) {
    let is_there = window.wait_until(std::time::Duration::from_secs(60), |it| it.app().size().is_some() || it.app().failed().is_some());
    assert!(is_there, "it is never read");
}

fn pixel(window: &mut Headless<Viewer>, x: usize, y: usize) -> u32 {
    window.picture()[y * 800 + x] & 0x00ff_ffff
}

#[test]
fn pictures_of_a_folder_follow_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    corners(400, 300).save(at("picture 2.png")).expect("a picture");
    image::DynamicImage::from(corners(1600, 1200)).into_rgb8().save(at("picture 10.jpg")).expect("a picture");
    webp(&at("picture 11.webp"));
    std::fs::write(at("picture 12.svg"), SVG).expect("a file");
    std::fs::write(at("picture 13.png"), b"\x89PNG\r\n\x1a\nnothing").expect("a file");
    std::fs::write(at("notes.txt"), "none").expect("a file");
    let mut window = open(&at("picture 2.png"));
    assert_eq!((window.app().size(), window.app().zoom()), (Some((400, 300)), 1.0));
    let middle = (800 / 2, 550 / 2);
    assert_eq!(pixel(&mut window, middle.0 - 100, middle.1 - 100), 0xff0000);
    assert_eq!(pixel(&mut window, middle.0 + 100, middle.1 + 50), 0xffffff);
    if let Some(pictures) = std::env::var_os("VIEWER_PICTURES") {
        window.save(&Path::new(&pictures).join("viewer.png")).expect("a picture");
    }
    window.send(Message::Turn(1));
    settle(&mut window);
    assert!(window.app().file().expect("a file").ends_with("picture 10.jpg"), "10 comes after 2");
    assert!(window.app().zoom() < 0.5, "all of it is in sight");
    window.send(Message::Turn(1));
    settle(&mut window);
    assert_eq!(window.app().size(), Some((64, 48)));
    window.send(Message::Turn(1));
    settle(&mut window);
    assert_eq!(window.app().size(), Some((2048, 1024)));
    assert_eq!(pixel(&mut window, middle.0, middle.1), 0x00ff00);
    window.send(Message::Turn(1));
    settle(&mut window);
    assert!(window.app().failed().is_some_and(|it| it.contains("picture 13.png") && it.contains("damaged")), "{:?}", window.app().failed());
    assert!(!window.find("damaged").is_empty(), "it is said in the window");
    window.send(Message::Turn(1));
    settle(&mut window);
    assert!(window.app().file().expect("a file").ends_with("picture 2.png"), "around the end");
}

#[test]
fn larger_moved_and_turned() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.png");
    corners(400, 300).save(&path).expect("a picture");
    let mut window = open(&path);
    window.picture();
    window.send(Message::Zoom(8.0, (0.0, 0.0)));
    assert_eq!(window.app().zoom(), 8.0);
    assert_eq!(pixel(&mut window, 100, 100), 0xff0000);
    window.send(Message::Move(5000.0, 5000.0));
    assert_eq!(pixel(&mut window, 100, 100), 0xffffff, "it stops at the edge");
    window.send(Message::Fit);
    window.send(Message::Rotate(Turn::Right));
    assert_eq!(window.app().size(), Some((300, 400)));
    window.picture();
    assert_eq!(pixel(&mut window, 400 - 50, 275 - 50), 0x0000ff, "what was below at the left is above");
}

#[test]
fn moving_pictures_move() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.gif");
    gif(&path);
    let mut window = open(&path);
    let first = pixel(&mut window, 400, 275);
    assert!(window.wait_until(std::time::Duration::from_secs(60), |it| pixel(it, 400, 275) != first), "it stands still");
}

#[test]
fn what_is_no_picture_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.png");
    for (bytes, words) in [(&b""[..], "no picture of a kind"), (b"hello", "no picture of a kind"), (b"GIF89a", "damaged"), (b"RIFF0000WEBP", "damaged"), (b"<svg>", "damaged"), (b"\xff\xd8\xff", "damaged")] {
        std::fs::write(&path, bytes).expect("a file");
        let error = load::load(&path).expect_err("no picture").to_string();
        assert!(error.contains(words), "{bytes:?}: {error}");
    }
    // A size that no memory has, told at the beginning: nothing is decoded.
    let mut huge = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\0\0\0\x01\0\0\x08\x06\0\0\0".to_vec();
    huge.extend_from_slice(&[0xa9, 0xf1, 0x9e, 0x7e]);
    std::fs::write(&path, &huge).expect("a file");
    assert!(load::load(&path).is_err());
    assert!(open(&path).app().failed().is_some());
}
