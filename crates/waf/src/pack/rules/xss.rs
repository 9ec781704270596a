//! Script for browsers: tags, handlers, script addresses, and the calls that prove success.

use crate::finding::Class;
use crate::pack::{Confirm, Rule};

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Xss, id, pattern, why)
}

/// Elements that can carry an attribute that runs something.
macro_rules! elements {
    () => {
        concat!(
            r"script|iframe|frame(?:set)?|object|embed|applet|svg|math|meta|base|link|style|form|input|button|textarea|",
            r"isindex|xml|xss|marquee|bgsound|layer|ilayer|video|audio|source|img|image|body|html|head|template|",
            r"noscript|details|keygen|select|option|portal|dialog|animate|set|handler|listener|foreignobject|blink|",
            r"import|vmlframe|canvas|track|table|td|div|a|p|b|x|i|h1|br|title|plaintext|xmp|noembed|noframes|comment",
        )
    };
}

/// Attributes that run or load something.
macro_rules! active_attributes {
    () => {
        concat!(
            r"\bon\w{3,}|src|href|style|data|action|formaction|code|content|srcdoc|xlink|background|dynsrc|lowsrc|from|",
            r"to|values|attributename|poster|name|id|autofocus|type",
        )
    };
}

/// Elements that load something.
macro_rules! loading_elements {
    () => {
        concat!(
            r"script|iframe|frame(?:set)?|object|embed|applet|svg|math|meta|base|link|isindex|import|portal|form|use|",
            r"xss|layer|ilayer|bgsound|vmlframe",
        )
    };
}

/// Events that elements have handlers for.
macro_rules! events {
    () => {
        concat!(
            r"error|load\w*|click|dbl\w+|mouse\w+|focus\w*|blur|key\w+|submit|reset|change|input|select\w*|toggle|",
            r"wheel|drag\w*|drop|paste|copy|cut|begin|end|repeat|start|finish|bounce|animation\w+|transition\w+|",
            r"pointer\w+|touch\w+|unload|beforeunload|beforeprint|afterprint|beforescriptexecute|hashchange|message\w*|",
            r"pageshow|pagehide|popstate|resize|scroll\w*|storage|show|canplay\w*|play\w*|timeupdate|volumechange|",
            r"progress|readystatechange|auxclick|contextmenu|search|invalid|activate|deactivate|beforeactivate|",
            r"beforecopy|beforecut|beforepaste|filterchange|propertychange|cellchange|rowexit|rowenter|layoutcomplete|",
            r"losecapture|webkit\w+|fullscreen\w+|securitypolicyviolation|formdata|cuechange|durationchange|ended|",
            r"emptied|loadedmetadata|loadeddata|ratechange|seeked|seeking|stalled|suspend|waiting|abort|close|cancel|",
            r"help|move\w*|zoom|offline|online",
        )
    };
}

/// What code is made of.
macro_rules! made_of {
    () => {
        concat!(
            r#"alert|document|window|location|atob|string|unescape|name\b|this\b|self\b|top\b|return|["'`]\s*\+|//|"#,
            r"https?:|\+|\\|string|code|eval|fetch",
        )
    };
}

/// What an object of the page gives away, or does.
macro_rules! page_secrets {
    () => {
        concat!(
            r#"cookie(?:[^\w\s]|$|\s*[^\w\s])|write(?:ln)?\s*['"\](`]|location|domain|body\.|(?:createelement\w*|getelements?by\w+|"#,
            r#"queryselector\w*|execcommand)\s*[(\]'"`]|alert|eval|open\s*\(|atob|defaultview|documentelement|origin|"#,
            r#"localstorage|al['"`+]"#,
        )
    };
}

