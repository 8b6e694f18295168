//! Bounds how large the plan of a statement becomes, before it is built: a short text can stand for a plan of any size.
//!
//! A common table expression or a view that is named twice is there twice, a CUBE is a list of grouping sets, and some
//! expressions are planned as several that hold their operand each. What is estimated here is what the planner makes of
//! them.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Cte, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, GroupByWithModifier, ObjectName,
    OrderByKind, Query, Select, SelectItem, SetExpr, Statement, TableFactor, Visit, Visitor,
};

use crate::catalog::{Catalog, TableName};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::parse::{fold, parse_query, table_name};

/// The most relations that a plan may read, counted as often as they are named.
const MAX_RELATIONS: usize = 1000;

/// How many queries and joins may stand on one another, counted through common table expressions and views.
const MAX_DEPTH: usize = 300;

/// The most columns of all joins together: each join has those of both sides.
const MAX_COLUMNS: usize = 1_000_000;

/// The most columns of a query, and what it is grouped or ordered by; PostgreSQL has the same.
const MAX_WIDTH: usize = 1664;

/// The most grouping sets of one query; PostgreSQL has the same.
const MAX_GROUPING_SETS: usize = 4096;

/// How much larger than the text what is planned may be, in expressions ...
const MAX_EXPANSION: usize = 8;

/// ... besides so many expressions.
const MIN_EXPRESSIONS: usize = 20_000;

/// How many views may stand on one another: each is planned within the one that reads it.
pub(super) const MAX_VIEW_DEPTH: usize = 16;

/// Refuses a statement whose plan would be too large.
///
/// # Errors
/// `statement_too_complex`.
pub(super) fn check(statement: &Statement, current_namespace: &str, catalog: &Catalog) -> Result<()> {
    measure(statement, current_namespace, catalog, &mut HashMap::new(), 0).map(drop)
}

/// Refuses an expression that stands alone, such as a CHECK, if what is planned for it would be too large.
///
/// # Errors
/// `statement_too_complex`.
pub(super) fn check_expression(expr: &Expr, current_namespace: &str, catalog: &Catalog) -> Result<()> {
    let mut views = HashMap::new();
    let mut growth = Growth::new(current_namespace, catalog, &mut views, 0);
    finish(expr.visit(&mut growth))?;
    growth.check_expressions()
}

fn measure(
    statement: &impl Visit,
    current_namespace: &str,
    catalog: &Catalog,
    views: &mut HashMap<TableName, Size>,
    view_depth: usize,
) -> Result<Size> {
    let mut growth = Growth::new(current_namespace, catalog, views, view_depth);
    finish(statement.visit(&mut growth))?;
    growth.check_expressions()?;
    let size = growth.frames.pop().map_or_else(Size::default, |frame| frame.size);
    check_size(size)?;
    Ok(size)
}

fn finish(flow: ControlFlow<Error>) -> Result<()> {
    match flow {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn too_complex(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::StatementTooComplex, what)
        .with_hint("split the statement, or keep what is read several times in a table")
}

fn check_size(size: Size) -> Result<()> {
    let what = if size.relations > MAX_RELATIONS {
        format!("reads more than {MAX_RELATIONS} relations, counted as often as they are named")
    } else if size.depth > MAX_DEPTH {
        format!("has more than {MAX_DEPTH} queries and joins on one another")
    } else if size.columns > MAX_COLUMNS {
        format!("has more than {MAX_COLUMNS} columns in its joins")
    } else {
        return Ok(());
    };
    Err(too_complex(format!("the statement {what}")))
}

fn check_width(n_columns: usize) -> Result<()> {
    if n_columns <= MAX_WIDTH {
        return Ok(());
    }
    Err(too_complex(format!("a query has more than {MAX_WIDTH} columns, or is grouped or ordered by more")))
}

/// What a query is planned as.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    relations: usize,
    depth: usize,
    /// Of all joins together.
    columns: usize,
    /// The columns of the result.
    width: usize,
}

impl Size {
    /// What it is where it is read under a name.
    fn named(self) -> Self {
        Self { relations: self.relations.saturating_add(1), depth: self.depth.saturating_add(1), ..self }
    }
}

/// A query or SELECT that is being visited.
#[derive(Debug, Default)]
struct Frame {
    size: Size,
    /// The relations of its own FROM, and their columns.
    n_relations: usize,
    from_width: usize,
    /// The common table expressions that it defines and that have been visited.
    ctes: HashMap<String, Size>,
    /// The queries of all of them.
    cte_queries: Vec<(*const Query, String)>,
    /// The queries in its FROM.
    derived: Vec<*const Query>,
}

