use std::sync::mpsc::channel;

use super::*;

fn quiet(_line: &str) {}

#[test]
fn a_task_that_panics_is_begun_again_and_counted() {
    let (tell, told) = channel();
    let mut round = 0;
    let work = move |stop: &Stop| {
        round += 1;
        tell.send(round).unwrap();
        assert!(round > 1, "the first round fails");
        while !stop.wait(Duration::from_secs(60)) {}
    };
    let tasks = Tasks::default();
    let task = Task {
        name: "fails once".into(),
        is_waited_for: true,
        work: Box::new(work),
    };
    let supervisor = Supervisor::start(vec![task], &tasks, quiet);
    assert_eq!((told.recv(), told.recv()), (Ok(1), Ok(2)));
    let status = &tasks.status()[0];
    assert_eq!((status.is_running, status.restarts), (true, 1));
    supervisor.stop();
    assert!(!tasks.status()[0].is_running);
}

#[test]
fn a_stop_ends_the_pause_of_a_task_that_panics() {
    let (tell, told) = channel();
    let work = move |_: &Stop| {
        tell.send(()).unwrap();
        panic!("always");
    };
    let tasks = Tasks::default();
    let task = Task {
        name: "always fails".into(),
        is_waited_for: true,
        work: Box::new(work),
    };
    let supervisor = Supervisor::start(vec![task], &tasks, quiet);
    told.recv().unwrap();
    supervisor.stop();
    assert!(!tasks.status()[0].is_running);
}

#[test]
fn a_stop_waits_for_the_last_round_and_not_for_what_has_none() {
    let (tell, told) = channel();
    let last = Task {
        name: "has a last round".into(),
        is_waited_for: true,
        work: Box::new(move |stop| {
            while !stop.wait(Duration::from_secs(60)) {}
            tell.send("last").unwrap();
        }),
    };
    let (hold, held) = channel::<()>();
    let hangs = Task {
        name: "hangs".into(),
        is_waited_for: false,
        work: Box::new(move |_| assert!(held.recv().is_err())),
    };
    let supervisor = Supervisor::start(vec![last, hangs], &Tasks::default(), quiet);
    supervisor.stop();
    assert_eq!(told.try_recv(), Ok("last"));
    drop(hold);
}
