//! Changes a tree from one set of packages to another: all of it, or nothing.

mod journal;
mod order;
mod plan;
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use journal::{Recovered, StepError};
use journal::{After, Journal, Op, Plan, Spot};
use plan::Planner;

use crate::database::{Database, DatabaseError, Lock, Past, PastChange, Record, StoredPolicy};
use crate::manifest::{Manifest, Moment, Scriptlet};
use crate::observer::{Event, Observer};
use crate::package::{Entry, Package, PackageError};
use crate::root::Root;
use crate::sandbox::{self, Confinement, ScriptError};
use crate::solver::Policy;

/// How many packages are laid out at the same time at most.
const MAX_THREADS: usize = 4;

/// Bytes that are worth a beginning.
const WRITE_BEHIND: u64 = 32 << 20;
/// How often it is looked whether there is enough to be written for the disk to begin.
const WRITE_BEHIND_PAUSE: Duration = Duration::from_millis(10);

/// A verified package that is to be installed.
#[derive(Debug)]
pub struct Incoming {
    /// The package.
    pub package: Package<BufReader<File>>,
    /// The repository that it comes from.
    pub repository: Option<String>,
}

/// What happens to files that are in the way and belong to no package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// The transaction is refused, unless they are the same.
    #[default]
    Refuse,
    /// They are replaced.
    Overwrite,
}

/// Whether a transaction waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A power cut finds the old or the new system.
    #[default]
    PowerCut,
    /// Only a crash of gpm does: for trees that are built and can be built again.
    Crash,
}

/// How a transaction is made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the history says of it.
    pub what: String,
    /// Files in the way.
    pub existing: Existing,
    /// Scriptlets that cannot be confined.
    pub confinement: Confinement,
    /// Whether to wait for the disk.
    pub durability: Durability,
    /// Whether to run neither scriptlets nor triggers: for trees whose programs cannot run here.
    pub without_scripts: bool,
    /// What the database says of when it was made, in seconds since 1970; now where not given. For trees whose bytes must not depend on when
    /// they were built.
    pub time: Option<i64>,
}

