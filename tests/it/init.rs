//! `init`: a first suite that runs as it is, here and on the app it was made for, and nothing overwritten.

use std::path::Path;
use std::process::Output;

use crate::doors::dify;
use crate::human_input::Mock;
use crate::project::{Project, code, text};
use crate::server::{KEY, Server, Step, document, target};

/// A mock with an app of every kind of input, most of them required.
const SERVED: &str = r##"
version: 1
mock:
  apps:
    one:
      parameters:
        - text-input: { variable: name, required: true, max_length: 3 }
        - paragraph: { variable: "te: xt", required: true, default: "a: {{ b }} # c\n- d" }
        - select: { variable: lang, required: true, options: ["no", "{{ x }}"] }
        - select: { variable: tone, required: false, options: [dry, warm], default: warm }
        - number: { variable: n, required: true, default: "2.5" }
        - checkbox: { variable: on, required: true }
        - json_object: { variable: obj, required: true }
        - file: { variable: doc, required: true, allowed_file_types: [image, document] }
        - file-list: { variable: pics, required: true, max_length: 2, allowed_file_types: [image] }
        - text-input: { variable: free, required: false }
"##;

/// What that app answers whoever asks.
const ANSWERS: &str = r#"
version: 1
app: one
mock:
  - when: { inputs: { name: Hel } }
    reply: { outputs: { answer: fine } }
tests:
  - name: a
    mock: { outputs: { answer: fine } }
"#;

fn served(project_file: &str) -> (Project, Mock) {
    let project = Project::with_suite(ANSWERS);
    project.write("flowproof.yaml", project_file);
    let mock = Mock::start(&project);
    (project, mock)
}

fn run(project: &Project, args: &[&str], key: &str) -> Output {
    project.command(args).env("DIFY_API_KEY", key).output().unwrap()
}

fn expect(project: &Project, expected: i32, args: &[&str], key: &str) -> String {
    let said = run(project, args, key);
    assert_eq!(code(&said), expected, "{args:?}: {}", text(&said));
    assert!(key.is_empty() || !text(&said).contains(key), "the key is told: {}", text(&said));
    text(&said)
}

/// Everything below a folder, with its content.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn an_example_runs_as_it_is_and_can_fail() {
    let project = Project::empty();
    let said = expect(&project, 0, &["init"], "");
    assert!(said.contains("wrote suites/first.yaml\nwrote flowproof.yaml\nnext: flowproof run"), "{said}");
    expect(&project, 0, &["check"], "");
    let said = expect(&project, 0, &["run"], "");
    assert!(said.contains("3 tests"), "{said}");
    let suite = project.read("suites/first.yaml").replace("A refund is on its way", "No");
    project.write("suites/first.yaml", suite);
    expect(&project, 100, &["run"], "");
}

#[test]
fn a_live_app_gets_a_suite_that_runs_on_it_and_on_the_mock() {
    let (_kept, mock) = served(SERVED);
    let project = Project::empty();
    let said = expect(&project, 0, &["init", "--base-url", &mock.1], "app-one");
    for name in
        ["suites/one.yaml", "flowproof.yaml", "suites/_data/one-sample.txt", "suites/_data/one-sample.png"]
    {
        assert!(said.contains(&format!("wrote {name}\n")), "{name}: {said}");
    }
    for (name, content) in files(&project.path("")) {
        assert!(!String::from_utf8_lossy(&content).contains("app-one"), "the key is in {name}");
    }
    expect(&project, 0, &["check"], "");
    expect(&project, 0, &["run"], "");
    let said = expect(&project, 0, &["run", "--target", "live"], "app-one");
    assert!(said.contains("1 passed"), "{said}");
    expect(&project, 0, &["check", "--against", "live"], "app-one");
}