/// What an expression in a style runs.
macro_rules! in_styles {
    () => {
        concat!(r"alert|document|window|eval|this|location|1|\(|write|open|prompt|confirm|xss",)
    };
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.xss.tag",
        any![
            "(?i)";
            "an element with an attribute that runs something" => concat!(
                r"<[/\s\x00]*(?:",
                elements!(),
                r#")[\s/+](?:[^<>]*[\s/"'+;,\x00])?(?:"#,
                active_attributes!(),
                r")\s*=[^<>]*(?:script|\(|`|data:[^i]|&#|expression|alert|[\s/]on\w{3,}\s*=)",
            ),
            "an element that loads something" => concat!(
                r"<[\s\x00]*(?:",
                loading_elements!(),
                r")[\s/+][^<>]*(?:src|href|data|action|code|content|xlink|background)\s*=[^<>]*(?://|:|#)",
            ),
            "an element that is not closed" =>
                r"<[\s\x00]*(?:script|iframe|frameset|object|embed|applet|svg|math|isindex|marquee|video|audio|img|body|details|foreignobject|textarea|keygen|input|button)(?:[\s/][^<>]{0,20})?$",
        ],
        "The text opens an element that can carry script.",
    ),
    rule(
        "pack.xss.script_tag",
        any![
            "(?i)";
            "a script with anything between its letters" =>
                r"<[/\s\x00]*s[\s\x00]*c[\s\x00]*r[\s\x00]*i[\s\x00]*p[\s\x00]*t(?:[\s/>+:\x00]|$)",
            "an element that runs something by itself" =>
                r"<(?:iframe|object|embed|applet|svg|math|meta|base|frameset|xss|isindex|portal|foreignobject)(?:[\s/>+:\x00]|$)",
            "a script of another name space" => r"<\w+:\w*script\b",
            "a script behind a bracket that is cut in half" => r"(?-u:\xc2\xbc)script",
            "the same, percent-encoded" => r"%bcscript",
        ],
        "The text opens a script element or an element that loads one.",
    ),
    rule(
        "pack.xss.handler",
        any![
            "(?i)";
            "a handler and what it runs" => concat!(
                r#"(?:^|[\s"'`/<>;,\x00\x0b\x0c+)])on(?:"#,
                events!(),
                r#")[\s\x00]*=[\s\x00]*(?:["'`][\s\x00]*[\w(\[!\\&+/%$-]|[a-z_(\[!\\&+/%$-]|\d+(?:[^\w\s.,]|\s*[;(\[+*/]))"#,
            ),
        ],
        "The text sets an event handler.",
    ),
    rule(
        "pack.xss.script_url",
        any![
            "(?i)";
            "an address that is a script, with anything between its letters" => concat!(
                r#"(?:^|[\s"'`=(<>,;:/)\x00])(?:j[\s\x00]*a[\s\x00]*v[\s\x00]*a|v[\s\x00]*b|live|j|mocha|"#,
                r#"ecma)[\s\x00]*s[\s\x00]*c[\s\x00]*r[\s\x00]*i[\s\x00]*p[\s\x00]*t[\s\x00]*(?:\.encode)?:(?:[^\s,.]|[\s\x00]*(?:[/%&\\'"`(\[{+!~\d]|"#,
                r"[\w$.]+\s*[(`=\[;+]))",
            ),
            "an address that is a page or a script" =>
                r#"(?:^|[\s"'`=(,;])data:[\w/+.;=-]*(?:text/(?:html|xml|javascript|xsl)|application/(?:xhtml|xml|javascript|x-javascript)|image/svg\+xml)[^,]{0,60},"#,
            "an address that holds an element" => r#"(?:^|["'`=])data:[^,]{0,40},\s*(?:<|%3c|alert)"#,
        ],
        "The text holds an address that runs as script.",
    ),
    rule(
        "pack.xss.call",
        any![
            "(?i)";
            "a dialog with a number" =>
                r#"(?:^|[^\w.`])(?:alert|confirm|prompt)(?:[(`]\s*\d|\s+\(\s*\d[\d.]*\s*\)\s*[;<>'"`/*-])"#,
            "a dialog with an object of the page" =>
                r#"(?:^|[^\w.`])(?:alert|confirm|prompt)\s*(?:\(|`|&lpar;|\.call|\.apply|\.bind)\s*(?:['"`/.)]|document|window|location|this|self|top|origin|string|xss|unescape|domain|cookie|name\b)"#,
            "code that is made of something" => concat!(
                r#"(?:^|[^\w.])(?:eval|settimeout|setinterval|function|execscript|setimmediate|importscripts|atob|unescape|fetch)\s*(?:\(|`)\s*['"`]?\s*(?:"#,
                made_of!(),
                r")",
            ),
            "an object of the page and what gives it away" => concat!(
                r#"(?:^|[^\w])(?:document|window|self|top|parent|frames|globalthis|this)(?:\.|\s*\[\s*['"`/+]*)\s*(?:"#,
                page_secrets!(),
                r")",
            ),
            "letters by their numbers" => r"string\.fromcharcode\s*\(",
            "another address for the page" =>
                r#"(?:^|[^\w])(?:location|href)\s*=\s*['"`]?(?:javascript|data:|//|name|hash)"#,
            "what the browser stores" => r"\b(?:localstorage|sessionstorage)\s*[.\[]",
            "elements that are made of a text" => r"\.(?:innerhtml|outerhtml|insertadjacenthtml)\b\s*[=(]",
            "an object that reaches out" =>
                r"new\s+(?:function|image|xmlhttprequest|activexobject|websocket|worker)\s*(?:\(|\x60|;)",
            "a module from elsewhere" => r#"\bimport\s*\(\s*['"`](?:https?:|data:)?//"#,
            "a handler with a dialog" => r"\bonerror\s*=\s*(?:alert|eval|prompt|confirm)\b",
            "a script by a library" => r"\$\.(?:getscript|globaleval|ajax|get)\s*\(",
        ],
        "The text calls into a page.",
    ),
    rule(
        "pack.xss.style",
        any![
            "(?i)";
            "an expression with anything between its letters" => concat!(
                r#"(?:^|[\s:;"'{])(?:[\w-]+\s*:\s*)?e[\s\x00/*]*x[\s\x00/*]*p[\s\x00/*]*r[\s\x00/*]*e[\s\x00/*]*s[\s\x00/*]*s[\s\x00/*]*i[\s\x00/*]*o[\s\x00/*]*n\s*\(\s*(?:"#,
                in_styles!(),
                r")",
            ),
            "a binding of Mozilla" => r"-moz-binding\s*:",
            "a behaviour" => r"behaviou?r\s*:\s*url",
            "a style sheet from elsewhere" => r#"@import\s*(?:url|['"])\s*\(?['"]?(?:https?:|//|javascript|data)"#,
            "a picture that is a script" =>
                r#"(?:background|list-style)(?:-image)?\s*:\s*url\s*\(\s*['"]?\s*(?:javascript|data:text|vbscript)"#,
        ],
        "The text holds a style that runs script.",
    ),
    rule(
        "pack.xss.framework",
        any![
            "(?i)";
            "an expression that leaves its template" =>
                r"\{\{(?:[^}]|\}[^}]){0,200}(?:constructor|\$(?:eval|on|new|parent)|alert|prompt|tostring|orderby|sub\.call|_c\.|_openblock|\$emit|charat)",
            "a constructor of a constructor" => r#"\bconstructor\s*(?:\.|\[\s*['"`])\s*constructor"#,
            "a constructor by its name" => r#"\[\s*['"`]constructor['"`]\s*\]"#,
            "an attribute of Angular" => r"\bng-(?:app|click|init|focus|bind|csp|on|mouse\w+|include)\s*=",
            "an attribute of Vue" => r"\bv-(?:html|on:|bind:|if|show)\s*=?",
            "an attribute of Alpine" => r"\bx-(?:data|init|on:|html)\s*=",
            "an attribute of Angular as data" => r"\bdata-ng-\w+\s*=",
        ],
        "The text is an expression for a page framework.",
    ),
    rule(
        "pack.xss.symbols",
        r"(?:\(?!?!?\[\]\)?[+\[(]){4}|\[\]\[\(?!\[\]|(?:\+!\+\[\]){2}|\$=~\[\]|ﾟωﾟ|\bT\s*=\s*\[\]\b|\[\+!!\[\]\]|゚Θ゚",
        "The text is script written with symbols only.",
    ),
    Rule {
        confirm: Confirm::AsSent,
        ..rule(
            "pack.xss.attribute_break",
            any![
                "(?i)";
                "an attribute that ends, and an element" => r#"^[^<>]*["'`]\s*/?>\s*<\s*[a-z!/?]"#,
                "an element that ends where none began" =>
                    r"^[^<>]*</(?:script|style|title|textarea|xmp|noscript|iframe)\s*>",
            ],
            "The text closes an attribute or element of a page.",
        )
    },
    rule(
        "pack.xss.markup_break",
        any![
            "(?i)";
            "a statement of the web server" => r"<!--[\s\-]*#\s*(?:exec|include|echo|printenv)",
            "an element as data" => r"<\s*!\[cdata\[\s*<",
            "a style sheet or file taken in" => r"<\?(?:xml-stylesheet|import)\b",
            "a condition of a browser" => r"<!--\[if\b",
            "code of a server page" => r"<%[\s=@!]*(?:response|request|eval|out\.)",
            "a script that ends" => r"</(?:script|iframe)\s*>",
        ],
        "The text is an instruction of a page.",
    ),
    rule(
        "pack.xss.spelled_out",
        any![
            "(?i)";
            "an element in UTF-7" => r"\+ADw-\s*/?\s*(?:script|img|svg|iframe|body|html)",
            "an address that is a script" => r#"\burl\s*\(\s*['"]?\s*javascript\b"#,
            "an element of another name space" => r"<\w{0,20}:(?:vmlframe|script|import)\b",
            "the cookie by its name" => r#"\bdocument\b\)?\s*(?:\.|\[\s*['"])(?:cookie\b|\s*cookie\b\s*(?:$|[^\w\s]))"#,
            "a script with line ends in its name" => r"\bjava(?:&tab;|&newline;|\t|\n|\r){1,4}script\s*:",
            "an object of the page by numbers" => r#"(?:self|window|top|parent|globalthis)\s*\[\s*['"]\\x"#,
        ],
        "The text is script in a spelling that hides it.",
    ),
    rule(
        "pack.xss.spaced_tag",
        r"(?i)<\s*(?:f\s+o\s+r\s+m|d\s+i\s+a\s+l\s+o\s+g|i\s+f\s+r\s+a\s+m\s+e|s\s+v\s+g|i\s+m\s+g|s\s+t\s+y\s+l\s+e|o\s+b\s+j\s+e\s+c\s+t)\b",
        "The text opens an element whose name is spaced out.",
    ),
    rule(
        "pack.xss.bare_handler",
        r"(?i)^\s*on[a-z]{4,60}\s*=\s*$",
        "The text is the beginning of an event handler.",
    ),
    rule(
        "pack.xss.indirect",
        any![
            "(?i)";
            "a dialog for each" =>
                r"\.(?:map|find|foreach|filter|some|every|reduce|sort|then|catch|replace|from)\s*\(\s*(?:alert|confirm|prompt|eval)\b",
            "a constructor with a template" => r"\.constructor\s*`",
            "a dialog by a detour" => r"\b(?:alert|confirm|prompt)\s*(?:\?\.\s*\(|(?:\?)?\.\s*(?:call|apply|bind)\s*\()",
            "a dialog in brackets" => r"\(\s*(?:[\w\s]{0,20},\s*)?(?:alert|confirm|prompt)\s*\)[(`]",
            "a dialog by reflection" => r"\breflect\.apply\s*\(\s*(?:alert|confirm|prompt|eval)\b",
            "code that is put together" =>
                r#"\b(?:settimeout|setinterval|constructor|function|execscript|eval)\s*\(\s*(?:'[^']{0,40}'|"[^"]{0,40}")\s*\+"#,
            "an object of the page by a name that is put together" =>
                r"\b(?:window|top|self|parent|frames|globalthis)\[[^\n]{3,120}?\]\s*(?:\.\s*(?:call|apply))?\s*\(",
            "a dialog in a list" => r"\[(?:alert|confirm|prompt|eval)\]\s*\[",
            "letters made of truth values" => r"=![^\s,;]{1,12}\+[^\s,;]{1,12},[^\s,;]{1,12}=",
        ],
        "The text calls into a page in a roundabout way.",
    ),
    Rule {
        confirm: Confirm::SameSides,
        ..rule(
            "pack.xss.alias",
            r"(?i)\b([a-z_$]\w{0,20})\s*=\s*(?:alert|prompt|confirm|eval)[\s,;](?:[^\n]{0,60}?[\s,;(])?([a-z_$]\w{0,20})\(",
            "The text calls into a page by another name.",
        )
    },
];
