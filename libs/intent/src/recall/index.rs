//! The index of known pairs: built from the data, read in place.
//!
//! Little endian: magic `GIR1`, u64 hash of the data, u32 documents, u32 length of the texts, u32 postings, u32 names; for each bucket u32 start of its postings (and one
//! more, the end); postings u16; for each document u32 start of its text (and one more); the texts: sorts of its values, then its fixed numbers, then its units, then its command,
//! separated by tabs; then the words of the language, one a line.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use super::lexer::{self, Piece, UNITS};
use super::template::abstracted;

const BUCKETS: usize = 1 << 15;
const HEADER: usize = 28;

/// The pairs as they are in the tree.
pub const DATA: &str = include_str!("../../data/nl2bash/train.tsv");

/// What is known of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known<'a> {
    /// Sorts of the values that its command repeats, in the order of its request.
    pub sorts: &'a str,
    /// Numbers of its request that the command does not repeat.
    pub fixed: &'a str,
    /// Units of its request.
    pub units: &'a str,
    /// The command's template.
    pub template: &'a str,
}

/// The index, over bytes that stay where they are.
pub struct Index {
    bytes: &'static [u8],
    documents: usize,
    postings: usize,
    starts: usize,
    texts: usize,
    norms: Vec<f32>,
    words: HashSet<&'static str>,
}

fn bucket(feature: &str) -> usize {
    let h = feature.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    ((h ^ (h >> 15)) as usize) & (BUCKETS - 1)
}

pub(crate) fn data_hash() -> u64 {
    DATA.bytes().chain(*b"recall 2").fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

impl Index {
    /// The shipped index.
    pub fn shipped() -> &'static Index {
        static INDEX: OnceLock<Index> = OnceLock::new();
        // An index that is damaged knows nothing; a test reads the shipped one.
        INDEX.get_or_init(|| Index::read(include_bytes!("../../model/recall.gir")).unwrap_or(Index { bytes: &[], documents: 0, postings: 0, starts: 0, texts: 0, norms: Vec::new(), words: HashSet::new() }))
    }

    /// Reads an index; `None` where its parts do not fit together.
    pub fn read(bytes: &'static [u8]) -> Option<Index> {
        let u32_at = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
        if bytes.get(..4)? != b"GIR1" {
            return None;
        }
        let (documents, length, count) = (u32_at(12)?, u32_at(16)?, u32_at(20)?);
        if documents > usize::from(u16::MAX) {
            return None;
        }
        let postings = HEADER + 4 * (BUCKETS + 1);
        let starts = postings + 2 * count;
        let texts = starts + 4 * (documents + 1);
        let words = std::str::from_utf8(bytes.get(texts + length..)?).ok()?;
        let mut index = Index { bytes, documents, postings, starts, texts, norms: vec![0.0; documents], words: words.lines().collect() };
        for b in 0..BUCKETS {
            let w = index.weight(b);
            for d in index.of_bucket(b) {
                *index.norms.get_mut(d)? += w * w;
            }
        }
        for n in &mut index.norms {
            *n = n.sqrt().max(1.0);
        }
        std::str::from_utf8(bytes.get(texts..texts + length)?).ok()?;
        (index.u32(starts + 4 * documents) == length).then_some(index)
    }

    fn u32(&self, at: usize) -> usize {
        self.bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize)
    }

    fn of_bucket(&self, bucket: usize) -> impl Iterator<Item = usize> + use<> {
        let (start, end) = (self.u32(HEADER + 4 * bucket), self.u32(HEADER + 4 * bucket + 4));
        let bytes = self.bytes.get(self.postings + 2 * start..self.postings + 2 * end).unwrap_or(&[]);
        bytes.chunks_exact(2).map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])))
    }

    /// How much a feature tells: the fewer have it the more.
    fn weight(&self, bucket: usize) -> f32 {
        let n = self.u32(HEADER + 4 * bucket + 4).saturating_sub(self.u32(HEADER + 4 * bucket));
        ((self.documents as f32 + 1.0) / (n as f32 + 1.0)).ln()
    }

    /// Whether `word` is one of the language, as the requests of the data use it.
    pub fn is_word(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// The documents nearest to `features`, best first, with the cosine.
    pub fn nearest(&self, features: &[String], n: usize) -> Vec<(usize, f32)> {
        let mut scores: HashMap<usize, f32> = HashMap::new();
        let mut norm = 0.0;
        let buckets: HashSet<usize> = features.iter().map(|f| bucket(f)).collect();
        for b in buckets {
            let w = self.weight(b);
            norm += w * w;
            for d in self.of_bucket(b) {
                *scores.entry(d).or_default() += w * w;
            }
        }
        let norm = f32::sqrt(norm).max(1.0);
        let mut all: Vec<(usize, f32)> = scores.into_iter().map(|(d, s)| (d, s / (norm * self.norms[d]))).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all.truncate(n);
        all
    }

    /// A document.
    pub fn known(&self, document: usize) -> Option<Known<'_>> {
        let (start, end) = (self.u32(self.starts + 4 * document), self.u32(self.starts + 4 * document + 4));
        let text = std::str::from_utf8(self.bytes.get(self.texts + start..self.texts + end)?).ok()?;
        let mut parts = text.splitn(4, '\t');
        Some(Known { sorts: parts.next()?, fixed: parts.next()?, units: parts.next()?, template: parts.next()? })
    }

    /// Whether it was made from the data in the tree.
    pub fn is_of_this_data(&self) -> bool {
        self.bytes.get(4..12) == Some(&data_hash().to_le_bytes()[..])
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Index({} documents)", self.documents)
    }
}

