//! What has to be known of a query before it is planned: the system columns that it names, and what would be silently
//! ignored.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use datafusion::logical_expr::planner::ContextProvider;
use datafusion::sql::sqlparser::ast::{
    Cte, Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SetExpr, Statement, TableFactor, VisitMut, VisitorMut,
    With,
};

use super::growth;
use super::scope::Scope;
use crate::catalog::{SystemColumn, TableName};
use crate::error::{Error, ErrorKind, Location, Result};
use crate::sql::parse::{fold, long_numbers, plain_values, table_name};
use crate::sql::plan::rewrite::{
    KeyedColumns, Stars, VisibleSystemColumns, arrow_types, casts, datetime, duplicates, function_values,
    group_by_determined, grouping, lambdas, operators, ordinality, queries, row_subqueries, sort_names, syntax, using,
    values, whole_rows, window_frames, window_names,
};

/// What is known of a query before it is planned.
#[derive(Debug)]
pub(super) struct Analysis {
    pub(crate) system_columns: VisibleSystemColumns,
    /// Whether the planner may refuse the statement for reasons that are not SQL's, or that it does not tell.
    pub(crate) may_be_refused: bool,
}

/// Prepares a query for planning: finds the system columns that it names, keeps `*` free of them, writes what the
/// planner does not know in forms that it does, and refuses what it would ignore.
pub(super) fn analyze(statement: &mut Statement, current_namespace: &str, functions: &Scope<'_>) -> Result<Analysis> {
    growth::check(statement, current_namespace, &functions.catalog())?;
    let mut collector = Collector::new(current_namespace, functions);
    if let ControlFlow::Break(error) = statement.visit(&mut collector) {
        return Err(error);
    }
    let system_columns = collector.system_columns();
    if !system_columns.is_empty() {
        let mut stars = Stars { current_namespace, system_columns: &system_columns, ctes: &collector.ctes };
        if let ControlFlow::Break(error) = statement.visit(&mut stars) {
            return Err(error);
        }
    }
    Ok(Analysis { system_columns, may_be_refused: collector.may_be_refused })
}

/// Refuses functions that do not exist in an expression that stands alone, such as a CHECK.
pub(super) fn check_expression(expr: &mut Expr, current_namespace: &str, functions: &Scope<'_>) -> Result<()> {
    growth::check_expression(expr, current_namespace, &functions.catalog())?;
    match expr.visit(&mut Collector::new(current_namespace, functions)) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Collector<'a> {
    current_namespace: &'a str,
    functions: &'a Scope<'a>,
    ctes: HashSet<String>,
    /// The columns of what WITH names, as far as they are known.
    cte_columns: HashMap<String, Option<Vec<String>>>,
    /// Base tables with the name that columns are qualified with.
    tables: Vec<(TableName, String)>,
    /// System columns named, with the qualifier if there is one.
    mentions: Vec<(Option<String>, SystemColumn)>,
    may_be_refused: bool,
    /// Whether the next query is VALUES in FROM.
    in_from: bool,
}

impl<'a> Collector<'a> {
    fn new(current_namespace: &'a str, functions: &'a Scope<'a>) -> Self {
        Self {
            current_namespace,
            functions,
            ctes: HashSet::new(),
            cte_columns: HashMap::new(),
            tables: Vec::new(),
            mentions: Vec::new(),
            may_be_refused: false,
            in_from: false,
        }
    }

