//! Values at their edges.

use super::*;

/// Megabytes in one record, beside small ones.
pub async fn large_values_come_back<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    let large: String = (0..5_000_000_u32).map(|i| char::from(b' ' + (i.wrapping_mul(i) % 89) as u8)).collect();
    let commit = Commit { put_catalog: vec![catalog_record("", &large)], ..commit_of(0, &["", &large, "[]"]) };
    let commit = Commit { meta: meta_at(1, 1), ..commit };
    store.commit(&commit).await.unwrap();
    let tail = read_all(&store).await;
    assert!(tail.log == commit.log, "the log differs");
    assert!(tail.catalog == Some(commit.put_catalog), "the catalog differs");
    harness.destroy().await;
}

/// Owners are text of any kind to a store; they also name catalog records here, which makes them keys.
pub async fn user_ids_come_back_as_they_were<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    let long = "long \u{1F600} ".repeat(10_000);
    let users = [
        "",
        " ",
        "\0",
        "a\0b",
        "\"quoted\"\\",
        "a/b",
        "../..",
        "null",
        "\u{E9}",
        "e\u{301}",
        "\u{65E5}\u{672C}",
        "\u{1F600}",
        "\u{FFFD}",
        "\u{FFFF}",
        "\u{10FFFF}",
        "\u{FEFF}bom",
        "\r\n\t\u{7F}\u{2028}",
        &long,
    ];
    let mut commit = commit_of(0, &vec!["[]"; users.len() + 1]);
    for (record, user) in commit.log.iter_mut().zip(users) {
        record.partition.owner = Some(Owner(user.to_owned()));
    }
    commit.put_catalog = users.iter().map(|user| catalog_record(&format!("user/{user}"), user)).collect();
    commit.meta = meta_at(1, 1);
    store.commit(&commit).await.unwrap();

    let tail = read_all(&store).await;
    assert_eq!(tail.log, commit.log);
    let mut stored = tail.catalog.unwrap();
    stored.sort_by(|a, b| a.key.cmp(&b.key));
    commit.put_catalog.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(stored, commit.put_catalog);
    harness.destroy().await;
}

/// Numbers that are not keys keep all their 64 bits.
pub async fn numbers_and_states_come_back_as_they_were<H: Harness>() {
    let harness = H::fresh().await;
    let store = harness.connect().await;
    let mut commit = commit_of(0, &["[]", "[]", "[]"]);
    let numbers = [(u64::MAX, i64::MIN, u32::MAX), ((1 << 53) + 1, i64::MAX, 0), (0, -1, 1)];
    for (record, (big, signed, small)) in commit.log.iter_mut().zip(numbers) {
        record.key.part = u32::MAX - small.min(5);
        record.partition.table = big;
        record.first_seq = big;
        record.updated_us = signed;
        record.schema_version = small;
        record.n_rows = small;
        record.is_new = small == 1;
        record.state = if small == 0 { RowState::Live } else { RowState::Deleted };
    }
    commit.meta.next_seq = u64::MAX;
    commit.meta.next_id = (1 << 53) + 1;
    store.commit(&commit).await.unwrap();
    let tail = read_all(&store).await;
    commit.log.sort_by_key(|record| record.key);
    assert_eq!((tail.meta, tail.log), (commit.meta, commit.log));
    harness.destroy().await;
}