/// The words of the language, as the requests of `pairs` use it: those of several requests, whose commands mostly do not repeat them.
pub(crate) fn language(pairs: &[(&str, &str)]) -> HashSet<String> {
    let mut uses: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (request, command) in pairs {
        let in_command: HashSet<&str> = command.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let words: HashSet<String> = crate::text::tokenize(request).into_iter().filter(|t| !t.quoted).map(|t| t.norm).collect();
        for w in words {
            let entry = uses.entry(w.clone()).or_default();
            entry.0 += 1;
            entry.1 += usize::from(in_command.contains(w.as_str()));
        }
    }
    uses.into_iter().filter(|(w, (n, repeated))| *n >= 4 && repeated * 2 <= *n && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')).map(|(w, _)| w).collect()
}

/// Makes the index of all pairs in the tree.
pub fn build() -> Vec<u8> {
    build_of(&pairs())
}

/// The pairs in the tree: what was asked for, and the command.
pub fn pairs() -> Vec<(&'static str, &'static str)> {
    DATA.lines().filter_map(|l| l.split_once('\t')).collect()
}

/// Makes an index of some pairs: what is measured on a pair must not know it.
pub fn build_of(pairs: &[(&str, &str)]) -> Vec<u8> {
    let language = language(pairs);
    let mut documents: Vec<String> = Vec::new();
    let mut postings: Vec<Vec<u16>> = vec![Vec::new(); BUCKETS];
    let mut seen: HashSet<(Vec<String>, String)> = HashSet::new();
    for (request, command) in pairs {
        let command = command.strip_prefix("sudo ").unwrap_or(command).trim();
        if crate::engine::parsed(command).is_none() {
            continue;
        }
        let in_command: HashSet<&str> = command.split(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c))).collect();
        let is_name = |w: &str| (!language.contains(w) && !crate::vocabulary::is_common(w)) && in_command.contains(w);
        let pieces = lexer::pieces(request, &is_name, &|_| false);
        let Some((template, used)) = abstracted(&pieces, command) else { continue };
        // No value becomes a program.
        let runs = |before: &str| template.contains(&format!("{before}\u{1}"));
        if ["-exec ", "-execdir ", "xargs ", "-ok ", "sudo ", "exec ", "| ", "; ", "&& ", "$(", "`", "time ", "nohup ", "source ", "-I{} ", "-I % ", "watch "].iter().any(|b| runs(b)) || template.starts_with('\u{1}') || template.contains("<(") && template.starts_with("source") {
            continue;
        }
        let features = lexer::features(&pieces);
        if !seen.insert((features.clone(), template.clone())) {
            continue;
        }
        let is_used = |i: usize| used.iter().any(|(_, u)| *u == i);
        let fixed: Vec<&str> = pieces.iter().enumerate().filter_map(|(i, p)| if let Piece::Value(_, v) = p { (!is_used(i)).then_some(v.as_str()) } else { None }).collect();
        if fixed.iter().any(|f| f.contains(['\t', ' '])) {
            continue;
        }
        let units: Vec<&str> = pieces.iter().filter_map(|p| if let Piece::Word(w) = p { UNITS.contains(&w.as_str()).then_some(w.as_str()) } else { None }).collect();
        let sorts: String = used.iter().map(|(s, _)| s.letter()).collect();
        let Ok(n) = u16::try_from(documents.len()) else { break };
        documents.push(format!("{sorts}\t{}\t{}\t{template}", fixed.join(" "), units.join(" ")));
        let buckets: HashSet<usize> = features.iter().map(|f| bucket(f)).collect();
        for b in buckets {
            postings[b].push(n);
        }
    }
    let mut words: Vec<String> = language.into_iter().collect();
    words.sort();
    let words = words.join("\n");
    let mut out = b"GIR1".to_vec();
    let number = |out: &mut Vec<u8>, n: usize| out.extend((n as u32).to_le_bytes());
    out.extend(data_hash().to_le_bytes());
    number(&mut out, documents.len());
    number(&mut out, documents.iter().map(String::len).sum());
    number(&mut out, postings.iter().map(Vec::len).sum());
    number(&mut out, words.len());
    let mut at = 0;
    for p in &postings {
        number(&mut out, at);
        at += p.len();
    }
    number(&mut out, at);
    out.extend(postings.iter().flatten().flat_map(|d| d.to_le_bytes()));
    at = 0;
    for d in &documents {
        number(&mut out, at);
        at += d.len();
    }
    number(&mut out, at);
    for d in &documents {
        out.extend(d.as_bytes());
    }
    out.extend(words.as_bytes());
    out
}
