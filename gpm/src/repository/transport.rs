//! Brings files from `file://`, `http://` and `https://`, never more of them than is allowed.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use super::RepositoryError;
use crate::observer::{Event, Observer};

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(String);

impl Url {
    /// Checks that the address is one that can be fetched from.
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn new(text: &str) -> Result<Url, RepositoryError> {
        let text = text.trim_end_matches('/');
        let known = ["file:///", "http://", "https://"].iter().any(|it| text.len() > it.len() && text.starts_with(it));
        if known { Ok(Url(text.to_owned())) } else { Err(RepositoryError::Url(text.to_owned())) }
    }

    /// The address of a file below it.
    pub fn join(&self, path: &str) -> String {
        format!("{}/{path}", self.0)
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Fetches files.
pub struct Transport {
    #[cfg(feature = "http")]
    agent: ureq::Agent,
}

impl Default for Transport {
    fn default() -> Transport {
        Transport::new()
    }
}

impl Transport {
    /// With limits on how long a server may keep silent.
    #[cfg(feature = "http")]
    pub fn new() -> Transport {
        use std::time::Duration;

        let config = ureq::Agent::config_builder()
            .user_agent(concat!("gpm/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_secs(30)))
            .timeout_recv_body(Some(Duration::from_secs(1800)))
            .max_redirects(3)
            .build();
        Transport { agent: config.into() }
    }

    /// For `file://` only, as this gpm is built.
    #[cfg(not(feature = "http"))]
    pub fn new() -> Transport {
        Transport {}
    }

    /// Opens a file; `None` where there is no such file.
    ///
    /// # Errors
    /// When it cannot be reached or opened.
    pub fn open(&self, url: &str) -> Result<Option<Box<dyn Read + Send>>, RepositoryError> {
        let failed = |source: io::Error| RepositoryError::Fetch { url: url.to_owned(), source };
        if let Some(path) = url.strip_prefix("file://") {
            return match File::open(PathBuf::from(path)) {
                Ok(file) => Ok(Some(Box::new(file))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(failed(error)),
            };
        }
        #[cfg(feature = "http")]
        return match self.agent.get(url).call() {
            Ok(response) => Ok(Some(Box::new(response.into_body().into_reader()))),
            Err(ureq::Error::StatusCode(404 | 410)) => Ok(None),
            Err(error) => Err(failed(io::Error::other(error.to_string()))),
        };
        #[cfg(not(feature = "http"))]
        Err(failed(io::Error::new(io::ErrorKind::Unsupported, "this gpm is built for file:// only")))
    }

    /// Fetches a whole file of at most `limit` bytes into memory; `None` where there is no such file.
    ///
    /// # Errors
    /// When it cannot be fetched, or is longer.
    pub fn get(&self, url: &str, limit: u64) -> Result<Option<Vec<u8>>, RepositoryError> {
        let Some(reader) = self.open(url)? else { return Ok(None) };
        let mut text = Vec::new();
        reader.take(limit + 1).read_to_end(&mut text).map_err(|source| RepositoryError::Fetch { url: url.to_owned(), source })?;
        if text.len() as u64 > limit {
            return Err(RepositoryError::Endless { what: url.to_owned(), limit });
        }
        Ok(Some(text))
    }
}

/// Copies exactly `length` bytes, and tells of it.
pub(crate) fn copy_exactly(
    reader: &mut dyn Read,
    writer: &mut dyn io::Write,
    length: u64,
    name: &str,
    observer: &dyn Observer,
) -> Result<(), RepositoryError> {
    let mut buffer = vec![0; 1 << 16];
    let mut done = 0;
    loop {
        if observer.cancelled() {
            return Err(RepositoryError::Cancelled);
        }
        let read = reader.read(&mut buffer).map_err(|source| RepositoryError::Fetch { url: name.to_owned(), source })?;
        if read == 0 {
            break;
        }
        done += read as u64;
        if done > length {
            return Err(RepositoryError::Endless { what: name.to_owned(), limit: length });
        }
        writer.write_all(&buffer[..read]).map_err(|source| RepositoryError::Store { what: name.to_owned(), source })?;
        observer.event(&Event::Fetch { name, done, total: Some(length) });
    }
    if done < length { Err(RepositoryError::Truncated { what: name.to_owned(), expected: length, found: done }) } else { Ok(()) }
}
