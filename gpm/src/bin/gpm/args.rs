//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// Installs, upgrades and removes packages.
///
/// Every change is a transaction: it happens as a whole or not at all, also when the power fails, and can be undone ('gpm history', 'gpm undo').
#[derive(Debug, Parser)]
#[command(name = "gpm", version)]
pub struct Args {
    /// The tree to manage
    #[arg(long, global = true, default_value = "/", value_name = "DIR")]
    pub root: PathBuf,
    /// Answer in JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Install packages by name, 'name=version', 'name (>= version)', or from .gcpkg files
    Install(Install),
    /// Remove packages
    Remove(Remove),
    /// Bring packages to their newest versions: all of them, or those that are named
    Upgrade(Upgrade),
    /// Go back to an older version: 'name' (the next older one) or 'name=version'
    Downgrade(Downgrade),
    /// Remove packages that came as dependencies and are no longer needed
    Autoremove(Consent),
    /// Take a transaction back: the last one, or that of the given number
    Undo {
        /// Its number in 'gpm history'
        id: Option<u64>,
        #[command(flatten)]
        consent: Consent,
    },
    /// Go back to the state before a transaction: takes back it and all later ones
    Rollback {
        /// Its number in 'gpm history'
        id: u64,
        #[command(flatten)]
        consent: Consent,
    },
    /// Ask the repositories what they have
    Update,
    /// Look for packages by words
    Search {
        /// All of them must be found in name, summary, description, keywords or categories
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Show all about a package, or about a .gcpkg file
    Info { name: String },
    /// List the installed packages
    List,
    /// List the files of an installed package, or of a .gcpkg file
    Files { name: String },
    /// Tell which package a file belongs to
    Owns { path: String },
    /// Tell why a package is installed
    Why { name: String },
    /// List the transactions of the past
    History,
    /// Compare installed files with what was delivered; exit status 1 where they differ
    Verify { names: Vec<String> },
    /// Consider only certain versions of a package: 'name (<< 2)'; without an argument list the pins and holds
    Pin { relation: Option<String> },
    /// Consider all versions of a package again
    Unpin { name: String },
    /// Keep packages at the versions that are installed
    Hold {
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Let packages change their versions again
    Unhold {
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Remove packages' files that no undo needs from the cache
    Clean {
        /// All of them: then only repositories can bring back what an undo needs
        #[arg(long)]
        all: bool,
    },
    /// Complete or drop a transaction that was interrupted (every change does that first)
    Recover,
    /// Use repositories, and make them
    Repo {
        #[command(subcommand)]
        command: Repo,
    },
    /// Make a .gcpkg of a folder and a manifest
    Build(Build),
    /// Make a .gcpkg of another system's package
    Import {
        #[command(subcommand)]
        from: Import,
    },
    /// Make an Ed25519 key that signs packages
    Key(Key),
    /// Write the manual pages and the shells' completions into a folder, where they belong below /
    #[command(hide = true)]
    Documents { folder: PathBuf },
}

/// Whether to go ahead.
#[derive(Clone, Debug, ClapArgs)]
pub struct Consent {
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Only tell what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Run neither scriptlets nor triggers: for trees whose programs cannot run here
    #[arg(long)]
    pub no_scripts: bool,
    /// Let scriptlets that cannot be confined run all the same
    #[arg(long)]
    pub unconfined: bool,
    /// Replace files that belong to no package
    #[arg(long)]
    pub overwrite: bool,
    /// Do not wait for the disk: for trees that can be built again
    #[arg(long)]
    pub no_sync: bool,
    /// Remove essential packages too
    #[arg(long)]
    pub allow_essential: bool,
}

#[derive(Debug, ClapArgs)]
pub struct Install {
    #[arg(required = true, value_name = "PACKAGE")]
    pub wanted: Vec<String>,
    /// Remove these packages in the same transaction
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub remove: Vec<String>,
    /// Let these packages become older
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub downgrade: Vec<String>,
    /// Leave out optional dependencies
    #[arg(long)]
    pub no_optional: bool,
    /// Take .gcpkg files that no trusted key has signed
    #[arg(long)]
    pub allow_unsigned: bool,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, ClapArgs)]
pub struct Remove {
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Remove what needs them too
    #[arg(long)]
    pub cascade: bool,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, ClapArgs)]
pub struct Upgrade {
    pub names: Vec<String>,
    /// Leave out optional dependencies of new packages
    #[arg(long)]
    pub no_optional: bool,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, ClapArgs)]
pub struct Downgrade {
    pub wanted: String,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Subcommand)]
