//! What an archive says of its programs for people, in AppStream's words: DEP-11
//! (<https://www.freedesktop.org/software/appstream/docs/chap-CollectionData.html>).
//!
//! Debian's file has 20 MB, most of them translations. What is not looked at is left out by lines before the rest is parsed; of that the
//! programs are kept, in a file of some hundred KiB.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::manifest::{AppStream, Manifest};

/// A program that people start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The package that it is in.
    pub package: String,
    /// Its name and words.
    pub appstream: AppStream,
    /// One line that says what it is.
    pub summary: String,
    /// Paragraphs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// An SPDX expression, where one is told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub licence: String,
    /// The program's page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub homepage: String,
    /// The file of its picture of 64 by 64 pixels in the archive's collection.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub icon: String,
}

/// The keys of a document that are parsed.
const KEYS: [&str; 10] = ["Type", "ID", "Package", "Name", "Summary", "Description", "ProjectLicense", "Categories", "Keywords", "Url"];

/// The language of what has no translation.
const NATIVE: &str = "C";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(rename = "ID")]
    id: String,
    package: String,
    name: HashMap<String, String>,
    #[serde(default)]
    summary: HashMap<String, String>,
    #[serde(default)]
    description: HashMap<String, String>,
    #[serde(default)]
    project_license: String,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    keywords: HashMap<String, Vec<String>>,
    #[serde(default)]
    url: HashMap<String, String>,
    #[serde(default)]
    icon: Icon,
}

#[derive(Default, Deserialize)]
struct Icon {
    #[serde(default)]
    cached: Vec<Cached>,
}

#[derive(Deserialize)]
struct Cached {
    name: String,
    #[serde(default)]
    width: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Screenshot {
    #[serde(default)]
    default: bool,
    #[serde(default)]
    thumbnails: Vec<Remote>,
    source_image: Option<Remote>,
}

#[derive(Deserialize)]
struct Remote {
    url: String,
    #[serde(default)]
    width: u32,
}

/// Pictures of a program at most.
const SCREENSHOTS: usize = 3;
/// Pixels a row that a picture has room for.
const ROOM: u32 = 800;

/// The lines of a document that tell of pictures of the program at work, without their captions in all languages.
fn screenshot_lines(document: &str) -> String {
    let section = document.lines().skip_while(|line| *line != "Screenshots:").skip(1).take_while(|line| line.starts_with([' ', '-']));
    let mut is_caption = false;
    let mut text = String::new();
    for line in section {
        let indent = line.len() - line.trim_start_matches([' ', '-']).len();
        if indent <= 2 {
            is_caption = line[indent..].starts_with("caption:");
        }
        if is_caption {
            // An entry begins with whatever key comes first.
            text += if line.starts_with('-') { "- default_caption: 0\n" } else { "" };
        } else {
            text += line;
            text.push('\n');
        }
    }
    text
}

/// Addresses of pictures of the program at work, the one first that stands for it. What cannot be understood is left out.
fn screenshots(document: &str, base: &str) -> Vec<String> {
    let text = screenshot_lines(document);
    let Ok(mut all) = serde_saphyr::from_str::<Vec<Screenshot>>(&text) else { return Vec::new() };
    all.sort_by_key(|it| !it.default);
    let address = |it: Screenshot| {
        // The largest that fits; else the smallest.
        let fitting = it.thumbnails.iter().filter(|it| it.width <= ROOM).max_by_key(|it| it.width);
        let chosen = fitting.or_else(|| it.thumbnails.iter().min_by_key(|it| it.width)).or(it.source_image.as_ref())?;
        let url = if chosen.url.contains("://") { chosen.url.clone() } else { format!("{}/{}", base.trim_end_matches('/'), chosen.url) };
        // Nobody on the way is to see or change what is looked at.
        (url.starts_with("https://") && url.len() < 500 && !url.contains(char::is_whitespace)).then_some(url)
    };
    all.into_iter().filter_map(address).take(SCREENSHOTS).collect()
}

/// Where pictures are whose addresses begin nowhere, as the file's head says.
fn media_base(text: &str) -> String {
    let head = text.split("\n---\n").next().unwrap_or_default();
    let value = head.lines().find_map(|line| line.strip_prefix("MediaBaseUrl:"));
    value.map(|it| it.trim().trim_matches(['\'', '"']).to_owned()).unwrap_or_default()
}

/// The lines of a document that are parsed: of the keys that are wanted, without translations.
fn wanted(document: &str) -> String {
    let mut text = String::new();
    let (mut keep, mut native) = (false, true);
    for line in document.lines() {
        if !line.starts_with([' ', '-']) && !line.is_empty() {
            let key = line.split(':').next().unwrap_or_default();
            keep = KEYS.contains(&key) || key == "Icon";
            native = true;
        } else if let Some(rest) = line.strip_prefix("  ").filter(|it| !it.starts_with([' ', '-'])) {
            // A language, or a key of another map.
            let key = rest.split(':').next().unwrap_or_default();
            native = key == NATIVE || matches!(key, "homepage" | "cached");
        }
        if keep && native {
            text += line;
            text.push('\n');
        }
    }
    text
}

/// Plain paragraphs of a description's markup.
fn plain(markup: &str) -> String {
    let mut text = String::new();
    for part in markup.split('<') {
        let (tag, words) = part.split_once('>').unwrap_or(("", part));
        match tag.trim_end_matches('/').trim() {
            "li" => text += "\n- ",
            "p" | "/p" | "ul" | "/ul" | "ol" | "/ol" => text.push('\n'),
            _ => {}
        }
        if tag == "p" || tag == "/ul" || tag == "/ol" {
            text.push('\n');
        }
        let mut words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        for (entity, letter) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")] {
            words = words.replace(entity, letter);
        }
        if !words.is_empty() && !text.is_empty() && !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
        text += &words;
    }
    while let Some(at) = text.find("\n\n\n") {
        text.remove(at);
    }
    text.trim().to_owned()
}

