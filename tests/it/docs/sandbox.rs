//! A folder of one's own in which the program is run as a reader would.

use std::fs;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use regex::Regex;
use tempfile::TempDir;

/// A temporary project.
pub struct Sandbox {
    folder: TempDir,
}

/// What a command did.
pub struct Done {
    /// Its exit code.
    pub code: i32,
    /// Standard output and error, as they came.
    pub output: String,
}

impl Sandbox {
    /// A project with the repository's suites.
    pub fn with_suites(root: &Path) -> Self {
        let sandbox = Self { folder: TempDir::new().unwrap() };
        copy(&root.join("suites"), &sandbox.path("suites"));
        sandbox
    }

    /// A project with one suite and the repository's data files.
    pub fn with_suite(root: &Path, name: &str, text: &str) -> Self {
        let sandbox = Self { folder: TempDir::new().unwrap() };
        copy(&root.join("suites/_data"), &sandbox.path("suites/_data"));
        sandbox.write(&format!("suites/{name}"), text);
        sandbox
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// The program, ready to be run here with a clean environment.
    pub fn command(&self, arguments: &[String], environment: &[(String, String)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flowproof"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars() {
            if name == "CI"
                || name.starts_with("FLOWPROOF_")
                || name.starts_with("GITHUB_")
                || name.starts_with("DIFY_")
            {
                command.env_remove(name);
            }
        }
        command.env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE").envs(environment.iter().cloned());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[String], environment: &[(String, String)]) -> Done {
        let mut file = tempfile::tempfile().unwrap();
        let mut command = self.command(arguments, environment);
        command.stdout(file.try_clone().unwrap()).stderr(file.try_clone().unwrap());
        let status = command.status().unwrap();
        let mut output = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut output).unwrap();
        Done { code: status.code().unwrap_or(-1), output }
    }

    /// Starts `flowproof mock` here and waits for its address.
    pub fn serve(&self) -> Served {
        let mut command = self.command(&["mock".to_owned()], &[]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let address = Regex::new(r"http://127\.0\.0\.1:\d+(?:/v1)?").unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .map_while(Result::ok)
            .find_map(|line| address.find(&line).map(|found| found.as_str().to_owned()));
        Served { url: url.expect("`flowproof mock` prints its address"), child }
    }
}

/// A mock that runs until it is dropped.
pub struct Served {
    /// Its address.
    pub url: String,
    child: Child,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).follow_links(true) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).unwrap();
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
