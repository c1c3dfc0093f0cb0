//! The verifier's log, shortened to what matters.

/// Lines of the log that are shown.
const LINES: usize = 20;

/// The source line that the log cites last (` at file.c:12: code`; empty without one) and the log's end.
#[must_use]
pub(super) fn shorten(log: &str) -> (String, String) {
    let lines: Vec<&str> = log.lines().filter(|l| !is_statistics(l) && !l.trim().is_empty()).collect();
    let cited = lines.iter().rev().find_map(|l| l.strip_prefix("; "));
    let at = cited.map(|l| match l.rsplit_once(" @ ") {
        Some((code, place)) if code.trim().is_empty() => format!(" at {}", place.trim()),
        Some((code, place)) => format!(" at {}: {}", place.trim(), code.trim()),
        None => format!(" at: {}", l.trim()),
    });
    let end = lines.len().saturating_sub(LINES);
    let mut text = String::new();
    if end > 0 {
        text.push_str(&format!("    ... {end} lines ...\n"));
    }
    for line in &lines[end..] {
        text.push_str(&format!("    {line}\n"));
    }
    (at.unwrap_or_default(), text.trim_end().to_owned())
}

fn is_statistics(line: &str) -> bool {
    ["processed ", "verification time", "stack depth"].iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_end_and_cites_the_source() {
        let mut log: String = (0..100).map(|i| format!("{i}: (bf) r1 = r2\n")).collect();
        log.push_str("; return *p; @ a.bpf.c:7\n100: (61) r0 = *(u32 *)(r1 +0)\n");
        log.push_str("R1 invalid mem access 'scalar'\nprocessed 101 insns (limit 1000000)\n");
        let (at, end) = shorten(&log);
        assert_eq!(at, " at a.bpf.c:7: return *p;");
        assert!(
            end.ends_with("R1 invalid mem access 'scalar'") && end.starts_with("    ... 83 lines ..."),
            "{end}"
        );
        assert_eq!(end.lines().count(), 1 + LINES);
    }

    #[test]
    fn a_place_may_have_no_text() {
        assert_eq!(shorten(";  @ flow.h:7\n1: (61) r0 = 0\n").0, " at flow.h:7");
    }

    #[test]
    fn a_log_without_source_lines_is_shown_whole() {
        assert_eq!(shorten("no\n\n"), (String::new(), "    no".to_owned()));
    }
}
