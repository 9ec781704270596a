use super::*;

const MOMENT: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const TICK: Monotonic = Monotonic::from_micros(5_000_000);
const NOW: (Timestamp, Monotonic) = (MOMENT, TICK);

fn keys() -> Keys {
    Keys::new(
        &crypto::Root::generate(),
        &crypto::Kek::from_secret(crypto::Secret::new([1; 32])),
    )
}

fn wanted(requests_max: u64) -> Wanted {
    Wanted {
        lasting: Duration::from_secs(60),
        requests_max,
        keep_days: 7,
    }
}

fn request(text: &str) -> Recorded {
    let leaves = [Leaf {
        place: "body",
        pointer: "/note".into(),
        text: text.into(),
        is_name: false,
        language: 0,
    }];
    let facts = Facts {
        method: "POST",
        headers: vec![
            ("user-agent", b"curl/8"[..].into()),
            ("x-session-token", b"abc"[..].into()),
            ("proxy-auth", b"abc"[..].into()),
        ],
        ..Facts::default()
    };
    let id = DecisionId::from_bits(7);
    Recorded::of(
        "notes/v1:createNote",
        id,
        MOMENT,
        &facts,
        &leaves,
        false,
        &[],
    )
}

fn file(heading: &Heading, lines: &[String]) -> String {
    let mut text = serde_json::to_string(heading).unwrap();
    for line in lines {
        text.push('\n');
        text.push_str(line);
    }
    text
}

#[test]
fn a_recording_is_sealed_and_reads_back() {
    let (keys, recordings) = (keys(), Recordings::default());
    assert!(!recordings.is_on());
    let heading = recordings.begin(&wanted(2), "ops", &keys, NOW).unwrap();
    assert!(recordings.is_on());
    recordings.offer(TICK, || request("first private text"));
    recordings.offer(TICK, || request("second"));
    recordings.offer(TICK, || panic!("two are enough"));
    let fetched = recordings.fetch(&heading.id, TICK).unwrap();
    assert!(fetched.is_over && fetched.requests == 2);
    assert!(!recordings.is_on());
    let text = file(&heading, &fetched.lines);
    assert!(!text.contains("private text"));
    let read = Reader::open(&text, &keys, MOMENT).unwrap();
    assert!(read.is_whole);
    assert_eq!(
        read.requests,
        [request("first private text"), request("second")]
    );
}

#[test]
fn credentials_of_other_systems_are_left_out_too() {
    let names: Vec<String> = request("x").headers.into_iter().map(|(n, _)| n).collect();
    assert_eq!(names, ["user-agent"]);
}

#[test]
fn a_recording_cannot_be_changed_prolonged_or_read_elsewhere() {
    let (own, recordings) = (keys(), Recordings::default());
    let heading = recordings.begin(&wanted(2), "ops", &own, NOW).unwrap();
    recordings.offer(TICK, || request("first"));
    recordings.offer(TICK, || request("second"));
    let lines = recordings.fetch(&heading.id, TICK).unwrap().lines;
    let opened = |heading: &Heading, lines: &[String], now| {
        Reader::open(&file(heading, lines), &own, now).map(|read| read.is_whole)
    };
    assert_eq!(opened(&heading, &lines, MOMENT), Ok(true));
    let swapped = [lines[1].clone(), lines[0].clone(), lines[2].clone()];
    assert_eq!(
        opened(&heading, &swapped, MOMENT),
        Err(Unreadable::Sealed(2))
    );
    assert_eq!(
        opened(&heading, &lines[..2], MOMENT),
        Ok(false),
        "cut short"
    );
    let later = Heading {
        ends: heading.ends.plus_days(365),
        ..heading.clone()
    };
    assert_eq!(opened(&later, &lines, MOMENT), Err(Unreadable::Sealed(2)));
    assert_eq!(
        opened(&heading, &lines, heading.ends),
        Err(Unreadable::Ended(heading.ends))
    );
    let foreign = Reader::open(&file(&heading, &lines), &keys(), MOMENT);
    assert_eq!(foreign.unwrap_err(), Unreadable::Sealed(2));
    let none = Reader::open("{\"method\":\"GET\"}", &own, MOMENT);
    assert_eq!(none.unwrap_err(), Unreadable::Foreign);
}

#[test]
fn it_ends_by_its_time_and_when_nobody_fetches() {
    let (keys, recordings) = (keys(), Recordings::default());
    let heading = recordings.begin(&wanted(9), "ops", &keys, NOW).unwrap();
    assert!(recordings.begin(&wanted(9), "else", &keys, NOW).is_none());
    recordings.offer(TICK.plus(Duration::from_secs(31)), || {
        panic!("whoever asked is gone")
    });
    assert!(!recordings.is_on());
    // Its place is free again.
    let later = TICK.plus(Duration::from_secs(40));
    // The wall clock was set back by a day meanwhile, which changes nothing.
    let yesterday = Timestamp::from_micros(MOMENT.micros() - 86_400_000_000);
    let second = recordings
        .begin(&wanted(9), "else", &keys, (yesterday, later))
        .unwrap();
    assert!(recordings.fetch(&heading.id, later).is_none());
    let end = later.plus(Duration::from_secs(20));
    assert!(!recordings.fetch(&second.id, end).unwrap().is_over);
    let end = later.plus(Duration::from_secs(45));
    assert!(!recordings.fetch(&second.id, end).unwrap().is_over);
    let over = recordings.fetch(&second.id, later.plus(Duration::from_secs(60)));
    assert!(over.unwrap().is_over);
}

#[test]
fn what_nobody_fetched_is_bounded() {
    let (keys, recordings) = (keys(), Recordings::default());
    let heading = recordings.begin(&wanted(1000), "ops", &keys, NOW).unwrap();
    let large = "x".repeat(REQUEST_BYTES_MAX / 2);
    for _ in 0..80 {
        recordings.offer(TICK, || request(&large));
    }
    recordings.offer(TICK, || request(&"x".repeat(REQUEST_BYTES_MAX)));
    let fetched = recordings.fetch(&heading.id, TICK).unwrap();
    assert!(fetched.lines.len() < 40, "{}", fetched.lines.len());
    assert_eq!(fetched.requests + fetched.left_out, 81);
}
