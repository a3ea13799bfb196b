//! The project file as written: targets, profiles, report paths, and what later versions will use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::files::{Fence, FileRefusal};
use crate::base::repeat::RepeatRange;
use crate::base::units::RequestRate;
use crate::suite::data::ReadState;
use crate::suite::keys::format_key::names;
use crate::suite::keys::of_project::{PROFILE, PROJECT, REPORTS};
use crate::suite::read_budget::{BudgetOf, BudgetSpec, read_budget};
use crate::suite::read_compare::{CompareSpec, read_compare};
use crate::suite::read_judge::{JudgeSpec, read_judge};
use crate::suite::read_repeat::read_repeat;
use crate::suite::read_suite::read_version;
use crate::suite::read_target::{TargetSpec, read_target};
use crate::suite::spec::RetriesSpec;
use crate::suite::test_reader::read_retries;
use crate::yaml::node::{MapEntry, Node, SourceText};
use crate::yaml::reader::{Located, Reader};

/// `flowproof.yaml`.
#[derive(Debug)]
pub struct ProjectSpec {
    /// Its text, for places.
    pub source: Arc<SourceText>,
    /// Its folder: relative paths start here.
    pub folder: PathBuf,
    /// Folders and files of suites.
    pub suites: Vec<Located<String>>,
    /// Targets in the order written.
    pub targets: Vec<TargetSpec>,
    /// Profiles in the order written.
    pub profiles: Vec<ProfileSpec>,
    /// Folder of the reports.
    pub reports_dir: Option<String>,
    /// Reports to write; `None`: all there are.
    pub formats: Option<Vec<Located<&'static str>>>,
    /// Names of environment variables that suites may read.
    pub env: Vec<Located<String>>,
    /// Whether that list could be read.
    pub env_read: ReadState,
    /// The file of further environment variables.
    pub env_file: Option<Located<String>>,
    /// What that file holds.
    pub env_of_file: BTreeMap<String, String>,
    /// Names of environment variables whose values are masked.
    pub secrets: Vec<Located<String>>,
    /// Options of the built-in mock, uncompiled.
    pub mock: Option<Node>,
    /// The gates of comparisons.
    pub compare: CompareSpec,
    /// Judges in the order written.
    pub judges: Vec<JudgeSpec>,
}

/// Where a project file lies, and what it may name.
#[derive(Debug)]
pub struct ProjectOptions<'o> {
    /// Its folder.
    pub folder: PathBuf,
    /// The words of `reports.formats`: the documents that there are.
    pub formats: &'o [&'static str],
}

/// One profile.
#[derive(Debug)]
pub struct ProfileSpec {
    /// Its name.
    pub name: Located<String>,
    /// The target it runs on.
    pub target: Option<Located<String>>,
    /// How often each test runs.
    pub repeat: Option<RepeatRange>,
    /// Attempts at once.
    pub concurrency: Option<u32>,
    /// Requests begun per second.
    pub rate: Option<RequestRate>,
    /// Infrastructure retries.
    pub retries: RetriesSpec,
    /// Limit of a whole attempt.
    pub timeout: Option<std::time::Duration>,
    /// What a run may use.
    pub budget: Option<BudgetSpec>,
}

/// Reads the project file; what is wrong with it is noted in the reader.
pub fn read_project(reader: &mut Reader<'_>, root: Node, options: ProjectOptions<'_>) -> ProjectSpec {
    let ProjectOptions { folder, formats } = options;
    let source = reader.source.clone();
    let mut project = ProjectSpec {
        source,
        folder,
        suites: Vec::new(),
        targets: Vec::new(),
        profiles: Vec::new(),
        reports_dir: None,
        formats: None,
        env: Vec::new(),
        env_read: ReadState::Read,
        env_file: None,
        env_of_file: BTreeMap::new(),
        secrets: Vec::new(),
        mock: None,
        compare: CompareSpec::default(),
        judges: Vec::new(),
    };
    reader.file_map(&root, "the project file", &names(&PROJECT));
    for entry in root.into_entries() {
        match entry.key.as_str() {
            "reports" => read_reports(reader, &entry.value, formats, &mut project),
            _ => read_project_key(reader, entry, &mut project),
        }
    }
    for profile in &project.profiles {
        check_target(reader, profile, &project.targets);
    }
    project
}

fn read_project_key(reader: &mut Reader<'_>, entry: MapEntry, project: &mut ProjectSpec) {
    let value = &entry.value;
    match entry.key.as_str() {
        "version" => read_version(reader, value),
        "suites" => project.suites = read_paths(reader, value),
        "targets" => {
            for (name, value) in named(reader, value, "`targets`") {
                if name.value == "mock" {
                    reader.problem(name.mark, "`mock` is built in; a target needs another name");
                    continue;
                }
                let target = read_target(reader, name, value);
                project.targets.push(target);
            }
        }
        "profiles" => {
            for (name, value) in named(reader, value, "`profiles`") {
                let profile = read_profile(reader, name, value);
                project.profiles.push(profile);
            }
        }
        "env" => {
            let before = reader.problems.len();
            project.env = read_env_names(reader, value);
            if reader.problems.len() > before {
                project.env_read = ReadState::Unread;
            }
        }
        "env_file" => project.env_file = reader.filled_text(value, "`env_file`"),
        "secrets" => {
            let items = reader.list(value, "`secrets`");
            project.secrets =
                items.iter().filter_map(|item| reader.filled_text(item, "a name under `secrets`")).collect();
        }
        "mock" => project.mock = Some(entry.value),
        "compare" => project.compare = read_compare(reader, value),
        "judges" => {
            for (name, value) in named(reader, value, "`judges`") {
                let judge = read_judge(reader, name, value);
                project.judges.push(judge);
            }
        }
        _ => {}
    }
}

