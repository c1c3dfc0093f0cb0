//! Which ticks a clock that runs by itself can have shown.

use super::plane::Span;
use std::time::Duration;

/// Places of a tick's beginning that are tried.
const PHASES: u32 = 16;

/// Every way in which the age of one packet at another's time can be shortest or longest: for each packet, it was
/// taken as early as can be and all others as late, and the reverse; for each phase of the clock.
pub(super) fn timings(spans: &[Span], tick: Duration) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    for phase in 0..PHASES {
        let to_tick = |at: Duration| ((at + tick * phase / PHASES).as_nanos() / tick.as_nanos()) as u32;
        for one in 0..spans.len() {
            for early in [true, false] {
                let at =
                    |(i, (first, last)): (usize, &Span)| if (i == one) == early { *first } else { *last };
                all.push(spans.iter().enumerate().map(|s| to_tick(at(s))).collect());
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_span_what_was_measured() {
        let ms = Duration::from_millis;
        let spans = [(ms(0), ms(10)), (ms(500), ms(530))];
        let all = timings(&spans, ms(100));
        let mut ages: Vec<u32> = all.iter().map(|t| t[1] - t[0]).collect();
        ages.sort_unstable();
        ages.dedup();
        // Between 490 and 530 ms have passed: 4, 5 or 6 ticks, as the clock ticks.
        assert_eq!(ages, [4, 5, 6]);
    }

    #[test]
    fn time_does_not_go_back() {
        let ms = Duration::from_millis;
        let spans: Vec<Span> = (0..5).map(|i| (ms(i * 70), ms(i * 70 + 69))).collect();
        assert!(timings(&spans, ms(65)).iter().all(|t| t.is_sorted()));
    }
}
