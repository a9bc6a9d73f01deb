//! `.gcdelta`: what makes a version of a package of the files of another one.
//!
//! ```text
//! magic        8 bytes  "GCDLT", the format's version 1, CR, LF
//! level        4 bytes  how hard Zstandard tried when the package was made
//! lengths      8 bytes  of the base's contents; 8 bytes: of the head; all little endian
//! base         64 bytes: SHA-512 of the base's contents: its regular files, one after another in the list's order
//! head         the package's bytes before its payload, as they are
//! patch        the package's contents under Zstandard, with the base's contents as what came before them
//! ```
//!
//! The package is made by compressing the contents again, as its maker did. Whether that has given the same bytes is not a matter of trust in
//! the library: who makes a delta tries it, and who uses one compares the result with what the repository has signed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::Path;

use crate::digest::{Digest, Hasher};
use crate::package::reader::{parse_header, read_head};
use crate::package::{Entry, MAX_HEADER, Package, PackageError, Preset, Sink, Trust};

const MAGIC: &[u8; 8] = b"GCDLT\x01\r\n";
/// The largest contents that there are deltas for: both versions' must be in memory.
pub const MAX_CONTENTS: u64 = 128 << 20;
/// A window over both of them, as a power of two.
const WINDOW_LOG_MAX: u32 = 28;
/// How hard Zstandard looks for what is the same.
const LEVEL: i32 = 12;
/// What stands before a package's payload beside its header: the first line and the signatures.
const MAX_HEAD: u64 = MAX_HEADER as u64 + 4096;

