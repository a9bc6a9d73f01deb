//! Repositories: what they are for, and every attack on them.

use std::fs;
use std::path::{Path, PathBuf};

use super::metadata::{Snapshot, Targets, Timestamp, document, open, sign};
use super::*;
use crate::keys::SecretKey;
use crate::observer::Silent;
use crate::package::{Builder, Trust};
use crate::version::Version;

const NOW: Time = Time(1_800_000_000);

struct Fixture {
    folder: tempfile::TempDir,
    transport: Transport,
}

impl Fixture {
    /// A repository of one package, and a client that has seen it.
    fn new() -> Fixture {
        let it = Fixture { folder: tempfile::tempdir().unwrap(), transport: Transport::new() };
        it.keys("keys").generate(3).unwrap();
        it.maker(NOW).init(2).unwrap();
        it.client().trust(&it.maker(NOW).root().unwrap()).unwrap();
        it.add("hello", "1");
        assert_eq!(it.client().update().unwrap(), Updated::News);
        it
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn keys(&self, name: &str) -> Keys {
        Keys::new(&self.path(name))
    }

    fn maker(&self, now: Time) -> Maker {
        Maker::new(&self.path("repo"), self.keys("keys"), Expiry { long: 365, short: 7 }, now)
    }

    fn client_at(&self, now: Time) -> Client<'_> {
        let url = Url::new(&format!("file://{}", self.path("repo").display())).unwrap();
        Client::new("stable", url, self.path("state"), &self.transport, &Silent, now)
    }

    fn client(&self) -> Client<'_> {
        self.client_at(NOW)
    }

    fn add(&self, name: &str, version: &str) {
        let mut manifest = crate::manifest::Manifest::new(name, Version::new(version).unwrap(), "Test", "MIT");
        manifest.description = format!("{name} {version}").repeat(20);
        let path = self.path(&manifest.file_name());
        Builder::new(manifest).write(&mut fs::File::create(&path).unwrap(), &[]).unwrap();
        self.maker(NOW).add(&[path], Trust::Anyone).unwrap();
    }

    /// A copy of the repository as it is, for later.
    fn save(&self, name: &str) {
        copy(&self.path("repo"), &self.path(name));
    }

    fn restore(&self, name: &str, file: &str) {
        fs::copy(self.path(name).join(file), self.path("repo").join(file)).unwrap();
    }

    fn newest(&self, role: &str) -> PathBuf {
        let mut found: Vec<(u64, PathBuf)> = fs::read_dir(self.path("repo/metadata"))
            .unwrap()
            .map(|it| it.unwrap().path())
            .filter_map(|it| Some((it.file_name()?.to_str()?.strip_suffix(&format!(".{role}.json"))?.parse().ok()?, it.clone())))
            .collect();
        found.sort();
        found.pop().unwrap().1
    }

    /// The client refuses, and still knows what it knew.
    fn refused(&self, now: Time) -> RepositoryError {
        let before = self.client().index().unwrap();
        let state = |name: &str| fs::read(self.path("state").join(name)).ok();
        let timestamp = state("timestamp.json");
        let error = self.client_at(now).update().unwrap_err();
        assert_eq!(self.client().index().unwrap(), before);
        assert_eq!(state("timestamp.json"), timestamp);
        error
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { assert!(fs::copy(&path, &target).is_ok()) }
    }
}

#[test]
fn updates_and_fetches() {
    let it = Fixture::new();
    assert_eq!(it.client().update().unwrap(), Updated::Same);
    it.add("hello", "2");
    assert_eq!(it.client().update().unwrap(), Updated::News);
    let index = it.client().index().unwrap();
    assert_eq!(index.packages.iter().map(|it| it.manifest.id()).collect::<Vec<_>>(), ["hello 1", "hello 2"]);
    let target = it.path("fetched.gcpkg");
    it.client().fetch(&index.packages[1], &target).unwrap();
    assert_eq!(Digest::of(&fs::read(&target).unwrap()), index.packages[1].sha512);
    it.maker(NOW).remove(&["hello=1".into()]).unwrap();
    it.client().update().unwrap();
    assert_eq!(it.client().index().unwrap().packages.len(), 1);
    // A version is never changed.
    let mut other = crate::manifest::Manifest::new("hello", Version::new("2").unwrap(), "Other", "MIT");
    other.description = "other".into();
    let path = it.path("other.gcpkg");
    Builder::new(other).write(&mut fs::File::create(&path).unwrap(), &[]).unwrap();
    assert!(matches!(it.maker(NOW).add(&[path], Trust::Anyone), Err(RepositoryError::Changed(_))));
}

