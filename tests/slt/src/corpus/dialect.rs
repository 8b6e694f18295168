use super::Options;

/// The form of a corpus's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite's: one value a line, values in the column's type as the file names it.
    Sqlite,
    /// DataFusion's: one row a line, values as DataFusion prints them.
    DataFusion,
}

/// Writes a script in the form that the parser reads.
pub(super) fn prepare(script: &str, options: &Options) -> String {
    if options.dialect == Dialect::DataFusion {
        return script.to_owned();
    }
    let mut lines: Vec<&str> = Vec::new();
    for line in script.lines() {
        let line = match line.split_once('#') {
            // Comments behind directives.
            Some((directive, _)) if directive.starts_with("onlyif ") || directive.starts_with("skipif ") => {
                directive.trim_end()
            }
            _ => line,
        };
        if line.trim() == "halt"
            && let Some(condition) = lines.last().copied()
            && let Some((word @ ("onlyif" | "skipif"), engine)) = condition.split_once(' ')
        {
            // The parser stops at every `halt`, on whatever condition.
            lines.pop();
            let is_this_engine = engine.trim() == options.label;
            if is_this_engine == (word == "onlyif") {
                break;
            }
            continue;
        }
        lines.push(line);
    }
    let mut prepared = lines.join("\n");
    prepared.push('\n');
    prepared
}