    /// The columns of a stored table that a query names.
    fn columns_of(&self, name: &ObjectName) -> Option<Vec<String>> {
        let is_cte = matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(|ident| self.ctes.contains(&fold(ident))));
        let table = table_name(name, self.current_namespace).ok().filter(|_| !is_cte)?;
        Some(self.functions.catalog().find(&table)?.columns.iter().map(|column| column.name.clone()).collect())
    }

    /// The columns of a stored table or of what WITH names.
    fn columns_of_named(&self, name: &ObjectName) -> Option<Vec<String>> {
        let [part] = name.0.as_slice() else { return self.columns_of(name) };
        let cte = part.as_ident().and_then(|ident| self.cte_columns.get(&fold(ident)));
        cte.map_or_else(|| self.columns_of(name), Clone::clone)
    }

    /// Takes in the names that WITH gives. Which of two of one name is meant is not known, nor whether it is a table.
    fn add_ctes(&mut self, with: &With) {
        for Cte { alias, query, .. } in &with.cte_tables {
            let name = fold(&alias.name);
            let is_table = self.columns_of(&ObjectName::from(vec![alias.name.clone()])).is_some();
            let columns = using::renamed(using::derived(&query.body, &|name| self.columns_of_named(name)), Some(alias));
            let is_known = !is_table && !with.recursive && self.ctes.insert(name.clone());
            self.cte_columns.insert(name.clone(), columns.filter(|_| is_known));
            self.ctes.insert(name);
        }
    }

    /// The columns of a stored table with a primary key.
    fn keyed_columns(&self, name: &ObjectName) -> Option<KeyedColumns> {
        let names = self.columns_of(name)?;
        let table_name = table_name(name, self.current_namespace).ok()?;
        let catalog = self.functions.catalog();
        let table = catalog.find(&table_name).filter(|table| table.has_primary_key())?;
        let has_hidden = !self.functions.is_stream(&table_name);
        let system = SystemColumn::ALL.iter().filter(|_| has_hidden).map(|column| column.name().to_owned());
        let (shown, hidden) = if self.functions.has_system_columns_in_star() {
            (system.collect(), vec![])
        } else {
            (vec![], system.collect())
        };
        Some(KeyedColumns { names: [names, shown].concat(), hidden, primary_key: table.primary_key.clone() })
    }

    fn system_columns(&self) -> VisibleSystemColumns {
        let mut system_columns = VisibleSystemColumns::new();
        for (qualifier, column) in &self.mentions {
            for (table, name) in &self.tables {
                if qualifier.as_ref().is_none_or(|qualifier| qualifier == name) && !self.functions.is_stream(table) {
                    let columns = system_columns.entry(table.clone()).or_default();
                    if !columns.contains(column) {
                        columns.push(*column);
                        columns.sort_unstable();
                    }
                }
            }
        }
        system_columns
    }
}

