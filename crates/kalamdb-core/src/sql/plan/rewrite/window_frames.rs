//! Frames of windows: which are none, and rows without an end.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, Value, WindowFrame, WindowFrameBound as Bound, WindowFrameUnits, WindowType,
};

use crate::error::{Error, ErrorKind, Result};

/// The farthest that a window frame reaches, in rows. No partition has as many, and positions are 32 bits wide on
/// wasm32.
const MAX_FRAME_ROWS: u64 = i32::MAX as u64;

/// Checks the window of a function, whose name has been resolved, and gives its frame bounds that the planner knows.
pub(crate) fn simplify(function: &mut Function) -> Result<()> {
    match &mut function.over {
        None => Ok(()),
        Some(WindowType::NamedWindow(name)) => undefined(name),
        Some(WindowType::WindowSpec(window)) => match (&window.window_name, &mut window.window_frame) {
            (Some(name), _) => undefined(name),
            (None, Some(frame)) => bounds(frame),
            (None, None) => Ok(()),
        },
    }
}

fn undefined(name: &impl std::fmt::Display) -> Result<()> {
    Err(Error::new(ErrorKind::UndefinedObject, format!("window {name} does not exist")))
}

fn bounds(frame: &mut WindowFrame) -> Result<()> {
    let is_backward = matches!(
        (&frame.start_bound, frame.end_bound.as_ref().unwrap_or(&Bound::CurrentRow)),
        (Bound::Following(None), _)
            | (_, Bound::Preceding(None))
            | (Bound::CurrentRow, Bound::Preceding(_))
            | (Bound::Following(_), Bound::Preceding(_) | Bound::CurrentRow)
    );
    if is_backward {
        return Err(Error::new(ErrorKind::InvalidQuery, "the frame of a window ends before it begins"));
    }
    if frame.units == WindowFrameUnits::Range {
        return Ok(());
    }
    for bound in std::iter::once(&mut frame.start_bound).chain(&mut frame.end_bound) {
        if rows(bound).is_some_and(|rows| rows > MAX_FRAME_ROWS) {
            set(bound, MAX_FRAME_ROWS);
        }
    }
    // The planner has no frames without rows, but this one: all of it is behind the last row.
    let is_empty = match (&frame.start_bound, &frame.end_bound) {
        (start @ Bound::Preceding(_), Some(end @ Bound::Preceding(_))) => {
            rows(start).zip(rows(end)).is_some_and(|(start, end)| start < end)
        }
        (start @ Bound::Following(_), Some(end @ Bound::Following(_))) => {
            rows(start).zip(rows(end)).is_some_and(|(start, end)| start > end)
        }
        _ => false,
    };
    if is_empty {
        let far =
            || Bound::Following(Some(Box::new(Expr::Value(Value::Number(MAX_FRAME_ROWS.to_string(), false).into()))));
        (frame.start_bound, frame.end_bound) = (far(), Some(far()));
    }
    Ok(())
}

/// The number that a bound is written with.
fn rows(bound: &Bound) -> Option<u64> {
    let (Bound::Preceding(Some(rows)) | Bound::Following(Some(rows))) = bound else { return None };
    match rows.as_ref() {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn set(bound: &mut Bound, rows: u64) {
    if let Bound::Preceding(Some(offset)) | Bound::Following(Some(offset)) = bound {
        **offset = Expr::Value(Value::Number(rows.to_string(), false).into());
    }
}
