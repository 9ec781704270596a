//! YAML: nothing panics, and every answer is a document or at least one mistake inside the text.

/// One input.
pub fn run(text: &str) {
    for rules in [yaml::Rules::OWN_FILE, yaml::Rules::DOCUMENT] {
        let (node, mistakes) = yaml::read_on(text, rules);
        assert!(node.is_some() || !mistakes.is_empty());
        for (start, length) in mistakes.iter().filter_map(|mistake| mistake.span) {
            assert!(text.get(start..start + length).is_some(), "{mistakes:?}");
        }
    }
}