/// The programs of a DEP-11 file. A document that cannot be understood is left out: it says nothing about its package.
pub fn parse(text: &str) -> Vec<Component> {
    let mut all = Vec::new();
    let base = media_base(text);
    for document in text.split("\n---\n").filter(|it| it.lines().any(|it| it == "Type: desktop-application")) {
        let Ok(mut it) = serde_saphyr::from_str::<Document>(&wanted(document)) else { continue };
        let native = |map: &mut HashMap<String, String>| map.remove(NATIVE).unwrap_or_default();
        let name = native(&mut it.name);
        if name.is_empty() || !crate::dependency::is_package_name(&it.package) {
            continue;
        }
        let picture = it.icon.cached.into_iter().find(|it| it.width == 64).map(|it| it.name).filter(|it| !it.contains('/') && !it.starts_with('.'));
        all.push(Component {
            package: it.package,
            summary: native(&mut it.summary),
            description: plain(&native(&mut it.description)),
            licence: it.project_license,
            homepage: it.url.remove("homepage").unwrap_or_default(),
            icon: picture.unwrap_or_default(),
            appstream: AppStream {
                id: it.id.trim_end_matches(".desktop").to_owned(),
                name,
                categories: it.categories,
                keywords: it.keywords.remove(NATIVE).unwrap_or_default(),
                screenshots: screenshots(document, &base),
            },
        });
    }
    all
}

/// Keeps components in a file.
///
/// # Errors
/// When that cannot be written.
pub fn write(components: &[Component], path: &Path) -> io::Result<()> {
    crate::database::replace(path, &zstd::bulk::compress(&serde_json::to_vec(components)?, 3)?)
}

