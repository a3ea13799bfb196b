//! A project in a folder of its own, and the built command to run in it.

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A project folder that goes away with the test.
pub struct Project {
    folder: TempDir,
}

impl Project {
    /// A folder with nothing in it.
    pub fn empty() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// A project of one suite, `suites/s.yaml`, and no project file.
    pub fn with_suite(suite: &str) -> Self {
        let project = Self::empty();
        project.write("suites/s.yaml", suite);
        project
    }

    /// A path inside the project.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, its folders too.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Reads a text file.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The built command, in this folder, with an environment that says nothing to flowproof.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flowproof"));
        command.args(args).current_dir(self.folder.path());
        for name in [
            "CI",
            "GITHUB_ACTIONS",
            "NEXTEST_RUN_ID",
            "NO_COLOR",
            "CLICOLOR_FORCE",
            "HTTP_PROXY",
            "http_proxy",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// Runs the built command to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }
}
