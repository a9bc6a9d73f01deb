//! A session rendered into memory.

use super::*;
use crate::font::{self, Font};
use crate::surface::Memory;

fn console(columns: usize, lines: usize) -> Console<Memory> {
    let memory = Memory::new(columns * font::WIDTH + 3, lines * font::HEIGHT + 5);
    Console::new(Renderer::new(memory, Font::new().unwrap()))
}

/// The text that the pixels show, read back glyph by glyph; `?` where they show none of the printable ASCII characters.
fn text(console: &mut Console<Memory>, line: usize) -> String {
    console.redraw();
    let columns = console.size().0;
    let font = Font::new().unwrap();
    let surface = console.renderer().surface();
    let read = |column: usize| -> font::Glyph {
        let pixel = |x: usize, y: usize| {
            surface.pixels[(line * font::HEIGHT + y) * surface.width + column * font::WIDTH + x]
        };
        // All glyphs of printable ASCII leave the top row free.
        let background = pixel(0, 0);
        std::array::from_fn(|y| {
            (0..8).fold(0, |bits, x| bits << 1 | u8::from(pixel(x, y) != background))
        })
    };
    let mut character = |column| {
        let glyph = read(column);
        (' '..='~')
            .find(|character| *font.glyph(*character) == glyph)
            .unwrap_or('?')
    };
    (0..columns)
        .map(&mut character)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

fn pixel(console: &mut Console<Memory>, column: usize, line: usize) -> u32 {
    console.redraw();
    let surface = console.renderer().surface();
    surface.pixels[line * font::HEIGHT * surface.width + column * font::WIDTH]
}

#[test]
fn text_wraps_scrolls_and_comes_back() {
    let mut console = console(20, 4);
    console.write(b"first\r\nsecond line that is long\r\nthird\r\n$ ");
    assert_eq!(text(&mut console, 0), "second line that is");
    assert_eq!(text(&mut console, 1), "long");
    assert_eq!(text(&mut console, 3), "$");
    console.scroll_pages(1);
    assert_eq!(text(&mut console, 0), "first");
    console.scroll_to_bottom();
    assert_eq!(text(&mut console, 2), "third");
}

#[test]
fn the_alternate_screen_leaves_the_first_alone() {
    let mut console = console(20, 4);
    console.write(b"shell\r\n\x1b[?1049h\x1b[2J\x1b[2;3Heditor");
    assert_eq!(text(&mut console, 0), "");
    assert_eq!(text(&mut console, 1), "  editor");
    console.write(b"\x1b[?1049l");
    assert_eq!(text(&mut console, 0), "shell");
    assert_eq!(text(&mut console, 1), "");
}

#[test]
fn colours_cursor_and_attributes() {
    let mut console = console(20, 4);
    console.write(b"\x1b[44mblue\x1b[0m\x1b[48;5;196mx\x1b[48;2;1;2;3my\x1b[0m\x1b[7mz\x1b[0m");
    let background = pixel(&mut console, 19, 3);
    assert_eq!(pixel(&mut console, 0, 0), 0x4a7fd6);
    assert_eq!(pixel(&mut console, 4, 0), 0xff0000);
    assert_eq!(pixel(&mut console, 5, 0), 0x010203);
    assert_ne!(pixel(&mut console, 6, 0), background, "inverse");
    assert_ne!(pixel(&mut console, 7, 0), background, "the cursor");
    console.write(b"\x1b[?25l");
    assert_eq!(pixel(&mut console, 7, 0), background, "no cursor");
}

#[test]
fn utf_8_arrives_in_pieces_and_line_drawing_works() {
    let mut console = console(20, 4);
    for byte in "é".as_bytes() {
        console.write(&[*byte]);
    }
    console.write(b"\x1b(0x\x1b(B");
    console.redraw();
    let font = Font::new().unwrap();
    let glyphs = [*font.glyph('é'), *font.glyph('│')];
    let surface = console.renderer().surface();
    let background = surface.pixels[surface.width - 1];
    for (column, glyph) in glyphs.iter().enumerate() {
        for (y, bits) in glyph.iter().enumerate() {
            for x in 0..8 {
                let is_set = surface.pixels[y * surface.width + column * 8 + x] != background;
                assert_eq!(
                    is_set,
                    bits >> (7 - x) & 1 == 1,
                    "column {column}, {x}, {y}"
                );
            }
        }
    }
}

#[test]
fn only_what_changed_is_drawn() {
    let mut console = console(80, 25);
    console.write(b"\x1b[?25lhello\r\n");
    console.redraw();
    console.renderer().surface().written = 0;
    console.redraw();
    assert_eq!(console.renderer().surface().written, 0);
    console.write(b"\x1b[10;10Hab");
    console.redraw();
    assert_eq!(console.renderer().surface().written, 2 * 8 * 16);
    // A screen that is written again with the same content costs nothing.
    console.renderer().surface().written = 0;
    console.write(b"\x1b[2J\x1b[Hhello\x1b[10;10Hab");
    console.redraw();
    assert_eq!(console.renderer().surface().written, 0);
}

#[test]
fn questions_are_answered() {
    let mut console = console(20, 4);
    console.write(b"ab\x1b[6n\x1b[18t");
    assert_eq!(console.take_answers(), b"\x1b[1;3R\x1b[8;4;20t");
    assert!(!console.has_application_cursor());
    console.write(b"\x1b[?1h");
    assert!(console.has_application_cursor());
}

#[test]
fn no_bytes_make_it_panic() {
    let mut console = console(20, 4);
    let mut state = 7u64;
    for _ in 0..200 {
        let mut bytes = b"\x1b[".to_vec();
        bytes.extend((0..200).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8 & if state >> 60 < 12 { 0x3f } else { 0xff }
        }));
        console.write(&bytes);
        console.scroll_pages((state % 5) as i32 - 2);
        console.redraw();
    }
}

/// For a look: `FBCOND_PNG=file.png cargo test -p fbcond picture`.
#[test]
fn picture() {
    let mut console = console(100, 30);
    console.write("\x1b[1;32mroot@genai\x1b[0m:\x1b[1;34m~\x1b[0m# ls --color\r\n".as_bytes());
    console.write("\x1b[1;34mDocuments\x1b[0m  \x1b[1;32mscript.sh\x1b[0m  naïve.txt  \x1b[4munder\x1b[0m \x1b[9mstruck\x1b[0m\r\n".as_bytes());
    console.write(
        "┌─────────┬────┐\r\n│ \x1b[7mreverse\x1b[0m │ ██ │\r\n└─────────┴────┘\r\n".as_bytes(),
    );
    for index in 0..256 {
        console.write(format!("\x1b[48;5;{index}m  ").as_bytes());
    }
    console.write(b"\x1b[0m\r\n$ ");
    console.redraw();
    let Ok(path) = std::env::var("FBCOND_PNG") else {
        return;
    };
    let surface = console.renderer().surface();
    let mut encoder = png::Encoder::new(
        std::fs::File::create(path).unwrap(),
        surface.width as u32,
        surface.height as u32,
    );
    encoder.set_color(png::ColorType::Rgb);
    let bytes: Vec<u8> = surface
        .pixels
        .iter()
        .flat_map(|pixel| pixel.to_be_bytes()[1..].to_vec())
        .collect();
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&bytes)
        .unwrap();
}
