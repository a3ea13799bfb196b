//! The files of a request as a line of a cassette holds them.

use serde::{Deserialize, Serialize};

use super::exchange::FilePrint;

/// The files of one variable.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileLine {
    variable: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
}

/// Writes files.
pub(super) fn file_lines(files: &[(String, Vec<FilePrint>)]) -> Vec<FileLine> {
    let each = files.iter().flat_map(|(variable, prints)| prints.iter().map(move |print| (variable, print)));
    each.map(|(variable, print)| FileLine {
        variable: variable.clone(),
        kind: print.kind.clone(),
        name: print.name.clone(),
        blake3: print.blake3.clone(),
    })
    .collect()
}

/// Reads files.
pub(super) fn decode_files(lines: Vec<FileLine>) -> Vec<(String, Vec<FilePrint>)> {
    let mut files: Vec<(String, Vec<FilePrint>)> = Vec::new();
    for FileLine { variable, kind, name, blake3 } in lines {
        let print = FilePrint { kind, name, blake3 };
        match files.last_mut() {
            Some((last, prints)) if *last == variable => prints.push(print),
            Some(_) | None => files.push((variable, vec![print])),
        }
    }
    files
}