/// Why a transaction was not made. The tree is the old one then, unless it is said otherwise.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A package.
    #[error("{name}: {source}")]
    Package {
        /// Which.
        name: String,
        /// Why.
        source: PackageError,
    },
    /// A step failed, and all was taken back.
    #[error("{0}; nothing has been changed")]
    Step(#[from] StepError),
    /// A step failed, and taking back failed too.
    #[error("{first}; taking it back failed too: {second}. Run 'gpm recover' once the cause is gone")]
    Stuck {
        /// What failed first.
        first: Box<String>,
        /// What failed then.
        second: StepError,
    },
    /// Two packages want the same file.
    #[error("{path} is in {owner} and in {package}, which does not declare to replace it")]
    Clash {
        /// The file.
        path: String,
        /// The package that has it.
        owner: String,
        /// The package that wants it.
        package: String,
    },
    /// Files that nobody owns are in the way.
    #[error("{package} would overwrite files that belong to no package: {} (--overwrite replaces them)", .paths.join(", "))]
    Exists {
        /// The package that wants them.
        package: String,
        /// The files.
        paths: Vec<String>,
    },
    /// A folder is where a file should be, or the other way round.
    #[error("{package} wants {path} to be a {wanted}, but it is a {found}")]
    WrongKind {
        /// The package.
        package: String,
        /// Where.
        path: String,
        /// What it wants.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The tree cannot be looked at.
    #[error("cannot look at {path}: {source}")]
    Look {
        /// What.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// The disk is too small.
    #[error("the disk is full: {} MiB are needed, {} MiB are free", .needed >> 20, .free >> 20)]
    Full {
        /// Bytes.
        needed: u64,
        /// Bytes.
        free: u64,
    },
    /// A scriptlet.
    #[error("the {moment} scriptlet of {package}: {source}; nothing has been changed")]
    Script {
        /// Whose.
        package: String,
        /// Which.
        moment: Moment,
        /// Why.
        source: ScriptError,
    },
    /// Somebody stopped it in time.
    #[error("cancelled; nothing has been changed")]
    Cancelled,
}

/// A tree that can be changed: nobody else does as long as this lives.
pub struct Tree<'a> {
    root: &'a Root,
    database: Database,
    lock: Lock,
    observer: &'a dyn Observer,
}

impl<'a> Tree<'a> {
    /// Locks a tree, and completes or drops what a crash has left in it.
    ///
    /// # Errors
    /// When somebody else has locked it, it cannot be written, or the recovery fails.
    pub fn open(root: &'a Root, observer: &'a dyn Observer) -> Result<(Tree<'a>, Recovered), TransactionError> {
        let database = Database::new(root);
        let lock = database.lock()?;
        let tree = Tree { root, database, lock, observer };
        let journal = Journal::new(root, observer, true);
        let recovered = journal.recover(&|plan| tree.finish(plan, Confinement::Always))?;
        Ok((tree, recovered))
    }

    /// What is known of it.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The lock on it.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Installs `incoming`, removes `gone`, and makes `policy` the policy.
    ///
    /// # Errors
    /// See [`TransactionError`].
    pub fn change(&self, incoming: Vec<Incoming>, gone: &BTreeSet<String>, policy: &Policy, options: &Options) -> Result<Past, TransactionError> {
        let journal = Journal::new(self.root, self.observer, options.durability == Durability::PowerCut);
        let records = self.database.records()?;
        self.room(&incoming)?;
        for folder in ["installed", "history"] {
            let path = self.database.dir().join(folder);
            journal::step(|| format!("make {}", path.display()), fs::create_dir_all(&path))?;
        }
        journal.begin()?;
        let past = match self.prepare(&journal, incoming, gone, policy, options, &records) {
            Ok((plan, past)) => {
                if let Err(error) = journal.decide(&plan) {
                    journal.end(None)?;
                    return Err(error.into());
                }
                journal.complete(&plan, &|plan| self.finish(plan, options.confinement))?;
                past
            }
            Err(error) => {
                // Where even this fails the next start does it.
                let _ = journal.end(None);
                return Err(error);
            }
        };
        Ok(past)
    }

    fn room(&self, incoming: &[Incoming]) -> Result<(), TransactionError> {
        let needed: u64 = incoming.iter().map(|it| it.package.header().payload.size + 4096 * it.package.header().files.len() as u64).sum();
        // A filesystem that does not tell is found out by trying.
        let Ok(status) = rustix::fs::statvfs(self.database.dir()) else { return Ok(()) };
        let free = status.f_bavail.saturating_mul(status.f_frsize);
        if status.f_blocks > 0 && free < needed { Err(TransactionError::Full { needed, free }) } else { Ok(()) }
    }

    fn prepare(
        &self,
        journal: &Journal<'_>,
        mut incoming: Vec<Incoming>,
        gone: &BTreeSet<String>,
        policy: &Policy,
        options: &Options,
        records: &BTreeMap<String, Record>,
    ) -> Result<(Plan, Past), TransactionError> {
        let replaced: BTreeSet<String> = incoming.iter().map(|it| it.package.header().manifest.name.clone()).filter(|it| records.contains_key(it)).collect();
        let leaving: BTreeSet<String> = gone.union(&replaced).filter(|it| records.contains_key(*it)).cloned().collect();
        let mut planner = Planner::new(self.root, self.observer, &self.database, records, &leaving, options.existing)?;
        for it in &incoming {
            planner.links(&it.package.header().files)?;
        }
        for it in &incoming {
            planner.add(it.package.header())?;
        }
        planner.leave()?;
        if !options.without_scripts {
            self.before(&incoming, gone, records, options)?;
        }
        self.lay_out(journal, &planner, &mut incoming)?;
        let kept = |name: &str, files: &[Entry]| files.iter().filter(|entry| planner.keeps(name, &entry.path)).cloned().collect();
        let lists = incoming.iter().map(|it| it.package.header()).map(|it| (it.manifest.name.clone(), kept(&it.manifest.name, &it.files)));
        let lists: Vec<(String, Vec<Entry>)> = lists.collect();
        let past = self.past(&incoming, gone, records, options)?;
        let after = if options.without_scripts { Vec::new() } else { after(&incoming, gone, records, planner.changed()) };
        let mut state = planner.lost_lists()?;
        for (name, files) in &lists {
            state.push((format!("installed/{name}.files"), stage::json(files)?));
        }
        for it in &incoming {
            let header = it.package.header();
            let record = Record {
                manifest: header.manifest.clone(),
                sha512: it.package.digest(),
                size: header.payload.size,
                repository: it.repository.clone(),
                time: past.time,
            };
            state.push((format!("installed/{}.json", header.manifest.name), stage::json(&record)?));
        }
        state.push(("policy.json".into(), stage::json(&StoredPolicy::from(policy))?));
        state.push((format!("history/{:06}.json", past.id), stage::json(&past)?));
        for (name, text) in state {
            let number = planner.number();
            journal.tell(&format!("write {name}"), 0, 0);
            journal::step(|| format!("write {name}"), journal.make_new(&Spot::Alone(number), |path| fs::write(path, &text)))?;
            planner.place_state(&name, number);
        }
        for name in gone.iter().filter(|it| records.contains_key(*it)) {
            planner.remove_state(&format!("installed/{name}.json"));
            planner.remove_state(&format!("installed/{name}.files"));
        }
        Ok((Plan { ops: planner.finish(), after }, past))
    }

    /// Lays out the files of all that comes beside the system; packages at the same time, as many as there are processors.
    fn lay_out(&self, journal: &Journal<'_>, planner: &Planner<'_>, incoming: &mut [Incoming]) -> Result<(), TransactionError> {
        for folder in planner.fresh() {
            let make = || {
                journal.make_new(&folder.spot, |path| fs::create_dir(path))?;
                journal::dress_folder(&journal.path_of(&folder.spot), folder.mode, folder.uid, folder.gid)
            };
            journal::step(|| format!("make {}", folder.place.display()), make())?;
        }
        let total = incoming.len();
        let mut packages: Vec<&mut Incoming> = incoming.iter_mut().collect();
        // The last to be taken should not be the one that all have to wait for.
        packages.sort_by_key(|it| it.package.header().payload.size);
        let packages = Mutex::new(packages);
        let next = || packages.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (begun, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (written, is_done) = (AtomicU64::new(0), AtomicBool::new(false));
        let is_over = || self.observer.cancelled() || failed.load(Ordering::Relaxed);
        let one = |it: &mut Incoming| {
            if is_over() {
                return Err(TransactionError::Cancelled);
            }
            let name = it.package.header().manifest.name.clone();
            self.observer.event(&Event::Unpack { name: &name, done: begun.fetch_add(1, Ordering::Relaxed), total });
            let mut sink = stage::Stage { journal, numbers: &planner.numbers(&name), cancelled: &is_over, written: &written, buffer: Vec::new() };
            it.package.unpack(&mut sink).map_err(|source| match source {
                PackageError::Write { ref source, .. } if source.kind() == io::ErrorKind::Interrupted && is_over() => TransactionError::Cancelled,
                source => TransactionError::Package { name: name.clone(), source },
            })
        };
        let work = || {
            while let Some(it) = next() {
                one(it).inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
            }
            Ok(())
        };
        let count = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS).min(total);
        let results: Vec<Result<(), TransactionError>> = std::thread::scope(|scope| {
            let writer = journal.durable.then(|| scope.spawn(|| write_behind(journal, &written, &is_done)));
            let others: Vec<_> = (1..count).map(|_| scope.spawn(work)).collect();
            let mut results = vec![work()];
            results.extend(others.into_iter().map(|it| it.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))));
            is_done.store(true, Ordering::Relaxed);
            if let Some(writer) = writer {
                writer.thread().unpark();
            }
            results
        });
        // The others have been stopped because of the first that failed.
        let mut errors: Vec<TransactionError> = results.into_iter().filter_map(Result::err).collect();
        errors.sort_by_key(|it| matches!(it, TransactionError::Cancelled));
        errors.into_iter().next().map_or(Ok(()), Err)
    }

    fn past(&self, incoming: &[Incoming], gone: &BTreeSet<String>, records: &BTreeMap<String, Record>, options: &Options) -> Result<Past, TransactionError> {
        let old = |name: &str| records.get(name).map(|it| (it.manifest.version.to_string(), it.sha512));
        let mut changes: Vec<PastChange> = incoming
            .iter()
            .map(|it| {
                let manifest = &it.package.header().manifest;
                PastChange { name: manifest.name.clone(), from: old(&manifest.name), to: Some((manifest.version.to_string(), it.package.digest())) }
            })
            .collect();
        changes.extend(gone.iter().filter(|it| records.contains_key(*it)).map(|name| PastChange { name: name.clone(), from: old(name), to: None }));
        changes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Past {
            id: self.database.history()?.last().map_or(0, |it| it.id) + 1,
            time: options.time.unwrap_or_else(now),
            what: options.what.clone(),
            changes,
            manual_before: self.database.policy()?.manual.into_iter().collect(),
        })
    }

    fn before(&self, incoming: &[Incoming], gone: &BTreeSet<String>, records: &BTreeMap<String, Record>, options: &Options) -> Result<(), TransactionError> {
        let coming = incoming.iter().map(|it| (&it.package.header().manifest, Moment::BeforeInstall));
        let going = gone.iter().filter_map(|it| records.get(it)).map(|it| (&it.manifest, Moment::BeforeRemove));
        for (manifest, moment) in coming.chain(going) {
            let Some(scriptlet) = manifest.scriptlets.get(&moment) else { continue };
            let after = script(manifest, Some(moment), scriptlet);
            self.script(&after, options.confinement)
                .map_err(|source| TransactionError::Script { package: manifest.name.clone(), moment, source })?;
        }
        Ok(())
    }

    /// Runs what comes after the switch. A trigger that fails leaves an index out of date, no more: it is only told.
    fn finish(&self, plan: &Plan, confinement: Confinement) -> Result<(), TransactionError> {
        for after in &plan.after {
            match (self.script(after, confinement), after.moment) {
                (Ok(()), _) => {}
                (Err(source), Some(moment)) => return Err(TransactionError::Script { package: after.package.clone(), moment, source }),
                (Err(error), None) => self.observer.event(&Event::Note { text: &format!("a trigger of {}: {error}", after.package) }),
            }
        }
        Ok(())
    }

    fn script(&self, after: &After, confinement: Confinement) -> Result<(), ScriptError> {
        let package = after.package.as_str();
        self.observer.event(&Event::Script { package, moment: after.moment });
        let mut line = |line: &str| self.observer.event(&Event::Output { package, line });
        if after.scriptlet.interpreter == sandbox::KNOWN_INTERPRETER {
            return sandbox::run_known(&after.scriptlet.script, self.root, &mut line);
        }
        let variables = [("GPM_PACKAGE", package), ("GPM_VERSION", after.version.as_str())];
        sandbox::run(&after.scriptlet, self.root, &variables, confinement, &mut line)
    }
}

