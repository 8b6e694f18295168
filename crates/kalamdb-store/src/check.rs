//! What every store checks before it writes.

use std::collections::BTreeSet;

use crate::{Commit, FORMAT_VERSION, StoreError, StoreResult};

/// The greatest number in a key: JavaScript's `Number.MAX_SAFE_INTEGER`, since IndexedDB's keys are doubles.
pub const MAX_KEY: u64 = (1 << 53) - 1;

/// Checks that `commit` keeps the rules of [`Commit`] and that its keys are exact as doubles.
///
/// # Errors
/// `InvalidCommit`.
pub fn check_commit(commit: &Commit) -> StoreResult<()> {
    let number = commit.base.checked_add(1).filter(|number| *number <= MAX_KEY);
    let Some(number) = number else {
        return invalid(format!("no commit number after {} is left", commit.base));
    };
    if commit.meta.head != number {
        return invalid(format!("its head is {}, it must be {number}", commit.meta.head));
    }
    if commit.meta.catalog_head > number {
        return invalid(format!("its catalog head is {}, after its head {number}", commit.meta.catalog_head));
    }
    if commit.meta.owners_head > number {
        return invalid(format!("its owners' head is {}, after its head {number}", commit.meta.owners_head));
    }
    if commit.meta.manifest_head > number || !commit.put_manifests.is_empty() && commit.meta.manifest_head != number {
        return invalid(format!("its manifest head is {}, its head {number}", commit.meta.manifest_head));
    }
    if let Some(page) = commit.put_pages.iter().find(|page| page.key.segment > MAX_KEY) {
        return invalid(format!("there is no segment {}", page.key.segment));
    }
    let mut manifests = BTreeSet::new();
    if let Some(manifest) = commit
        .put_manifests
        .iter()
        .find(|manifest| manifest.key.commit != number || !manifests.insert(manifest.key.part))
    {
        return invalid(format!("a manifest has the key {}/{}", manifest.key.commit, manifest.key.part));
    }
    let mut parts = BTreeSet::new();
    for record in &commit.log {
        if record.key.commit != number {
            return invalid(format!("rows are of commit {}, they must be of {number}", record.key.commit));
        }
        if !parts.insert(record.key.part) {
            return invalid(format!("part {} comes twice", record.key.part));
        }
    }
    let dropped = commit.drop_log.iter().copied();
    let shrunk = commit.shrink_log.iter().map(|record| record.meta.head);
    let manifests = commit.drop_manifests.iter().map(|key| key.commit);
    match dropped.chain(shrunk).chain(manifests).find(|of| *of > commit.base) {
        Some(of) => invalid(format!("it changes a record of commit {of}, which is not stored")),
        None => Ok(()),
    }
}

/// Checks that this code reads the stored format.
///
/// # Errors
/// `SchemaTooNew`.
pub fn check_format(found: u32) -> StoreResult<()> {
    if found > FORMAT_VERSION { Err(StoreError::SchemaTooNew { found, supported: FORMAT_VERSION }) } else { Ok(()) }
}

fn invalid(what: String) -> StoreResult<()> {
    Err(StoreError::InvalidCommit { what })
}