#[test]
fn over_http_with_a_server_that_lies() {
    use std::io::{Read, Write};
    let it = Fixture::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let repo = it.path("repo");
    let serve = move |lie: &'static str| {
        let listener = listener.try_clone().unwrap();
        let repo = repo.clone();
        std::thread::spawn(move || {
            // One request for each connection; the thread ends with the test's process.
            while let Ok((mut stream, _)) = listener.accept() {
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                let path = text.split_whitespace().nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
                if path == "stop" {
                    return;
                }
                let _ = match fs::read(repo.join(&path)) {
                    Ok(body) if path.contains(lie) && lie.ends_with(".gcpkg") => {
                        // No length, and no end.
                        let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                        loop {
                            if stream.write_all(&body).is_err() {
                                break Ok(());
                            }
                        }
                    }
                    Ok(body) => write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len())
                        .and_then(|()| stream.write_all(&body)),
                    Err(_) => write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
                };
            }
        })
    };
    let stop = |url: &Url| drop(it.transport.get(&url.join("stop"), 10));
    let client = Client::new("stable", url.clone(), it.path("state"), &it.transport, &Silent, NOW);
    let server = serve("nothing");
    it.add("hello", "2");
    assert_eq!(client.update().unwrap(), Updated::News);
    let offer = client.index().unwrap().packages[1].clone();
    client.fetch(&offer, &it.path("good.gcpkg")).unwrap();
    stop(&url);
    server.join().unwrap();
    let server = serve(".gcpkg");
    let error = client.fetch(&offer, &it.path("endless.gcpkg")).unwrap_err();
    assert!(matches!(error, RepositoryError::Endless { .. }), "{error}");
    assert!(!it.path("endless.gcpkg").exists());
    stop(&url);
    server.join().unwrap();
}

#[test]
fn rollback_is_refused() {
    let it = Fixture::new();
    it.save("before");
    it.add("hello", "2");
    it.client().update().unwrap();
    // All of the old repository again: its signatures are good.
    it.restore("before", "metadata/timestamp.json");
    let error = it.refused(NOW);
    assert!(matches!(error, RepositoryError::Rollback { ref what, .. } if what == "timestamp.json"), "{error}");
    assert!(error.to_string().starts_with("rollback refused"), "{error}");
}

#[test]
fn rollback_by_who_has_the_online_keys_is_refused() {
    let it = Fixture::new();
    let old_targets = it.newest("targets");
    it.add("hello", "2");
    it.client().update().unwrap();
    // A new snapshot and timestamp that name the old targets.
    let text = fs::read(&old_targets).unwrap();
    let targets: Targets = document(&open(Role::Targets, &text).unwrap()).unwrap();
    let mut snapshot: Snapshot = document(&open(Role::Snapshot, &fs::read(it.newest("snapshot")).unwrap()).unwrap()).unwrap();
    let meta = |version, text: &[u8]| metadata::Meta { version, length: text.len() as u64, hashes: metadata::Hashes { sha512: Digest::of(text) } };
    snapshot.version += 1;
    snapshot.meta.insert("targets.json".into(), meta(targets.version, &text));
    let text = sign(&snapshot, &it.keys("keys").of(Role::Snapshot).unwrap()).unwrap();
    fs::write(it.path(&format!("repo/metadata/{}.snapshot.json", snapshot.version)), &text).unwrap();
    let mut timestamp: Timestamp = document(&open(Role::Timestamp, &fs::read(it.path("repo/metadata/timestamp.json")).unwrap()).unwrap()).unwrap();
    timestamp.version += 1;
    timestamp.meta.insert("snapshot.json".into(), meta(snapshot.version, &text));
    fs::write(it.path("repo/metadata/timestamp.json"), sign(&timestamp, &it.keys("keys").of(Role::Timestamp).unwrap()).unwrap()).unwrap();
    let error = it.refused(NOW);
    assert!(matches!(error, RepositoryError::Rollback { ref what, .. } if what == "targets.json"), "{error}");
}

