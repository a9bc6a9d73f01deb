//! What is printed of a set of files: which come first, how many, and what of each.

use actions::quote::quote_path;

use super::many::clear;
use super::said::Said;
use super::set;
use super::{Reading, reading};

/// By what, and whether downwards.
pub(super) fn order(s: &Said<'_>) -> Option<(&'static str, bool)> {
    let sorted = "sort|sorted|order|ordered|arrange|arranged|ranked|sorting|ordering it|them|result|results|list|output?";
    let mut by = None;
    for (words, key) in [("size|sizes|filesize", "size"), ("modification|change|last? time|date|age|modified|timestamp|recency|modification date|time?", "time"), ("name|names|filename|path|alphabet|filenames|paths", "name"), ("extension|type", "ext"), ("number|count of? lines|words?", "size"), ("lines|words", "size")] {
        if by.is_none() && s.take(&format!("{sorted}? by|on|of|according to|their|file? {words}")).is_some() {
            by = Some(key);
        }
    }
    let mut down = None;
    if by.is_none() || s.look("first|reverse|descending|ascending|from|oldest|newest|largest|smallest|increasing|decreasing").is_some() {
        for (patterns, key, d) in [
            (&["largest|biggest|heaviest one|ones|file|files? first", "from? largest|biggest to smallest", "in? decreasing|descending order? of|by size", "with largest|biggest first"][..], "size", true), (&["smallest|tiniest one|ones|file|files? first", "from? smallest to largest|biggest", "in? increasing|ascending order? of|by size"], "size", false),
            (&["newest|latest one|ones? first", "most recent|recently modified|changed? one|ones? first", "from? newest|latest to oldest", "latest changes first", "reverse chronological order?"], "time", true), (&["oldest one|ones? first", "least recently modified|changed? first", "from? oldest to newest|latest", "in? chronological order", "chronologically"], "time", false),
        ] {
            if s.any(patterns) {
                by.get_or_insert(key);
                down = Some(d);
            }
        }
    }
    let alphabetic = s.any(&[&format!("{sorted}? in? alphabetical|alphabetic|lexical|lexicographic order?"), &format!("{sorted}? alphabetically|lexically|lexicographically|alphabetized")]);
    if alphabetic && by.is_none() {
        by = Some("name");
    }
    if s.any(&["in reverse|reversed|descending|decreasing order|direction?", "reverse|reversed|descending|decreasing order", "reversed", "z to a"]) || s.look("descending into").is_none() && s.any(&["descending|reverse"]) {
        down = Some(true);
    } else if s.any(&["in? ascending|increasing order?"]) {
        down = Some(false);
    }
    if by.is_none() && s.any(&[sorted]) {
        by = Some("name");
    }
    let by = by?;
    s.each(&[sorted, "it"]);
    // Unless it is said, sizes and ages go down, names up.
    Some((by, down.unwrap_or(by == "size" || by == "time")))
}

/// "the 3 largest", "the newest": how many.
pub(super) fn top(s: &Said<'_>, words: &[&str]) -> Option<u64> {
    let list = words.join("|");
    if let Some(f) = s.take(&format!("# {list}")).or_else(|| s.take(&format!("top|first # {list}"))).or_else(|| s.take(&format!("{list} #"))) {
        return s.number(f.at[0]);
    }
    if s.take(&format!("single? {list} one?")).is_some() {
        return Some(1);
    }
    None
}

