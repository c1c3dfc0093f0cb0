//! Diagnostics, drawn for people and written for programs.

use crate::source::Source;
use miette::{
    Diagnostic as _, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource,
    Report,
};
use pipeline_ir::Loc;
use pipeline_ir::diagnostic::{Diagnostic, Diagnostics};
use serde_json::{Value, json};
use std::io::IsTerminal;

/// All of them with their lines of the source.
pub(crate) fn draw(source: &Source, found: &Diagnostics) -> String {
    let theme =
        if std::io::stderr().is_terminal() { GraphicalTheme::unicode() } else { GraphicalTheme::none() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false);
    let mut text = String::new();
    for one in &found.0 {
        let report = report(source, one);
        // Writing to a String fails only if drawing itself does: then the plain text stands.
        if handler.render_report(&mut text, report.as_ref()).is_err() {
            text.push_str(&one.message);
        }
        text.push('\n');
    }
    let count = found.0.len();
    text + &format!("{}: {count} {}", source.name, if count == 1 { "error" } else { "errors" })
}

fn report(source: &Source, one: &Diagnostic) -> Report {
    let mut diagnostic = MietteDiagnostic::new(&one.message).with_code(one.code.text()).with_help(&one.help);
    if one.at != Loc::default() {
        let (start, end) = (
            offset(&source.text, one.at.line, one.at.column),
            offset(&source.text, one.at.end_line, one.at.end_column),
        );
        let label = LabeledSpan::at(start..end.max(start), one.code.title());
        diagnostic = diagnostic.with_label(label);
    }
    debug_assert!(diagnostic.code().is_some());
    Report::new(diagnostic).with_source_code(NamedSource::new(&source.name, source.text.clone()))
}

/// The byte where a line (from 1) and a column of characters (from 0) are.
fn offset(text: &str, line: u32, column: u32) -> usize {
    let before =
        text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(str::len).sum::<usize>();
    let rest = text.get(before..).unwrap_or_default();
    before + rest.chars().take(column as usize).map(char::len_utf8).sum::<usize>()
}

/// All of them as data.
pub(crate) fn json(found: &Diagnostics) -> Value {
    let one = |d: &Diagnostic| {
        json!({
            "code": d.code.text(), "title": d.code.title(), "message": d.message, "help": d.help,
            "line": d.at.line, "column": d.at.column, "end_line": d.at.end_line, "end_column": d.at.end_column,
        })
    };
    found.0.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline_ir::diagnostic::Code;

    #[test]
    fn columns_are_characters() {
        assert_eq!(offset("ab\nüx\n", 2, 1), 5);
        assert_eq!(offset("ab\n", 9, 9), 3);
    }

    #[test]
    fn an_error_is_drawn_with_code_line_and_help() {
        let source = Source { name: "a.rs".into(), text: "one\ntwo three\n".into(), set: Vec::new() };
        let mut found = Diagnostics::default();
        let at = Loc { line: 2, column: 4, end_line: 2, end_column: 9 };
        found.push(Code::Unknown, at, "nothing is named `three`", "say two");
        let text = draw(&source, &found);
        for part in ["gw002", "nothing is named `three`", "two three", "say two", "a.rs:2:5", "a.rs: 1 error"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