/// Why there is no delta, or why it gives no package.
#[derive(Debug, thiserror::Error)]
pub enum DeltaError {
    /// It is none, or has been spoilt.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// It was made for other files.
    #[error("it is for other files than those that are here")]
    Base,
    /// Contents are too large for memory.
    #[error("there are no deltas for packages of more than {} MiB", MAX_CONTENTS >> 20)]
    Size,
    /// Making one: the package cannot be compressed as its maker did.
    #[error("{0} was compressed in another way than gpm does now")]
    Compression(String),
    /// A package that one is made of, or for.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The medium.
    #[error("cannot read it: {0}")]
    Read(#[source] io::Error),
    /// The medium.
    #[error("cannot write the package: {0}")]
    Write(#[source] io::Error),
}

struct Collect(Vec<u8>);

impl Sink for Collect {
    fn entry(&mut self, _: &Entry, contents: &mut dyn Read) -> io::Result<()> {
        contents.read_to_end(&mut self.0).map(drop)
    }
}

/// The contents of a package, as deltas take them.
///
/// # Errors
/// When they are too large, or the package is not what it was when it was verified.
pub fn contents<R: Read + Seek>(package: &mut Package<R>) -> Result<Vec<u8>, DeltaError> {
    if package.header().payload.size > MAX_CONTENTS {
        return Err(DeltaError::Size);
    }
    let mut all = Collect(Vec::new());
    package.unpack(&mut all)?;
    Ok(all.0)
}

/// Makes the delta that turns the files of the package at `base` into the package at `new`, both of which have this SHA-512. Tells also the
/// checksum of the base's contents.
///
/// # Errors
/// When one cannot be read or is damaged, they are too large, or the new one cannot be made again byte for byte.
pub fn make(base: (&Path, &Digest), new: (&Path, &Digest)) -> Result<(Vec<u8>, Digest), DeltaError> {
    let base_contents = contents(&mut Package::open(base.0, Trust::Digest(base.1))?)?;
    let base_digest = Digest::of(&base_contents);
    let mut package = Package::open(new.0, Trust::Digest(new.1))?;
    let new_contents = contents(&mut package)?;
    let head = usize::try_from(package.size() - package.header().payload.compressed - 64).map_err(|_| DeltaError::Size)?;
    let mut whole = Vec::new();
    File::open(new.0).and_then(|file| file.take(package.size()).read_to_end(&mut whole)).map_err(DeltaError::Read)?;
    let patch = patch(&base_contents, &new_contents).map_err(DeltaError::Write)?;
    for level in Preset::ALL.map(Preset::level) {
        let mut delta = MAGIC.to_vec();
        delta.extend_from_slice(&level.to_le_bytes());
        delta.extend_from_slice(&(base_contents.len() as u64).to_le_bytes());
        delta.extend_from_slice(&(head as u64).to_le_bytes());
        delta.extend_from_slice(&base_digest.0);
        delta.extend_from_slice(whole.get(..head).ok_or(DeltaError::Damaged("it ends early"))?);
        delta.extend_from_slice(&patch);
        if apply(&mut delta.as_slice(), &base_contents, &mut io::sink())? == *new.1 {
            return Ok((delta, base_digest));
        }
    }
    Err(DeltaError::Compression(package.header().manifest.id()))
}

fn patch(base: &[u8], new: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::with_ref_prefix(Vec::new(), LEVEL, base)?;
    // All of the base must be within reach at the new one's end.
    let log = (base.len() + new.len()).max(1 << 10).ilog2() + 1;
    encoder.window_log(log.min(WINDOW_LOG_MAX))?;
    encoder.long_distance_matching(true)?;
    encoder.set_pledged_src_size(Some(new.len() as u64))?;
    encoder.include_contentsize(true)?;
    encoder.write_all(new)?;
    encoder.finish()
}

/// Writes the package that a delta makes of the base's contents, and tells its SHA-512: only if that is the expected one is it the package.
///
/// # Errors
/// When the delta is damaged, is for another base, or the package cannot be written.
pub fn apply(delta: &mut impl BufRead, base: &[u8], output: &mut impl Write) -> Result<Digest, DeltaError> {
    let early = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => DeltaError::Damaged("it ends early"),
        _ => DeltaError::Read(error),
    };
    let (mut magic, mut level, mut base_length, mut head_length, mut digest) = ([0; 8], [0; 4], [0; 8], [0; 8], [0; 64]);
    for field in [&mut magic[..], &mut level, &mut base_length, &mut head_length, &mut digest] {
        delta.read_exact(field).map_err(early)?;
    }
    if magic != *MAGIC {
        return Err(DeltaError::Damaged("it does not begin with the letters GCDLT and version 1"));
    }
    if u64::from_le_bytes(base_length) != base.len() as u64 || Digest::of(base).0 != digest {
        return Err(DeltaError::Base);
    }
    let level = i32::from_le_bytes(level);
    if !Preset::ALL.iter().any(|it| it.level() == level) {
        return Err(DeltaError::Damaged("it names a level that no package has"));
    }
    let length = u64::from_le_bytes(head_length);
    let mut head = Vec::new();
    if length > MAX_HEAD {
        return Err(DeltaError::Damaged("its head is too long"));
    }
    delta.take(length).read_to_end(&mut head).map_err(DeltaError::Read)?;
    let mut rest = head.as_slice();
    let header = parse_header(&read_head(&mut rest)?.0)?;
    if head.len() as u64 != length || !rest.is_empty() {
        return Err(DeltaError::Damaged("its head is not as long as it says"));
    }
    if header.payload.size > MAX_CONTENTS {
        return Err(DeltaError::Size);
    }

    let mut result = Hashed { output, hasher: Hasher::new(), left: header.payload.compressed.saturating_add(length) };
    result.write_all(&head).map_err(DeltaError::Write)?;
    let mut decoder = zstd::stream::read::Decoder::with_ref_prefix(delta, base).map_err(DeltaError::Read)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(DeltaError::Read)?;
    let mut encoder = zstd::Encoder::new(result, level).map_err(DeltaError::Write)?;
    let mut buffer = vec![0; 1 << 17];
    let mut size = 0u64;
    loop {
        let read = match decoder.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.raw_os_error().is_some() => return Err(DeltaError::Read(error)),
            Err(_) => return Err(DeltaError::Damaged("its patch cannot be decompressed")),
        };
        if read == 0 {
            break;
        }
        size += read as u64;
        if size > header.payload.size {
            return Err(DeltaError::Damaged("it gives more than the package has"));
        }
        encoder.write_all(&buffer[..read]).map_err(write_failed)?;
    }
    if size != header.payload.size {
        return Err(DeltaError::Damaged("it gives less than the package has"));
    }
    if !decoder.finish().fill_buf().map_err(DeltaError::Read)?.is_empty() {
        return Err(DeltaError::Damaged("bytes follow its end"));
    }
    let Hashed { output, hasher: mut whole, .. } = encoder.finish().map_err(write_failed)?;
    let trailer = whole.clone().finish();
    output.write_all(&trailer.0).map_err(DeltaError::Write)?;
    whole.update(&trailer.0);
    Ok(whole.finish())
}

/// Writes and hashes, at most so many bytes.
struct Hashed<'a, W> {
    output: &'a mut W,
    hasher: Hasher,
    left: u64,
}

/// A package that grows beyond its own length is no failure of the disk.
fn write_failed(error: io::Error) -> DeltaError {
    if error.kind() == io::ErrorKind::FileTooLarge { DeltaError::Damaged("it gives more than the package has") } else { DeltaError::Write(error) }
}

