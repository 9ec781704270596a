//! Which target a call goes to. Pure: views of the targets in, an index out.
//! Exports `prefer`, `View`.
//! Used by the pools, and by the simulation.
//! Start reading at `prefer`.

/// One target as a call sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// The last connection attempt failed.
    pub(crate) is_resting: bool,
    /// Health checks took it out.
    pub(crate) is_out: bool,
    /// Calls under way, where they matter.
    pub(crate) load: u32,
}

/// The best target that was not tried: targets in service before those taken out by checks, those that take connections
/// before those that rest, the least loaded first, and in turn among equals. Every target is a candidate in the end: a call
/// never fails for want of a target while one is left that it has not asked.
///
/// When fewer than half of the targets that take connections pass their checks, the checks are not believed and all are
/// used: more likely is that the check itself is wrong or everything is overloaded, and the few that are left could not
/// carry it all.
pub(crate) fn prefer<'t>(
    targets: impl ExactSizeIterator<Item = View> + Clone + 't,
    is_tried: impl Fn(usize) -> bool,
    turn: usize,
) -> Option<usize> {
    let count = targets.len();
    let reachable = targets.clone().filter(|target| !target.is_resting);
    let (good, bad) = reachable.fold((0usize, 0usize), |(good, bad), target| {
        if target.is_out {
            (good, bad.saturating_add(1))
        } else {
            (good.saturating_add(1), bad)
        }
    });
    let is_believed = good >= bad;
    let rank = |(index, target): (usize, View)| {
        // How many steps from whose turn it is.
        let steps = index.wrapping_add(count).wrapping_sub(turn % count.max(1)) % count.max(1);
        let is_out = target.is_out && is_believed;
        ((is_out, target.is_resting, target.load, steps), index)
    };
    let untried = targets.enumerate().filter(|(index, _)| !is_tried(*index));
    untried.map(rank).min().map(|(_, index)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `.` in service, `r` resting, `o` out.
    fn chosen(targets: &str, tried: &[usize], turn: usize) -> Option<usize> {
        let views: Vec<View> = targets
            .chars()
            .map(|letter| View {
                is_resting: letter == 'r',
                is_out: letter == 'o',
                load: 0,
            })
            .collect();
        prefer(views.iter().copied(), |index| tried.contains(&index), turn)
    }

    #[test]
    fn calls_go_round_the_targets_in_service() {
        let turns = |targets| [0, 1, 2, 3].map(|turn| chosen(targets, &[], turn).unwrap());
        assert_eq!(turns("..."), [0, 1, 2, 0]);
        assert_eq!(turns("r.."), [1, 1, 2, 1]);
        assert_eq!(turns(".o."), [0, 2, 2, 0]);
    }

    #[test]
    fn a_lone_target_is_always_asked_and_no_target_is_asked_twice() {
        for target in [".", "r", "o"] {
            assert_eq!(chosen(target, &[], 7), Some(0));
            assert_eq!(chosen(target, &[0], 7), None);
        }
        assert_eq!(chosen("", &[], 7), None);
        assert_eq!(chosen("r.o", &[1], 0), Some(0), "resting before out");
        assert_eq!(chosen("r.o", &[1, 0], 0), Some(2));
    }

    #[test]
    fn with_fewer_than_half_passing_their_checks_all_are_used() {
        let used = |targets: &str| {
            let mut used: Vec<_> = (0..targets.len())
                .filter_map(|turn| chosen(targets, &[], turn))
                .collect();
            used.sort_unstable();
            used.dedup();
            used
        };
        assert_eq!(used(".o"), [0], "half is enough");
        assert_eq!(used(".oo"), [0, 1, 2]);
        assert_eq!(used("..oo"), [0, 1]);
        assert_eq!(used(".ooo"), [0, 1, 2, 3]);
        assert_eq!(used("oo"), [0, 1]);
        assert_eq!(
            used(".or"),
            [0],
            "what takes no connection says nothing about checks"
        );
        assert_eq!(used(".oor"), [0, 1, 2], "and is not used either");
    }

    #[test]
    fn the_least_loaded_of_the_best_is_chosen() {
        let views = [(false, 3), (true, 0), (false, 1)].map(|(is_resting, load)| View {
            is_resting,
            is_out: false,
            load,
        });
        assert_eq!(prefer(views.into_iter(), |_| false, 0), Some(2));
    }
}
