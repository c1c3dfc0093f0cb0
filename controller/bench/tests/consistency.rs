//! Connections that changes break, with and without a flow table: exactly those that the rings say.
#![allow(clippy::unwrap_used)]

use control_bench::consistency::{Cell, Size, measure};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_break_what_they_must_and_nothing_else() {
    let size = Size { flows: 5_000, backends: 20 };
    let rows = measure(size, |row| eprintln!("{row:?}")).await.unwrap();
    for row in &rows {
        for cell in [&row.with, &row.without] {
            let Cell { flows, broken, expected, dropped, strange, .. } = *cell;
            assert_eq!((flows, dropped, strange), (5_000, 0, 0), "{row:?}");
            assert_eq!(broken, expected, "{row:?}");
        }
    }
    // Which of them must be 0, and which can't.
    let breaking = |of: fn(&control_bench::consistency::Row) -> &Cell| {
        rows.iter().filter(|row| of(row).broken > 0).map(|row| row.change).collect::<Vec<_>>()
    };
    assert_eq!(breaking(|row| &row.with), ["node lost and backend added at once"]);
    assert_eq!(
        breaking(|row| &row.without),
        ["backend added", "backend drained", "weight changed", "node lost and backend added at once"]
    );
    // A backend that is removed takes its own connections along, about a twenty-first of them.
    let own = rows.iter().filter(|row| row.with.with_their_backend > 0).map(|row| row.change);
    assert_eq!(own.collect::<Vec<_>>(), ["backend removed"]);
}