impl VisitorMut for Collector<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if let Some(with) = &query.with {
            self.add_ctes(with);
        }
        if !query.locks.is_empty() {
            return ControlFlow::Break(Error::unsupported("FOR UPDATE or FOR SHARE"));
        }
        if query.for_clause.is_some() || query.settings.is_some() || query.format_clause.is_some() {
            return ControlFlow::Break(Error::unsupported("a FOR, SETTINGS or FORMAT clause"));
        }
        if let SetExpr::Select(select) = query.body.as_mut()
            && let Err(error) = window_names::resolve(select, query.order_by.as_mut())
        {
            return ControlFlow::Break(error);
        }
        let is_typed = std::mem::take(&mut self.in_from) && plain_values(query).is_some();
        if !is_typed {
            values::select_from_values(&mut query.body);
        }
        function_values::read(query, &|name| self.columns_of_named(name));
        queries::order_by_no_constants(query);
        queries::order_by_expressions(query);
        if let Err(error) = queries::limit_by_fetch(query).and_then(|()| queries::limit_by_numbers(query)) {
            return ControlFlow::Break(error);
        }
        if query.order_by.is_some() {
            sort_names::name_casts(&mut query.body);
        }
        if let (SetExpr::Select(select), Some(order_by)) = (query.body.as_mut(), &mut query.order_by) {
            match using::qualify(
                select,
                &|name| self.columns_of_named(name),
                !self.functions.has_system_columns_in_star(),
            ) {
                Ok(Some(mut merged)) => merged.order_by(select, order_by),
                Ok(None) => {}
                Err(error) => return ControlFlow::Break(error),
            }
            group_by_determined(select, Some(order_by), &|name| self.keyed_columns(name));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        if select.into.is_some() {
            return ControlFlow::Break(
                Error::unsupported("INTO in this place").with_hint("SELECT ... INTO table stands alone"),
            );
        }
        if let Err(error) = row_subqueries::join(select) {
            return ControlFlow::Break(error);
        }
        whole_rows::as_objects(select, &|name| self.columns_of(name));
        syntax::simplify_groups(&mut select.group_by, &select.projection);
        self.may_be_refused |= duplicates::may_repeat_names(&select.projection) || grouping::may_group(select);
        if let Err(error) = grouping::group_having(select) {
            return ControlFlow::Break(error);
        }
        if let Err(error) = window_names::resolve(select, None) {
            return ControlFlow::Break(error);
        }
        if let Err(error) =
            using::qualify(select, &|name| self.columns_of_named(name), !self.functions.has_system_columns_in_star())
        {
            return ControlFlow::Break(error);
        }
        group_by_determined(select, None, &|name| self.keyed_columns(name));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        queries::unnest_laterally(factor);
        queries::select_from_join(factor);
        ordinality::number(factor, None, true);
        self.in_from = matches!(factor, TableFactor::Derived { .. });
        let TableFactor::Table {
            name, alias, args: None, sample, version, partitions, index_hints, with_hints, ..
        } = factor
        else {
            if let TableFactor::Derived { sample: Some(_), .. } = factor {
                return ControlFlow::Break(Error::unsupported("TABLESAMPLE"));
            }
            return ControlFlow::Continue(());
        };
        if sample.is_some() {
            return ControlFlow::Break(Error::unsupported("TABLESAMPLE"));
        }
        if version.is_some() || !partitions.is_empty() || !index_hints.is_empty() || !with_hints.is_empty() {
            return ControlFlow::Break(Error::unsupported("a version, partition or hint on a table"));
        }
        if let Ok(table) = table_name(name, self.current_namespace) {
            let qualifier = alias.as_ref().map_or_else(|| table.table.clone(), |alias| fold(&alias.name));
            self.tables.push((table, qualifier));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if let Err(error) = row_subqueries::rewrite(expr) {
            return ControlFlow::Break(error);
        }
        operators::rewrite(expr);
        syntax::simplify(expr);
        match expr {
            Expr::Identifier(ident) => {
                if let Some(column) = SystemColumn::from_name(&fold(ident)) {
                    self.mentions.push((None, column));
                }
            }
            // There the name of a table around it may be that of a column.
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => self.may_be_refused = true,
            Expr::CompoundIdentifier(parts) => {
                if let [.., qualifier, column] = parts.as_slice()
                    && let Some(column) = SystemColumn::from_name(&fold(column))
                {
                    self.mentions.push((Some(fold(qualifier)), column));
                }
            }
            Expr::Function(function) => {
                if let Err(error) = window_frames::simplify(function) {
                    return ControlFlow::Break(error);
                }
                if let [ObjectNamePart::Identifier(name)] = function.name.0.as_slice() {
                    if let Err(error) = check_function(name, self.functions) {
                        return ControlFlow::Break(error);
                    }
                    if matches!(fold(name).as_str(), "arrow_cast" | "arrow_try_cast")
                        && let Err(error) = arrow_types::check(function)
                    {
                        return ControlFlow::Break(error);
                    }
                    if self.functions.get_higher_order_meta(&fold(name)).is_some() {
                        lambdas::read(&mut function.args);
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        casts::rewrite(expr);
        long_numbers::rewrite(expr);
        match datetime::rewrite(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// Functions that the planner knows without having them registered.
const PLANNED_FUNCTIONS: [&str; 4] = ["unnest", "struct", "named_struct", "grouping"];

fn check_function(name: &Ident, functions: &Scope<'_>) -> Result<()> {
    let folded = fold(name);
    let lower = folded.to_lowercase();
    let known = PLANNED_FUNCTIONS.contains(&lower.as_str())
        || functions.get_function_meta(&lower).is_some()
        || functions.get_aggregate_meta(&lower).is_some()
        || functions.get_window_meta(&lower).is_some()
        || functions.get_higher_order_meta(&lower).is_some();
    if known {
        return Ok(());
    }
    let start = name.span.start;
    let names = [functions.udf_names(), functions.udaf_names(), functions.udwf_names()].concat();
    Err(Error::new(ErrorKind::UndefinedFunction, format!("function {folded} does not exist"))
        .with_location(Some(Location { line: start.line, column: start.column }))
        .with_nearest(&folded, names.iter().map(String::as_str)))
}
