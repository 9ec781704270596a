//! One compiled schema. The only file that names the schema library.
//! Gives `Validator`. Built when a configuration is compiled, never per request.
//! Used by parameters, bodies and answers.
//! Start reading at `Validator`.

/// A compiled schema.
#[derive(Clone)]
pub struct Validator {}

impl std::fmt::Debug for Validator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Validator")
    }
}
