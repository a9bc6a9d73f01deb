//! Reads packages: first all of it is verified, then it is unpacked.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::digest::{Digest, Hasher};
use crate::keys::{KeyId, PublicKey};
use crate::package::writer::signed_message;
use crate::package::{Entry, Header, Kind, MAGIC, MAX_HEADER, MAX_HEADER_JSON, MAX_SIGNATURES, PackageError};

/// Up to this size what has been verified is kept in memory: it need not be read, and verified, a second time.
const KEEP: u64 = 32 << 20;
/// The largest window that a payload may need to be decompressed, as a power of two: 128 MiB.
const WINDOW_LOG_MAX: u32 = 27;

/// Whose packages are accepted.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// Those that one of these keys has signed.
    Keys(&'a [PublicKey]),
    /// The one file with this SHA-512, which signed metadata of a repository names. That is all that is checked before it is unpacked: whether
    /// its contents are those of its list has been checked before it was published.
    Digest(&'a Digest),
    /// All: its owner has said so, or it is only looked at.
    Anyone,
}

/// Who vouches for a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustReport {
    /// All keys that claim to have signed it.
    pub signers: Vec<KeyId>,
    /// Those whose signature was verified.
    pub verified: Vec<KeyId>,
}

/// A verified package.
#[derive(Debug)]
pub struct Package<R> {
    header: Header,
    digest: Digest,
    size: u64,
    trust: TrustReport,
    reader: R,
    payload_at: u64,
    kept: Kept,
}

/// What is left in memory of a payload that has been verified.
#[derive(Debug)]
enum Kept {
    Nothing,
    /// The files' contents.
    Contents(Vec<u8>),
    /// As it lies in the package.
    Packed(Vec<u8>),
}

/// Where unpacked files go.
pub trait Sink {
    /// Takes one entry; `contents` gives those of a regular file and nothing for the others.
    ///
    /// # Errors
    /// When it cannot be written: unpacking ends there.
    fn entry(&mut self, entry: &Entry, contents: &mut dyn Read) -> io::Result<()>;
}

impl Package<BufReader<File>> {
    /// Opens and verifies a package's file.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is not trusted.
    pub fn open(path: &Path, trust: Trust<'_>) -> Result<Self, PackageError> {
        let file = File::open(path).map_err(PackageError::Read)?;
        Package::verify(BufReader::with_capacity(1 << 17, file), trust)
    }
}

impl<R: Read + Seek> Package<R> {
    /// Verifies all of a package, from where `reader` stands to its end: signatures, checksums of the whole and of each file (but see
    /// [`Trust::Digest`]), the list of files, the manifest. Writes nothing.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is not trusted.
    pub fn verify(mut reader: R, trust: Trust<'_>) -> Result<Self, PackageError> {
        let start = reader.stream_position().map_err(PackageError::Read)?;
        let mut input = Counted { inner: &mut reader, whole: Hasher::new(), payload: None, count: 0 };
        let (packed, signatures) = read_head(&mut input)?;
        let report = check_signatures(&packed, &signatures, trust)?;
        let header = parse_header(&packed)?;
        let payload_at = start + input.count;
        let kept = if matches!(trust, Trust::Digest(_)) {
            take_payload(&mut input, header.payload.compressed)?
        } else {
            input.payload = Some(Hasher::new());
            let kept = read_payload(&mut input, &header)?;
            let payload = input.payload.take().unwrap_or_default().finish();
            if payload != header.payload.sha512 {
                return Err(PackageError::Checksum("its payload".into()));
            }
            kept
        };
        let whole = input.whole.clone().finish();
        let mut trailer = [0; 64];
        read_exact(&mut input, &mut trailer, "its trailer")?;
        if whole.0 != trailer {
            return Err(PackageError::Checksum("the whole".into()));
        }
        let size = input.count;
        let digest = input.whole.finish();
        if reader.read(&mut [0]).map_err(PackageError::Read)? != 0 {
            return Err(PackageError::TooLong);
        }
        if let Trust::Digest(expected) = trust
            && digest != *expected
        {
            return Err(PackageError::Digest { found: digest, expected: *expected });
        }
        Ok(Package { header, digest, size, trust: report, reader, payload_at, kept })
    }

