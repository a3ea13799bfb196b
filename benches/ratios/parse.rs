//! The yardstick of `list`: reads a YAML file into a plain value, and nothing else.

use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;

/// Reads a YAML file into a plain value and prints how many tests it has.
pub fn parse(file: &Path) -> Result<(), Failure> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(Failure::io(format!("read {name}")))?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: 10_000_000,
            max_events: 40_000_000,
            max_total_scalar_bytes: 256 << 20,
        },
    };
    let value: Value = serde_saphyr::from_str_with_options(&text, options)
        .map_err(|error| Failure::unreadable(&name, error))?;
    let tests = value["tests"].as_array().map_or(0, Vec::len);
    println!("{tests}");
    Ok(())
}
