use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll(pending: &mut Pending, count: &Arc<Count>) -> Poll<Result<u64, LedgerFault>> {
    let waker = Waker::from(Arc::clone(count));
    Pin::new(pending).poll(&mut Context::from_waker(&waker))
}

fn three() -> (Arc<Group>, Vec<Pending>, Vec<Arc<Count>>) {
    let group = Arc::new(Group::default());
    let mut pendings: Vec<_> = (0..3)
        .map(|n| Pending::queued(Arc::clone(&group), n))
        .collect();
    let counts: Vec<Arc<Count>> = (0..3).map(|_| Arc::default()).collect();
    for (pending, count) in pendings.iter_mut().zip(&counts) {
        assert_eq!(poll(pending, count), Poll::Pending);
        assert_eq!(poll(pending, count), Poll::Pending);
    }
    (group, pendings, counts)
}

fn woken(counts: &[Arc<Count>]) -> Vec<usize> {
    counts
        .iter()
        .map(|count| count.0.load(Ordering::SeqCst))
        .collect()
}

#[test]
fn one_task_of_a_thread_is_woken_and_wakes_the_others() {
    let (group, mut pendings, counts) = three();
    group.finish(Ok(10));
    assert_eq!(woken(&counts), [1, 0, 0]);
    assert_eq!(poll(&mut pendings[0], &counts[0]), Poll::Ready(Ok(10)));
    assert_eq!(woken(&counts), [1, 1, 1]);
    assert_eq!(poll(&mut pendings[2], &counts[2]), Poll::Ready(Ok(12)));
    assert_eq!(woken(&counts), [1, 1, 1]);
}

#[test]
fn a_cancelled_task_leaves_nobody_asleep() {
    let (group, mut pendings, counts) = three();
    group.finish(Ok(0));
    drop(pendings.remove(0));
    assert_eq!(woken(&counts), [1, 1, 1]);

    let (group, mut pendings, counts) = three();
    drop(pendings.remove(0));
    group.finish(Ok(0));
    assert_eq!(woken(&counts), [0, 1, 0]);
    drop(pendings);
    assert_eq!(woken(&counts), [0, 1, 1]);
}

#[test]
fn waiting_threads_and_late_pollers_hear_the_same_fault() {
    let group = Arc::new(Group::default());
    let waiting = Pending::queued(Arc::clone(&group), 1);
    let thread = thread::spawn(move || waiting.wait());
    group.finish(Err(LedgerFault::Full));
    group.finish(Ok(3));
    assert_eq!(thread.join().unwrap(), Err(LedgerFault::Full));
    let mut late = Pending::queued(Arc::clone(&group), 0);
    assert_eq!(
        poll(&mut late, &Arc::default()),
        Poll::Ready(Err(LedgerFault::Full))
    );
    assert_eq!(
        poll(&mut Pending::refused(LedgerFault::Busy), &Arc::default()),
        Poll::Ready(Err(LedgerFault::Busy))
    );
}
