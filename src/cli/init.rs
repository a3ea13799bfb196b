//! `flowproof init`: writes a project file and a first suite; overwrites nothing.

use clap::Args;

use crate::app;
use crate::app::init::{InitFiles, Origin, begin};
use crate::app::settings::Settings;
use crate::cli::exit::Exit;
use crate::cli::say;

/// The variable that holds a key, where none is named.
const KEY_VARIABLE: &str = "DIFY_API_KEY";

/// `flowproof init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// A live target of the project file: only a suite for its app is written.
    #[arg(value_name = "TARGET", conflicts_with = "base_url")]
    pub target: Option<String>,
    /// Which app of the target, where it has several.
    #[arg(long, value_name = "NAME", requires = "target")]
    pub app: Option<String>,
    /// The address of a live Dify, as its page "API Access" shows it.
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// The environment variable that holds the app's API key [default: DIFY_API_KEY].
    #[arg(long, value_name = "NAME", requires = "base_url")]
    pub api_key_env: Option<String>,
}

impl InitArgs {
    fn origin(&self) -> Origin<'_> {
        match (&self.target, &self.base_url) {
            (Some(name), _) => Origin::Target { name, app: self.app.as_deref() },
            (None, Some(base_url)) => Origin::Address {
                base_url,
                key_variable: self.api_key_env.as_deref().unwrap_or(KEY_VARIABLE),
            },
            (None, None) => Origin::Example,
        }
    }
}

/// Writes a project that runs as it is.
pub fn init(args: &InitArgs, settings: &Settings) -> Exit {
    let runtime = match app::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return say::failure(&format!("no threads could be started: {error}"), Exit::Usage),
    };
    let begun = match runtime.block_on(begin(settings, args.origin())) {
        Ok(begun) => begun,
        Err(failure) => return say::refusal(&failure, "nothing was written"),
    };
    match begun.write() {
        Ok(written) => say::bytes(shown(&begun, &written).as_bytes()),
        Err(message) => say::failure(&message, Exit::Usage),
    }
}

fn shown(begun: &InitFiles, written: &[String]) -> String {
    let mut text: String = written.iter().map(|name| format!("wrote {name}\n")).collect();
    if let Some(reason) = &begun.skip {
        text.push_str(&format!(
            "its test is skipped, until you give it what flowproof cannot make: {reason}\n"
        ));
    }
    let suite = &begun.suite;
    text.push_str(&format!("next: flowproof run {suite}    # on the built-in mock, at no cost\n"));
    if let Some(target) = &begun.target {
        text.push_str(&format!(
            "then: flowproof run {suite} --target {target}    # on the live app, one run\n"
        ));
    }
    text
}
