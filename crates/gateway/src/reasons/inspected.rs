//! One reason for each class of attack that stage `inspect` refuses for.
//! Exports one `const` per class, `INSPECTED` and `reason`.
//! Used by stage `inspect`.
//! Start reading at `INSPECTED`.

use model::{Reason, Stage};

/// The reason for a class of attack.
pub fn reason(class: waf::Class) -> &'static Reason {
    INSPECTED
        .iter()
        .copied()
        .find(|reason| reason.code == class.code())
        .unwrap_or(&PROTOCOL)
}

macro_rules! inspected {
    ($($name:ident, $code:literal, $say:literal, $found:literal;)*) => {
        $(
            #[doc = $say]
            pub const $name: Reason = Reason::new(
                Stage::Inspect,
                $code,
                403,
                $say,
                "If the text is meant as it stands, give the decision id to the operator, who can allow it for this field.",
                concat!(
                    "Inspection found ",
                    $found,
                    " in a field that the contract leaves free. `explain` names rule, field and decoding steps. \
                     A wrong finding is mended by a tighter schema for the field, or by an exclusion for this \
                     operation and field with an owner and an end."
                ),
            );
        )*
        /// One reason for each class of attack.
        pub const INSPECTED: &[&Reason] = &[$(&$name),*];
    };
}

inspected! {
    SQLI, "inspect.sqli", "A text in the request reads like SQL injection.",
        "SQL fragments";
    XSS, "inspect.xss", "A text in the request reads like script injection.",
        "HTML or script fragments";
    NOSQLI, "inspect.nosqli", "A key or text in the request reads like a database operator.",
        "document-database operators or predicates";
    RCE, "inspect.rce", "A text in the request reads like a command for an interpreter.",
        "shell commands or code";
    TRAVERSAL, "inspect.traversal", "A text in the request reads like path traversal.",
        "path traversal or names of system files";
    SSTI, "inspect.ssti", "A text in the request reads like template injection.",
        "template or expression-language code";
    SSRF, "inspect.ssrf", "An address in the request points where a server must not call.",
        "private, link-local or metadata addresses, or odd notations of them";
    XXE, "inspect.xxe", "A text in the request carries an XML document type.",
        "XML document types or entities";
    LDAPI, "inspect.ldapi", "A text in the request reads like an LDAP filter.",
        "LDAP filter fragments";
    XPATHI, "inspect.xpathi", "A text in the request reads like an XPath expression.",
        "XPath fragments";
    JNDI, "inspect.jndi", "A text in the request reads like a lookup expression.",
        "lookup expressions of logging libraries";
    PROTOTYPE, "inspect.prototype_pollution", "A key in the request reaches for an object's prototype.",
        "keys such as `__proto__`";
    SECRET, "inspect.secret", "The request carries a secret where none belongs.",
        "private keys, tokens or our own keys";
    PROTOCOL, "inspect.protocol", "A text in the request carries control sequences of a protocol.",
        "line breaks or control bytes meant for another parser";
    RFI, "inspect.rfi", "A text in the request names a remote file to include.",
        "addresses of files to include";
    SESSION, "inspect.session", "A text in the request tries to fix a session.",
        "session identifiers to be set";
    SCANNER, "inspect.scanner", "The request looks like that of a scanner.",
        "marks of scanning tools";
    LEAK, "inspect.leak", "Data that must not leave was found.",
        "data that must not leave with an answer";
    DEADLINE, "inspect.deadline", "The request is too costly to inspect.",
        "texts that cost more work to judge than one request may spend";
}
