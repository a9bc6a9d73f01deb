//! Archives and compression.

use actions::quote::quote_path;

use super::filter::filter;
use super::{Intent, Outcome, Unfilled, built};
use crate::entity::Kind;
use crate::request::Request;

pub(super) const INTENTS: &[Intent] = &[
    Intent { id: "archive.create", about: "pack files into an archive", example: "pack the folder photos into photos.tar.gz", build: create },
    Intent { id: "archive.extract", about: "unpack an archive", example: "extract backup.tar.gz", build: extract },
    Intent { id: "archive.list", about: "what is in an archive", example: "what is inside backup.tar.gz", build: list },
    Intent { id: "file.compress", about: "compress a file", example: "compress big.log", build: compress },
    Intent { id: "file.decompress", about: "decompress a file", example: "decompress big.log.gz", build: decompress },
    Intent { id: "file.split", about: "cut a file into pieces", example: "split big.log into files of 1000 lines", build: split },
    Intent { id: "file.checksum", about: "a checksum of a file", example: "sha256 checksum of disk.iso", build: checksum },
];

const WHICH: Unfilled = Unfilled::Missing("Which archive?");

pub(super) fn is_archive(p: &str) -> bool {
    [".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst", ".txz", ".tbz2", ".zip"].iter().any(|e| p.to_lowercase().ends_with(e))
}

fn create(r: &Request<'_>) -> Outcome {
    let named = r.take(|k| match k {
        Kind::Path(p) | Kind::Quoted(p) if is_archive(p) => Some(p.clone()),
        _ => None,
    });
    if r.entities.iter().any(|e| matches!(&e.kind, Kind::Ext(_, l) if !matches!(l.trim_end_matches('s'), "archive" | "tarball" | "zip"))) {
        // All files of a kind.
        let name = named.unwrap_or_else(|| "files.tar.gz".into());
        let f = filter(r);
        return built(
            format!("{} -print0 | tar -czf {} --null -T -", f.find(), quote_path(&name)),
            format!("Packs the {} into {name}.", f.describe()),
        );
    }
    let src = r.dir().or_else(|| r.file()).ok_or(Unfilled::Missing("Pack which files?"))?;
    let name = named.unwrap_or_else(|| {
        let base = match src.as_str() {
            "." | "./" => "archive",
            "~" => "home",
            s => s.trim_end_matches('/').rsplit('/').next().unwrap_or("archive"),
        };
        format!("{base}.{}", if r.has(&["zip"]) && r.world.has_command("zip") { "zip" } else { "tar.gz" })
    });
    if name.to_lowercase().ends_with(".zip") {
        return built(format!("zip -r {} {}", quote_path(&name), quote_path(&src)), format!("Packs {src} into {name}."));
    }
    let z = if name.ends_with(".tar") { "" } else if name.contains(".xz") || name.ends_with(".txz") { "J" } else if name.contains("bz2") { "j" } else if name.ends_with(".zst") { "a" } else { "z" };
    built(format!("tar -c{z}f {} -- {}", quote_path(&name), quote_path(&src)), format!("Packs {src} into {name}."))
}

fn extract(r: &Request<'_>) -> Outcome {
    let dest = if r.has(&["to", "into", "in"]) { r.destination() } else { None };
    let f = r.file().ok_or(WHICH)?;
    let lower = f.to_lowercase();
    let packed = is_archive(&lower) || [".gz", ".xz", ".bz2", ".zst", ".deb", ".jar", ".7z", ".cpio"].iter().any(|e| lower.ends_with(e));
    if !packed && lower.contains('.') {
        return Err(Unfilled::Impossible);
    }
    if lower.ends_with(".zip") {
        let to = dest.map_or(String::new(), |d| format!(" -d {}", quote_path(&d)));
        return built(format!("unzip -n {}{to}", quote_path(&f)), format!("Unpacks {f}; files that exist are kept."));
    }
    if lower.ends_with(".gz") && !is_archive(&lower) {
        return built(format!("gunzip -k -- {}", quote_path(&f)), format!("Decompresses {f} and keeps it."));
    }
    let (to, words) = match dest {
        Some(d) if d != f => (format!(" -C {}", quote_path(&d)), format!(" into {d}")),
        _ => (String::new(), " here".into()),
    };
    built(format!("tar -xf {}{to}", quote_path(&f)), format!("Unpacks {f}{words}."))
}

