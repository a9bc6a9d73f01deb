//! Retrieval: what was a good command for a similar request, with the values of this one.
//!
//! No text is made up: a command is one of the data, and its values are words of the request. A request whose values have no place in it, or one that has places left over,
//! is no match. What comes out is a guess, and its confidence says so.

pub mod index;
pub mod lexer;
mod template;

use actions::shell;

use crate::world::World;
use index::Index;
use lexer::{Piece, Sort, UNITS};

/// A command that was found for a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Recalled {
    /// The command line.
    pub command: String,
    /// How near the request is to the known ones, 0 to 1.
    pub score: f32,
}

/// How many neighbours are looked at.
const NEIGHBOURS: usize = 60;

/// The best commands for `text`, best first, at most `n`.
pub fn recall(text: &str, world: &dyn World, n: usize) -> Vec<Recalled> {
    recall_with(Index::shipped(), text, world, n)
}

/// The pieces of a request, as the requests of `index` use words.
pub fn pieces(index: &Index, text: &str, world: &dyn World) -> Vec<Piece> {
    let is_name = |w: &str| !index.is_word(w) && !crate::vocabulary::is_common(w) && !index.is_word(&crate::text::stem(w));
    lexer::pieces(text, &is_name, &|w: &str| world.exists(w).is_some())
}

/// The same with another index.
pub fn recall_with(index: &Index, text: &str, world: &dyn World, n: usize) -> Vec<Recalled> {
    let pieces = pieces(index, text, world);
    let features = lexer::features(&pieces);
    let values: Vec<(Sort, String)> = pieces.iter().filter_map(|p| if let Piece::Value(s, v) = p { Some((*s, v.clone())) } else { None }).collect();
    let units: Vec<&str> = pieces.iter().filter_map(|p| if let Piece::Word(w) = p { UNITS.contains(&w.as_str()).then_some(w.as_str()) } else { None }).collect();
    let mut found: Vec<Recalled> = Vec::new();
    for (document, near) in index.nearest(&features, NEIGHBOURS) {
        let Some(known) = index.known(document) else { continue };
        let Some((command, cost)) = bind(&known, &values, &units) else { continue };
        let Some(script) = crate::engine::parsed(&command) else { continue };
        let missing = script.invocations.iter().filter_map(|i| i.words.first().and_then(shell::Arg::literal)).any(|name| !world.has_command(name));
        let score = (near * cost * if missing { 0.6 } else { 1.0 }).clamp(0.0, 1.0);
        match found.iter_mut().find(|f| f.command == command) {
            // Several requests led to it.
            Some(same) => same.score = (same.score.max(score) + 0.05 * score).min(1.0),
            None => found.push(Recalled { command, score }),
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(n);
    found
}

/// Puts the request's values into a known command; what the fit costs, as a factor.
fn bind(known: &index::Known<'_>, values: &[(Sort, String)], units: &[&str]) -> Option<(String, f32)> {
    let mut free: Vec<Option<&(Sort, String)>> = values.iter().map(Some).collect();
    let mut cost = 1.0;
    // What its request said and its command does not repeat must be said here too.
    for fixed in known.fixed.split_whitespace() {
        match free.iter_mut().find(|f| f.is_some_and(|(_, v)| v == fixed)) {
            Some(f) => *f = None,
            None => cost *= 0.55,
        }
    }
    let mut chosen: Vec<Option<(Sort, String)>> = Vec::new();
    for letter in known.sorts.chars() {
        let sort = Sort::of(letter)?;
        let same = free.iter_mut().find(|f| f.is_some_and(|(s, _)| *s == sort));
        chosen.push(same.and_then(Option::take).cloned());
    }
    // A name may be a path, a path a name.
    for (place, letter) in chosen.iter_mut().zip(known.sorts.chars()) {
        if place.is_some() {
            continue;
        }
        let sort = Sort::of(letter)?;
        let like = free.iter_mut().find(|f| f.is_some_and(|(s, _)| matches!((s, sort), (Sort::Path, Sort::Text) | (Sort::Text, Sort::Path))));
        *place = Some(like.and_then(Option::take).cloned()?);
        cost *= 0.9;
    }
    let mut template = known.template.to_owned();
    for left in free.into_iter().flatten() {
        // A place that is said, where the known command begins here.
        let here = ["find . ", "ls -l", "du -sh ."].iter().find(|h| template.starts_with(**h));
        if left.0 == Sort::Path
            && let Some(_) = here
            && template.starts_with("find . ")
            && !known.sorts.contains('p')
        {
            let letter = char::from_u32('a' as u32 + chosen.len() as u32)?;
            template = template.replacen("find . ", &format!("find \u{1}{letter} "), 1);
            chosen.push(Some(left.clone()));
            cost *= 0.9;
        } else {
            cost *= 0.45;
        }
    }
    let its: Vec<&str> = known.units.split_whitespace().collect();
    let mut unit = None;
    if its != units {
        let size = |u: &&str| matches!(*u, "b" | "kb" | "mb" | "gb");
        match (its.iter().find(|u| size(u)), units.iter().find(|u| size(u))) {
            (Some(_), Some(u)) => unit = Some(*u),
            _ => cost *= 0.6,
        }
    }
    let values: Vec<(Sort, String)> = chosen.into_iter().collect::<Option<_>>()?;
    Some((template::filled(&template, &values, unit)?, cost))
}
