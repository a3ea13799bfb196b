//! `init`: drafts a project file and a first suite, from a live app or as an example, and writes them where nothing is yet.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::app::live_app::draft_suite::{Draft, DraftedApp, draft, project_text};
use crate::app::opened::OpenFailure;
use crate::app::prepare;
use crate::app::probe;
use crate::app::settings::Settings;
use crate::base::files::{self, ChangeCondition, Fence, plain};
use crate::base::plural::plural;
use crate::base::redact::Redactor;
use crate::plan::live::{LiveTarget, NoLiveTarget, live_target};
use crate::record::event::RunOptions;
use crate::report::format_words;
use crate::suite::grounds::shown;
use crate::suite::load::{PROJECT_FILE, find_project, load_alone, read_project_text, read_suite_text};
use crate::suite::project::ProjectOptions;
use crate::suite::project::ProjectSpec;

/// The name of the target that is written for an address.
const TARGET: &str = "live";
/// The example's project file.
const EXAMPLE_PROJECT: &str = include_str!("flowproof.yaml");
/// The example's suite.
const EXAMPLE_SUITE: &str = include_str!("first.yaml");

/// What a project is begun from.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// Nothing: an example for the mock.
    Example,
    /// A live app that no project file names yet.
    Address {
        /// `base_url`.
        base_url: &'a str,
        /// The variable that holds the app's key.
        key_variable: &'a str,
    },
    /// An app of a target of the project.
    Target {
        /// The target.
        name: &'a str,
        /// The app; `None`: its only one.
        app: Option<&'a str>,
    },
}

/// Files to write, none of which was there when it was looked.
#[derive(Debug)]
pub struct InitFiles {
    root: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
    /// The suite's file, relative to the project.
    pub suite: String,
    /// The live target it can run on.
    pub target: Option<String>,
    /// Why its test is skipped, if so.
    pub skip: Option<String>,
}

/// Drafts everything; where a file is in the way, that is a failure and nothing is asked or written.
pub async fn begin(settings: &Settings, origin: Origin<'_>) -> Result<InitFiles, OpenFailure> {
    let begun = match origin {
        Origin::Example => example(settings),
        Origin::Address { base_url, key_variable } => from_address(settings, base_url, key_variable).await?,
        Origin::Target { name, app } => from_target(settings, name, app).await?,
    };
    let paths: Vec<&Path> = begun.files.iter().map(|(path, _)| path.as_path()).collect();
    nothing_in_the_way(&begun.root, &paths)?;
    Ok(begun)
}

fn example(settings: &Settings) -> InitFiles {
    let suite = "suites/first.yaml";
    let file = |path: &str, text: &str| (PathBuf::from(path), text.as_bytes().to_vec());
    InitFiles {
        root: settings.working_dir.clone(),
        files: vec![file(suite, EXAMPLE_SUITE), file(PROJECT_FILE, EXAMPLE_PROJECT)],
        suite: suite.to_owned(),
        target: None,
        skip: None,
    }
}

async fn from_address(
    settings: &Settings,
    base_url: &str,
    key_variable: &str,
) -> Result<InitFiles, OpenFailure> {
    let root = settings.working_dir.clone();
    nothing_in_the_way(&root, &[Path::new(PROJECT_FILE)])?;
    if !is_variable(key_variable) {
        let mend = "it takes the name of an environment variable, not the key itself";
        return Err(OpenFailure::Usage(format!("--api-key-env: {mend}; for example DIFY_API_KEY")));
    }
    let text = project_text(TARGET, base_url, key_variable);
    let (project, mut problems) =
        read_project_text(&text, ProjectOptions { folder: root.clone(), formats: &format_words() });
    let mut choices =
        prepare::choices(settings, &RunOptions { target: Some(TARGET.to_owned()), ..RunOptions::default() })?;
    choices.options.profile = None;
    let target = match project.as_ref().filter(|_| problems.is_empty()) {
        Some(project) => live_target(Some(project), &choices).map_err(|none| match none {
            NoLiveTarget::Unusable(message) => OpenFailure::Target(format!(
                "{message}; Dify shows the key under \"API Access\": export {key_variable}=app-…"
            )),
            NoLiveTarget::Problems(mut problems) => usage(&problems.remove(0).message),
        })?,
        None => {
            let message = problems.pop().map(|problem| problem.message);
            return Err(usage(message.as_deref().unwrap_or("it cannot be written into a project file")));
        }
    };
    let [(_, key)] = target.apps.as_slice() else { return Err(usage("it names no app")) };
    if let Err(reason) = key {
        let mend = format!("Dify shows it under \"API Access\": export {key_variable}=app-…");
        return Err(OpenFailure::Target(format!("{reason}; {mend}")));
    }
    let drafted = ask(&target, "").await?;
    let mut begun = with_suite(root, "suites", drafted);
    begun.files.push((PathBuf::from(PROJECT_FILE), text.into_bytes()));
    begun.target = Some(TARGET.to_owned());
    Ok(begun)
}

fn usage(reason: &str) -> OpenFailure {
    OpenFailure::Usage(format!(
        "--base-url: {reason}; it is shown under \"API Access\", for example https://api.dify.ai/v1"
    ))
}

/// A name that every shell takes for a variable.
fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

