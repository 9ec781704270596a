//! Templates and expression languages.

use crate::finding::Class;
use crate::pack::Rule;

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Ssti, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.ssti.arithmetic",
        r#"(?:\{\{|\$\{\{?|#\{|<%[=#-]?|\*\{|@\{|~\{|\[\[|\{%|@\(|\{=|\{#|%\{|\$\(|\(\(\(|=\{|\$!\{)[\s({\[=$]*(?:['"]?-?\d+['"]?\s*[*+/%-]\s*['"]?\d+|['"][^'"]{1,20}['"]\s*[*+|.]\s*['"\d\w])|\{\s*\d+\s*\*\s*\d+\s*\}"#,
        "The text makes a template engine compute.",
    ),
    rule(
        "pack.ssti.object",
        r#"(?i)\{\{\s*(?:self|request|this|global|process|env)\s*\}|\{\{-?\s*\.(?:\w+\s)*\w*\s*(?:["'(|}])|\{\{\s*\w+\s*=[^=]|\{\{[^}]{0,200}(?:__\w+|\bconfig\b|\bself\b[.\[_]|\brequest\b[.|\[]|\bsettings\b|\bcycler\b|\blipsum\b|\bjoiner\b|\bnamespace\b|\burl_for\b|\bget_flashed_messages\b|\bg\.|\bsession\b|\bapp\.|\bdump\b|_self\b|\benv\.|\bpopen\b|\bconstructor\b|\brange\b|\bthis\b|\bprocess\b|\bsystem\b|\bexec\b|\bcat\b|\||\(|\$\w|@\w|=\s*\d|\blet\s|\btoString\b|['"\[])[^}]{0,400}"#,
        "The text reaches into objects of a template engine.",
    ),
    rule(
        "pack.ssti.statement",
        r#"(?i)\{%-?\s*(?:if|for|set|import|include|extends|block|with|macro|call|filter|raw|autoescape|debug|load|print|exec|do|from|apply|verbatim|assign)\b|<#(?:assign|if|list|include|import|macro|setting|function)\b|\?(?:new|api|eval|interpret)\b\s*(?:\(|$|\})|#(?:set|if|foreach|include|parse|evaluate|macro|end)\s*\(\s*[$"']|\{(?:php|literal|include|fetch|eval|capture)\s*[}\s]|\{\$smarty\b|\{(?:system|exec|passthru|shell_exec|phpinfo)\s*\(|\{(?:Smarty|self)::|\$smarty\.|<%[=!@\s-]*\s*(?:(?:system|exec|eval|require|import|include|file|dir|io|open|process|global|self|response|request|runtime|page|out|new|foreach|\w+\.\w+\s*\()|['"\x60\d])"#,
        "The text is a statement of a template engine.",
    ),
    rule(
        "pack.ssti.expression",
        r#"(?i)[$#*@%~]\{\s*(?:[^}]{0,40}\b(?:T\s*\(|new\s+\w|class\b|getclass|runtime|param\.|paramvalues|header\.|headerValues|cookie\.|initparam|pagecontext|sessionscope|requestscope|applicationscope|facescontext|session\.|request\.|response|application|context\b|system\b|java|self\.|product\.|exec|print|var_dump|dump|object|beans?\b|env\b|7\s*\*|['"]\.|@java|#\w+|\(#)|@[\w.]+@|\(|['"]{2})|\bT\s*\(\s*(?:java|org|javax)\.|\$\{\.\w+\}|\$\{\s*(?:header|param|cookie|process\.env|require)\b|@\{\s*var\s|\{@?math\s+\w+=|\[\[\s*\$\{|__\$\{|\}__::|\$\{\s*\d+\s*[*+-]|\$(?:class|request|response|application|session|tool|esc|date|link|velocity\w*|struts)\.(?:inspect|type|class|getclass|get|for|name|find)|\$\w+\.(?:getclass|class)\b|@(?:System|Html|Model|Url|ViewBag|Context|Request|php|for|if|while|foreach|include|inject|extends|DateTime)\s*(?:[.({]\s*[\w(\"'@])"#,
        "The text is an expression that a server would evaluate.",
    ),
    rule(
        "pack.ssti.directive",
        r#"(?i)\bsystem\.(?:shell|cmd)\s*\(|:os\.cmd\s*\(|\{[a-z_]{2,30}\([^{}]{0,80}\)\s*\|\s*[a-z_]+|\{var\s+\$\w+\s*=|\d\?(?:lower|upper)_abc\b|^\[=\s*\d+\s*[-+*/]\s*\d+\s*\]$|@import\s*\((?:inline|less|reference|css)\)|@plugin\s+["'](?:https?:)?//|\{%-?\s*get_admin_log\b|\$\w+\.\w+\(\s*["'](?:org\.apache|java)\.|(?:\{\{=?|<%[=-]?|\$\{=?)\s*_\.(?:VERSION|template)"#,
        "The text is a directive of a template engine.",
    ),
];