/// The names that suites may read: each written out, for a pattern would let in what nobody thought of.
fn read_env_names(reader: &mut Reader<'_>, node: &Node) -> Vec<Located<String>> {
    let mut names = Vec::new();
    for item in reader.list(node, "`env`") {
        let Some(name) = reader.filled_text(item, "a name under `env`") else { continue };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.value.starts_with(|c: char| c.is_ascii_digit()) || !name.value.chars().all(is_name) {
            let message = format!("`{}` is no name of an environment variable", name.value);
            reader.problem_with_help(item.mark, message, "write each name out, e.g. `env: [REGION]`");
            continue;
        }
        names.push(name);
    }
    names
}

fn named<'n>(reader: &mut Reader<'_>, node: &'n Node, what: &str) -> Vec<(Located<String>, &'n Node)> {
    let Some(entries) = node.as_map() else {
        reader.problem(node.mark, format!("{what} must be a mapping, found {}", node.kind()));
        return Vec::new();
    };
    let named = |entry: &'n MapEntry| (Located { value: entry.key.clone(), mark: entry.mark }, &entry.value);
    entries.iter().map(named).collect()
}

fn read_paths(reader: &mut Reader<'_>, node: &Node) -> Vec<Located<String>> {
    let items = reader.list(node, "`suites`");
    if items.is_empty() && node.as_list().is_some() {
        reader.problem(node.mark, "`suites` names no folder");
    }
    items.iter().filter_map(|item| reader.filled_text(item, "a path under `suites`")).collect()
}

fn read_profile(reader: &mut Reader<'_>, name: Located<String>, node: &Node) -> ProfileSpec {
    let mut profile = ProfileSpec {
        name,
        target: None,
        repeat: None,
        concurrency: None,
        rate: None,
        retries: RetriesSpec::default(),
        timeout: None,
        budget: None,
    };
    for entry in reader.map(node, "a profile", &names(&PROFILE)) {
        let value = &entry.value;
        match entry.key.as_str() {
            "target" => profile.target = reader.filled_text(value, "`target`"),
            "repeat" => profile.repeat = read_repeat(reader, value),
            "concurrency" => profile.concurrency = reader.bounded(value, "`concurrency`", 1..=4096),
            "rate" => profile.rate = reader.rate(value),
            "retries" => profile.retries = read_retries(reader, value),
            "timeout" => profile.timeout = reader.positive_duration(value, "`timeout`"),
            "budget" => profile.budget = Some(read_budget(reader, value, BudgetOf::Profile)),
            _ => {}
        }
    }
    profile
}

fn check_target(reader: &mut Reader<'_>, profile: &ProfileSpec, targets: &[TargetSpec]) {
    let Some(target) = &profile.target else { return };
    let names: Vec<&str> = targets.iter().map(|target| target.name.value.as_str()).chain(["mock"]).collect();
    if names.contains(&target.value.as_str()) {
        return;
    }
    let help = Reader::did_you_mean(&target.value, &names)
        .unwrap_or_else(|| format!("targets: {}", names.join(", ")));
    reader.problem_with_help(target.mark, format!("there is no target `{}`", target.value), help);
}

/// The folder of the reports: one that leaves the project is named where the command is given, not in a file.
fn read_reports_dir(reader: &mut Reader<'_>, node: &Node, folder: &Path) -> Option<String> {
    let dir = reader.filled_text(node, "`reports.dir`")?;
    match Fence::around(folder).find_or_new(&folder.join(&dir.value)) {
        Err(error) if FileRefusal::of(&error).is_some() => {
            let message = format!("`reports.dir`: `{}` cannot be used: {error}", dir.value);
            let help = "a folder elsewhere is named by --reports or FLOWPROOF_REPORTS";
            reader.problem_with_help(dir.mark, message, help);
            None
        }
        Err(_) | Ok(_) => Some(dir.value),
    }
}

fn read_reports(reader: &mut Reader<'_>, node: &Node, formats: &[&'static str], project: &mut ProjectSpec) {
    for entry in reader.map(node, "`reports`", &names(&REPORTS)) {
        match entry.key.as_str() {
            "dir" => {
                project.reports_dir = read_reports_dir(reader, &entry.value, &project.folder);
            }
            "formats" => {
                let items = reader.list(&entry.value, "`reports.formats`");
                let words: Vec<_> = formats.iter().map(|word| (*word, *word)).collect();
                let formats = items.iter().filter_map(|item| reader.choice(item, "a report format", &words));
                project.formats = Some(formats.collect());
            }
            _ => {}
        }
    }
}
