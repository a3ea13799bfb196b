//! A project whose target is a scripted server, its runs bounded in time, and what a run leaves behind.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::project::Project;
use crate::server::{KEY, Seen, Server, Step, target};

/// No run of a test takes longer.
const LONGEST: Duration = Duration::from_secs(150);

/// A project with the target `live`.
pub struct Live {
    /// Its folder.
    pub project: Project,
    /// The server behind the target.
    pub server: Server,
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output, then standard error.
    pub text: String,
}

impl Live {
    /// A project of one suite; `keys` are more keys of the target, one a line.
    pub fn new(suite: &str, keys: &str, answer: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let server = Server::start(answer);
        let project = Project::with_suite(suite);
        target(&project, &server.base_url(), keys);
        Self { project, server }
    }

    /// Runs `flowproof run --target live` with more arguments.
    pub fn run(&self, args: &[&str]) -> Ran {
        run(&self.project, args)
    }

    /// Runs, and expects this exit code.
    pub fn expect(&self, code: i32, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(code), "{}", ran.text);
        ran
    }

    /// The verdict of a test by its name without the suite's.
    pub fn verdict(&self, test: &str) -> String {
        case(&report(&self.project), test)["verdict"].as_str().unwrap().to_owned()
    }
}

/// The command that runs a project on its target `live`, with an environment that says nothing else.
pub fn command(project: &Project, args: &[&str]) -> Command {
    let mut all = vec!["run", "--target", "live"];
    all.extend_from_slice(args);
    let mut command = project.command(&all);
    command.env("TEST_KEY", KEY);
    command
}

/// Runs a project on its target `live`.
pub fn run(project: &Project, args: &[&str]) -> Ran {
    finish(project, command(project, args))
}

/// Runs a command to its end, which must come.
pub fn finish(project: &Project, command: Command) -> Ran {
    let child = spawn(project, command);
    wait(project, child)
}

/// Starts a command whose output goes to files of the project.
pub fn spawn(project: &Project, mut command: Command) -> Child {
    let [out, err] = ["stdout.txt", "stderr.txt"].map(|name| File::create(project.path(name)).unwrap());
    command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap()
}

/// Waits for the end of a command, which must come.
pub fn wait(project: &Project, mut child: Child) -> Ran {
    let status = ending(&mut child).unwrap_or_else(|| panic!("the command did not end: {}", said(project)));
    Ran { code: status.code(), text: said(project) }
}

/// How a command ends; none, and it is killed, when it does not in time.
fn ending(child: &mut Child) -> Option<ExitStatus> {
    let limit = Instant::now() + LONGEST;
    while Instant::now() < limit {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    None
}

/// The exit code of a command, which must end; `None` when a signal ended it.
pub fn end(child: &mut Child) -> Option<i32> {
    ending(child).expect("the command ends").code()
}

/// Waits until something holds, which must happen.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + LONGEST;
    while !holds() {
        assert!(Instant::now() < limit, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a signal.
pub fn signal(child: &Child, name: &str) {
    let killed = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
}

fn said(project: &Project) -> String {
    ["stdout.txt", "stderr.txt"]
        .map(|name| String::from_utf8_lossy(&std::fs::read(project.path(name)).unwrap()).into_owned())
        .concat()
}

/// `report.json`, which keeps to its schema.
pub fn report(project: &Project) -> Value {
    let report: Value = serde_json::from_str(&project.read("reports/latest/report.json")).unwrap();
    let schema = project.run(&["schema", "report"]);
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    report
}

/// A case of a report by its test's name without the suite's.
pub fn case<'a>(report: &'a Value, test: &str) -> &'a Value {
    let cases = report["cases"].as_array().unwrap();
    let found = cases.iter().find(|case| case["name"].as_str().unwrap().ends_with(&format!("::{test}")));
    found.unwrap_or_else(|| panic!("no case {test} in {report}"))
}

/// `junit.xml`, which is well formed and holds no character that XML forbids; gives how often each element is in it.
pub fn junit(project: &Project) -> std::collections::BTreeMap<String, usize> {
    let text = project.read("reports/latest/junit.xml");
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(allowed), "a character that XML forbids in {text:?}");
    let mut reader = quick_xml::Reader::from_str(&text);
    reader.config_mut().check_end_names = true;
    let mut counts = std::collections::BTreeMap::new();
    let mut depth = 0;
    loop {
        use quick_xml::events::Event;
        let element = match reader.read_event().unwrap_or_else(|error| panic!("{error} in {text}")) {
            Event::Eof => break,
            Event::Start(element) => {
                depth += 1;
                element
            }
            Event::Empty(element) => element,
            Event::End(_) => {
                depth -= 1;
                continue;
            }
            _ => continue,
        };
        for attribute in element.attributes() {
            attribute.unwrap().normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap();
        }
        *counts.entry(String::from_utf8_lossy(element.name().as_ref()).into_owned()).or_insert(0) += 1;
    }
    assert_eq!(depth, 0, "{text}");
    counts
}

/// Every file below the reports folder.
pub fn written(project: &Project) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(project.path("reports")).into_iter().filter_map(Result::ok) {
        if entry.file_type().is_file() {
            files.push((entry.path().display().to_string(), std::fs::read(entry.path()).unwrap()));
        }
    }
    files
}

/// A secret is nowhere, in none of the forms that text, JSON, addresses and Base64 give it.
pub fn assert_hidden(project: &Project, ran: &Ran, secrets: &[&str]) {
    let mut places = written(project);
    places.push(("the output".to_owned(), ran.text.clone().into_bytes()));
    for secret in secrets {
        for form in forms(secret) {
            for (name, bytes) in &places {
                assert!(
                    memchr::memmem::find(bytes, form.as_bytes()).is_none(),
                    "{form:?} stands in {}",
                    Path::new(name).display()
                );
            }
        }
    }
}

fn forms(secret: &str) -> Vec<String> {
    let json = Value::String(secret.to_owned()).to_string();
    let encoded: String = secret
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    vec![
        secret.to_owned(),
        json[1..json.len() - 1].to_owned(),
        secret.replace('/', "\\/"),
        encoded,
        base64(secret.as_bytes()),
    ]
}

/// Base64 without padding (RFC 4648).
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}