/// Reads them again; none where there is no such file.
///
/// # Errors
/// When it cannot be read, or is damaged.
pub fn read(path: &Path) -> io::Result<Vec<Component>> {
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let text = zstd::Decoder::new(file)?;
    serde_json::from_reader(io::BufReader::new(text)).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Has a package's manifest say what its program is for people. Of several programs in one package the first is told, or the one that is
/// called like the package.
pub fn dress(manifest: &mut Manifest, component: &Component) {
    let is_named = |id: &str| id.rsplit('.').next().is_some_and(|it| it.eq_ignore_ascii_case(&manifest.name));
    if manifest.appstream.as_ref().is_some_and(|it| is_named(&it.id) || !is_named(&component.appstream.id)) {
        return;
    }
    manifest.appstream = Some(component.appstream.clone());
    for (field, told) in [(&mut manifest.summary, &component.summary), (&mut manifest.description, &component.description), (&mut manifest.licence, &component.licence)] {
        if !told.is_empty() {
            field.clone_from(told);
        }
    }
    if manifest.homepage.is_empty() {
        manifest.homepage.clone_from(&component.homepage);
    }
}

/// What browsers with windows provide. They come by the suite of security updates, which says nothing of them for people.
pub const BROWSER: &str = "gnome-www-browser";

/// Has a browser of which nothing is said be a program for people all the same.
pub fn dress_browser(manifest: &mut Manifest) {
    if manifest.appstream.is_none() && manifest.provides.iter().any(|it| it.name == BROWSER) {
        let words = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
        manifest.appstream = Some(AppStream { id: manifest.name.clone(), categories: words(&["Network", "WebBrowser"]), keywords: words(&["web", "browser", "internet"]), ..AppStream::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---\nFile: DEP-11\nVersion: '0.16'\nMediaBaseUrl: https://media.example.org/pool\n---\nType: addon\nID: x\nPackage: x\nName:\n  C: X\n---\n\
        Type: desktop-application\nID: org.example.Draw.desktop\nPackage: draw\nName:\n  de: Zeichnen\n  C: Draw & Paint\n  sr@latin: Crtaj\n\
        Summary:\n  C: Draws pictures\nDescription:\n  C: >-\n    <p>Draws &amp; paints\n    with brushes.</p>\n\n    <ul>\n    <li>round</li><li>flat</li></ul>\n  de: >-\n    <p>Malt: nichts</p>\n\
        ProjectLicense: GPL-3.0+\nCategories:\n- Graphics\nKeywords:\n  C:\n  - brush\n  de:\n  - Pinsel\nUrl:\n  homepage: https://draw.example.org\n  bugtracker: https://b.example.org\n\
        Icon:\n  cached:\n  - name: draw_draw.png\n    width: 48\n    height: 48\n  - name: draw_64.png\n    width: 64\n    height: 64\n  stock: draw\n\
        Screenshots:\n- caption:\n    C: 'no: yaml: \"here'\n  thumbnails:\n  - url: draw/b_624.png\n    width: 624\n- default: true\n  caption:\n    C: 'no: yaml: \"here'\n  thumbnails:\n  - height: 351\n    url: draw/a_224.png\n    width: 224\n  - url: draw/a_752.png\n    width: 752\n  source-image:\n    url: draw/a_orig.png\n    width: 1600\n- source-image:\n    url: http://plain.example.org/x.png\n    width: 100\n- source-image:\n    url: https://elsewhere.example.org/c.png\n    width: 2000\n  thumbnails: []\n---\nType: desktop-application\nID: broken\nPackage: [\n";

    #[test]
    fn programs_are_read_without_translations() {
        let all = parse(TEXT);
        assert_eq!(all.len(), 1);
        let it = &all[0];
        assert_eq!((it.package.as_str(), it.appstream.name.as_str(), it.appstream.id.as_str()), ("draw", "Draw & Paint", "org.example.Draw"));
        assert_eq!((it.appstream.keywords.as_slice(), it.appstream.categories.as_slice()), (&["brush".to_owned()][..], &["Graphics".to_owned()][..]));
        assert_eq!(it.description, "Draws & paints with brushes.\n\n- round\n- flat");
        assert_eq!((it.icon.as_str(), it.homepage.as_str(), it.licence.as_str()), ("draw_64.png", "https://draw.example.org", "GPL-3.0+"));
        let pictures = ["https://media.example.org/pool/draw/a_752.png", "https://media.example.org/pool/draw/b_624.png", "https://elsewhere.example.org/c.png"];
        assert_eq!(it.appstream.screenshots, pictures, "the one that stands for it first, and none without encryption");
        let file = tempfile::NamedTempFile::new().unwrap();
        write(&all, file.path()).unwrap();
        assert_eq!(read(file.path()).unwrap(), all);
    }

    #[test]
    fn screenshots_that_are_not_understood_are_left_out() {
        for text in ["", "Screenshots:\n", "Screenshots:\n- [\n", "Screenshots:\n- thumbnails: 3\n", "Screenshots:\n- default: true\n"] {
            assert!(screenshots(text, "https://x").is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_package_is_called_by_its_own_program() {
        let component = |id: &str| Component { appstream: AppStream { id: id.into(), name: id.into(), ..AppStream::default() }, ..parse(TEXT).remove(0) };
        let mut manifest = Manifest::new("draw", "1".parse().unwrap(), "a package", "MIT");
        for (id, shown) in [("org.example.Other", "org.example.Other"), ("org.example.Third", "org.example.Other"), ("org.example.Draw", "org.example.Draw"), ("org.example.Other", "org.example.Draw")] {
            dress(&mut manifest, &component(id));
            assert_eq!(manifest.appstream.as_ref().unwrap().id, shown);
        }
        assert_eq!(manifest.summary, "Draws pictures");
    }
}
