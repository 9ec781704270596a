//! Script for browsers: tags, handlers, script addresses, and the calls that prove success.

use crate::finding::Class;
use crate::pack::{Confirm, Rule};

const fn rule(id: &'static str, pattern: &'static str, why: &'static str) -> Rule {
    Rule::critical(Class::Xss, id, pattern, why)
}

pub(crate) const RULES: &[Rule] = &[
    rule(
        "pack.xss.tag",
        r"(?i)<[/\s\x00]*(?:script|iframe|frame(?:set)?|object|embed|applet|svg|math|meta|base|link|style|form|input|button|textarea|isindex|xml|xss|marquee|bgsound|layer|ilayer|video|audio|source|img|image|body|html|head|template|noscript|details|keygen|select|option|portal|dialog|animate|set|handler|listener|foreignobject|blink|import|vmlframe|canvas|track|table|td|div|a|p|b|x|i|h1|br|title|plaintext|xmp|noembed|noframes|comment)[\s/+][^<>]*(?:\bon\w{3,}|src|href|style|data|action|formaction|code|content|srcdoc|xlink|background|dynsrc|lowsrc|from|to|values|attributename|poster|name|id|autofocus|type)\s*=[^<>]*(?:script|\(|`|data:[^i]|&#|expression|alert|[\s/]on\w{3,}\s*=)|<[\s\x00]*(?:script|iframe|frame(?:set)?|object|embed|applet|svg|math|meta|base|link|isindex|import|portal|form|use|xss|layer|ilayer|bgsound|vmlframe)[\s/+][^<>]*(?:src|href|data|action|code|content|xlink|background)\s*=[^<>]*(?://|:|#)|<[\s\x00]*(?:script|iframe|frameset|object|embed|applet|svg|math|isindex|marquee|video|audio|img|body|details|foreignobject|textarea|keygen|input|button)(?:[\s/][^<>]{0,20})?$",
        "The text opens an element that can carry script.",
    ),
    rule(
        "pack.xss.script_tag",
        r"(?i)<[/\s\x00]*s[\s\x00]*c[\s\x00]*r[\s\x00]*i[\s\x00]*p[\s\x00]*t(?:[\s/>+:\x00]|$)|<(?:iframe|object|embed|applet|svg|math|meta|base|frameset|xss|isindex|portal|foreignobject)(?:[\s/>+:\x00]|$)|<\w+:\w*script\b|(?-u:\xc2\xbc)script|%bcscript",
        "The text opens a script element or an element that loads one.",
    ),
    rule(
        "pack.xss.handler",
        r#"(?i)(?:^|[\s"'`/<>;,\x00\x0b\x0c+)])on(?:error|load\w*|click|dbl\w+|mouse\w+|focus\w*|blur|key\w+|submit|reset|change|input|select\w*|toggle|wheel|drag\w*|drop|paste|copy|cut|begin|end|repeat|start|finish|bounce|animation\w+|transition\w+|pointer\w+|touch\w+|unload|beforeunload|beforeprint|afterprint|beforescriptexecute|hashchange|message\w*|pageshow|pagehide|popstate|resize|scroll\w*|storage|show|canplay\w*|play\w*|timeupdate|volumechange|progress|readystatechange|auxclick|contextmenu|search|invalid|activate|deactivate|beforeactivate|beforecopy|beforecut|beforepaste|filterchange|propertychange|cellchange|rowexit|rowenter|layoutcomplete|losecapture|webkit\w+|fullscreen\w+|securitypolicyviolation|formdata|cuechange|durationchange|ended|emptied|loadedmetadata|loadeddata|ratechange|seeked|seeking|stalled|suspend|waiting|abort|close|cancel|help|move\w*|zoom|offline|online)[\s\x00]*=[\s\x00]*["'`]?[\s\x00]*[\w(\[!\\&+/%$-]"#,
        "The text sets an event handler.",
    ),
    rule(
        "pack.xss.script_url",
        r#"(?i)(?:^|[\s"'`=(<>,;:/)\x00])(?:j[\s\x00]*a[\s\x00]*v[\s\x00]*a|v[\s\x00]*b|live|j|mocha|ecma)[\s\x00]*s[\s\x00]*c[\s\x00]*r[\s\x00]*i[\s\x00]*p[\s\x00]*t[\s\x00]*(?:\.encode)?:(?:[^\s,.]|[\s\x00]*(?:[/%&\\'"`(\[{+!~\d]|[\w$.]+\s*[(`=\[;+]))|(?:^|[\s"'`=(,;])data:[\w/+.;=-]*(?:text/(?:html|xml|javascript|xsl)|application/(?:xhtml|xml|javascript|x-javascript)|image/svg\+xml)[^,]{0,60},|(?:^|["'`=])data:[^,]{0,40},\s*(?:<|%3c|alert)"#,
        "The text holds an address that runs as script.",
    ),
    rule(
        "pack.xss.call",
        r#"(?i)(?:^|[^\w.`])(?:alert|confirm|prompt)(?:[(`]\s*\d|\s+\(\s*\d[\d.]*\s*\)\s*[;<>'"`/*-])|(?:^|[^\w.`])(?:alert|confirm|prompt)\s*(?:\(|`|&lpar;|\.call|\.apply|\.bind)\s*(?:['"`/.)]|document|window|location|this|self|top|origin|string|xss|unescape|domain|cookie|name\b)|(?:^|[^\w.])(?:eval|settimeout|setinterval|function|execscript|setimmediate|importscripts|atob|unescape|fetch)\s*(?:\(|`)\s*['"`]?\s*(?:alert|document|window|location|atob|string|unescape|name\b|this\b|self\b|top\b|return|["'`]\s*\+|//|https?:|\+|\\|string|code|eval|fetch)|(?:^|[^\w])(?:document|window|self|top|parent|frames|globalthis|this)(?:\.|\s*\[\s*['"`/+]*)\s*(?:cookie|write(?:ln)?\s*['"\](`]|location|domain|body\.|(?:createelement\w*|getelements?by\w+|queryselector\w*|execcommand)\s*[(\]'"`]|alert|eval|open\s*\(|atob|defaultview|documentelement|origin|localstorage|al['"`+])|string\.fromcharcode\s*\(|(?:^|[^\w])(?:location|href)\s*=\s*['"`]?(?:javascript|data:|//|name|hash)|\b(?:localstorage|sessionstorage)\s*[.\[]|\.(?:innerhtml|outerhtml|insertadjacenthtml)\b\s*[=(]|new\s+(?:function|image|xmlhttprequest|activexobject|websocket|worker)\s*(?:\(|\x60|;)|\bimport\s*\(\s*['"`](?:https?:|data:)?//|\bonerror\s*=\s*(?:alert|eval|prompt|confirm)\b|\$\.(?:getscript|globaleval|ajax|get)\s*\("#,
        "The text calls into a page.",
    ),
    rule(
        "pack.xss.style",
        r#"(?i)(?:^|[\s:;"'{])(?:[\w-]+\s*:\s*)?e[\s\x00/*]*x[\s\x00/*]*p[\s\x00/*]*r[\s\x00/*]*e[\s\x00/*]*s[\s\x00/*]*s[\s\x00/*]*i[\s\x00/*]*o[\s\x00/*]*n\s*\(\s*(?:alert|document|window|eval|this|location|1|\(|write|open|prompt|confirm|xss)|-moz-binding\s*:|behaviou?r\s*:\s*url|@import\s*(?:url|['"])\s*\(?['"]?(?:https?:|//|javascript|data)|(?:background|list-style)(?:-image)?\s*:\s*url\s*\(\s*['"]?\s*(?:javascript|data:text|vbscript)"#,
        "The text holds a style that runs script.",
    ),
    rule(
        "pack.xss.framework",
        r#"(?i)\{\{.{0,200}(?:constructor|\$(?:eval|on|new|parent)|alert|prompt|tostring|orderby|sub\.call|_c\.|_openblock|\$emit|charat)|\bconstructor\s*(?:\.|\[\s*['"`])\s*constructor|\[\s*['"`]constructor['"`]\s*\]|\bng-(?:app|click|init|focus|bind|csp|on|mouse\w+|include)\s*=|\bv-(?:html|on:|bind:|if|show)\s*=?|\bx-(?:data|init|on:|html)\s*=|\bdata-ng-\w+\s*="#,
        "The text is an expression for a page framework.",
    ),
    rule(
        "pack.xss.symbols",
        r"(?:\(?!?!?\[\]\)?[+\[(]){4}|\[\]\[\(?!\[\]|(?:\+!\+\[\]){2}|\$=~\[\]|ﾟωﾟ|\bT\s*=\s*\[\]\b|\[\+!!\[\]\]|゚Θ゚",
        "The text is script written with symbols only.",
    ),
    rule(
        "pack.xss.markup_break",
        r#"(?i)^[^<>]*["'`]\s*/?>\s*<\s*[a-z!/?]|<!--[\s\-]*#\s*(?:exec|include|echo|printenv)|<\s*!\[cdata\[\s*<|<\?(?:xml-stylesheet|import)\b|<!--\[if\b|<%[\s=@!]*(?:response|request|eval|out\.)|^[^<>]*</(?:script|style|title|textarea|xmp|noscript|iframe)\s*>|</(?:script|iframe)\s*>"#,
        "The text closes an attribute or element of a page.",
    ),
    rule(
        "pack.xss.spelled_out",
        r#"(?i)\+ADw-\s*/?\s*(?:script|img|svg|iframe|body|html)|\burl\s*\(\s*['"]?\s*javascript\b|<\w{0,20}:(?:vmlframe|script|import)\b|\bdocument\b\)?\s*(?:\.|\[\s*['"])\s*cookie\b|\bjava(?:&tab;|&newline;|\t|\n|\r){1,4}script\s*:|(?:self|window|top|parent|globalthis)\s*\[\s*['"]\\x"#,
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
        r#"(?i)\.(?:map|find|foreach|filter|some|every|reduce|sort|then|catch|replace|from)\s*\(\s*(?:alert|confirm|prompt|eval)\b|\.constructor\s*`|\b(?:alert|confirm|prompt)\s*(?:\?\.\s*\(|(?:\?)?\.\s*(?:call|apply|bind)\s*\()|\(\s*(?:[\w\s]{0,20},\s*)?(?:alert|confirm|prompt)\s*\)[(`]|\breflect\.apply\s*\(\s*(?:alert|confirm|prompt|eval)\b|\b(?:settimeout|setinterval|constructor|function|execscript|eval)\s*\(\s*(?:'[^']{0,40}'|"[^"]{0,40}")\s*\+|\b(?:window|top|self|parent|frames|globalthis)\[[^\n]{3,120}?\]\s*(?:\.\s*(?:call|apply))?\s*\(|\[(?:alert|confirm|prompt|eval)\]\s*\[|=![^\s,;]{1,12}\+[^\s,;]{1,12},[^\s,;]{1,12}="#,
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
