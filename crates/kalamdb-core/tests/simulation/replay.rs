//! A call carried out on the model, and whether it answers as it did.

use kalamdb_core::ErrorKind;

use super::call::{Failure, Record, Step};
use super::model::{Answer, Model, Version};
use super::statement::{Action, Statement};

/// What a call makes of a state of the model.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) model: Model,
    /// The row versions that are written in the end, of one statement each.
    pub(crate) versions: Vec<Vec<Version>>,
}

/// Carries out the steps of a call on `model`.
///
/// # Errors
/// If it would have answered otherwise than it did.
pub(crate) fn replay(model: &Model, record: &Record) -> Result<Replayed, String> {
    let call = &record.call;
    let mut now = Replayed { model: model.clone(), versions: Vec::new() };
    let mut savepoint: Option<(Model, usize)> = None;
    for (at, step) in call.steps.iter().enumerate() {
        let answer = match record.answers.get(at) {
            Some(Some(Err(failure))) if failure.is_indeterminate => None,
            Some(Some(answer)) => Some(answer),
            Some(None) => continue,
            None if call.is_transaction => break,
            None => None,
        };
        match step {
            Step::Run(statement) => {
                let outcome = now.model.run(call.user, statement);
                compare(statement, answer, &outcome)?;
                if let (Ok((_, versions)), true) = (outcome, !matches!(answer, Some(Err(_)))) {
                    now.versions.push(versions);
                }
            }
            Step::Savepoint if matches!(answer, Some(Ok(_))) => {
                savepoint = Some((now.model.clone(), now.versions.len()))
            }
            Step::RollBackTo if matches!(answer, Some(Ok(_))) => {
                let (saved, n_statements) = savepoint.clone().ok_or("it went back to no savepoint")?;
                now.model = saved;
                now.versions.truncate(n_statements);
            }
            Step::Savepoint | Step::RollBackTo | Step::Release => {}
        }
    }
    Ok(now)
}

/// Whether a failure is the statement's own, and not the disk's or that of another tab.
pub(crate) fn is_semantic(failure: &Failure) -> bool {
    matches!(failure.kind, ErrorKind::UniqueViolation | ErrorKind::UndefinedTable | ErrorKind::DuplicateTable)
}

fn compare(
    statement: &Statement,
    answer: Option<&Result<Answer, Failure>>,
    outcome: &Result<(Answer, Vec<Version>), ErrorKind>,
) -> Result<(), String> {
    let is_same = match (answer, outcome) {
        // What maintenance answers is not in the model.
        (Some(Ok(_)), Ok(_)) if matches!(statement.action, Action::Maintain(_)) => true,
        (Some(Ok(answer)), Ok((expected, _))) => answer == expected,
        (Some(Err(failure)), Err(expected)) if is_semantic(failure) => failure.kind == *expected,
        (Some(Err(failure)), _) => !is_semantic(failure),
        (None, outcome) => outcome.is_ok(),
        (Some(Ok(_)), Err(_)) => false,
    };
    if is_same {
        Ok(())
    } else {
        Err(format!(
            "{}: answered {answer:?}, expected {:?}",
            statement.sql(),
            outcome.as_ref().map(|(answer, _)| answer)
        ))
    }
}
