//! What a misspelt name may have been meant to be.

use super::error::Error;

impl Error {
    /// Suggests the candidate that `name` is most likely a misspelling of, if there is one.
    pub(crate) fn with_nearest<'a>(self, name: &str, candidates: impl Iterator<Item = &'a str>) -> Self {
        match nearest(name, candidates) {
            Some(near) => self.with_hint(format!("perhaps you meant {near}")),
            None => self,
        }
    }
}

/// The candidate that `name` is most likely a misspelling of.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.len() / 3) && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