/// Has the disk write what is laid out while more is. All that has been written by the end need not be waited for then.
fn write_behind(journal: &Journal<'_>, written: &AtomicU64, is_done: &AtomicBool) {
    let mut before = 0;
    while !is_done.load(Ordering::Relaxed) {
        std::thread::park_timeout(WRITE_BEHIND_PAUSE);
        let now = written.load(Ordering::Relaxed);
        if now - before >= WRITE_BEHIND && !is_done.load(Ordering::Relaxed) {
            before = now;
            // What fails here fails at the end too, where it is told.
            let _ = journal.sync();
        }
    }
}

fn script(manifest: &Manifest, moment: Option<Moment>, scriptlet: &Scriptlet) -> After {
    After { package: manifest.name.clone(), version: manifest.version.to_string(), moment, scriptlet: scriptlet.clone() }
}

/// Scriptlets after the switch, then the triggers of all packages that are installed by then.
fn after(incoming: &[Incoming], gone: &BTreeSet<String>, records: &BTreeMap<String, Record>, changed: &BTreeSet<String>) -> Vec<After> {
    let new: BTreeMap<&str, &Manifest> = incoming.iter().map(|it| (it.package.header().manifest.name.as_str(), &it.package.header().manifest)).collect();
    let mut list = Vec::new();
    let going = gone.iter().filter_map(|it| records.get(it)).map(|it| (&it.manifest, Moment::AfterRemove));
    for (manifest, moment) in going.chain(new.values().map(|it| (*it, Moment::AfterInstall))) {
        list.extend(manifest.scriptlets.get(&moment).map(|it| script(manifest, Some(moment), it)));
    }
    let staying = records.values().map(|it| &it.manifest).filter(|it| !gone.contains(&it.name) && !new.contains_key(it.name.as_str()));
    for manifest in staying.chain(new.values().copied()) {
        for trigger in &manifest.triggers {
            let woken = trigger.paths.iter().map(|it| it.trim_matches('/')).any(|path| {
                // The first changed file that is not before the path tells: they are sorted.
                let below = format!("{path}/");
                changed.contains(path) || changed.range(below.clone()..).next().is_some_and(|it| it.starts_with(&below))
            });
            let it = script(manifest, None, &trigger.scriptlet);
            if woken && !list.iter().any(|other: &After| other.moment.is_none() && other.scriptlet == it.scriptlet) {
                list.push(it);
            }
        }
    }
    list
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |it| i64::try_from(it.as_secs()).unwrap_or(i64::MAX))
}

/// Where the paths of gpm's own state lie, relative to the root.
fn state_path(name: &str) -> String {
    format!("{}/{name}", crate::path::STATE)
}

fn relative(root: &Root, path: PathBuf) -> String {
    path.strip_prefix(root.path()).unwrap_or(&path).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
