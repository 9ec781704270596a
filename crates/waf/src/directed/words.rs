//! Rules of the Core Rule Set, version 4, that match what ordinary sentences hold.
//! Exports `matches_words`.
//! Used on free texts at paranoia 1, where such a match alone is a hint and no proof.
//! Start reading at `WORDS`; docs/decisions/009 says why.

/// Rules of paranoia level 1 whose pattern is met by plain words, names, addresses, file paths, units or markup,
/// in ascending order. Each is met by an ordinary text of our corpora, which a test asks for. What they are after the default pack looks for as well, with the sentence around it in view.
const WORDS: [u32; 48] = [
    921110, 921120, 921130, // lines of a log, `Location:` and the like
    930100, 930110, // one step up in an address
    930120, // names of files and folders
    931100, 931120, // addresses with a number or a question mark
    932120, 932125, 932130, 932140, 932160, // names of commands, `${…}`, `for … in`
    932230, 932235, 932250, 932260, // short words after a comma, a semicolon or a line break
    932270, 932280, 932370, 932380, // `~-`, braces, words that Windows knows too
    933135, 933150, 933160, 933210, // `${name}`, words before a parenthesis
    934100, 934110, 934170, // words of script engines, `localhost`, pictures as `data:`
    941130, 941160, 941170, 941180, 941210, // pictures, comments, `javascript:`
    941370, 941390, // words in brackets, `prompt (…)`
    942100, // the tokenising detector, which the default pack runs itself
    942140, 942151, 942160, 942170, 942190, 942230, // names of functions, `union … select`
    942270, 942350, 942360, // verbs of a query
    942540, 942550, // a quote before a semicolon, braces
    944130, // names of Java classes
];

/// Whether the rule is met by ordinary words.
pub(super) fn matches_words(id: u32) -> bool {
    WORDS.binary_search(&id).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_holds_only_rules_that_detect() {
        assert!(WORDS.is_sorted_by(|one, next| one < next));
        assert!(WORDS.iter().all(|id| (921_000..945_000).contains(id)));
        assert!(!matches_words(949_110) && !matches_words(920_270));
    }
}
