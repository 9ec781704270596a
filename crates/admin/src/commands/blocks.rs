//! Temporary blocks as an operator ends them.
//! Gives `block.forgive`.
//! Used by `COMMANDS`.
//! Start reading at `forgive`.

use serde_json::{Value, json};

use crate::desk::text;
use crate::{Desk, DeskFault};

/// Ends the block of an integration.
pub fn forgive(desk: &Desk, arguments: &Value, who: &str) -> Result<Value, DeskFault> {
    let integration = text(arguments, "integration")?;
    let Some(io) = &desk.io else {
        return Err(DeskFault::asked(
            "no server is running",
            "Blocks live in the running server and end with it.",
        ));
    };
    let was_blocked = io.blocks.forgive(integration);
    desk.record(
        "block.forgive",
        who,
        Some(integration),
        None,
        format!("was noted: {was_blocked}"),
    )?;
    Ok(json!({ "schema_version": 1, "integration": integration, "was_noted": was_blocked }))
}
