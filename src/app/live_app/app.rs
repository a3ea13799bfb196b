//! An app's name and inputs out of its answers, or what is wrong with them, in a doctor's words.

use crate::app::live_app::diagnosis::FactState;
use crate::app::live_app::doctor::{DiagnosisTarget, is_dify, judge_address, judge_app};
use crate::dify::client::EnquiryReply;
use crate::dify::wire::parameters::Input;

/// What a workflow app says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct AppDescription {
    /// Its name in Dify.
    pub name: String,
    /// Its inputs.
    pub form: Vec<Input>,
}

/// Reads `/info` and `/parameters` of a workflow app.
pub fn read_app(
    address: &DiagnosisTarget,
    info: &Result<EnquiryReply, String>,
    parameters: &Result<EnquiryReply, String>,
) -> Result<AppDescription, String> {
    let lines = match info {
        Ok(reply) if is_dify(reply) => judge_app(info, Some(parameters)),
        Ok(_) | Err(_) => judge_address(address, info),
    };
    if let Some(line) =
        lines.into_iter().find(|line| matches!(line.state, FactState::Finding | FactState::Unreachable))
    {
        return Err(line.text);
    }
    match (info, parameters) {
        (Ok(info), Ok(parameters)) => {
            let form = parameters.inputs().ok_or("its inputs cannot be read")?;
            Ok(AppDescription { name: info.info().name, form })
        }
        (Err(reason), _) | (_, Err(reason)) => Err(reason.clone()),
    }
}
