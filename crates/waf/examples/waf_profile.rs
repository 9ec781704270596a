#[path = "../tests/crs/corpus.rs"]
mod corpus;
#[path = "../tests/crs/requests.rs"]
mod requests;
fn main() {
    let folder = corpus::folder().unwrap();
    let files = corpus::rule_files(&folder, "SecAction \"id:900000,phase:1,nolog,pass,setvar:'tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE'\"\n");
    let rules = waf::seclang::RuleSet::load(&files).unwrap();
    let reference = requests::reference();
    let which: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(1);
    let (message, body) = requests::cut(&reference[which].1);
    for _ in 0..6000 { std::hint::black_box(requests::judge(&rules, &message, &body)); }
}
