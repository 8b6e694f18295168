//! Forms of SQL that the planner does not know, written in forms that it does.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, NamedWindowDefinition, NamedWindowExpr, UnaryOperator, Value, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowType,
};

/// The farthest that a window frame reaches, in rows. No partition has as many, and positions are 32 bits wide on wasm32.
const MAX_FRAME_ROWS: u64 = i32::MAX as u64;

/// Rewrites one expression; those inside it come later.
pub(super) fn simplify(expr: &mut Expr) {
    // Unary plus is nothing, whatever it stands before.
    while let Expr::UnaryOp { op: UnaryOperator::Plus, expr: operand } = expr {
        let operand = std::mem::replace(operand.as_mut(), Expr::Value(Value::Null.into()));
        *expr = operand;
    }
    match expr {
        // IN () is false whatever the operand is, NULL as well; the operand still has to have a meaning.
        Expr::InList { expr: operand, list, negated } if list.is_empty() => {
            let operand = std::mem::replace(operand.as_mut(), Expr::Value(Value::Null.into()));
            let op = if *negated { BinaryOperator::Or } else { BinaryOperator::And };
            let left = Box::new(Expr::Value(Value::Boolean(*negated).into()));
            *expr = Expr::Nested(Box::new(Expr::BinaryOp { left, op, right: Box::new(Expr::IsNull(Box::new(operand))) }));
        }
        Expr::Function(function) => {
            if let Some(WindowType::WindowSpec(window)) = &mut function.over {
                window.window_frame.iter_mut().for_each(clamp);
            }
        }
        _ => {}
    }
}

/// Rewrites the windows that a SELECT names.
pub(super) fn simplify_windows(windows: &mut [NamedWindowDefinition]) {
    for NamedWindowDefinition(_, window) in windows {
        if let NamedWindowExpr::WindowSpec(window) = window {
            window.window_frame.iter_mut().for_each(clamp);
        }
    }
}

fn clamp(frame: &mut WindowFrame) {
    if frame.units == WindowFrameUnits::Range {
        return;
    }
    for bound in std::iter::once(&mut frame.start_bound).chain(&mut frame.end_bound) {
        let (WindowFrameBound::Preceding(Some(offset)) | WindowFrameBound::Following(Some(offset))) = bound else {
            continue;
        };
        if let Expr::Value(value) = offset.as_mut()
            && let Value::Number(digits, _) = &mut value.value
            && digits.parse::<u64>().is_ok_and(|rows| rows > MAX_FRAME_ROWS)
        {
            *digits = MAX_FRAME_ROWS.to_string();
        }
    }
}
