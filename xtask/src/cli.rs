//! The command line of `./gos`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use image_builder::formats::Format;

/// GenAI OS: build it, run it, test it.
#[derive(Parser)]
#[command(name = "gos", bin_name = "./gos", disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub enum Verb {
    /// Build what is needed and start it in a virtual machine
    ///
    /// With --display none the serial console is this terminal; Ctrl-A x ends the machine, Ctrl-A h lists more.
    Run(RunOptions),
    /// Run all tests: on this host, then in virtual machines
    ///
    /// Names are host/<package>::<test>, and vm/..., diff/..., boot/... for those that need a machine. Logs are left in build/test/.
    Test {
        /// Only tests whose name contains this
        filter: Option<String>,
    },
    /// Build disk and boot images, or the programs for this host
    Build(BuildOptions),
    /// Recipes of packages: look for mistakes, build single ones, find newer versions of what they take
    Recipe {
        #[command(subcommand)]
        verb: RecipeVerb,
    },
    /// A machine in the background: start it, run commands in it, look at it
    Vm {
        #[command(subcommand)]
        verb: VmVerb,
    },
    /// Measure, side by side with Linux in the same machine
    Bench {
        /// Which benchmark: kernel (without a name), net, desktop, gde, genai, init, packages, disk, untar, compile, sqlite or redis
        name: Option<String>,
        /// The image to measure in: its programs are used
        #[arg(long)]
        edition: Option<String>,
        /// Print a JSON list of {name, unit, ours, linux, ratio} instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Hold a machine that `vm start` has described.
    #[command(hide = true)]
    Keep { dir: PathBuf, machine: PathBuf },
}

