//! What reports tell of a run as a whole besides its counts: which versions ran.

use crate::event::RanVersion;
use crate::journal::RunRecord;
use crate::report::text::{Text, Tone, one_line};

/// Versions that are told one by one on the terminal.
const VERSIONS: usize = 8;

/// Writes a line for each version that ran; those of the mock are made up and told only in the documents.
pub(crate) fn tell_run(text: &mut Text, record: &RunRecord) {
    let versions = record.end.as_ref().map_or(&[][..], |end| &end.versions);
    if !record.start.mock {
        for ran in versions.iter().take(VERSIONS) {
            text.tone(Tone::Faint, &one_line(&told_version(ran), 300)).end();
        }
        if versions.len() > VERSIONS {
            text.tone(Tone::Faint, &format!("… and {} versions more", versions.len() - VERSIONS)).end();
        }
    }
}

/// `triage: version 7c3e…, on Dify 1.14.2`.
pub(crate) fn told_version(ran: &RanVersion) -> String {
    let app = if ran.app.is_empty() { String::new() } else { format!("{}: ", ran.app) };
    let dify = match &ran.dify_version {
        Some(version) => format!("Dify {version}"),
        None => "a Dify that does not tell its version".to_owned(),
    };
    match &ran.workflow_id {
        Some(id) => format!("{app}version {id} ran on {dify}"),
        None => format!("{app}{dify} refused before it named a version"),
    }
}
