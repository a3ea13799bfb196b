//! Where reports go: the folder that is named or written down, and that nothing of it lies where it must not.

use std::path::{Path, PathBuf};

use crate::app::settings::Settings;
use crate::base::files::Fence;
use crate::suite::load::find_project;

/// The folder of the reports; one that lies in the project does not leave it by a link.
pub fn reports_folder(
    settings: &Settings,
    named: Option<&Path>,
    written: WrittenReports<'_>,
) -> Result<PathBuf, String> {
    let (path, fence) = match named.or(settings.options.reports.as_deref()) {
        Some(named) => {
            let path = settings.working_dir.join(named);
            let fence = Fence::of_named(&path, written.root);
            (path, fence)
        }
        None => (written.root.join(written.dir.unwrap_or("reports")), Fence::around(written.root)),
    };
    match fence.find_or_new(&path) {
        Ok(_) => Ok(path),
        Err(error) => Err(format!("the folder of the reports, {}: {error}", path.display())),
    }
}

/// What a project says of its reports.
#[derive(Debug, Clone, Copy)]
pub struct WrittenReports<'a> {
    /// The project's folder.
    pub root: &'a Path,
    /// `reports.dir`.
    pub dir: Option<&'a str>,
}

/// Holds a path of the command line or the environment: the project, where it lies in it.
pub fn fence_of_named(settings: &Settings, path: &Path) -> Fence {
    let project = find_project(&settings.working_dir);
    let root = project.as_deref().and_then(Path::parent).unwrap_or(&settings.working_dir);
    Fence::of_named(&settings.working_dir.join(path), root)
}
