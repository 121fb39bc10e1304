//! The claims about ranges: order, ends, direction, limit.
//! Part of the suite only for its length; see the card of `conformance`.

use super::{Checked, all_of, commit, ensure, load};
use crate::store::{Direction, Loaded, Row, Scan, Store, Table};

/// Shorter first where one key begins the other; bytes are unsigned.
pub async fn keys_are_ordered_as_bytes<S: Store>(open: &impl AsyncFn() -> S) -> Checked {
    let ordered: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x00\x00",
        b"\x01",
        b"a",
        b"a\x00",
        b"\x7f\xff",
        b"\x80",
    ];
    let rows = ordered.map(|key| (Table::Seen, key.to_vec(), Some(b"record".to_vec())));
    commit(open, rows.into_iter().rev()).await?;
    let scan = |direction| vec![all_of(Table::Seen, direction)];
    let forward = keys(load(open, &[], scan(Direction::Forward)).await?);
    ensure(forward == ordered, "keys ascend as bytes do")?;
    let mut backward = keys(load(open, &[], scan(Direction::Backward)).await?);
    backward.reverse();
    ensure(
        backward == ordered,
        "a backward scan is the same rows from the other end",
    )
}

/// From the first key on, up to but without the end; neither need be there.
pub async fn a_scan_keeps_to_its_range<S: Store>(open: &impl AsyncFn() -> S) -> Checked {
    numbers(open, 20).await?;
    for direction in [Direction::Forward, Direction::Backward] {
        let within = |from: &[u8], to: Option<&[u8]>| Scan {
            from: from.to_vec(),
            to: to.map(<[u8]>::to_vec),
            ..all_of(Table::Messages, direction)
        };
        let scans = vec![
            within(&[5], Some(&[8])),
            within(&[4, 0], Some(&[7, 0])),
            within(&[17], None),
            within(&[19, 0], None),
            within(&[5], Some(&[5])),
            within(&[8], Some(&[5])),
        ];
        let found = load(open, &[], scans).await?;
        let mut ranges: Vec<Vec<u8>> = found.scans.into_iter().map(first_bytes).collect();
        if direction == Direction::Backward {
            ranges.iter_mut().for_each(|range| range.reverse());
        }
        let wanted: [&[u8]; 6] = [&[5, 6, 7], &[5, 6, 7], &[17, 18, 19], &[], &[], &[]];
        ensure(
            ranges == wanted,
            "a scan holds `from`, ends before `to`, and is empty if they cross",
        )?;
    }
    Ok(())
}

/// Which is the last key of the range, not of the table.
pub async fn a_backward_scan_begins_at_the_end<S: Store>(open: &impl AsyncFn() -> S) -> Checked {
    numbers(open, 200).await?;
    let scan = |limit, to: Option<u8>| Scan {
        limit,
        to: to.map(|to| vec![to]),
        ..all_of(Table::Messages, Direction::Backward)
    };
    let scans = vec![
        scan(1, None),
        scan(3, Some(150)),
        scan(3, Some(2)),
        scan(50, Some(200)),
    ];
    let found = load(open, &[], scans).await?;
    let ranges: Vec<Vec<u8>> = found.scans.into_iter().map(first_bytes).collect();
    let last_fifty: Vec<u8> = (150..200).rev().collect();
    let wanted = [vec![199], vec![149, 148, 147], vec![1, 0], last_fifty];
    ensure(
        ranges == wanted,
        "a backward scan takes the last rows of its range, last first",
    )
}

/// None at all is a limit too.
pub async fn a_scan_keeps_to_its_limit<S: Store>(open: &impl AsyncFn() -> S) -> Checked {
    numbers(open, 10).await?;
    for direction in [Direction::Forward, Direction::Backward] {
        let limits = [0, 1, 9, 10, 11, usize::MAX];
        let scans = limits
            .map(|limit| Scan {
                limit,
                ..all_of(Table::Messages, direction)
            })
            .into();
        let found = load(open, &[], scans).await?;
        let counts: Vec<usize> = found.scans.iter().map(Vec::len).collect();
        ensure(
            counts == [0, 1, 9, 10, 10, 10],
            "a scan gives as many rows as there are, up to its limit",
        )?;
    }
    Ok(())
}

/// Messages with the keys 0, 1, 2 and so on.
async fn numbers<S: Store>(open: &impl AsyncFn() -> S, count: u8) -> Checked {
    commit(
        open,
        (0..count).map(|n| (Table::Messages, vec![n], Some(vec![n]))),
    )
    .await
}

fn keys(found: Loaded) -> Vec<Vec<u8>> {
    found
        .scans
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .collect()
}

fn first_bytes(rows: Vec<Row>) -> Vec<u8> {
    rows.into_iter()
        .filter_map(|(key, _)| key.first().copied())
        .collect()
}