async fn from_target(settings: &Settings, name: &str, app: Option<&str>) -> Result<InitFiles, OpenFailure> {
    if find_project(&settings.working_dir).is_none() {
        let mend = "begin one with `flowproof init --base-url URL`";
        return Err(OpenFailure::Target(format!("there is no flowproof.yaml that names `{name}`; {mend}")));
    }
    let request = RunOptions { target: Some(name.to_owned()), ..RunOptions::default() };
    let target = probe::target(settings, &request)?;
    let names: Vec<&str> = target.apps.iter().map(|(name, _)| name.as_str()).collect();
    let chosen = match (app, names.as_slice()) {
        (Some(app), _) if names.contains(&app) => app,
        (None, [only]) => only,
        (Some(_) | None, _) => {
            let known: Vec<&str> = names.iter().copied().filter(|name| !name.is_empty()).collect();
            let message = match (app, known.as_slice()) {
                (_, []) => format!("the target `{name}` has one app without a name: leave --app out"),
                (Some(app), _) => {
                    format!("the target `{name}` has no app `{app}`; it has {}", known.join(", "))
                }
                (None, _) => {
                    format!("the target `{name}` has several apps: say --app {}", known.join(" or --app "))
                }
            };
            return Err(OpenFailure::Usage(message));
        }
    };
    let drafted = ask(&target, chosen).await?;
    let (project, _) = load_alone(&settings.working_dir, &format_words());
    let path = find_project(&settings.working_dir);
    let root = path.as_deref().and_then(Path::parent).unwrap_or(&settings.working_dir).to_path_buf();
    let folder = suites_folder(project.as_ref());
    Ok(InitFiles { target: Some(name.to_owned()), ..with_suite(root, &folder, drafted) })
}

/// The first folder of suites that the project names.
fn suites_folder(project: Option<&ProjectSpec>) -> String {
    let named = project.iter().flat_map(|project| &project.suites).map(|path| path.value.as_str());
    let is_file = |path: &str| path.ends_with(".yaml") || path.ends_with(".yml");
    named.into_iter().find(|path| !is_file(path)).unwrap_or("suites").trim_end_matches('/').to_owned()
}

/// Asks an app for its inputs and drafts a suite for them.
async fn ask(target: &LiveTarget, app: &str) -> Result<Draft, OpenFailure> {
    let redactor = Redactor::new(target.secrets.iter().cloned());
    let refuse = |reason: &str| OpenFailure::Target(redactor.text(reason).into_owned());
    let key = target.apps.iter().find(|(name, _)| name == app).map(|(_, key)| key.as_ref());
    let key = match key {
        Some(Ok(key)) => key,
        Some(Err(reason)) => return Err(refuse(reason)),
        None => return Err(refuse("the target has no such app")),
    };
    let said = probe::app(&target.endpoint, key).await.map_err(|reason| refuse(&reason))?;
    let drafted = draft(&DraftedApp { title: &said.name, app, form: &said.form });
    if redactor.contains_secret(&drafted.suite) {
        return Err(refuse("what the app says of itself holds a secret: nothing of it is written"));
    }
    // What is written is read again: better nothing than a suite that does not load.
    if let Some(problem) = read_suite_text(&drafted.suite, Path::new("suites/first.yaml")).first() {
        let message = format!(
            "what the app says of itself makes no sound suite: {}; nothing is written",
            problem.message
        );
        return Err(refuse(&message));
    }
    Ok(drafted)
}

fn with_suite(root: PathBuf, folder: &str, drafted: Draft) -> InitFiles {
    let folder = Path::new(folder);
    let path = folder.join(format!("{}.yaml", drafted.name));
    let suite = shown(&path, Path::new(""));
    let mut files: Vec<_> =
        drafted.files.into_iter().map(|(path, bytes)| (folder.join(path), bytes)).collect();
    files.push((path, drafted.suite.into_bytes()));
    InitFiles { root, files, suite, target: None, skip: drafted.skip }
}

/// Refuses where one of the files, or a suite of the same name, is already there.
fn nothing_in_the_way(root: &Path, paths: &[&Path]) -> Result<(), OpenFailure> {
    let is_there = |path: &PathBuf| root.join(path).symlink_metadata().is_ok();
    let both = paths.iter().flat_map(|path| {
        let twin = path.extension().filter(|ending| *ending == "yaml").map(|_| path.with_extension("yml"));
        [Some(path.to_path_buf()), twin]
    });
    let there: Vec<String> =
        both.flatten().filter(is_there).map(|path| shown(&path, Path::new(""))).collect();
    if there.is_empty() {
        return Ok(());
    }
    let (verb, them) = (plural(there.len(), "is", "are"), plural(there.len(), "it", "them"));
    let mend = match there.iter().any(|path| path == PROJECT_FILE) {
        true => {
            "to add a suite for a live app, name its target there and say `flowproof init TARGET`".to_owned()
        }
        false => format!("move {them} away first"),
    };
    Err(OpenFailure::Usage(format!(
        "{} {verb} already there, and init overwrites nothing; {mend}",
        there.join(", ")
    )))
}

impl InitFiles {
    /// Writes the files, the project file last; returns their names.
    pub fn write(&self) -> Result<Vec<String>, String> {
        let mut written = Vec::new();
        for (path, bytes) in &self.files {
            let name = shown(path, Path::new(""));
            if let Err(error) = write_new(&self.root.join(path), &Fence::around(&self.root), bytes) {
                let so_far = match written.is_empty() {
                    true => "nothing was written".to_owned(),
                    false => format!("written so far: {}", written.join(", ")),
                };
                return Err(format!("{name} cannot be written: {}; {so_far}", plain(&error)));
            }
            written.push(name);
        }
        Ok(written)
    }
}

fn write_new(path: &Path, fence: &Fence, bytes: &[u8]) -> io::Result<()> {
    files::open_to_add(path, fence, ChangeCondition::Missing)?.write_all(bytes)
}