#[test]
fn freeze_is_refused() {
    let it = Fixture::new();
    let error = it.refused(NOW.after_days(8));
    assert!(matches!(error, RepositoryError::Frozen { role: Role::Timestamp, .. }), "{error}");
    assert!(error.to_string().contains("freeze"), "{error}");
    it.maker(NOW.after_days(8)).renew().unwrap();
    assert_eq!(it.client_at(NOW.after_days(8)).update().unwrap(), Updated::Same);
    // The root's end is an end of everything.
    it.maker(NOW.after_days(400)).renew().unwrap();
    assert!(matches!(it.refused(NOW.after_days(400)), RepositoryError::Frozen { role: Role::Root, .. }));
}

#[test]
fn mix_and_match_is_refused() {
    let it = Fixture::new();
    let old = it.newest("targets");
    it.add("hello", "2");
    // The old targets under the name of the new.
    fs::copy(old, it.newest("targets")).unwrap();
    let error = it.refused(NOW);
    assert!(matches!(error, RepositoryError::MixAndMatch { .. } | RepositoryError::Truncated { .. }), "{error}");
    // Of the same length, so that only its version tells.
    let it = Fixture::new();
    it.maker(NOW).renew().unwrap();
    let old = it.newest("snapshot");
    it.maker(NOW).renew().unwrap();
    fs::copy(old, it.newest("snapshot")).unwrap();
    let error = it.refused(NOW);
    assert!(matches!(error, RepositoryError::MixAndMatch { promised: 4, found: 3, .. }), "{error}");
    assert!(error.to_string().starts_with("mix-and-match refused"), "{error}");
}

#[test]
fn wrong_keys_are_refused() {
    for role in [Role::Timestamp, Role::Snapshot, Role::Targets] {
        let it = Fixture::new();
        // Somebody else's key for one role.
        let path = it.path(&format!("keys/{role}.key"));
        fs::remove_file(&path).unwrap();
        fs::remove_file(it.path(&format!("keys/{role}.key.pub"))).unwrap();
        SecretKey::generate().unwrap().write(&path).unwrap();
        it.add("hello", "2");
        let error = it.refused(NOW);
        assert!(matches!(error, RepositoryError::Signatures { role: found, valid: 0, threshold: 1 } if found == role), "{error}");
    }
    let it = Fixture::new();
    let text = fs::read_to_string(it.path("repo/metadata/timestamp.json")).unwrap();
    fs::write(it.path("repo/metadata/timestamp.json"), text.replace("2027", "2028")).unwrap();
    assert!(matches!(it.refused(NOW), RepositoryError::Signatures { role: Role::Timestamp, .. }));
}

#[test]
fn one_key_under_two_names_is_one() {
    let it = Fixture::new();
    let text = it.maker(NOW).root().unwrap();
    let mut envelope = open(Role::Root, &text).unwrap();
    let one = envelope.signatures[0].clone();
    envelope.signatures = vec![one.clone(), one];
    let root: metadata::Root = document(&envelope).unwrap();
    assert!(matches!(root.verify(Role::Root, &envelope), Err(RepositoryError::Signatures { valid: 1, threshold: 2, .. })));
}

