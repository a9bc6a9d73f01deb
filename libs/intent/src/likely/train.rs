//! Learns which words make which parts of a command likely.

use std::collections::HashMap;

use super::labels::labels;
use super::{BUCKETS, features};
use crate::model::Model;
use crate::recall::{index, lexer};

/// Labels of fewer commands are not learnt; nor more labels than a byte can tell apart.
const FEWEST: usize = 8;
const MOST_LABELS: usize = 255;
const PASSES: usize = 7;
/// How many weights are kept, the largest: the file stays below 1 MB.
const MOST_WEIGHTS: usize = 400_000;

/// Learns from `pairs` of requests and commands.
pub fn train(pairs: &[(&str, &str)]) -> Model {
    let language = index::language(pairs);
    let examples: Vec<(Vec<u32>, Vec<String>)> = pairs
        .iter()
        .filter_map(|(request, command)| {
            let command = command.strip_prefix("sudo ").unwrap_or(command).trim();
            let labels = labels(command);
            if labels.is_empty() {
                return None;
            }
            let is_name = |w: &str| !language.contains(w) && !crate::vocabulary::is_common(w) && !language.contains(&crate::text::stem(w));
            Some((features(&lexer::pieces(request, &is_name, &|_| false)), labels.into_iter().collect()))
        })
        .collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (_, labels) in &examples {
        for l in labels {
            *counts.entry(l).or_default() += 1;
        }
    }
    let mut classes: Vec<&str> = counts.iter().filter(|(l, n)| **n >= FEWEST && l.len() < 250).map(|(l, _)| *l).collect();
    classes.sort_by_key(|l| (std::cmp::Reverse(counts[l]), *l));
    classes.truncate(MOST_LABELS);
    let number: HashMap<&str, usize> = classes.iter().enumerate().map(|(i, l)| (*l, i)).collect();
    let k = classes.len();
    let mut weights = vec![0f32; BUCKETS as usize * k];
    let mut history = vec![0.05f32; BUCKETS as usize * k];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..PASSES {
        for i in (1..order.len()).rev() {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            order.swap(i, (seed % (i as u64 + 1)) as usize);
        }
        for &e in &order {
            let (features, labels) = &examples[e];
            let mut z = vec![0f32; k];
            for &f in features {
                let row = &weights[f as usize * k..(f as usize + 1) * k];
                z.iter_mut().zip(row).for_each(|(z, w)| *z += w);
            }
            let mut gradient: Vec<f32> = z.iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect();
            for l in labels {
                if let Some(&c) = number.get(l.as_str()) {
                    gradient[c] -= 1.0;
                }
            }
            for &f in features {
                let at = f as usize * k;
                for (c, g) in gradient.iter().enumerate() {
                    if g.abs() < 2e-3 {
                        continue;
                    }
                    let h = &mut history[at + c];
                    *h += g * g;
                    let w = &mut weights[at + c];
                    // Small weights are drawn to nought, so that what was seen once says little.
                    *w -= 0.2 * (g + 2e-3 * *w) / h.sqrt();
                }
            }
        }
    }
    let mut sizes: Vec<f32> = weights.iter().map(|w| w.abs()).filter(|w| *w > 0.02).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let least = sizes.get(MOST_WEIGHTS).copied().unwrap_or(0.02);
    let top = weights.iter().fold(0f32, |m, w| m.max(w.abs())).min(6.0);
    let scale = top / 127.0;
    let rows: Vec<Vec<(u8, i8)>> = weights.chunks(k.max(1)).map(|row| row.iter().enumerate().filter(|(_, w)| w.abs() > least).map(|(c, w)| (c as u8, (w / scale).round().clamp(-127.0, 127.0) as i8)).filter(|(_, w)| *w != 0).collect()).collect();
    Model::from_rows(classes.into_iter().map(str::to_owned).collect(), index::data_hash(), scale, &rows)
}
