//! The id of a published version of a workflow, as Dify takes it: a UUID and nothing else.

/// Reads the id of a version; Dify answers any other text with "Invalid workflow_id format".
pub fn parse_workflow_id(text: &str) -> Result<String, String> {
    let id = text.trim();
    match uuid::Uuid::try_parse(id) {
        Ok(_) => Ok(id.to_owned()),
        Err(_) => Err(format!(
            "`{id}` is no id of a version: Dify takes a UUID such as 7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345, not the version's name"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_names_a_version() {
        let id = "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345";
        assert_eq!(parse_workflow_id(&format!(" {id} ")), Ok(id.to_owned()));
        for text in
            ["", "v2", "latest", "7c3e33d4", "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f1234g", "{{ env.PINNED }}"]
        {
            assert!(parse_workflow_id(text).unwrap_err().contains("is no id of a version"), "{text}");
        }
    }
}
