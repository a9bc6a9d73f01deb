//! Search as one types: a sorted list of all words, each with the entries that hold it and how much that says.

use std::collections::{BTreeMap, HashMap};

use crate::catalogue::Entry;

/// What a word says of an entry, by where it stands.
const IN_TITLE: u32 = 100;
const IN_NAME: u32 = 80;
const IN_KEYWORDS: u32 = 40;
const IN_SUMMARY: u32 = 20;
const IN_SECTION: u32 = 10;
const IN_DESCRIPTION: u32 = 4;
/// A whole word says more than its beginning.
const WHOLE: u32 = 3;
/// A program that people start says more than a part of others.
const APP: u32 = 2;

/// The index.
#[derive(Debug, Default)]
pub struct Index {
    /// Sorted by word.
    words: Vec<(String, Vec<(u32, u32)>)>,
    apps: Vec<bool>,
}

/// The words of a text, in lower case.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()).map(str::to_lowercase)
}

/// How much each word says of an entry.
fn weights(entry: &Entry) -> HashMap<String, u32> {
    let mut all: HashMap<String, u32> = HashMap::new();
    let mut add = |text: &str, weight: u32| {
        for word in words(text) {
            let known = all.entry(word).or_default();
            *known = (*known).max(weight);
        }
    };
    add(&entry.title, IN_TITLE);
    add(&entry.name, IN_NAME);
    entry.keywords.iter().for_each(|it| add(it, IN_KEYWORDS));
    add(&entry.summary, IN_SUMMARY);
    entry.sections.iter().for_each(|it| add(it, IN_SECTION));
    add(&entry.description, IN_DESCRIPTION);
    // The whole name too, where it is of several words.
    let whole = all.entry(entry.name.to_lowercase()).or_default();
    *whole = (*whole).max(IN_NAME);
    all
}

impl Index {
    /// Over these entries.
    pub fn new(entries: &[Entry]) -> Self {
        let mut words: BTreeMap<String, Vec<(u32, u32)>> = BTreeMap::new();
        for (number, entry) in entries.iter().enumerate() {
            for (word, weight) in weights(entry) {
                words.entry(word).or_default().push((number as u32, weight));
            }
        }
        Index { words: words.into_iter().collect(), apps: entries.iter().map(|it| it.is_app).collect() }
    }

    /// The numbers of the entries that hold a word beginning with each of those asked for, the best ones first. `None` where nothing is asked for.
    pub fn search(&self, text: &str) -> Option<Vec<usize>> {
        let mut wanted: Vec<String> = text.split_whitespace().flat_map(|part| {
            // A name such as `g++` or `foot-themes` is looked for as a whole.
            let whole = part.to_lowercase();
            if self.words.binary_search_by(|(word, _)| word.as_str().cmp(&whole)).is_ok() { vec![whole] } else { words(part).collect() }
        }).collect();
        wanted.dedup();
        let mut scores: Option<HashMap<u32, u32>> = None;
        for word in &wanted {
            let start = self.words.partition_point(|(it, _)| it < word);
            let mut found: HashMap<u32, u32> = HashMap::new();
            for (it, entries) in self.words[start..].iter().take_while(|(it, _)| it.starts_with(word.as_str())) {
                let factor = if it == word { WHOLE } else { 1 };
                for (number, weight) in entries {
                    let best = found.entry(*number).or_default();
                    *best = (*best).max(weight * factor);
                }
            }
            scores = Some(match scores {
                None => found,
                Some(before) => before.into_iter().filter_map(|(number, score)| Some((number, score + found.get(&number)?))).collect(),
            });
        }
        let mut found: Vec<(u32, u32)> = scores?.into_iter().collect();
        for (number, score) in &mut found {
            *score *= if self.apps[*number as usize] { APP } else { 1 };
        }
        // Entries are sorted by title: so are those of one score.
        found.sort_by_key(|(number, score)| (std::cmp::Reverse(*score), *number));
        Some(found.into_iter().map(|(number, _)| number as usize).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(name: &str, title: &str, summary: &str, is_app: bool) -> Entry {
        Entry {
            name: name.to_owned(),
            title: title.to_owned(),
            summary: summary.to_owned(),
            description: String::new(),
            sections: Vec::new(),
            keywords: Vec::new(),
            licence: String::new(),
            homepage: String::new(),
            installed: None,
            offered: None,
            size: None,
            repository: None,
            rights: Vec::new(),
            icon: None,
            screenshots: Vec::new(),
            is_app,
            is_essential: false,
        }
    }

    fn found(entries: &[Entry], text: &str) -> Vec<String> {
        Index::new(entries).search(text).unwrap_or_default().into_iter().map(|number| entries[number].name.clone()).collect()
    }

    #[test]
    fn the_best_come_first() {
        let entries = [
            entry("gimp", "GIMP", "Paint and edit photos", true),
            entry("gnome-paint", "Paint", "Simple drawing", true),
            entry("libpaint", "libpaint", "Routines to paint", false),
            entry("g++", "g++", "The C++ compiler", false),
        ];
        assert_eq!(found(&entries, "paint"), ["gnome-paint", "gimp", "libpaint"]);
        assert_eq!(found(&entries, "pai ed"), ["gimp"]);
        assert_eq!(found(&entries, "PHOTO"), ["gimp"]);
        assert_eq!(found(&entries, "g++"), ["g++"]);
        assert_eq!(found(&entries, "nothing"), [""; 0]);
        assert_eq!(Index::new(&entries).search(" "), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        /// Exactly those are found that hold a word beginning with each word asked for.
        #[test]
        fn nothing_is_missed(texts in proptest::collection::vec("[ab]{1,3}( [abc]{1,4}){0,3}", 1..12), query in "[abc]{1,3}( [abc]{1,2}){0,2}") {
            let entries: Vec<_> = texts.iter().enumerate().map(|(i, text)| entry(&format!("p{i}"), text, "", i % 2 == 0)).collect();
            let holds = |entry: &&Entry| words(&query).all(|asked| words(&entry.title).any(|word| word.starts_with(&asked)));
            let mut expected: Vec<_> = entries.iter().filter(holds).map(|it| it.name.clone()).collect();
            let mut got = found(&entries, &query);
            expected.sort();
            got.sort();
            prop_assert_eq!(got, expected);
        }
    }
}
