//! Beginnings of prompts whose state is kept on disk, by model and tokens.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Files that are kept; of SmolLM2-135M 23 KiB a token.
const KEPT: usize = 16;
/// Of a model's file, that many parts of that many bytes go into its hash: all of it takes seconds on a slow machine.
const PARTS: u64 = 64;
const PART: u64 = 4096;
/// Its description goes into the hash whole, up to here.
const HEAD: u64 = 1 << 20;

/// Names the files of one model.
pub struct Kept {
    folder: PathBuf,
    /// Hash of what makes the state: the model and the adapter.
    model: Vec<u8>,
}

impl Kept {
    /// For a model, with its adapter.
    pub fn new(folder: &Path, files: &[&Path]) -> Result<Kept> {
        let mut hash = Sha256::new();
        for path in files {
            add_file(&mut hash, path).with_context(|| format!("reading {}", path.display()))?;
        }
        Ok(Kept { folder: folder.to_owned(), model: hash.finalize().to_vec() })
    }

    /// The file for these tokens.
    pub fn file(&self, tokens: impl IntoIterator<Item = i32>) -> PathBuf {
        let mut hash = Sha256::new_with_prefix(&self.model);
        for token in tokens {
            hash.update(token.to_le_bytes());
        }
        let name: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        self.folder.join(format!("{name}.state"))
    }

    /// Whether a file is there as it was written. llama.cpp ends the process over one that is not.
    pub fn is_whole(&self, file: &Path) -> bool {
        let Ok(bytes) = std::fs::read(file) else { return false };
        bytes.split_last_chunk().is_some_and(|(state, end)| sum(state) == u64::from_le_bytes(*end))
    }

    /// Has `write` write a file, which gets a checksum at its end (llama.cpp reads no further than its own), and appears whole or not at all. Those that were made first make room for it.
    pub fn keep(&self, file: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let part = file.with_extension(format!("{}.part", std::process::id()));
        // On the disk before it has its name: a power cut leaves no half of it.
        let written = write(&part).and_then(|()| {
            let sum = sum(&std::fs::read(&part)?);
            let mut end = OpenOptions::new().append(true).open(&part)?;
            end.write_all(&sum.to_le_bytes())?;
            Ok(end.sync_all()?)
        });
        let made = written.and_then(|()| std::fs::rename(&part, file).with_context(|| format!("making {}", file.display())));
        if made.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        made?;
        let mut files: Vec<_> = std::fs::read_dir(&self.folder)?
            .flatten()
            .filter(|e| e.path().extension().is_some_and(|x| x == "state"))
            .filter_map(|e| Some((e.metadata().ok()?.modified().ok()?, e.path())))
            .collect();
        files.sort();
        for (_, path) in files.iter().rev().skip(KEPT) {
            let _ = std::fs::remove_file(path);
        }
        Ok(())
    }
}

/// Tells damage, not intent: nobody but genaid may write in the folder. A cryptographic hash would take longer than loading.
fn sum(bytes: &[u8]) -> u64 {
    let mix = |sum: u64, word: [u8; 8]| (sum ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(bytes.len() as u64, |sum, word| mix(sum, *word));
    rest.iter().fold(sum, |sum, byte| mix(sum, [*byte; 8]))
}

fn add_file(hash: &mut Sha256, path: &Path) -> Result<()> {
    let file = File::open(path)?;
    let meta = file.metadata()?;
    let size = meta.len();
    hash.update(size.to_le_bytes());
    // What the parts do not see.
    hash.update(meta.mtime().to_le_bytes());
    let mut take = |from: u64, length: u64| -> Result<()> {
        let mut bytes = vec![0; usize::try_from(length.min(size.saturating_sub(from)))?];
        file.read_exact_at(&mut bytes, from)?;
        hash.update(bytes);
        Ok(())
    };
    take(0, HEAD)?;
    (0..PARTS).try_for_each(|n| take(size / PARTS * n, PART))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_by_model_and_tokens_and_are_not_too_many() {
        let folder = std::env::temp_dir().join(format!("genaid-kept-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (a, b) = (folder.join("a"), folder.join("b"));
        std::fs::write(&a, vec![1; 300_000]).unwrap();
        std::fs::write(&b, vec![2; 300_000]).unwrap();
        let tokens = [1, 2];
        let of = |files: &[&Path], tokens: &[i32]| Kept::new(&folder, files).unwrap().file(tokens.iter().copied());
        assert_eq!(of(&[&a], &tokens), of(&[&a], &tokens));
        assert_ne!(of(&[&a], &tokens), of(&[&b], &tokens));
        assert_ne!(of(&[&a], &tokens), of(&[&a, &b], &tokens));
        assert_ne!(of(&[&a], &tokens), of(&[&a], &tokens[..1]));
        let kept = Kept::new(&folder, &[&a]).unwrap();
        let file = kept.file(tokens);
        kept.keep(&file, |path| Ok(std::fs::write(path, b"some state")?)).unwrap();
        assert!(kept.is_whole(&file));
        for damage in [&b"some state"[..], b"", b"some stale12345678"] {
            std::fs::write(&file, damage).unwrap();
            assert!(!kept.is_whole(&file), "{damage:?}");
        }
        for n in 0..KEPT as i32 + 3 {
            let file = kept.file([n]);
            kept.keep(&file, |path| Ok(std::fs::write(path, b"state")?)).unwrap();
        }
        assert!(kept.keep(&kept.file(tokens), |path| { std::fs::write(path, b"half")?; anyhow::bail!("full") }).is_err());
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().map(|e| e.file_name().into_string().unwrap()).collect();
        assert_eq!((left.iter().filter(|n| n.ends_with(".state")).count(), left.iter().filter(|n| n.ends_with(".part")).count()), (KEPT, 0));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
