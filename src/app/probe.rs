//! Asks live apps about themselves; nothing is run.

use secrecy::SecretString;

use crate::app::live_app::app::{AppDescription, read_app};
use crate::app::live_app::diagnosis::{DiagnosisLine, FactState};
use crate::app::live_app::doctor::{self, DiagnosisTarget};
use crate::app::opened::OpenFailure;
use crate::app::prepare::choices;
use crate::app::settings::Settings;
use crate::base::redact::Redactor;
use crate::dify::client::{Certificates, Endpoint, EndpointEnquiry, EnquiryReply};
use crate::dify::wire::parameters::{INFO_PATH, PARAMETERS_PATH};
use crate::plan::live::{LiveTarget, NoLiveTarget, live_target};
use crate::plan::secrets::ProblemMask;
use crate::record::event::RunOptions;
use crate::report::format_words;
use crate::suite::load::load_alone;

/// The live target that is asked for, else the project's only one; no suite is loaded.
pub fn target(settings: &Settings, flags: &RunOptions) -> Result<LiveTarget, OpenFailure> {
    let choices = choices(settings, flags)?;
    let (project, mut problems) = load_alone(&settings.working_dir, &format_words());
    if !problems.is_empty() {
        ProblemMask::of(project.as_ref(), &choices).mask(&mut problems);
        return Err(OpenFailure::Problems(problems));
    }
    live_target(project.as_ref(), &choices).map_err(|none| match none {
        NoLiveTarget::Unusable(message) => OpenFailure::Target(message),
        NoLiveTarget::Problems(problems) => OpenFailure::Problems(problems),
    })
}

/// What an app says of itself, or why nothing can be made of it.
pub async fn app(endpoint: &Endpoint, key: &SecretString) -> Result<AppDescription, String> {
    let enquirer = EndpointEnquiry::new(endpoint).map_err(|error| error.to_string())?;
    let info = enquirer.get(Some(key), INFO_PATH).await;
    let address = DiagnosisTarget {
        base_url: endpoint.base_url.clone(),
        is_unchecked: endpoint.certificates == Certificates::Unchecked,
        has_dify_below: is_dify_below(endpoint, &info).await,
    };
    let parameters = enquirer.get(Some(key), PARAMETERS_PATH).await;
    read_app(&address, &info, &parameters)
}

/// What a doctor sees of a target.
pub async fn diagnose(target: &LiveTarget) -> Vec<DiagnosisLine> {
    let redactor = Redactor::new(target.secrets.iter().cloned());
    let mut lines = look(target).await;
    for line in &mut lines {
        line.text = redactor.text(&line.text).into_owned();
    }
    lines
}

async fn look(target: &LiveTarget) -> Vec<DiagnosisLine> {
    let enquirer = match EndpointEnquiry::new(&target.endpoint) {
        Ok(enquirer) => enquirer,
        Err(error) => return vec![DiagnosisLine::new(FactState::Unreachable, "address", error.to_string())],
    };
    let key = target.apps.iter().find_map(|(_, key)| key.as_ref().ok());
    let first = enquirer.get(key, INFO_PATH).await;
    let address = DiagnosisTarget {
        base_url: target.endpoint.base_url.clone(),
        is_unchecked: target.endpoint.certificates == Certificates::Unchecked,
        has_dify_below: is_dify_below(&target.endpoint, &first).await,
    };
    let mut lines = doctor::judge_address(&address, &first);
    if !first.as_ref().is_ok_and(doctor::is_dify) {
        let text = "key, app and version are looked at once the address is right";
        lines.push(DiagnosisLine::new(FactState::Untold, "app", text));
        return lines;
    }
    for (name, key) in &target.apps {
        let found = match key {
            Ok(key) => look_at_app(&enquirer, key).await,
            Err(reason) => vec![DiagnosisLine::new(FactState::Finding, "key", reason.clone())],
        };
        let of = if name.is_empty() { String::new() } else { format!("{name}: ") };
        lines.extend(
            found.into_iter().map(|line| DiagnosisLine { text: format!("{of}{}", line.text), ..line }),
        );
    }
    lines.extend(doctor::untold(&target.name));
    lines
}

async fn look_at_app(enquirer: &EndpointEnquiry, key: &SecretString) -> Vec<DiagnosisLine> {
    let info = enquirer.get(Some(key), INFO_PATH).await;
    let parameters = enquirer.get(Some(key), PARAMETERS_PATH).await;
    doctor::judge_app(&info, Some(&parameters))
}

/// Looks for Dify below `/v1` where the address has none; no key is sent there.
async fn is_dify_below(endpoint: &Endpoint, first: &Result<EnquiryReply, String>) -> bool {
    let has_v1 = endpoint.base_url.ends_with("/v1");
    if has_v1 || !first.as_ref().is_ok_and(|reply| !doctor::is_dify(reply)) {
        return false;
    }
    let below = Endpoint { base_url: format!("{}/v1", endpoint.base_url), ..endpoint.clone() };
    let Ok(enquirer) = EndpointEnquiry::new(&below) else { return false };
    enquirer.get(None, INFO_PATH).await.is_ok_and(|reply| doctor::is_dify(&reply))
}
