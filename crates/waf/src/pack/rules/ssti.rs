//! Templates and expression languages.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Ssti, id, pattern, why)
}

/// What leads from a template to its program.
macro_rules! ways_out {
    () => {
        concat!(
            r"__\w+|\bconfig\b|\bself\b[.\[_]|\brequest\b[.|\[]|\bsettings\b|\bcycler\b|\blipsum\b|\bjoiner\b|",
            r"\bnamespace\b|\burl_for\b|\bget_flashed_messages\b|\bg\.|\bsession\b|\bapp\.|\bdump\b|_self\b|\benv\.|",
            r"\bpopen\b|\bconstructor\b|\brange\b|\bthis\b|\bprocess\b|\bsystem\b|\bexec\b|\bcat\b|\||\(|\$\w|@\w|",
            r#"=\s*\d|\blet\s|\btoString\b|['"\[]"#,
        )
    };
}

/// What leads from an expression to its program.
macro_rules! ways_out_of_java {
    () => {
        concat!(
            r"T\s*\(|new\s+\w|class\b|getclass|runtime|param\.|paramvalues|header\.|headerValues|cookie\.|initparam|",
            r"pagecontext|sessionscope|requestscope|applicationscope|facescontext|session\.|request\.|response|",
            r"application|context\b|system\b|java|self\.|product\.|exec|print|var_dump|dump|object|beans?\b|env\b|",
            r#"7\s*\*|['"]\.|@java|#\w+|\(#"#,
        )
    };
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.ssti.arithmetic",
        any![
            "";
            "a sum or joined texts inside the marks of a template" =>
                r#"(?:\{\{|\$\{\{?|#\{|<%[=#-]?|\*\{|@\{|~\{|\[\[|\{%|@\(|\{=|\{#|%\{|\$\(|\(\(\(|=\{|\$!\{)[\s({\[=$]*(?:['"]?-?\d+['"]?\s*[*+/%-]\s*['"]?\d+|['"][^'"]{1,20}['"]\s*[*+|.]\s*['"\d\w])"#,
            "a product in braces" => r"\{\s*\d+\s*\*\s*\d+\s*\}",
        ],
        "The text makes a template engine compute.",
    ),
    rule(
        "pack.ssti.object",
        any![
            "(?i)";
            "an object of the template's surroundings alone" => r"\{\{\s*(?:self|request|this|global|process|env)\s*\}",
            "a method or variable of a template in Go" => r#"\{\{-?\s*\.(?:\w+\s)*\w*\s*(?:["'(|}])"#,
            "an assignment" => r"\{\{\s*\w+\s*=[^=]",
            "what leads from a template to its program" => concat!(
                r"\{\{[^}]{0,200}(?:",
                ways_out!(),
                r")[^}]{0,400}",
            ),
        ],
        "The text reaches into objects of a template engine.",
    ),
    rule(
        "pack.ssti.statement",
        any![
            "(?i)";
            "a statement of Jinja, Twig or Liquid" =>
                r"\{%-?\s*(?:if|for|set|import|include|extends|block|with|macro|call|filter|raw|autoescape|debug|load|print|exec|do|from|apply|verbatim|assign)\b",
            "a statement of FreeMarker" => r"<#(?:assign|if|list|include|import|macro|setting|function)\b",
            "a built-in that makes objects or code" => r"\?(?:new|api|eval|interpret)\b\s*(?:\(|$|\})",
            "a statement of Velocity" => r#"#(?:set|if|foreach|include|parse|evaluate|macro|end)\s*\(\s*[$"']"#,
            "a statement of Smarty" => r"\{(?:php|literal|include|fetch|eval|capture)\s*[}\s]",
            "the object of Smarty" => r"\{\$smarty\b",
            "a function that runs commands" => r"\{(?:system|exec|passthru|shell_exec|phpinfo)\s*\(",
            "a class of Smarty" => r"\{(?:Smarty|self)::",
            "the same object, outside of braces" => r"\$smarty\.",
            "code of ERB, JSP or ASP" =>
                r#"<%[=!@\s-]*\s*(?:(?:system|exec|eval|require|import|include|file|dir|io|open|process|global|self|response|request|runtime|page|out|new|foreach|\w+\.\w+\s*\()|['"\x60\d])"#,
        ],
        "The text is a statement of a template engine.",
    ),
    rule(
        "pack.ssti.expression",
        any![
            "(?i)";
            "an expression that leaves the values it was given" => concat!(
                r"[$#*@%~]\{\s*(?:[^}]{0,40}\b(?:",
                ways_out_of_java!(),
                r#")|@[\w.]+@|\(|['"]{2})"#,
            ),
            "a type of Java" => r"\bT\s*\(\s*(?:java|org|javax)\.",
            "a variable of a template" => r"\$\{\.\w+\}",
            "what a request or a process holds" => r"\$\{\s*(?:header|param|cookie|process\.env|require)\b",
            "a variable that is declared" => r"@\{\s*var\s",
            "a sum of Smarty" => r"\{@?math\s+\w+=",
            "an inlined expression of Thymeleaf" => r"\[\[\s*\$\{",
            "a preprocessed expression of Thymeleaf" => r"__\$\{",
            "its end" => r"\}__::",
            "a sum" => r"\$\{\s*\d+\s*[*+-]",
            "a tool of Velocity and its class" =>
                r"\$(?:class|request|response|application|session|tool|esc|date|link|velocity\w*|struts)\.(?:inspect|type|class|getclass|get|for|name|find)",
            "the class of any object" => r"\$\w+\.(?:getclass|class)\b",
            "a statement of Razor or Blade" =>
                r#"@(?:System|Html|Model|Url|ViewBag|Context|Request|php|for|if|while|foreach|include|inject|extends|DateTime)\s*(?:[.({]\s*[\w(\"'@])"#,
        ],
        "The text is an expression that a server would evaluate.",
    ),
    rule(
        "pack.ssti.directive",
        any![
            "(?i)";
            "a command of an Elixir template" => r"\bsystem\.(?:shell|cmd)\s*\(",
            "a command of Erlang" => r":os\.cmd\s*\(",
            "a function and a filter" => r"\{[a-z_]{2,30}\([^{}]{0,80}\)\s*\|\s*[a-z_]+",
            "a variable that is assigned" => r"\{var\s+\$\w+\s*=",
            "a sum of FreeMarker that makes letters" => r"\d\?(?:lower|upper)_abc\b",
            "a sum in brackets" => r"^\[=\s*\d+\s*[-+*/]\s*\d+\s*\]$",
            "a file that a style sheet takes in" => r"@import\s*\((?:inline|less|reference|css)\)",
            "a plugin of a style sheet" => r#"@plugin\s+["'](?:https?:)?//"#,
            "a log that Twig shows" => r"\{%-?\s*get_admin_log\b",
            "a class reached from a tool" => r#"\$\w+\.\w+\(\s*["'](?:org\.apache|java)\."#,
            "the template function itself" => r"(?:\{\{=?|<%[=-]?|\$\{=?)\s*_\.(?:VERSION|template)",
        ],
        "The text is a directive of a template engine.",
    ),
];