#[test]
fn the_suite_is_red_when_the_app_refuses_it() {
    let (_kept, mock) = served(SERVED);
    let project = Project::empty();
    expect(&project, 0, &["init", "--base-url", &mock.1], "app-one");
    let (_other, stricter) =
        served(&SERVED.replace("variable: free, required: false", "variable: free, required: true"));
    project.write("flowproof.yaml", project.read("flowproof.yaml").replace(&mock.1, &stricter.1));
    // A streaming Dify 1.14 answers bad inputs with silence.
    let suite = project
        .read("suites/one.yaml")
        .replace("    inputs:\n", "    response_mode: blocking\n    inputs:\n");
    project.write("suites/one.yaml", suite);
    let said = expect(&project, 100, &["run", "--target", "live"], "app-one");
    assert!(said.contains("free is required in input form"), "{said}");
    let said = expect(&project, 1, &["check", "--against", "live"], "app-one");
    assert!(said.contains("the input `free` is required and not sent"), "{said}");
}

#[test]
fn a_target_of_the_project_gets_a_suite_and_nothing_else() {
    let (_kept, mock) = served(SERVED);
    let project = Project::empty();
    let file = format!(
        "version: 1\nsuites: [tests/flows]\ntargets:\n  here:\n    base_url: {}\n    apps:\n      one: {{ api_key: \"{{{{ env.DIFY_API_KEY }}}}\" }}\n      two: {{ api_key: \"{{{{ env.NO_SUCH_KEY }}}}\" }}\n",
        mock.1
    );
    project.write("flowproof.yaml", &file);
    let said = expect(&project, 2, &["init", "here"], "app-one");
    assert!(said.contains("say --app one or --app two"), "{said}");
    let said = expect(&project, 2, &["init", "here", "--app", "three"], "app-one");
    assert!(said.contains("has no app `three`; it has one, two"), "{said}");
    let said = expect(&project, 3, &["init", "here", "--app", "two"], "app-one");
    assert!(said.contains("NO_SUCH_KEY"), "{said}");
    let said = expect(&project, 0, &["init", "here", "--app", "one"], "app-one");
    assert!(said.contains("wrote tests/flows/one.yaml") && !said.contains("wrote flowproof.yaml"), "{said}");
    assert_eq!(project.read("flowproof.yaml"), file);
    assert!(project.read("tests/flows/one.yaml").contains("app: \"one\""));
    expect(&project, 0, &["run", "--target", "here"], "app-one");
    expect(&project, 3, &["init", "nowhere"], "app-one");
    expect(&project, 3, &["init", "mock"], "app-one");
}

#[test]
fn nothing_is_overwritten() {
    let server = dify("1.14.2", "echo");
    let base = server.base_url();
    for (name, args, word) in [
        ("flowproof.yaml", &["init"][..], "flowproof.yaml is already there"),
        ("suites/first.yaml", &["init"], "suites/first.yaml is already there"),
        ("suites/first.yml", &["init"], "suites/first.yml is already there"),
        ("flowproof.yaml", &["init", "--base-url", &base], "flowproof init TARGET"),
        ("suites/echo.yaml", &["init", "--base-url", &base], "suites/echo.yaml is already there"),
    ] {
        let project = Project::empty();
        project.write(name, "# mine\n");
        let before = files(&project.path(""));
        let said = expect(&project, 2, args, KEY);
        assert!(said.contains(word), "{word}: {said}");
        assert_eq!(files(&project.path("")), before, "{name}");
    }
    let project = Project::empty();
    project.write("suites", "a file where a folder should be");
    let said = expect(&project, 2, &["init"], "");
    assert!(said.contains("cannot be written") && said.contains("nothing was written"), "{said}");
    assert!(!project.path("flowproof.yaml").exists());
}

#[test]
fn apps_that_were_recorded_get_suites_that_load() {
    for version in ["1.12.1", "1.14.2"] {
        for app in ["echo", "file"] {
            let server = dify(version, app);
            let project = Project::empty();
            expect(&project, 0, &["init", "--base-url", &server.base_url()], KEY);
            expect(&project, 0, &["run"], "");
            expect(&project, 0, &["check", "--against", "live"], KEY);
            assert_eq!(server.runs().len(), 0, "nothing is run");
        }
    }
}