impl Frame {
    fn add(&mut self, size: Size) {
        self.size.relations = self.size.relations.saturating_add(size.relations);
        self.size.columns = self.size.columns.saturating_add(size.columns);
        self.size.depth = self.size.depth.max(size.depth);
    }

    fn add_relation(&mut self, size: Size) {
        self.add(size);
        self.n_relations += 1;
        self.from_width = self.from_width.saturating_add(size.width);
    }
}

struct Growth<'a> {
    current_namespace: &'a str,
    catalog: &'a Catalog,
    views: &'a mut HashMap<TableName, Size>,
    view_depth: usize,
    frames: Vec<Frame>,
    /// The expressions that are being visited, with the size of what is in them.
    open: Vec<usize>,
    n_expressions: usize,
    /// As many as are planned.
    n_planned: usize,
}

impl<'a> Growth<'a> {
    fn new(
        current_namespace: &'a str,
        catalog: &'a Catalog,
        views: &'a mut HashMap<TableName, Size>,
        view_depth: usize,
    ) -> Self {
        let frames = vec![Frame::default()];
        Self { current_namespace, catalog, views, view_depth, frames, open: Vec::new(), n_expressions: 0, n_planned: 0 }
    }

    fn check_expressions(&self) -> Result<()> {
        if self.n_planned > MIN_EXPRESSIONS.saturating_add(self.n_expressions.saturating_mul(MAX_EXPANSION)) {
            return Err(too_complex(
                "expressions nest in others that are planned as several, such as COALESCE, BETWEEN and IN",
            ));
        }
        Ok(())
    }

    fn relation(&mut self, name: &ObjectName) -> Result<Size> {
        if let [part] = name.0.as_slice()
            && let Some(ident) = part.as_ident()
        {
            let folded = fold(ident);
            if let Some(size) = self.frames.iter().rev().find_map(|frame| frame.ctes.get(&folded)) {
                return Ok(size.named());
            }
        }
        let one = Size { relations: 1, depth: 1, columns: 0, width: 1 };
        let Ok(name) = table_name(name, self.current_namespace) else { return Ok(one) };
        if let Some(view) = self.catalog.find_view(&name) {
            if let Some(size) = self.views.get(&name) {
                return Ok(size.named());
            }
            if self.view_depth >= MAX_VIEW_DEPTH {
                return Err(Error::new(
                    ErrorKind::StatementTooComplex,
                    format!("view {name}: more than {MAX_VIEW_DEPTH} views stand on one another"),
                ));
            }
            let query = parse_query(&view.query)?;
            let size = measure(&query, &view.planned_in, self.catalog, self.views, self.view_depth + 1)?;
            self.views.insert(name, size);
            return Ok(size.named());
        }
        let width = self.catalog.find(&name).map_or(1, |table| table.columns.len());
        Ok(Size { width, ..one })
    }

    fn close(&mut self, size: Size) {
        // A subquery in an expression is there as often as the expression is.
        if let Some(open) = self.open.last_mut() {
            *open = open.saturating_add(size.relations);
        }
    }
}

