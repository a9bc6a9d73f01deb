//! A small picture of an arrangement: the screen, with the windows that would be moved in the accent's colour.

use gde_habits::{Offer, Spot, To};
use gde_ipc::Picture;
use gde_layout::{Rect, Zone};

use crate::theme;

const WIDTH: i32 = 48;
const HEIGHT: i32 = 32;

/// What a spot takes of an area.
pub fn rect_of(spot: Spot, area: &Rect) -> Rect {
    let zone = |zone: Zone| zone.rect(area);
    match spot {
        Spot::Left => zone(Zone::Left),
        Spot::Right => zone(Zone::Right),
        Spot::TopLeft => zone(Zone::TopLeft),
        Spot::TopRight => zone(Zone::TopRight),
        Spot::BottomLeft => zone(Zone::BottomLeft),
        Spot::BottomRight => zone(Zone::BottomRight),
        Spot::Maximized | Spot::Tile => *area,
        Spot::Free(frame) => {
            let of = |thousandths: i16, length: i32| (i64::from(thousandths) * i64::from(length) / 1000) as i32;
            Rect::new(area.x + of(frame.x, area.w), area.y + of(frame.y, area.h), of(frame.w, area.w), of(frame.h, area.h))
        }
    }
}

/// The picture; none for what is about workspaces.
pub fn of(offer: &Offer) -> Option<Picture> {
    if offer.moves.iter().any(|it| matches!(it.to, To::Workspace(_))) {
        return None;
    }
    let colours = theme::colours();
    let mut pixels = vec![0u8; (WIDTH * HEIGHT * 4) as usize];
    let mut fill = |rect: Rect, colour: u32| {
        let rect = rect.intersection(&Rect::new(0, 0, WIDTH, HEIGHT));
        for y in rect.y..rect.bottom() {
            for x in rect.x..rect.right() {
                // Corners are a little round.
                let is_corner = (x == rect.x || x == rect.right() - 1) && (y == rect.y || y == rect.bottom() - 1);
                if !is_corner {
                    let at = ((y * WIDTH + x) * 4) as usize;
                    pixels[at..at + 4].copy_from_slice(&[(colour >> 16) as u8, (colour >> 8) as u8, colour as u8, 255]);
                }
            }
        }
    };
    let screen = Rect::new(0, 0, WIDTH, HEIGHT);
    fill(screen, colours.box_line);
    fill(screen.inset(1), colours.hover);
    let area = screen.inset(2);
    let is_moved = |app: &str| offer.moves.iter().any(|it| it.app == app);
    let mut parts: Vec<(bool, Rect)> = offer.arrangement.iter().map(|(app, place)| (is_moved(app), rect_of(place.spot, &area).inset(1))).collect();
    // What is moved is seen above the others.
    parts.sort_by_key(|it| it.0);
    for (is_moved, rect) in parts {
        fill(rect, if is_moved { colours.accent } else { colours.text_dim });
    }
    Picture::new(WIDTH as u32, HEIGHT as u32, pixels)
}