#[test]
fn truncated_downloads_are_refused() {
    let it = Fixture::new();
    it.add("hello", "2");
    let path = it.newest("snapshot");
    let text = fs::read(&path).unwrap();
    fs::write(&path, &text[..text.len() - 10]).unwrap();
    let error = it.refused(NOW);
    assert!(matches!(error, RepositoryError::Truncated { .. }), "{error}");
    fs::write(&path, &text).unwrap();
    it.client().update().unwrap();
    let offer = it.client().index().unwrap().packages[0].clone();
    let package = it.path("repo").join(offer.path());
    let whole = fs::read(&package).unwrap();
    fs::write(&package, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(it.client().fetch(&offer, &it.path("x")), Err(RepositoryError::Truncated { .. })));
    let mut changed = whole.clone();
    changed[20] ^= 1;
    fs::write(&package, &changed).unwrap();
    assert!(matches!(it.client().fetch(&offer, &it.path("x")), Err(RepositoryError::Checksum { .. })));
    fs::remove_file(&package).unwrap();
    assert!(matches!(it.client().fetch(&offer, &it.path("x")), Err(RepositoryError::Missing(_))));
    assert!(!it.path("x").exists());
}

#[test]
fn endless_downloads_are_refused() {
    for (file, role) in [("timestamp", None), ("snapshot", Some("snapshot")), ("targets", Some("targets"))] {
        let it = Fixture::new();
        it.add("hello", "2");
        let path = role.map_or_else(|| it.path("repo/metadata/timestamp.json"), |role| it.newest(role));
        let mut text = fs::read(&path).unwrap();
        text.extend(std::iter::repeat_n(b' ', 1 << 20));
        fs::write(&path, &text).unwrap();
        let error = it.refused(NOW);
        assert!(matches!(error, RepositoryError::Endless { .. }), "{file}: {error}");
        assert!(error.to_string().contains("does not end"), "{error}");
    }
    // A root without end, offered as the next.
    let it = Fixture::new();
    fs::write(it.path("repo/metadata/2.root.json"), vec![b' '; 2 << 20]).unwrap();
    assert!(matches!(it.refused(NOW), RepositoryError::Endless { .. }));
}

#[test]
fn keys_rotate() {
    let it = Fixture::new();
    // New keys for all roles; two of the three old root keys are at hand.
    fs::rename(it.path("keys"), it.path("old-keys")).unwrap();
    it.keys("keys").generate(3).unwrap();
    fs::remove_file(it.path("old-keys/root-3.key")).unwrap();
    it.maker(NOW).rotate(2, &it.keys("old-keys")).unwrap();
    it.add("hello", "2");
    assert_eq!(it.client().update().unwrap(), Updated::News);
    // The old keys count for nothing any more.
    let old = Maker::new(&it.path("repo"), it.keys("old-keys"), Expiry::default(), NOW);
    old.renew().unwrap();
    assert!(matches!(it.refused(NOW), RepositoryError::Signatures { role: Role::Timestamp, .. }));
}

#[test]
fn a_root_that_the_old_keys_do_not_sign_is_refused() {
    let it = Fixture::new();
    fs::rename(it.path("keys"), it.path("old-keys")).unwrap();
    it.keys("keys").generate(3).unwrap();
    // With one old key where two are needed it cannot even be made ...
    fs::remove_file(it.path("old-keys/root-2.key")).unwrap();
    fs::remove_file(it.path("old-keys/root-3.key")).unwrap();
    assert!(matches!(it.maker(NOW).rotate(2, &it.keys("old-keys")), Err(RepositoryError::Signatures { role: Role::Root, .. })));
    // ... and one that is made elsewhere is not believed.
    let other = Maker::new(&it.path("other"), it.keys("keys"), Expiry::default(), NOW);
    other.init(2).unwrap();
    let mut root: metadata::Root = document(&open(Role::Root, &other.root().unwrap()).unwrap()).unwrap();
    root.version = 2;
    let text = sign(&root, &it.keys("keys").of(Role::Root).unwrap()).unwrap();
    fs::write(it.path("repo/metadata/2.root.json"), text).unwrap();
    assert!(matches!(it.refused(NOW), RepositoryError::Signatures { role: Role::Root, valid: 0, .. }));
}
