//! `org.freedesktop.portal.Screenshot`: a picture of the screen in a file. The user is told of it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use gde_ipc::Notice;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use zbus::fdo;
use zbus::message::Header;
use zbus::zvariant::{DeserializeDict, OwnedObjectPath, Type};

use super::request::Outcome;
use super::{Helpers, Requests};
use crate::compositor::{Due, LIMIT, Shown, Task};

/// What a program wishes. Whether the user is to choose a part is no matter: all of the screen is taken.
#[derive(Debug, DeserializeDict, Type)]
#[zvariant(signature = "dict")]
struct Wishes {
    handle_token: Option<String>,
}

/// Takes pictures.
pub struct Screenshot {
    requests: Requests,
    helpers: Helpers,
    folder: PathBuf,
    notices: mpsc::Sender<Due>,
}

impl Screenshot {
    /// They go into a folder; `notices` tells the user.
    pub fn new(requests: Requests, helpers: Helpers, folder: PathBuf, notices: mpsc::Sender<Due>) -> Self {
        Screenshot { requests, helpers, folder, notices }
    }
}

#[zbus::interface(name = "org.freedesktop.portal.Screenshot")]
impl Screenshot {
    /// Takes one.
    #[zbus(out_args("handle"), name = "Screenshot")]
    async fn take(&self, #[zbus(header)] header: Header<'_>, _parent_window: &str, options: Wishes) -> fdo::Result<OwnedObjectPath> {
        let (helpers, folder, notices) = (self.helpers.clone(), self.folder.clone(), self.notices.clone());
        let work = async move {
            match shoot(&helpers, &folder).await {
                Ok(path) => {
                    tell(&notices, &path);
                    Outcome::Done([("uri", desktop_entries::uri(&path).into())].into())
                }
                Err(error) => {
                    tracing::warn!("a picture of the screen: {error:#}");
                    Outcome::Failed
                }
            }
        };
        self.requests.begin(&header, options.handle_token.as_deref(), work).await
    }

    /// The version of the interface.
    #[zbus(property(emits_changed_signal = "const"), name = "version")]
    fn version(&self) -> u32 {
        1
    }
}

/// A file for a picture, which goes where none was taken: also where nobody waits for it any more.
struct Reserved {
    path: PathBuf,
    is_taken: bool,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.is_taken {
            // Nothing whole is in it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

async fn shoot(helpers: &Helpers, folder: &Path) -> Result<PathBuf> {
    let path = reserve(folder).with_context(|| format!("making a file in {}", folder.display()))?;
    let mut file = Reserved { path, is_taken: false };
    let (_, status) = helpers.run(&helpers.shooter, vec!["screenshot".into(), file.path.clone().into()]).await?;
    ensure!(status.success(), "{} ends with {status}", helpers.shooter.display());
    ensure!(fs::metadata(&file.path).is_ok_and(|it| it.len() > 0), "nothing was written");
    file.is_taken = true;
    Ok(file.path.clone())
}

/// A new file.
fn reserve(folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    for number in 1..100_000 {
        let path = folder.join(format!("Screenshot for a program {number}.png"));
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.map(|_| path),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn tell(notices: &mpsc::Sender<Due>, path: &Path) {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().display().to_string();
    let body = format!("It is {} in {folder}.", path.file_name().unwrap_or_default().display());
    let notice = Notice { title: "A program took a picture of the screen".into(), body, ..Notice::default() };
    // Nobody waits for its number.
    let (answer, _) = oneshot::channel();
    let task = Task::Show { shown: Box::new(Shown { notice, keys: Vec::new() }), replaces: 0, answer };
    if notices.try_send(Due { task, until: Instant::now() + LIMIT }).is_err() {
        tracing::warn!("nobody was told of a picture of the screen");
    }
}