#[derive(Args, Clone)]
pub struct RunOptions {
    /// Which edition of the system (editions/*.toml)
    #[arg(long, value_name = "E", default_value = crate::project::DEFAULT_EDITION)]
    pub edition: String,
    /// Our kernel, or Debian's under the same root for comparison
    #[arg(long, value_enum, default_value_t = Kernel::Genai)]
    pub kernel: Kernel,
    /// Where the screen is shown; a window where there is a desktop, else none
    #[arg(long, value_enum)]
    pub display: Option<DisplayKind>,
    /// Memory in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(64..=1_048_576))]
    pub mem: u32,
    /// Number of CPUs
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub smp: u32,
    /// QEMU's CPU model, such as Nehalem (without AVX and much else) or max
    #[arg(long, value_name = "MODEL", default_value = "Nehalem")]
    pub cpu: String,
    /// How the kernel is loaded: by GRUB from BIOS or UEFI, or by QEMU itself (PVH). Linux is always loaded by QEMU
    #[arg(long, value_enum)]
    pub boot: Option<BootKind>,
    /// Start from the boot CD (boot.iso) instead of the disk; needs --boot bios or uefi
    #[arg(long)]
    pub cdrom: bool,
    /// Boot parameters, for --boot pvh and --kernel linux; GRUB's menu has its own
    #[arg(long, value_name = "PARAMETERS", default_value = "", allow_hyphen_values = true)]
    pub append: String,
    /// Leave the machine without a network; else it reaches what this host reaches, and this host as 10.0.2.2
    #[arg(long)]
    pub no_network: bool,
    /// A port of this host's 127.0.0.1 that leads to one of the machine's, such as 2222:22 (UDP: udp:5353:53)
    #[arg(long, value_name = "HOST:GUEST", conflicts_with = "no_network", value_parser = crate::run::parse_forward)]
    pub forward: Vec<vm::machine::Forward>,
    /// Start from a new disk: forget what earlier runs wrote
    #[arg(long)]
    pub fresh: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kernel {
    Genai,
    Linux,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DisplayKind {
    Window,
    Vnc,
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BootKind {
    Pvh,
    Bios,
    Uefi,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiskImage {
    Raw,
    Qcow2,
    Vmdk,
    Vdi,
}

impl DiskImage {
    /// What the raw image is converted into.
    pub fn converted(self) -> Option<Format> {
        match self {
            DiskImage::Raw => None,
            DiskImage::Qcow2 => Some(Format::Qcow2),
            DiskImage::Vmdk => Some(Format::Vmdk),
            DiskImage::Vdi => Some(Format::Vdi),
        }
    }
}

#[derive(Args)]
pub struct BuildOptions {
    /// Which edition of the system (editions/*.toml)
    #[arg(long, value_name = "E", default_value = crate::project::DEFAULT_EDITION)]
    pub edition: String,
    /// The disk in these formats too, beside the raw one: build/<edition>/disk.qcow2 and so on
    #[arg(long, value_enum, value_name = "FORMAT", value_delimiter = ',', conflicts_with = "host")]
    pub format: Vec<DiskImage>,
    /// Build every program for this host instead, into build/host/
    #[arg(long, conflicts_with = "edition")]
    pub host: bool,
    /// Also the Linux reference that --kernel linux boots
    #[arg(long, conflicts_with = "host")]
    pub linux: bool,
}

#[derive(Subcommand)]
pub enum RecipeVerb {
    /// Show newer versions of what recipes take from Debian and PyPI, by this host's apt and pip
    Update {
        /// Which ones (recipes/NAME); without a name all of them
        names: Vec<String>,
        /// Pin them: Debian's packages in recipes/lock.toml, PyPI's in the recipe, with their checksums
        #[arg(long)]
        write: bool,
    },
    /// Build the packages of recipes, with what they depend on, into build/packages/NAME/
    ///
    /// They are built as the first edition has them that has the recipe (editions/*.toml).
    Build {
        /// Which ones (recipes/NAME)
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Tell everything that is wrong with recipes, as path:line:column: message; exit status 1 where anything is
    Lint {
        /// Which ones (recipes/NAME); without a name all of them, and the editions and pins too
        names: Vec<String>,
    },
}

#[derive(Subcommand)]
pub enum VmVerb {
    /// Build what is needed and start a machine in the background
    Start(RunOptions),
    /// Wait until the machine takes commands
    Wait {
        /// Give up after so many seconds
        #[arg(long, value_name = "S", default_value_t = 300)]
        timeout: u64,
    },
    /// Write the machine's data to its disk, then end it
    Stop {
        /// End it at once, as a power cut does
        #[arg(long)]
        kill: bool,
    },
    /// Print the serial log of the machine that runs, or ran last
    Log {
        /// Go on printing while the machine runs
        #[arg(short, long)]
        follow: bool,
    },
    /// Keep the running machine's whole state under a name; it lasts as long as the machine's disk
    Save {
        #[arg(default_value = "saved")]
        name: String,
    },
    /// Go back to a state that was kept
    Load {
        #[arg(default_value = "saved")]
        name: String,
    },
    /// Run a command as root in the machine, with this terminal's input and output and the command's exit status
    ///
    /// A single word with spaces or other characters of the shell is run by the machine's shell. Status 124: the time was up
    /// (the whole process group is killed); 125: no machine is up, or it does not answer; 126, 127: the program cannot be run, or is missing; 128+N:
    /// killed by signal N.
    Exec {
        /// Kill the command after so many seconds
        #[arg(long, value_name = "S", value_parser = seconds)]
        timeout: Option<std::time::Duration>,
        /// The command's working directory
        #[arg(long, value_name = "DIR")]
        cwd: Option<String>,
        /// The command gets no input
        #[arg(short = 'n', long)]
        no_input: bool,
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<std::ffi::OsString>,
    },
    /// Copy a file or directory into the machine
    Put { source: PathBuf, dest: String },
    /// Copy a file or directory out of the machine
    Get { source: String, dest: PathBuf },
    /// Save what the machine shows as a PNG picture
    Screenshot { file: PathBuf },
    /// Press keys: ctrl-alt-t, enter, f1, ...
    Key {
        #[arg(required = true)]
        keys: Vec<String>,
    },
    /// Type a text
    Type { text: String },
    /// Move the pointer to a pixel
    Pointer { x: u32, y: u32 },
    /// Click at a pixel
    Click {
        x: u32,
        y: u32,
        #[arg(value_enum, default_value_t = Button::Left)]
        button: Button,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Button {
    Left,
    Middle,
    Right,
}

fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds: f64 = text.trim_end_matches('s').parse().map_err(|_| format!("{text:?} is no number of seconds"))?;
    match std::time::Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration.as_millis() > 0 => Ok(duration),
        _ => Err(format!("{text:?} is no positive number of seconds")),
    }
}