/// What is printed of each.
pub(super) fn listing(s: &Said<'_>) -> Option<Reading> {
    let marks = s.marks();
    let give_up = |s: &Said<'_>| {
        s.restore(marks.clone());
        None
    };
    if !matches!(s.first(), "list" | "show" | "print" | "display" | "find" | "which" | "what" | "get" | "give" | "search" | "locate" | "output" | "recursively" | "all" | "the" | "files" | "directories" | "where" | "sort" | "are" | "report" | "see" | "names" | "write" | "save" | "identify" | "store" | "look" | "put") && s.number(0).is_none() && !matches!(s.entity_at(0).map(|e| &e.kind), Some(crate::entity::Kind::Ext(..))) && !s.has(&["largest", "biggest", "newest", "oldest", "smallest"]) {
        return None;
    }
    if s.has(&["process", "processes", "user", "users", "package", "packages", "port", "ports", "variable", "variables", "filesystems", "mounted"]) && !s.has(&["files", "file", "directories"]) {
        return None;
    }
    s.each(&["recursively list|show|print|display|find|search"]);
    let human = s.any(&["with|in? human-readable|human readable sizes|size|form|format|units?", "human-readably", "in kb|mb|kilobytes|megabytes"]);
    // Which come first.
    let mut sort: Option<(&str, bool)> = None;
    let mut n = None;
    for (words, key, down) in [
        (&["largest|biggest|heaviest"][..], "size", true),
        (&["smallest|tiniest"], "size", false),
        (&["newest|latest|youngest", "most recently|recent modified|changed|edited|updated|created|touched?", "most recent"], "time", true),
        (&["oldest", "least recently modified|changed|edited|updated?"], "time", false),
    ] {
        for w in words {
            if sort.is_none() && s.look(&format!("{w} one|ones|file|files? first")).is_none() && s.look(&format!("from {w}")).is_none() && s.look(&format!("to {w}")).is_none() && s.look(w).is_some() {
                let single = s.look(&format!("{w} file|directory|folder|subdirectory|subfolder|one|item|entry")).is_some();
                let named = s.take(&format!("top|first? # {w}")).or_else(|| s.take(&format!("{w} #")));
                n = named.as_ref().and_then(|f| f.at.first()).and_then(|i| s.number(*i));
                if n.is_none() {
                    if let Some(f) = s.take("top|first #") {
                        n = s.number(f.at[0]);
                    }
                    s.take(w);
                }
                n = n.or(if single || s.first() == "which" || s.first() == "what" { Some(1) } else { Some(if s.has(&["files", "directories", "folders", "subdirectories"]) { 10 } else { 1 }) });
                sort = Some((key, down));
            }
        }
    }
    // "Which folder takes up the most space?".
    let mut space = false;
    if sort.is_none() && s.any(&["take|takes|taking|use|uses|using|occupy|occupies|occupying|need|needs|consume|consumes up? most|more disk? space|room|storage", "takes|uses|occupies up? most"]) {
        sort = Some(("size", true));
        space = true;
        let single = matches!(s.first(), "which" | "what") && s.look("directories|folders|files|subdirectories|subfolders").is_none() || s.look("directory|folder|subdirectory|subfolder|file that|which takes|uses|occupies|takes").is_some();
        n = s.take("# directories|folders|files|subdirectories|subfolders").and_then(|f| {
            s.unmark(f.at[0] + 1, f.end);
            s.number(f.at[0])
        }).or(Some(if single { 1 } else { 10 }));
    }
    let sort = sort.or_else(|| order(s));
    let cut = if n.is_none() { s.take("first|top # of them|files|results|entries|ones|lines|names?").or_else(|| s.take("only|limit|limited to? first|top? # results|entries|ones|files?")).and_then(|f| f.at.last().and_then(|i| s.number(*i))).or_else(|| s.take("last # of them|files|results|entries?").and_then(|f| s.number(f.at[0]))) } else { n };
    let one_first = s.any(&["only first one|result|match"]);
    let cut = cut.or(one_first.then_some(1));
    // Forms.
    let absolute = s.any(&["absolute|full|complete path|paths|pathnames|names|name|pathname of|for|to?", "with? absolute|full|complete path|paths", "fully qualified paths|names?"]);
    let bare = s.any(&["without? only? names|filenames|basenames, no|without path|paths|directories|directory", "just|only? file? names|name|filenames|filename|basenames|basename no|without|not|and including? leading|their|its? directories|directory|path|paths part|names|components?", "base names|name", "basenames|basename", "without leading|their|its? directories|directory|path|paths part|names|name|component|components?", "no paths|path|directories|directory", "not their|its? paths|path", "without path"]);
    let no_ext = s.any(&["without|stripped|minus of? its|their? extension|extensions|suffix|suffixes|ending|endings"]);
    let mut fields = Vec::new();
    let lead = "together|along? with|and|including|showing|show|print|display|list|by|of|followed|preceded|plus|name|names|their|its";
    let sized = s.any(&[&format!("{lead} their|its? file? size|sizes in? bytes?"), "name|names and size|sizes of", "size|sizes and name|names|path|paths of", "with sizes|size in bytes?", "size in bytes of"]);
    if sized {
        s.each(&["names|name|of"]);
        fields.push("size");
    }
    if s.any(&[&format!("{lead} their|its? last? modification|change|modified time|times|date|dates|timestamps?"), &format!("{lead} their|its? modification|change times|time|dates|date|timestamps")]) {
        fields.push("time");
    }
    if s.any(&[&format!("{lead} their|its? owner|owners"), "with owners|owner"]) {
        fields.push("owner");
    }
    if s.any(&[&format!("{lead} their|its? octal|numeric permissions|mode|modes"), "octal permissions|mode of?"]) {
        fields.push("octal");
    } else if s.any(&[&format!("{lead} their|its? permissions|permission|mode|modes|rights"), "permissions of"]) {
        fields.push("mode");
    }
    if s.any(&["inode numbers|number of|and?", &format!("{lead} inode numbers|number|inodes")]) {
        fields.push("inode");
    }
    let long = s.any(&["in? long|detailed listing|list? format|form|listing", "with? all? details|detail|detailed|information|attributes", "long listing", "in detail", "detailed", "ls -l", "like ls -l"]);
    let null = s.any(&["null-separated|null-terminated|nul-separated|zero-terminated", "separated|terminated by null|nul characters|bytes|character?"]);
    let one_line = s.any(&["on|in|as? one|a|single line separated|delimited by spaces|commas|comma|space", "separated by commas|spaces|comma|space", "comma-separated list?"]);
    s.each(&["one per line", "each on own line", "one a line", "on separate lines"]);
    let f = set::set(s);
    let plain = sort.is_none() && cut.is_none() && fields.is_empty() && !(absolute || bare || no_ext || long || null || one_line);
    if !clear(&f) && !(f.specific && (sort.is_some() || s.first() == "list")) || f.tests.is_empty() && s.len() <= 7 && !space && !absolute && !bare || plain && f.tests.is_empty() && (f.dir == "." || !f.said || f.kind == "f" && f.depth == Some(1)) {
        return give_up(s);
    }
    s.each(&["path|paths|names|name|filename|filenames", "and print|list|show|display|sort them|it|their?", "them|only|of|by"]);
    let mut f = f;
    // "the biggest files here": of all that is below.
    if cut.is_some() && f.here {
        f.depth = None;
    }
    // Directories by what is in them.
    if f.kind == "d" && (sort.is_some_and(|s| s.0 == "size") || sized) {
        let depth = if f.depth.is_some() || s.has(&["tree"]) || f.tests.is_empty() { " -d 1" } else { "" };
        let depth = if s.has(&["recursively", "anywhere"]) { "" } else { depth };
        if !f.tests.is_empty() {
            return give_up(s);
        }
        // The directory itself is the last line of `du`; it is none of its parts.
        let base = format!("du {}{depth} {}", if human { "-h" } else { "-k" }, quote_path(&f.dir));
        let without_self = " | sed '$d'";
        let sorted = sort.map_or(String::new(), |(_, down)| format!(" | sort -{}{}", if down { "r" } else { "" }, if human { "h" } else { "n" }));
        let head = cut.map_or(String::new(), |n| format!(" | head -n {n}"));
        return reading(format!("{base}{without_self}{sorted}{head}"), format!("Shows what the {} take{}.", f.describe(), if human { ", for people" } else { ", in KiB" }));
    }
    if absolute && !f.dir.starts_with(['/', '~']) {
        f.dir = if f.dir == "." { "\"$PWD\"".into() } else { format!("\"$PWD\"/{}", quote_path(&f.dir)) };
    }
    let find = if absolute && f.dir.starts_with('"') { f.find().replacen(&quote_path(&f.dir), &f.dir, 1) } else { f.find() };
    let flat = f.dir == "." && f.depth == Some(1);
    // In this directory only: as ls would, without the hidden ones unless they are asked for.
    let find = if flat && f.words.iter().all(|w| !w.contains("hidden")) && f.kind != "l" && s.has(&["list", "ls", "names"]) && f.tests.is_empty() { format!("{find} ! -name '.*'") } else { find };
    let path = if bare || no_ext { "%f" } else if flat { "%P" } else { "%p" };
    if long && sort.is_none() && cut.is_none() {
        return reading(format!("{find} -exec ls -ld{} {{}} +", if human { "h" } else { "" }), format!("Lists the {} with details.", f.describe()));
    }
    if long {
        let option = match sort {
            Some(("size", true)) => "S",
            Some(("size", false)) => "Sr",
            Some(("time", true)) => "t",
            Some(("time", false)) => "tr",
            Some((_, true)) => "r",
            _ => "",
        };
        let head = cut.map_or(String::new(), |n| format!(" | head -n {n}"));
        return reading(format!("{find} -exec ls -ld{option}{} {{}} +{head}", if human { "h" } else { "" }), format!("Lists the {} with details, ordered.", f.describe()));
    }
    let fields: Vec<&str> = fields.iter().map(|f| match *f {
        "size" => "%s",
        "time" => "%TY-%Tm-%Td %TH:%TM",
        "owner" => "%u",
        "octal" => "%m",
        "mode" => "%M",
        _ => "%i",
    }).collect();
    let wants_size = fields.contains(&"%s") || human && sort.is_some_and(|s| s.0 == "size");
    let mut shown = fields.clone();
    if wants_size && !shown.contains(&"%s") {
        shown.insert(0, "%s");
    }
    shown.push(path);
    let format = shown.join(" ");
    let end = if null { "\\0" } else { "\\n" };
    let human_pipe = if human && shown[0] == "%s" { " | numfmt --to=iec" } else { "" };
    let mut command = match sort {
        None if fields.is_empty() && !bare && !no_ext && !null => f.with_print(&find),
        None => format!("{find} -printf '{format}{end}'{human_pipe}"),
        Some((key, down)) => {
            let r = if down { "r" } else { "" };
            match key {
                "name" if fields.is_empty() => if format == "%p" { format!("{} | sort{}", f.with_print(&find), if down { " -r" } else { "" }) } else { format!("{find} -printf '{format}\\n' | sort{}", if down { " -r" } else { "" }) },
                "name" => format!("{find} -printf '%p\\t{format}\\n' | sort{} | cut -f 2-{human_pipe}", if down { " -r" } else { "" }),
                "ext" => format!("{find} -printf '%f\\t{format}\\n' | sed -E 's/^([^\\t]*\\.)?//' | sort{} | cut -f 2-", if down { " -r" } else { "" }),
                key => {
                    let k = if key == "size" { "%s" } else { "%T@" };
                    format!("{find} -printf '{k}\\t{format}\\n' | sort -t $'\\t' -k 1,1n{r} -k 2 | cut -f 2-")
                }
            }
        }
    };
    if no_ext {
        command.push_str(" | sed -E 's/(.)\\.[^.]*$/\\1/'");
    }
    if let Some(n) = cut {
        command.push_str(&format!(" | head -n {n}"));
    }
    if human && sort.is_some_and(|s| s.0 == "size") {
        command.push_str(" | numfmt --to=iec");
    }
    if one_line {
        command.push_str(if s.has(&["commas", "comma", "comma-separated"]) { " | paste -s -d ," } else { " | paste -s -d ' '" });
    }
    reading(command, format!("Lists the {}.", f.describe()))
}
