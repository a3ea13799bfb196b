//! The files in `examples/ci` do what they say: their commands are run in order, as GitHub, GitLab and Kubernetes would.
//!
//! What these servers do around the commands (a fresh workspace for each job, artifacts, conditions) is done here as far as
//! the files ask for it; anything else they ask for fails the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::project::Project;
use crate::shards::many;

/// A file of `examples/ci`, each of its documents.
fn documents(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(name);
    let text = fs::read_to_string(path).unwrap();
    text.split("\n---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What a script did.
struct Ran {
    code: i32,
    said: String,
}

/// Runs a script as a build server does: it stops at the first command that fails.
fn shell(script: &str, folder: &Path, env: &[(&str, String)]) -> Ran {
    let bin = Path::new(env!("CARGO_BIN_EXE_flowproof")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(bin.to_path_buf()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let mut command = Command::new("sh");
    command.args(["-e", "-c", script]).current_dir(folder).env_clear().env("PATH", path.unwrap());
    let output = command.envs(env.iter().map(|(name, value)| (name, value))).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Ran { code: output.status.code().unwrap(), said }
}

/// The script without the line that installs flowproof, which is built here already.
fn installed(script: &str) -> String {
    let lines: Vec<&str> = script.lines().filter(|line| !line.starts_with("cargo install")).collect();
    lines.join("\n")
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).unwrap();
        } else {
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// What becomes of the jobs of a pipeline.
struct Pipeline<'a> {
    project: &'a Project,
    artifacts: TempDir,
    /// The shard whose machine is lost, from 1.
    lost: Option<u64>,
}

impl<'a> Pipeline<'a> {
    fn new(project: &'a Project, lost: Option<u64>) -> Self {
        Self { project, artifacts: TempDir::new().unwrap(), lost }
    }

    /// A fresh workspace with the project in it.
    fn checkout(&self) -> TempDir {
        let workspace = TempDir::new().unwrap();
        copy(&self.project.path("suites"), &workspace.path().join("suites"));
        workspace
    }

    /// Runs all jobs of the GitHub workflow; gives what the report's job did, and the summary GitHub would show.
    fn github(&self) -> (Ran, String) {
        let workflow = &documents("github-actions.yml")[0];
        let shards = &workflow["jobs"]["shard"];
        assert_eq!(shards["strategy"]["fail-fast"], false);
        for shard in list(&shards["strategy"]["matrix"]["shard"]) {
            if self.lost != shard.as_u64() {
                self.github_job(shards, &shard.to_string());
            }
        }
        let report = &workflow["jobs"]["report"];
        assert_eq!((text(&report["needs"]), text(&report["if"])), ("shard", "${{ !cancelled() }}"));
        self.github_job(report, "")
    }

    /// Runs the steps of a job; of what it did the first failure counts.
    fn github_job(&self, job: &Value, shard: &str) -> (Ran, String) {
        let workspace = self.checkout();
        let summary = workspace.path().join("summary-of-the-job");
        let env = [
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_STEP_SUMMARY", summary.to_string_lossy().into_owned()),
        ];
        let mut done = Ran { code: 0, said: String::new() };
        for step in list(&job["steps"]) {
            match step["if"].as_str() {
                None if done.code != 0 => continue,
                None | Some("${{ !cancelled() }}") => {}
                Some(other) => panic!("this test does not know the condition {other}"),
            }
            let filled = |value: &Value| text(value).replace("${{ matrix.shard }}", shard);
            if !step["run"].is_null() {
                let ran = shell(&installed(&filled(&step["run"])), workspace.path(), &env);
                done.said.push_str(&ran.said);
                done.code = if done.code == 0 { ran.code } else { done.code };
                continue;
            }
            match text(&step["uses"]) {
                "actions/checkout@v4" => {}
                "actions/upload-artifact@v4" => {
                    self.upload(
                        workspace.path(),
                        &filled(&step["with"]["path"]),
                        &filled(&step["with"]["name"]),
                    );
                }
                "actions/download-artifact@v4" => {
                    assert_eq!(text(&step["with"]["pattern"]), "shard-*");
                    copy(self.artifacts.path(), &workspace.path().join(text(&step["with"]["path"])));
                }
                other => panic!("this test does not know {other}"),
            }
        }
        let summary = fs::read_to_string(summary).unwrap_or_default();
        (done, summary)
    }

    /// Keeps a file, or what a folder holds, in an artifact of its own.
    fn upload(&self, workspace: &Path, path: &str, name: &str) {
        let (from, to) = (workspace.join(path), self.artifacts.path().join(name));
        assert!(from.exists(), "{path} is not there to be uploaded");
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::create_dir_all(&to).unwrap();
            fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
        }
    }

    /// Runs all jobs of the GitLab pipeline; gives what the report's job did, and where it left its workspace.
    fn gitlab(&self) -> (Ran, TempDir) {
        let pipeline = &documents("gitlab-ci.yml")[0];
        let shards = &pipeline["workflow-tests"];
        let total = shards["parallel"].as_u64().unwrap();
        for index in (1..=total).filter(|index| self.lost != Some(*index)) {
            let node = [("CI_NODE_INDEX", index.to_string()), ("CI_NODE_TOTAL", total.to_string())];
            let workspace = self.checkout();
            self.gitlab_job(pipeline, shards, (workspace.path(), &node));
        }
        let workspace = self.checkout();
        copy(self.artifacts.path(), workspace.path());
        let report = &pipeline["workflow-report"];
        assert_eq!(text(&report["when"]), "always");
        let ran = self.gitlab_job(pipeline, report, (workspace.path(), &[("CI_NODE_TOTAL", "1".to_owned())]));
        let junit = text(&report["artifacts"]["reports"]["junit"]);
        assert!(workspace.path().join(junit).exists(), "{junit} is not there for GitLab to show");
        (ran, workspace)
    }

    fn gitlab_job(&self, pipeline: &Value, job: &Value, (folder, node): (&Path, &[(&str, String)])) -> Ran {
        let env: Vec<(&str, String)> = [("CI", "true".to_owned()), ("GITLAB_CI", "true".to_owned())]
            .into_iter()
            .chain(node.iter().cloned())
            .collect();
        let joined = |scripts: &[&Value]| {
            let lines = scripts.iter().flat_map(|script| list(script)).map(text).collect::<Vec<_>>();
            installed(&lines.join("\n"))
        };
        let ran = shell(&joined(&[&pipeline["default"]["before_script"], &job["script"]]), folder, &env);
        let after = shell(&joined(&[&job["after_script"]]), folder, &env);
        assert_eq!(after.code, 0, "{}", after.said);
        assert_eq!(text(&job["artifacts"]["when"]), "always");
        for path in list(&job["artifacts"]["paths"]).iter().map(text) {
            let from = folder.join(path);
            assert!(from.exists(), "{path} is not there to be kept");
            copy(&from, &self.artifacts.path().join(path));
        }
        ran
    }

    /// Runs both Jobs of Kubernetes on one volume; gives what the second did, none where the first has not completed.
    fn kubernetes(&self, volume: &Path) -> Option<Ran> {
        let shards = documents("kubernetes-shards.yaml").remove(1);
        let spec = &shards["spec"];
        let total = spec["completions"].as_u64().unwrap();
        for index in 0..total {
            if self.lost == Some(index + 1) {
                return None;
            }
            let ran = self.pod(spec, Some(index), volume);
            assert_eq!(ran.code, 0, "a Pod with results is not started again: {}", ran.said);
        }
        Some(self.pod(&documents("kubernetes-merge.yaml")[0]["spec"], None, volume))
    }

    fn pod(&self, job: &Value, index: Option<u64>, volume: &Path) -> Ran {
        let container = &job["template"]["spec"]["containers"][0];
        assert_eq!(container["command"], serde_json::json!(["/bin/sh", "-c"]));
        let named = list(&container["env"]).iter();
        let env: Vec<(&str, String)> = named
            .filter_map(|entry| Some((entry["name"].as_str()?, entry["value"].as_str()?.to_owned())))
            .chain(index.map(|index| ("JOB_COMPLETION_INDEX", index.to_string())))
            .collect();
        let script = text(&container["args"][0]).replace("/shared", &volume.to_string_lossy());
        shell(&script, self.checkout().path(), &env)
    }
}

#[test]
fn github_joins_its_shards() {
    let project = many(12, &[]);
    let (ran, summary) = Pipeline::new(&project, None).github();
    assert_eq!(ran.code, 0, "{}", ran.said);
    assert!(ran.said.contains("12 tests: 12 passed") && ran.said.contains("merged 4 runs"), "{}", ran.said);
    assert!(summary.contains("12"), "{summary}");
    let (ran, _) = Pipeline::new(&many(12, &[5]), None).github();
    assert_eq!(ran.code, 100, "{}", ran.said);
    assert!(ran.said.contains("::error file=suites/s.yaml"), "{}", ran.said);
    let (ran, summary) = Pipeline::new(&project, Some(2)).github();
    assert_eq!(ran.code, 100, "{}", ran.said);
    assert!(ran.said.contains("shard 2/4 is missing"), "{}", ran.said);
    assert!(summary.contains("no verdict"), "{summary}");
}

#[test]
fn gitlab_joins_its_shards() {
    let project = many(12, &[]);
    let (ran, workspace) = Pipeline::new(&project, None).gitlab();
    assert_eq!(ran.code, 0, "{}", ran.said);
    let junit = fs::read_to_string(workspace.path().join("reports/latest/junit.xml")).unwrap();
    assert!(junit.contains("tests=\"12\" "), "{junit}");
    let (ran, _) = Pipeline::new(&many(12, &[5]), None).gitlab();
    assert_eq!(ran.code, 100, "{}", ran.said);
    let (ran, _) = Pipeline::new(&project, Some(3)).gitlab();
    assert_eq!(ran.code, 100, "{}", ran.said);
    assert!(ran.said.contains("shard 3/4 is missing"), "{}", ran.said);
}

#[test]
fn kubernetes_joins_its_shards() {
    let project = many(12, &[]);
    let volume = TempDir::new().unwrap();
    let ran = Pipeline::new(&project, None).kubernetes(volume.path()).unwrap();
    assert_eq!(ran.code, 0, "{}", ran.said);
    assert!(ran.said.contains("12 tests: 12 passed"), "{}", ran.said);
    // The same volume again: what an earlier Job left there must not hide what is red now.
    let red = many(12, &[5]);
    let ran = Pipeline::new(&red, None).kubernetes(volume.path()).unwrap();
    assert_eq!(ran.code, 100, "{}", ran.said);
    assert!(
        Pipeline::new(&project, Some(2)).kubernetes(volume.path()).is_none(),
        "the Job does not complete"
    );
    let broken = Project::with_suite("version: 1\nname: S\ntests: nonsense\n");
    let shards: PathBuf = volume.path().join("shards");
    let spec = documents("kubernetes-shards.yaml").remove(1);
    let ran = Pipeline::new(&broken, None).pod(&spec["spec"], Some(0), volume.path());
    assert_eq!(ran.code, 1, "a Pod without results has failed: {}", ran.said);
    assert!(!shards.join("0.jsonl").exists(), "and leaves none");
}

/// The page shows the files as they are.
#[test]
fn the_page_shows_the_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/ci.md")).unwrap();
    for entry in fs::read_dir(root.join("examples/ci")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let block = format!("```yaml file=examples/ci/{name}\n{}```\n", fs::read_to_string(&path).unwrap());
        assert!(page.contains(&block), "docs/ci.md does not show {name} as it is");
    }
}