#[test]
fn what_is_no_workflow_or_does_not_answer_gets_nothing() {
    for (app, word) in [("chatflow", "has the mode `advanced-chat`"), ("unpublished", "press Publish")] {
        let project = Project::empty();
        let said = expect(&project, 3, &["init", "--base-url", &dify("1.14.2", app).base_url()], KEY);
        assert!(said.contains(word), "{said}");
        assert_eq!(files(&project.path("")), []);
    }
    let server = dify("1.14.2", "echo");
    let base = server.base_url();
    let without = base.trim_end_matches("/v1").to_owned();
    let page = Server::start(|_| vec![Step::Send(document("200 OK", "text/html", b"<title>Hi</title>"))]);
    let closed = "http://127.0.0.1:1/v1".to_owned();
    for (url, key, code, word) in [
        (base.clone(), "app-of-somebody-else", 3, "/info is refused: HTTP 401"),
        (base.clone(), "", 3, "export DIFY_API_KEY="),
        (without, KEY, 3, "lacks /v1"),
        (page.base_url(), KEY, 3, "is not Dify's API"),
        (closed, KEY, 3, "is Dify up"),
        (base.replace("//", "//somebody:s3cret-word@"), KEY, 2, "no user and no password"),
        ("no address".to_owned(), KEY, 2, "is no address"),
        ("ftp://a.example/v1".to_owned(), KEY, 2, "is no address"),
        ("{{ nope }}".to_owned(), KEY, 2, "--base-url"),
        (String::new(), KEY, 2, "--base-url"),
    ] {
        let project = Project::empty();
        let said = expect(&project, code, &["init", "--base-url", &url], key);
        assert!(said.contains(word), "{url}: {word}: {said}");
        assert!(!said.contains("s3cret-word"), "{said}");
        assert_eq!(files(&project.path("")), [], "{url}");
    }
}

#[test]
fn a_key_in_the_place_of_its_name_is_not_told() {
    let server = dify("1.14.2", "echo");
    let project = Project::empty();
    let said =
        expect(&project, 2, &["init", "--base-url", &server.base_url(), "--api-key-env", KEY], "app-another");
    assert!(said.contains("not the key itself") && !said.contains(KEY), "{said}");
    expect(&project, 2, &["init", "--api-key-env", "A"], "");
    expect(&project, 2, &["init", "live", "--base-url", "http://127.0.0.1:1/v1"], "");
}

#[test]
fn an_app_whose_inputs_cannot_be_made_is_skipped_with_the_reason() {
    let form = "version: 1\nmock:\n  apps:\n    one: { parameters: [{ file: { variable: clip, required: true, allowed_file_types: [video] } }] }\n";
    let (_kept, mock) = served(form);
    let project = Project::empty();
    let said = expect(&project, 0, &["init", "--base-url", &mock.1], "app-one");
    assert!(said.contains("its test is skipped") && said.contains("`clip`"), "{said}");
    expect(&project, 0, &["check"], "");
    expect(&project, 4, &["run"], "");
    let said = expect(&project, 2, &["check", "--against", "live"], "app-one");
    assert!(said.contains("every test is skipped: nothing can be compared"), "{said}");
}

#[test]
fn a_named_project_above_is_found_from_below() {
    let server = dify("1.14.2", "echo");
    let project = Project::empty();
    target(&project, &server.base_url(), "");
    std::fs::create_dir_all(project.path("deep/er")).unwrap();
    let mut command = project.command(&["init", "live"]);
    let said = command.env("TEST_KEY", KEY).current_dir(project.path("deep/er")).output().unwrap();
    assert_eq!(code(&said), 0, "{}", text(&said));
    assert!(project.path("suites/echo.yaml").exists(), "{}", text(&said));
}
