//! A project in a folder of its own, and the built command to run in it.

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A suite of one test, tagged `smoke`, that passes on the mock.
pub const GREEN: &str = "
version: 1
name: S
tests:
  - name: a
    tags: [smoke]
    assert: [{ path: $.x, equals: 1 }]
    mock: { outputs: { x: 1 } }
";

/// A suite of a test that passes and one that fails, on the mock.
pub const RED: &str = "
version: 1
name: S
tests:
  - name: good
    assert: [{ path: $.x, equals: 1 }]
    mock: { outputs: { x: 1 } }
  - name: bad
    assert: [{ path: $.x, equals: 2 }]
    mock: { outputs: { x: 1 } }
";

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
        for (name, _) in std::env::vars_os() {
            let upper = name.to_string_lossy().to_ascii_uppercase();
            let speaks = ["CI", "NEXTEST_RUN_ID", "NO_COLOR", "CLICOLOR_FORCE", "LANG", "LC_ALL", "LC_CTYPE"];
            if speaks.contains(&&*upper)
                || upper.starts_with("GITHUB_")
                || upper.starts_with("FLOWPROOF_")
                || upper.ends_with("_PROXY")
            {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs the built command to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }
}

/// The exit code of a command that ended by itself.
pub fn code(output: &Output) -> i32 {
    output.status.code().expect("the command ends by itself")
}

/// Standard output, then standard error.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}
