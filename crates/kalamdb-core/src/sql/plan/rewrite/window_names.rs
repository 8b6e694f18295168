//! Windows that a SELECT names, put where their names are: the planner looks for names among the columns alone, and
//! takes no window that begins with another.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, NamedWindowDefinition, NamedWindowExpr, OrderBy, Query, Select, VisitMut, VisitorMut, WindowSpec,
    WindowType,
};

use crate::error::{Error, ErrorKind, Result};
use crate::sql::parse::fold;

/// Resolves the names in a SELECT, and in the ORDER BY behind it.
pub(crate) fn resolve(select: &mut Select, order_by: Option<&mut OrderBy>) -> Result<()> {
    if select.named_window.is_empty() {
        return Ok(());
    }
    let mut windows = Windows { named: Vec::new(), depth: 0 };
    for NamedWindowDefinition(name, window) in std::mem::take(&mut select.named_window) {
        let window = match window {
            NamedWindowExpr::NamedWindow(name) => windows.find(&name)?.clone(),
            NamedWindowExpr::WindowSpec(window) => windows.complete(window)?,
        };
        if windows.named.iter().any(|(other, _)| *other == fold(&name)) {
            return Err(Error::new(ErrorKind::InvalidQuery, format!("window {name} is already defined")));
        }
        windows.named.push((fold(&name), window));
    }
    let visits = [
        select.projection.visit(&mut windows),
        select.distinct.visit(&mut windows),
        select.qualify.visit(&mut windows),
    ];
    let in_order = order_by.map_or(ControlFlow::Continue(()), |order_by| order_by.visit(&mut windows));
    match visits.into_iter().chain([in_order]).find_map(ControlFlow::break_value) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

struct Windows {
    named: Vec<(String, WindowSpec)>,
    /// How many subqueries are around what is visited: the windows of a query are not those of its subqueries.
    depth: usize,
}

impl Windows {
    fn find(&self, name: &Ident) -> Result<&WindowSpec> {
        let found = self.named.iter().find(|(other, _)| *other == fold(name)).map(|(_, window)| window);
        found.ok_or_else(|| Error::new(ErrorKind::UndefinedObject, format!("window {name} does not exist")))
    }

    /// A window with what it takes from the one that it begins with.
    fn complete(&self, mut window: WindowSpec) -> Result<WindowSpec> {
        let Some(name) = window.window_name.take() else { return Ok(window) };
        let base = self.find(&name)?;
        let overrides = !window.partition_by.is_empty()
            || !base.order_by.is_empty() && !window.order_by.is_empty()
            || base.window_frame.is_some();
        if overrides {
            let message = format!(
                "a window that begins with {name} can add an ORDER BY and a frame where that has none, and no PARTITION BY"
            );
            return Err(Error::new(ErrorKind::InvalidQuery, message));
        }
        window.partition_by.clone_from(&base.partition_by);
        if window.order_by.is_empty() {
            window.order_by.clone_from(&base.order_by);
        }
        Ok(window)
    }
}

impl VisitorMut for Windows {
    type Break = Error;

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        let window = match function.over.take() {
            Some(WindowType::NamedWindow(name)) => self.find(&name).cloned(),
            Some(WindowType::WindowSpec(window)) => self.complete(window),
            None => return ControlFlow::Continue(()),
        };
        match window {
            Ok(window) => {
                function.over = Some(WindowType::WindowSpec(window));
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}
