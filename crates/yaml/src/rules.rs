//! What a text may use.
//! Exports `Rules`, with the two sets that there are.
//! Used by the composer.
//! Start reading at `Rules::OWN_FILE`.

/// What a text may use. Duplicate keys, second documents, merge keys and keys that are no words are refused everywhere:
/// readers disagree about what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Anchors, aliases, tags and directives. Aliases are copied in; tags outside the core schema are refused.
    pub has_references: bool,
    /// The whole core schema of YAML 1.2.2 §10.3.2: hexadecimal and octal numbers too; infinities and NaN are refused, as
    /// JSON has none. Otherwise all of these are text.
    pub has_core_numbers: bool,
    /// `${…}` is an ordinary text. Otherwise it is refused, because somebody expects it to be expanded.
    pub has_templates: bool,
    /// Deepest nesting.
    pub depth_max: usize,
    /// Most values, aliases copied in: an alias bomb ends here.
    pub nodes_max: usize,
}

impl Rules {
    /// Files of the configuration, which people write by hand and others review.
    pub const OWN_FILE: Rules = Rules {
        has_references: false,
        has_core_numbers: false,
        has_templates: false,
        depth_max: 32,
        nodes_max: 100_000,
    };

    /// Documents that others made, as they are found.
    pub const DOCUMENT: Rules = Rules {
        has_references: true,
        has_core_numbers: true,
        has_templates: true,
        depth_max: 200,
        nodes_max: 4_000_000,
    };
}