    /// Gives all entries to `sink` in the list's order. Where the package has to be read again, the checksum of each file is checked on the
    /// way.
    ///
    /// # Errors
    /// When `sink` fails, or the file is not what it was when it was verified.
    pub fn unpack(&mut self, sink: &mut dyn Sink) -> Result<(), PackageError> {
        let files = &self.header.files;
        match &self.kept {
            Kept::Contents(contents) => deliver(&mut contents.as_slice(), files, sink, Checks::Done),
            Kept::Packed(packed) => deliver_all(&mut decoder(packed.as_slice())?, files, sink, Checks::Done),
            Kept::Nothing => {
                self.reader.seek(SeekFrom::Start(self.payload_at)).map_err(PackageError::Read)?;
                let packed = BufReader::with_capacity(1 << 17, (&mut self.reader).take(self.header.payload.compressed));
                deliver_all(&mut decoder(packed)?, files, sink, Checks::Due)
            }
        }
    }
}

impl<R> Package<R> {
    /// Manifest and list of files.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// SHA-512 of the whole file, by which repositories name it.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Who vouches for it.
    pub fn trust(&self) -> &TrustReport {
        &self.trust
    }
}

/// Counts and hashes what is read.
struct Counted<'a, R> {
    inner: &'a mut R,
    whole: Hasher,
    payload: Option<Hasher>,
    count: u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.whole.update(&buffer[..length]);
        if let Some(payload) = &mut self.payload {
            payload.update(&buffer[..length]);
        }
        self.count += length as u64;
        Ok(length)
    }
}

fn read_exact(input: &mut impl Read, buffer: &mut [u8], what: &'static str) -> Result<(), PackageError> {
    input.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => PackageError::Truncated(what),
        _ => PackageError::Read(error),
    })
}

pub(super) type Signature = (KeyId, [u8; 64]);

pub(super) fn read_head(input: &mut impl Read) -> Result<(Vec<u8>, Vec<Signature>), PackageError> {
    let mut magic = [0; 8];
    read_exact(input, &mut magic, "its first line")?;
    if magic[..5] != MAGIC[..5] {
        return Err(PackageError::Magic);
    }
    if &magic != MAGIC {
        return Err(PackageError::Format);
    }
    let mut number = |limit: u32, what| {
        let mut bytes = [0; 4];
        read_exact(input, &mut bytes, "its first line")?;
        Some(u32::from_le_bytes(bytes)).filter(|it| *it <= limit).ok_or(PackageError::Limit(what))
    };
    let length = number(MAX_HEADER, "its header is too large")?;
    let count = number(MAX_SIGNATURES, "it has too many signatures")?;
    let mut signatures = Vec::new();
    for _ in 0..count {
        let (mut id, mut signature) = ([0; 32], [0; 64]);
        read_exact(input, &mut id, "a signature")?;
        read_exact(input, &mut signature, "a signature")?;
        signatures.push((KeyId(id), signature));
    }
    // Grows as bytes come: a length that lies costs no memory.
    let mut packed = Vec::new();
    input.take(u64::from(length)).read_to_end(&mut packed).map_err(PackageError::Read)?;
    if packed.len() as u64 != u64::from(length) {
        return Err(PackageError::Truncated("its header"));
    }
    Ok((packed, signatures))
}

fn check_signatures(packed: &[u8], signatures: &[Signature], trust: Trust<'_>) -> Result<TrustReport, PackageError> {
    let signers: Vec<KeyId> = signatures.iter().map(|(id, _)| *id).collect();
    let mut report = TrustReport { signers, verified: Vec::new() };
    let Trust::Keys(keys) = trust else { return Ok(report) };
    if signatures.is_empty() {
        return Err(PackageError::Unsigned);
    }
    let message = signed_message(packed);
    for (id, signature) in signatures {
        if let Some(key) = keys.iter().find(|key| key.id() == *id) {
            if !key.verifies(&message, signature) {
                return Err(PackageError::Signature(*id));
            }
            report.verified.push(*id);
        }
    }
    if report.verified.is_empty() { Err(PackageError::Untrusted(report.signers)) } else { Ok(report) }
}

pub(super) fn parse_header(packed: &[u8]) -> Result<Header, PackageError> {
    let unreadable = |error: &dyn std::fmt::Display| PackageError::Header(error.to_string());
    let mut json = Vec::new();
    decoder(packed)?.take(MAX_HEADER_JSON).read_to_end(&mut json).map_err(|error| unreadable(&error))?;
    let header: Header = serde_json::from_slice(&json).map_err(|error| unreadable(&error))?;
    header.check()?;
    Ok(header)
}