impl<W: Write> Write for Hashed<'_, W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(data.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        self.output.write_all(data)?;
        self.hasher.update(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// As [`apply`], from a file into a new one.
///
/// # Errors
/// As [`apply`]. The new file may be there then, in part.
pub fn apply_file(delta: &Path, base: &[u8], output: &Path) -> Result<Digest, DeltaError> {
    let mut delta = BufReader::new(File::open(delta).map_err(DeltaError::Read)?);
    let mut output = io::BufWriter::new(File::create(output).map_err(DeltaError::Write)?);
    let digest = apply(&mut delta, base, &mut output)?;
    output.flush().map_err(DeltaError::Write)?;
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use proptest::strategy::{Strategy, ValueTree};

    use super::*;
    use crate::manifest::Manifest;
    use crate::package::{Builder, Kind};
    use crate::version::Version;

    /// Programs that differ in a part, beside files that do not.
    fn package(folder: &Path, version: &str, preset: Preset, change: u8) -> (std::path::PathBuf, Digest) {
        let mut builder = Builder::new(Manifest::new("demo", Version::new(version).unwrap(), "Demo", "MIT")).preset(preset);
        let mut random = 1u64;
        let mut noise = |length: usize| -> Vec<u8> {
            let next = std::iter::repeat_with(|| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 56) as u8
            });
            next.take(length).collect()
        };
        for number in 0..8 {
            let mut contents = noise(50_000);
            contents[number * 1000..][..40].fill(change);
            let kind = Kind::Regular { size: 0, sha512: Digest::of(b"") };
            let entry = Entry { path: format!("usr/lib/demo/{number}"), mode: 0o644, uid: 0, gid: 0, mtime: 1, xattrs: std::collections::BTreeMap::new(), kind };
            builder.add(entry, contents);
        }
        let path = folder.join(format!("{version}.gcpkg"));
        let digest = builder.write(&mut File::create(&path).unwrap(), &[]).unwrap();
        (path, digest)
    }

    fn both(folder: &Path, preset: Preset) -> ([(std::path::PathBuf, Digest); 2], Vec<u8>, Vec<u8>) {
        let (old, new) = (package(folder, "1", preset, 1), package(folder, "2", preset, 2));
        let (delta, digest) = make((&old.0, &old.1), (&new.0, &new.1)).unwrap();
        let base = contents(&mut Package::open(&old.0, Trust::Digest(&old.1)).unwrap()).unwrap();
        assert_eq!(Digest::of(&base), digest);
        ([old, new], delta, base)
    }

    #[test]
    fn a_delta_is_small_and_gives_the_package_byte_for_byte() {
        for preset in Preset::ALL {
            let folder = tempfile::tempdir().unwrap();
            let ([_, new], delta, base) = both(folder.path(), preset);
            let whole = std::fs::read(&new.0).unwrap();
            assert!(delta.len() < whole.len() / 20, "{} of {}", delta.len(), whole.len());
            let mut result = Vec::new();
            assert_eq!(apply(&mut delta.as_slice(), &base, &mut result).unwrap(), new.1);
            assert_eq!(result, whole);
        }
    }

    #[test]
    fn damaged_truncated_and_foreign_ones_give_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let ([_, new], delta, base) = both(folder.path(), Preset::Quick);
        let gives = |delta: &[u8], base: &[u8]| apply(&mut &*delta, base, &mut io::sink());
        for length in (0..delta.len()).step_by(7) {
            assert!(matches!(gives(&delta[..length], &base), Err(DeltaError::Damaged(_) | DeltaError::Package(_) | DeltaError::Base)), "{length}");
        }
        assert!(matches!(gives(&[&delta[..], b"x"].concat(), &base), Err(DeltaError::Damaged(_))));
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let change = (0..delta.len(), 1..=255u8);
        for _ in 0..500 {
            let (at, flip) = change.new_tree(&mut runner).unwrap().current();
            let mut bad = delta.clone();
            bad[at] ^= flip;
            assert!(!gives(&bad, &base).is_ok_and(|it| it == new.1), "byte {at}");
        }
        let mut other = base.clone();
        other[1000] ^= 1;
        assert!(matches!(gives(&delta, &other), Err(DeltaError::Base)));
        assert!(matches!(gives(&delta, &base[1..]), Err(DeltaError::Base)));
    }

    /// A patch that would fill the disk ends where the package would.
    #[test]
    fn endless_ones_are_broken_off() {
        let folder = tempfile::tempdir().unwrap();
        let (_, delta, base) = both(folder.path(), Preset::Quick);
        let head = u64::from_le_bytes(delta[20..28].try_into().unwrap()) as usize;
        let bomb = patch(&base, &vec![0; 100 << 20]).unwrap();
        assert!(bomb.len() < 1 << 20);
        let bad = [&delta[..92 + head], &bomb[..]].concat();
        let mut written = Vec::new();
        let error = apply(&mut bad.as_slice(), &base, &mut written).unwrap_err();
        assert!(matches!(error, DeltaError::Damaged("it gives more than the package has")), "{error}");
        assert!(written.len() < 2 * delta.len() + base.len());
        let less = [&delta[..92 + head], &patch(&base, &base[1..]).unwrap()[..]].concat();
        assert!(matches!(apply(&mut less.as_slice(), &base, &mut io::sink()), Err(DeltaError::Damaged(_))));
    }
}
