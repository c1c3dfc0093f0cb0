//! Diagnostics drawn over the source: what the command line prints and the reject cases pin.

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceSpan};
use pipeline_ir::Loc;
use pipeline_ir::diagnostic::{Diagnostic, Diagnostics};

/// How a report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With the terminal's colours.
    pub colour: bool,
    /// With box-drawing characters; else ASCII only.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

impl Default for Style {
    /// The same everywhere: no colour, ASCII, 100 columns.
    fn default() -> Self {
        Self { colour: false, unicode: false, width: 100 }
    }
}

/// All diagnostics of a file, in source order.
#[must_use]
pub fn render(file: &str, text: &str, diagnostics: &Diagnostics, style: Style) -> String {
    let theme = match (style.colour, style.unicode) {
        (true, true) => GraphicalTheme::unicode(),
        (false, true) => GraphicalTheme::unicode_nocolor(),
        (true, false) => GraphicalTheme::ascii(),
        (false, false) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(style.width).with_links(false);
    let mut out = String::new();
    for diagnostic in &diagnostics.0 {
        let report = Report {
            diagnostic,
            source: NamedSource::new(file, text.to_owned()),
            span: span(text, diagnostic.at),
        };
        if handler.render_report(&mut out, &report).is_err() {
            out.push_str(&diagnostic.message);
        }
        out.push('\n');
    }
    let lines: Vec<&str> = out.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned() + "\n"
}

/// The bytes of a place; `None` for nowhere.
fn span(text: &str, at: Loc) -> Option<SourceSpan> {
    if at.line == 0 {
        return None;
    }
    let start = offset(text, at.line, at.column);
    let end = offset(text, at.end_line, at.end_column);
    Some(SourceSpan::from((start, end.saturating_sub(start).max(1).min(text.len().saturating_sub(start)))))
}

/// The byte at a line (from 1) and a column (from 0, in characters).
fn offset(text: &str, line: u32, column: u32) -> usize {
    let before: usize = text.split_inclusive('\n').take(line as usize - 1).map(str::len).sum();
    let rest = &text[before.min(text.len())..];
    before + rest.char_indices().nth(column as usize).map_or(rest.len(), |(i, _)| i)
}

#[derive(Debug)]
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    source: NamedSource<String>,
    span: Option<SourceSpan>,
}

impl std::fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.diagnostic.code.title())?;
        if self.span.is_none() {
            write!(f, ": {}", self.diagnostic.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(self.diagnostic.code.text()))
    }
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        (!self.diagnostic.help.is_empty())
            .then(|| Box::new(&self.diagnostic.help) as Box<dyn std::fmt::Display>)
    }
    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.span.is_some().then_some(&self.source as &dyn miette::SourceCode)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(Some(self.diagnostic.message.clone()), self.span?);
        Some(Box::new(std::iter::once(label)))
    }
}
