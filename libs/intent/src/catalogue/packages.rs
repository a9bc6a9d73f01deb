//! Packages.

use actions::quote::quote;

use super::{Intent, Outcome, Unfilled, built, first_available};
use crate::entity::Kind;
use crate::request::Request;

pub(super) const INTENTS: &[Intent] = &[
    Intent { id: "pkg.list", about: "installed packages", example: "which packages are installed", build: list },
    Intent { id: "pkg.count", about: "how many packages are installed", example: "how many packages are installed", build: count },
    Intent { id: "pkg.installed", about: "whether a package is installed", example: "is the package nano installed", build: installed },
    Intent { id: "pkg.files", about: "the files of a package", example: "what files belong to the package bash", build: files },
    Intent { id: "pkg.owner", about: "which package a file is from", example: "which package owns /bin/ls", build: owner },
    Intent { id: "pkg.install", about: "install a package", example: "install htop", build: install },
    Intent { id: "pkg.remove", about: "remove a package", example: "uninstall nano", build: remove },
    Intent { id: "pkg.search", about: "search for packages", example: "search for a package for image editing", build: search },
    Intent { id: "pkg.update", about: "update the system's packages", example: "update all packages", build: update },
    Intent { id: "pkg.info", about: "about a package", example: "show information about the package bash", build: info },
    Intent { id: "pkg.version", about: "the version of a program", example: "which version of bash is installed", build: version },
    Intent { id: "pkg.largest", about: "the biggest packages", example: "which packages take the most space", build: largest },
];

const WHICH: Unfilled = Unfilled::Missing("Which package?");

fn package(r: &Request<'_>) -> Result<String, Unfilled> {
    r.quoted()
        .or_else(|| r.name(&["package", "called", "named", "install", "uninstall", "remove", "program", "of", "is", "app", "about", "for", "software"]))
        .or_else(|| r.command())
        .or_else(|| r.file())
        .ok_or(WHICH)
}

fn list(r: &Request<'_>) -> Outcome {
    let c = first_available(r, &[("gpm", "gpm list".into()), ("dpkg-query", "dpkg-query -W".into())]);
    built(c, "Lists the installed packages with their versions.")
}

fn count(r: &Request<'_>) -> Outcome {
    let c = first_available(r, &[("gpm", "gpm list | wc -l".into()), ("dpkg-query", "dpkg-query -W | wc -l".into())]);
    built(c, "Counts the installed packages.")
}

fn installed(r: &Request<'_>) -> Outcome {
    let p = package(r)?;
    let c = first_available(r, &[("gpm", format!("gpm info {}", quote(&p))), ("dpkg", format!("dpkg -s {}", quote(&p)))]);
    built(c, format!("Shows whether {p} is installed, and which version."))
}

fn files(r: &Request<'_>) -> Outcome {
    let p = package(r)?;
    let c = first_available(r, &[("gpm", format!("gpm files {}", quote(&p))), ("dpkg", format!("dpkg -L {}", quote(&p)))]);
    built(c, format!("Lists the files of the package {p}."))
}

fn owner(r: &Request<'_>) -> Outcome {
    if let Some(p) = r.take(|k| match k {
        Kind::Path(p) | Kind::Dir(p) => Some(p.clone()),
        _ => None,
    }) {
        let c = first_available(r, &[("gpm", format!("gpm owns {}", quote(&p))), ("dpkg", format!("dpkg -S {}", quote(&p)))]);
        return built(c, format!("Says which package {p} is from."));
    }
    let c = r.command().ok_or(Unfilled::Missing("Which file or program?"))?;
    let place = format!("\"$(command -v {})\"", quote(&c));
    let command = first_available(r, &[("gpm", format!("gpm owns {place}")), ("dpkg", format!("dpkg -S {place}"))]);
    built(command, format!("Says which package the program {c} is from."))
}

fn all_packages(r: &Request<'_>) -> Result<Vec<String>, Unfilled> {
    let mut all = vec![package(r)?];
    for i in r.unknown_words() {
        r.mark(i, i + 1);
        all.push(r.tokens[i].raw.clone());
    }
    Ok(all)
}

fn install(r: &Request<'_>) -> Outcome {
    if let Some(p) = r.take(|k| match k {
        Kind::Path(p) if p.ends_with(".deb") => Some(p.clone()),
        _ => None,
    }) {
        return built(format!("dpkg -i {}", actions::quote::quote_path(&p)), format!("Installs the package file {p}."));
    }
    let p = all_packages(r)?;
    let q: Vec<String> = p.iter().map(|p| quote(p)).collect();
    let q = q.join(" ");
    let c = first_available(r, &[("gpm", format!("gpm install {q}")), ("apt-get", format!("apt-get install {q}"))]);
    built(c, format!("Installs {}.", p.join(" and ")))
}

fn remove(r: &Request<'_>) -> Outcome {
    let p = all_packages(r)?;
    let q: Vec<String> = p.iter().map(|p| quote(p)).collect();
    let q = q.join(" ");
    let c = first_available(r, &[("gpm", format!("gpm remove {q}")), ("apt-get", format!("apt-get remove {q}"))]);
    built(c, format!("Removes {}.", p.join(" and ")))
}

fn search(r: &Request<'_>) -> Outcome {
    let p = r.quoted().or_else(|| r.any_unknown()).or_else(|| r.rest_after(&["for", "named", "called", "about"]).map(|s| {
        let words: Vec<&str> = s.split(' ').filter(|w| !matches!(*w, "a" | "an" | "the" | "package" | "packages" | "for" | "to" | "program" | "that" | "can")).collect();
        words.join(" ")
    })).filter(|s| !s.is_empty()).ok_or(Unfilled::Missing("Search for what?"))?;
    let q = quote(&p);
    let c = first_available(r, &[("gpm", format!("gpm search {q}")), ("apt-cache", format!("apt-cache search {q}"))]);
    built(c, format!("Searches the packages for {p}."))
}

fn update(r: &Request<'_>) -> Outcome {
    if r.has(&["list", "lists", "index", "check", "refresh", "available"]) && !r.has(&["upgrade"]) {
        let c = first_available(r, &[("gpm", "gpm update".into()), ("apt-get", "apt-get update".into())]);
        return built(c, "Fetches the current lists of packages.");
    }
    let c = first_available(r, &[("gpm", "gpm update && gpm upgrade".into()), ("apt-get", "apt-get update && apt-get upgrade".into())]);
    built(c, "Brings all installed packages up to date.")
}

fn info(r: &Request<'_>) -> Outcome {
    let p = package(r)?;
    let c = first_available(r, &[("gpm", format!("gpm info {}", quote(&p))), ("apt-cache", format!("apt-cache show {}", quote(&p))), ("dpkg", format!("dpkg -s {}", quote(&p)))]);
    built(c, format!("Shows what the package {p} is."))
}

fn version(r: &Request<'_>) -> Outcome {
    let p = package(r)?;
    if r.world.has_command(&p) && p.chars().all(|c| c.is_ascii_alphanumeric() || "-_+.".contains(c)) {
        return built(format!("{p} --version"), format!("Prints the version of {p}."));
    }
    let c = first_available(r, &[("gpm", format!("gpm info {}", quote(&p))), ("dpkg-query", format!("dpkg-query -W {}", quote(&p)))]);
    built(c, format!("Prints the installed version of {p}."))
}

fn largest(r: &Request<'_>) -> Outcome {
    let n = r.num().unwrap_or(10);
    built(format!("dpkg-query -Wf '${{Installed-Size}}\\t${{Package}}\\n' | sort -rn | head -n {n}"), format!("Shows the {n} packages that take the most space, in KB."))
}