pub(super) fn list(r: &Request<'_>) -> Outcome {
    let f = r.file().ok_or(WHICH)?;
    if !is_archive(&f) && !f.to_lowercase().ends_with(".deb") && !r.has(&["archive", "tarball", "zip", "tar"]) {
        return Err(Unfilled::Impossible);
    }
    if f.to_lowercase().ends_with(".zip") {
        return built(format!("unzip -l {}", quote_path(&f)), format!("Lists what is in {f}."));
    }
    if f.to_lowercase().ends_with(".deb") {
        return built(format!("dpkg -c {}", quote_path(&f)), format!("Lists what is in the package {f}."));
    }
    built(format!("tar -tvf {}", quote_path(&f)), format!("Lists what is in {f}, without unpacking."))
}

fn compress(r: &Request<'_>) -> Outcome {
    if r.entities.iter().any(|e| matches!(&e.kind, Kind::Dir(_))) && !r.entities.iter().any(|e| matches!(&e.kind, Kind::Path(_) | Kind::Ext(..))) {
        return create(r);
    }
    if r.entities.iter().any(|e| matches!(e.kind, Kind::Ext(..) | Kind::Glob(_))) {
        let f = filter(r);
        return built(format!("{} -exec gzip -k -- {{}} +", f.find()), format!("Compresses each of the {}, and keeps it.", f.describe()));
    }
    let f = r.file().ok_or(Unfilled::Missing("Which file?"))?;
    if r.world.exists(&f) == Some(crate::world::Exists::Dir) {
        r.reset();
        return create(r);
    }
    let program = if r.has(&["xz"]) { "xz" } else if r.has(&["bzip2"]) { "bzip2" } else { "gzip" };
    built(format!("{program} -k -- {}", quote_path(&f)), format!("Compresses {f} and keeps it."))
}

fn decompress(r: &Request<'_>) -> Outcome {
    let f = r.file().ok_or(Unfilled::Missing("Which file?"))?;
    if is_archive(&f) {
        r.reset();
        return extract(r);
    }
    let program = if f.ends_with(".xz") { "unxz" } else if f.ends_with(".bz2") { "bunzip2" } else { "gunzip" };
    built(format!("{program} -k -- {}", quote_path(&f)), format!("Decompresses {f} and keeps it."))
}

fn split(r: &Request<'_>) -> Outcome {
    let size = r.take(|k| match k {
        Kind::Size(crate::entity::SizeTest::Plain(b) | crate::entity::SizeTest::Over(b) | crate::entity::SizeTest::Under(b)) => Some(*b),
        _ => None,
    });
    let f = r.file().ok_or(Unfilled::Missing("Which file?"))?;
    let (option, words) = match (size, r.num()) {
        (Some(b), _) => (format!("-b {b}"), format!("{b} bytes")),
        (None, Some(n)) if r.has(&["pieces", "parts", "chunks"]) && !r.has(&["lines", "line"]) => (format!("-n {n}"), format!("a {n}th of it")),
        (None, Some(n)) => (format!("-l {n}"), format!("{n} lines")),
        (None, None) => ("-l 1000".into(), "1000 lines".into()),
    };
    let q = quote_path(&f);
    built(format!("split {option} -d -- {q} {}", quote_path(&format!("{f}."))), format!("Cuts {f} into pieces of {words}: {f}.00, {f}.01, ..."))
}

fn checksum(r: &Request<'_>) -> Outcome {
    let program = if r.has(&["md5", "md5sum"]) {
        "md5sum"
    } else if r.has(&["sha1", "sha1sum"]) {
        "sha1sum"
    } else if r.has(&["sha512", "sha512sum"]) {
        "sha512sum"
    } else {
        "sha256sum"
    };
    for w in ["md5", "md5sum", "sha1", "sha1sum", "sha512", "sha512sum", "sha256", "sha256sum"] {
        if let Some(i) = r.position(&[w]) {
            r.mark(i, i + 1);
        }
    }
    if r.entities.iter().any(|e| matches!(e.kind, Kind::Ext(..))) {
        let f = filter(r);
        return built(format!("{} -exec {program} {{}} +", f.find()), format!("Prints the checksum of each of the {}.", f.describe()));
    }
    let f = r.file().ok_or(Unfilled::Missing("Which file?"))?;
    built(format!("{program} -- {}", quote_path(&f)), format!("Prints the checksum of {f}."))
}
