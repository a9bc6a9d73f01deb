//! Which packages of an archive a wish can lead to.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::io;

use super::index::Index;
use super::{DebOffer, offer};
use crate::deb::control::{Stanza, stanzas};
use crate::dependency::Dependency;

/// How far alternatives are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breadth {
    /// Only the packages that are named.
    None,
    /// Of each dependency the first alternative that the archive has: what is taken unless something is in its way.
    First,
    /// All alternatives, and all that provide them.
    All,
}

/// Reads stanzas, each block of the index once.
struct Reader<'a> {
    index: &'a Index,
    blocks: HashMap<usize, String>,
}

impl Reader<'_> {
    /// All versions of a package that lie in a block.
    fn read(&mut self, block: usize, package: &str) -> io::Result<Vec<Stanza>> {
        if !self.blocks.contains_key(&block) {
            let text = self.index.block(block)?;
            self.blocks.insert(block, text);
        }
        let begin = format!("Package: {package}\n");
        Ok(self.blocks[&block].split("\n\n").filter(|it| it.starts_with(&begin)).map(Stanza::parse).collect())
    }
}

/// The packages that are called or provide one of `names`, and what they lead to.
///
/// # Errors
/// When the index cannot be read.
pub fn closure(index: &Index, names: &BTreeSet<String>, breadth: Breadth) -> io::Result<Vec<DebOffer>> {
    let mut reader = Reader { index, blocks: HashMap::new() };
    let mut wanted: VecDeque<String> = names.iter().cloned().collect();
    let mut seen: HashSet<String> = names.iter().cloned().collect();
    let mut read: HashSet<(usize, String)> = HashSet::new();
    let mut offers = Vec::new();
    while let Some(name) = wanted.pop_front() {
        for (block, package) in index.places(&name) {
            if !read.insert((block, package.to_owned())) {
                continue;
            }
            for offer in reader.read(block, package)?.iter().filter_map(offer) {
                let optional = offer.manifest.optional.iter().filter(|it| it.default).map(|it| &it.dependency);
                for dependency in offer.manifest.depends.iter().chain(optional) {
                    for name in followed(index, dependency, breadth) {
                        if seen.insert(name.to_owned()) {
                            wanted.push_back(name.to_owned());
                        }
                    }
                }
                offers.push(offer);
            }
        }
    }
    Ok(offers)
}

fn followed<'a>(index: &Index, dependency: &'a Dependency, breadth: Breadth) -> Vec<&'a str> {
    let mut names = dependency.alternatives.iter().map(|it| it.name.as_str());
    match breadth {
        Breadth::None => Vec::new(),
        Breadth::First => names.find(|it| !index.places(it).is_empty()).into_iter().collect(),
        Breadth::All => names.collect(),
    }
}

/// All packages of an archive.
///
/// # Errors
/// When the index cannot be read.
pub fn all(index: &Index) -> io::Result<Vec<DebOffer>> {
    let mut offers = Vec::new();
    for block in 0..index.blocks() {
        offers.extend(stanzas(&index.block(block)?).filter_map(|it| offer(&it)));
    }
    Ok(offers)
}