pub enum Repo {
    /// List the repositories of this tree
    List,
    /// Use a repository: needs its root.json, by a way that is trusted
    Trust {
        /// stable, testing, unstable, consciousness, educational, enterprise, or another name
        name: String,
        /// file:///..., http://... or https://...
        url: String,
        /// Its root.json, from its makers
        #[arg(long, value_name = "FILE")]
        root_file: PathBuf,
        /// A higher one goes before a higher version; the six names have their own
        #[arg(long)]
        priority: Option<i32>,
    },
    /// Use an archive in Debian's form: its signatures are verified by gpgv
    Archive {
        /// Such as debian
        name: String,
        /// The folder that has 'dists' and 'pool': file:///..., http://... or https://...
        url: String,
        /// A suite, such as bookworm; several by several options
        #[arg(long = "suite", required = true, value_name = "SUITE")]
        suites: Vec<String>,
        /// A component of each suite; several by several options
        #[arg(long = "component", default_value = "main", value_name = "NAME")]
        components: Vec<String>,
        /// The keys that may sign it
        #[arg(long, value_name = "FILE", default_value = "/usr/share/keyrings/debian-archive-keyring.gpg")]
        keyring: PathBuf,
        /// A higher one goes before a higher version; 50 where nothing is said, which is after our own repositories
        #[arg(long)]
        priority: Option<i32>,
    },
    /// Use a repository again that was left aside
    Enable { name: String },
    /// Leave a repository aside, but remember it
    Disable { name: String },
    /// Write the configuration for those archives of Debian that this machine's apt uses, for a tree that is being built
    #[command(hide = true)]
    FromApt {
        /// What the names of their suites begin with, such as bookworm
        codename: String,
        /// The tree
        folder: PathBuf,
    },
    /// Use a repository no longer
    Forget { name: String },
    /// Make an empty repository, and its keys where there are none
    Init {
        dir: PathBuf,
        #[command(flatten)]
        keys: RepoKeys,
        /// How many root keys to make
        #[arg(long, default_value_t = 1)]
        root_keys: u32,
        /// How many of them must sign a root
        #[arg(long, default_value_t = 1)]
        threshold: u32,
    },
    /// Add packages to a repository
    Add {
        dir: PathBuf,
        #[arg(required = true)]
        packages: Vec<PathBuf>,
        #[command(flatten)]
        keys: RepoKeys,
        /// Take packages that the repository's package keys have not signed
        #[arg(long)]
        allow_unsigned: bool,
    },
    /// Make deltas, by which those who have an older version need not fetch the newest one whole
    Delta {
        dir: PathBuf,
        #[command(flatten)]
        keys: RepoKeys,
        /// From how many versions before each package's newest
        #[arg(long, default_value_t = 2)]
        back: usize,
    },
    /// Take packages out of a repository, by 'name' or 'name=version'
    Drop {
        dir: PathBuf,
        #[arg(required = true)]
        names: Vec<String>,
        #[command(flatten)]
        keys: RepoKeys,
    },
    /// Sign a repository's snapshot and timestamp again, before they expire
    Sign {
        dir: PathBuf,
        #[command(flatten)]
        keys: RepoKeys,
    },
    /// Publish a root with the keys that are in the key folder now, signed by the old ones too
    Rotate {
        dir: PathBuf,
        #[command(flatten)]
        keys: RepoKeys,
        /// The folder of the old keys
        #[arg(long, value_name = "DIR")]
        old_keys: PathBuf,
        /// How many root keys must sign
        #[arg(long, default_value_t = 1)]
        threshold: u32,
    },
    /// Serve a repository by HTTP, until it is stopped
    Serve {
        dir: PathBuf,
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:8480")]
        listen: String,
    },
}

#[derive(Debug, ClapArgs)]
pub struct RepoKeys {
    /// The folder of its secret keys
    #[arg(long, value_name = "DIR")]
    pub keys: PathBuf,
    /// Days until root and targets expire
    #[arg(long, default_value_t = 365, value_name = "DAYS")]
    pub long: u32,
    /// Days until snapshot and timestamp expire
    #[arg(long, default_value_t = 30, value_name = "DAYS")]
    pub short: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PresetName {
    Quick,
    Balanced,
    Small,
}

#[derive(Debug, ClapArgs)]
pub struct Build {
    /// The manifest, in TOML
    pub manifest: PathBuf,
    /// The folder whose contents the package puts into the root
    pub folder: PathBuf,
    /// Where the package goes
    #[arg(long, short, default_value = ".", value_name = "DIR")]
    pub output: PathBuf,
    /// A secret key that signs it
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
    /// Files that are newer get this time, in seconds since 1970
    #[arg(long, env = "SOURCE_DATE_EPOCH", default_value_t = 0)]
    pub source_date: i64,
    /// How hard to compress
    #[arg(long, value_enum, default_value = "balanced")]
    pub preset: PresetName,
}

#[derive(Debug, Subcommand)]
pub enum Import {
    /// Of a Debian package: .deb files, or names that apt downloads and verifies
    Deb {
        #[arg(required = true, value_name = "FILE|NAME")]
        packages: Vec<String>,
        /// Where the packages go
        #[arg(long, short, default_value = ".", value_name = "DIR")]
        output: PathBuf,
        /// A secret key that signs them
        #[arg(long, value_name = "FILE")]
        key: Vec<PathBuf>,
        /// Leave out maintainer scripts that are not understood, and say so
        #[arg(long)]
        drop_scripts: bool,
        /// How hard to compress
        #[arg(long, value_enum, default_value = "quick")]
        preset: PresetName,
    },
}

#[derive(Debug, ClapArgs)]
pub struct Key {
    /// The secret half; the public one goes beside it, as FILE.pub
    pub file: PathBuf,
}