impl Visitor for Growth<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        let cte_queries =
            ctes.map(|Cte { query, alias, .. }| (std::ptr::from_ref::<Query>(query), fold(&alias.name))).collect();
        self.frames.push(Frame { cte_queries, ..Frame::default() });
        if let Some(OrderByKind::Expressions(exprs)) = query.order_by.as_ref().map(|order_by| &order_by.kind)
            && let Err(error) = check_width(exprs.len())
        {
            return ControlFlow::Break(error);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        let Some(frame) = self.frames.pop() else { return ControlFlow::Continue(()) };
        let n_sets = n_set_operations(&query.body);
        let depth = frame.size.depth.saturating_add(1 + n_sets);
        let size = Size { depth, ..frame.size };
        if let Err(error) = check_size(size) {
            return ControlFlow::Break(error);
        }
        self.close(size);
        let Some(outer) = self.frames.last_mut() else { return ControlFlow::Continue(()) };
        let this = std::ptr::from_ref(query);
        if let Some((_, name)) = outer.cte_queries.iter().find(|(query, _)| *query == this) {
            outer.ctes.insert(name.clone(), size);
        } else if outer.derived.contains(&this) {
            outer.add_relation(size);
        } else {
            outer.add(size);
            outer.size.width = outer.size.width.max(size.width);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        self.frames.push(Frame::default());
        if let GroupByExpr::Expressions(exprs, _) = &select.group_by
            && let Err(error) = check_width(exprs.len())
        {
            return ControlFlow::Break(error);
        }
        if n_grouping_sets(&select.group_by) > MAX_GROUPING_SETS {
            return ControlFlow::Break(too_complex(format!(
                "GROUP BY has more than {MAX_GROUPING_SETS} grouping sets"
            )));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        let Some(frame) = self.frames.pop() else { return ControlFlow::Continue(()) };
        let item_width = |item: &SelectItem| match item {
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => frame.from_width,
            _ => 1,
        };
        let size = Size {
            depth: frame.size.depth.saturating_add(frame.n_relations),
            columns: frame.size.columns.saturating_add(frame.from_width.saturating_mul(frame.n_relations)),
            width: select.projection.iter().map(item_width).fold(0, usize::saturating_add),
            ..frame.size
        };
        if let Err(error) = check_size(size).and_then(|()| check_width(size.width)) {
            return ControlFlow::Break(error);
        }
        if let Some(outer) = self.frames.last_mut() {
            outer.add(size);
            outer.size.width = outer.size.width.max(size.width);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        if let (TableFactor::Derived { subquery, .. }, Some(frame)) = (factor, self.frames.last_mut()) {
            frame.derived.push(std::ptr::from_ref::<Query>(subquery));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<Error> {
        match self.relation(name) {
            Ok(size) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.add_relation(size);
                }
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<Error> {
        self.n_expressions += 1;
        self.open.push(1);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        let size = self.open.pop().unwrap_or(1).saturating_mul(n_copies(expr));
        match self.open.last_mut() {
            Some(outer) => *outer = outer.saturating_add(size),
            None => self.n_planned = self.n_planned.saturating_add(size),
        }
        ControlFlow::Continue(())
    }
}

/// How often what an expression holds is planned.
fn n_copies(expr: &Expr) -> usize {
    match expr {
        Expr::Between { .. } => 3,
        Expr::InList { list, .. } if list.len() <= 3 => list.len().max(1),
        Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::AnyOp { .. }
        | Expr::AllOp { .. }
        | Expr::Subquery(_)
        | Expr::InSubquery { .. }
        | Expr::Exists { .. }
        | Expr::InUnnest { .. } => 2,
        Expr::SimilarTo { .. } | Expr::Dictionary(_) | Expr::Map(_) => 4,
        Expr::Function(function) => n_copies_of_call(function),
        _ => 1,
    }
}

fn n_copies_of_call(function: &Function) -> usize {
    let FunctionArguments::List(list) = &function.args else { return 1 };
    // In arguments of functions that take functions, an arrow may still be read as the operator on JSON.
    let is_lambda = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => has_arrow(expr),
        _ => false,
    };
    if list.args.iter().skip(1).any(is_lambda) {
        return 4;
    }
    let name = function.name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default();
    match name.as_str() {
        "map" | "make_map" => 4,
        "coalesce" | "nvl" | "ifnull" | "nvl2" | "nullif" => 2,
        _ => 1,
    }
}

fn has_arrow(expr: &Expr) -> bool {
    use datafusion::sql::sqlparser::ast::BinaryOperator;
    match expr {
        Expr::Lambda(_) => true,
        Expr::BinaryOp { op: BinaryOperator::Arrow, left, .. } => {
            matches!(left.as_ref(), Expr::Identifier(_) | Expr::Tuple(_) | Expr::Nested(_))
        }
        Expr::BinaryOp { left, .. } => has_arrow(left),
        _ => false,
    }
}

/// A chain of set operations is a tree as deep; its length is bounded with the text.
fn n_set_operations(body: &SetExpr) -> usize {
    let mut n = 0;
    let mut body = body;
    while let SetExpr::SetOperation { left, .. } = body {
        n += 1;
        body = left;
    }
    n
}

fn n_grouping_sets(group_by: &GroupByExpr) -> usize {
    let GroupByExpr::Expressions(exprs, modifiers) = group_by else { return 1 };
    let n = exprs.iter().map(n_sets_of).fold(1, usize::saturating_mul);
    modifiers.iter().fold(n, |n, modifier| match modifier {
        GroupByWithModifier::Rollup => n.saturating_mul(exprs.len() + 1),
        GroupByWithModifier::Cube => n.saturating_mul(n_subsets(exprs.len())),
        GroupByWithModifier::GroupingSets(expr) => n.saturating_mul(n_sets_of(expr)),
        GroupByWithModifier::Totals => n,
    })
}

fn n_sets_of(expr: &Expr) -> usize {
    match expr {
        Expr::Cube(sets) => n_subsets(sets.len()),
        Expr::Rollup(sets) => sets.len() + 1,
        Expr::GroupingSets(sets) => {
            let product = |set: &Vec<Expr>| set.iter().map(n_sets_of).fold(1, usize::saturating_mul);
            sets.iter().map(product).fold(0, usize::saturating_add)
        }
        _ => 1,
    }
}

fn n_subsets(n: usize) -> usize {
    u32::try_from(n).ok().and_then(|n| 1_usize.checked_shl(n)).unwrap_or(usize::MAX)
}
