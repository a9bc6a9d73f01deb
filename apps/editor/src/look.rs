//! What lines look like: cells with the colours of the theme.

use genai_ui::Theme;
use genai_ui::cells::{Cell, Rgb, mix, rgb, rgb_of};
use std::sync::Arc;

use crate::columns;
use crate::document::Document;
use crate::find::Query;
use crate::syntax::Kind;

/// Colours of a theme.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    ink: Rgb,
    faint: Rgb,
    fainter: Rgb,
    selection: Rgb,
    found: Rgb,
    kinds: [Rgb; 9],
}

impl Look {
    /// Of a theme.
    pub fn of(theme: &Theme) -> Self {
        let it = theme.palette();
        let (ground, ink) = (rgb_of(it.background), rgb_of(it.text));
        // In the order of the kinds: comments, texts, numbers, keywords, names, calls, headings, what came, what went.
        let kinds: [u32; 9] = if theme.extended_palette().is_dark {
            [0x8a93a3, 0x8fd19e, 0xe5b567, 0xc9a0ff, 0x6cc7d6, 0x7db6ff, 0x7db6ff, 0x7fd6a9, 0xff8a8e]
        } else {
            [0x646c79, 0x1a7048, 0x8a5200, 0x7a3e9d, 0x0f6b7a, 0x1f5fc4, 0x1f5fc4, 0x1a7048, 0xb4232f]
        };
        Look {
            ink,
            faint: mix(ground, ink, 160),
            fainter: mix(ground, ink, 96),
            selection: mix(ground, rgb_of(it.primary), 96),
            found: mix(ground, rgb_of(it.warning), 88),
            kinds: kinds.map(rgb),
        }
    }

    /// The colour of a kind of word.
    pub fn kind(&self, kind: Kind) -> Rgb {
        self.kinds[kind as usize]
    }
}

/// The number of a line.
pub fn number(number: usize, digits: usize, is_here: bool, look: &Look) -> Arc<[Cell]> {
    let ink = if is_here { look.ink } else { look.fainter };
    format!("{number:>digits$}").chars().map(|letter| Cell { letter: Some(letter), ink, ..Cell::default() }).collect()
}

/// The cells of a line from one on, so many.
pub fn cells(document: &Document, query: Option<&Query>, line: usize, left: usize, width: usize, look: &Look) -> Arc<[Cell]> {
    let text = &document.buffer.lines()[line];
    let colours = document.colours(line);
    let found = query.map(|it| it.within(text)).unwrap_or_default();
    // What of the line is selected; its end is, where the next line is too.
    let selected = document.buffer.selection().filter(|(from, to)| (from.line..=to.line).contains(&line)).map(|(from, to)| {
        let start = if from.line == line { from.byte } else { 0 };
        let end = if to.line == line { to.byte } else { usize::MAX };
        start..end
    });
    let ground = |byte: usize| {
        if selected.as_ref().is_some_and(|it| it.contains(&byte)) {
            return Some(look.selection);
        }
        found.iter().any(|(from, to)| (*from..*to).contains(&byte)).then_some(look.found)
    };
    let mut cells = vec![Cell { letter: Some(' '), ink: look.ink, ..Cell::default() }; width];
    let mut spans = colours.iter().peekable();
    let mut end = 0;
    for letter in columns::letters(text) {
        end = letter.cell + letter.width;
        if letter.cell >= left + width {
            break;
        }
        while spans.next_if(|(_, to, _)| *to <= letter.byte).is_some() {}
        if letter.cell < left {
            continue;
        }
        let kind = spans.peek().filter(|(from, _, _)| *from <= letter.byte).map(|(_, _, kind)| *kind);
        let ink = kind.map_or(look.ink, |it| look.kind(it));
        let mut signs = letter.text.chars();
        let first = signs.next().unwrap_or(' ');
        let ground = ground(letter.byte);
        // Signs that cannot be seen are shown by pictures of them.
        let (first, ink) = match first {
            '\t' => (' ', ink),
            '\u{7f}' => ('\u{2421}', look.faint),
            it if it < ' ' => (char::from_u32(0x2400 + u32::from(it)).unwrap_or(' '), look.faint),
            it => (it, ink),
        };
        let marks: Arc<[char]> = signs.collect();
        for (at, cell) in cells.iter_mut().skip(letter.cell - left).take(letter.width).enumerate() {
            let shown = if at == 0 { Some(first) } else { (letter.text == "\t").then_some(' ') };
            *cell = Cell {
                letter: shown,
                marks: (at == 0 && !marks.is_empty()).then(|| Arc::clone(&marks)),
                ink,
                ground,
                bold: kind == Some(Kind::Heading),
                italic: kind == Some(Kind::Comment),
                ..Cell::default()
            };
        }
    }
    // The end of a line that is selected with it.
    if selected.is_some_and(|it| it.end == usize::MAX)
        && let Some(cell) = end.checked_sub(left).and_then(|at| cells.get_mut(at))
    {
        cell.ground = Some(look.selection);
    }
    cells.into()
}
