//! How many members of a group must hold.

use serde_json::Value;

use super::OperandError;
use super::bound::Quantity;

/// From 1 to all of them.
pub(in crate::assert::check) fn parse_needed(value: &Value, members: u64) -> Result<u64, OperandError> {
    let needed = <u64 as Quantity>::parse(value)?;
    if needed == 0 {
        return Err(OperandError::new("at least 0 holds for every run"));
    }
    if needed > members {
        return Err(OperandError::new(format!("at least {needed} of {members} can never hold")));
    }
    Ok(needed)
}