fn decoder<'a, R: BufRead + 'a>(input: R) -> Result<zstd::Decoder<'a, R>, PackageError> {
    let mut decoder = zstd::Decoder::with_buffer(input).map_err(PackageError::Read)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(PackageError::Read)?;
    Ok(decoder)
}

/// Reads the payload without looking into it: the checksum of the whole will tell whether it is the right one.
fn take_payload(input: &mut impl Read, length: u64) -> Result<Kept, PackageError> {
    let mut payload = input.take(length);
    let mut kept = Vec::new();
    // It grows as bytes come: a length that lies costs no memory.
    let read = if length <= KEEP { payload.read_to_end(&mut kept).map(drop) } else { io::copy(&mut payload, &mut io::sink()).map(drop) };
    read.map_err(PackageError::Read)?;
    if payload.limit() != 0 {
        return Err(PackageError::Truncated("its payload"));
    }
    Ok(if length <= KEEP { Kept::Packed(kept) } else { Kept::Nothing })
}

/// Reads and checks the payload.
fn read_payload(input: &mut impl Read, header: &Header) -> Result<Kept, PackageError> {
    let mut kept = (header.payload.size <= KEEP).then(Vec::new);
    let mut compressed = input.take(header.payload.compressed);
    deliver_all(&mut decoder(BufReader::new(&mut compressed))?, &header.files, &mut Keep(&mut kept), Checks::Due)?;
    // What the decoder did not want to see, it has left: part of the payload's checksum all the same.
    io::copy(&mut compressed, &mut io::sink()).map_err(PackageError::Read)?;
    if compressed.limit() != 0 {
        return Err(PackageError::Truncated("its payload"));
    }
    Ok(kept.map_or(Kept::Nothing, Kept::Contents))
}

fn damaged(error: io::Error) -> PackageError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => PackageError::Truncated("its payload"),
        // Zstandard's own complaints come as this kind; a medium's have the number of a system call's error.
        _ if error.raw_os_error().is_none() => PackageError::Checksum(format!("its payload ({error})")),
        _ => PackageError::Read(error),
    }
}

struct Keep<'a>(&'a mut Option<Vec<u8>>);

impl Sink for Keep<'_> {
    fn entry(&mut self, _: &Entry, contents: &mut dyn Read) -> io::Result<()> {
        match self.0 {
            Some(kept) => contents.read_to_end(kept).map(drop),
            None => io::copy(contents, &mut io::sink()).map(drop),
        }
    }
}

/// Whether files' checksums are still to be checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Checks {
    Done,
    Due,
}

/// A file's contents, hashed as they are read where that is due.
struct Contents<'a, R> {
    inner: io::Take<&'a mut R>,
    hasher: Option<Hasher>,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Contents<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(length) => {
                if let Some(hasher) = &mut self.hasher {
                    hasher.update(&buffer[..length]);
                }
                Ok(length)
            }
            Err(error) => {
                // Whether the package or the sink is at fault must not be lost.
                self.failed = Some(io::Error::new(error.kind(), error.to_string()));
                Err(error)
            }
        }
    }
}

/// As [`deliver`], where the files must be all that there is.
fn deliver_all<R: Read>(payload: &mut R, files: &[Entry], sink: &mut dyn Sink, checks: Checks) -> Result<(), PackageError> {
    deliver(payload, files, sink, checks)?;
    if payload.read(&mut [0]).map_err(damaged)? != 0 {
        return Err(PackageError::Limit("its payload is longer than its files"));
    }
    Ok(())
}

fn deliver<R: Read>(payload: &mut R, files: &[Entry], sink: &mut dyn Sink, checks: Checks) -> Result<(), PackageError> {
    for entry in files {
        let write_failed = |source| PackageError::Write { path: entry.path.clone(), source };
        let Kind::Regular { size, sha512 } = &entry.kind else {
            sink.entry(entry, &mut io::empty()).map_err(write_failed)?;
            continue;
        };
        let mut contents = Contents { inner: payload.take(*size), hasher: (checks == Checks::Due).then(Hasher::new), failed: None };
        let result = sink.entry(entry, &mut contents);
        if let Some(error) = contents.failed {
            return Err(damaged(error));
        }
        result.map_err(write_failed)?;
        io::copy(&mut contents, &mut io::sink()).map_err(damaged)?;
        if contents.inner.limit() != 0 {
            return Err(PackageError::Truncated("its payload"));
        }
        if contents.hasher.is_some_and(|it| it.finish() != *sha512) {
            return Err(PackageError::Checksum(format!("{:?}", entry.path)));
        }
    }
    Ok(())
}

