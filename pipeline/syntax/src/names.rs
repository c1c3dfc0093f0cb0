//! Names: from the source's spelling to the IR's, and the nearest known name to a misspelt one.

/// `VIP4_ANY` becomes `vip4_any`, `SetVip` becomes `set_vip`, `NotAVip` becomes `not_a_vip`.
pub(crate) fn snake_case(name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    if !name.chars().any(|c| c.is_ascii_lowercase()) {
        return name.to_lowercase();
    }
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (i, &c) in chars.iter().enumerate() {
        if c.is_uppercase() && i > 0 {
            let before = chars[i - 1];
            let starts_word = chars.get(i + 1).is_some_and(|n| n.is_lowercase());
            if before.is_lowercase() || before.is_ascii_digit() || before.is_uppercase() && starts_word {
                out.push('_');
            }
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// The candidate that a misspelt name most likely meant.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).clamp(1, 3);
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (distance(&lower, &c.to_lowercase()), c))
        .filter(|(d, c)| *d <= allowed && *d < c.chars().count())
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// A help text: the nearest name, or what there is.
pub(crate) fn suggest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    match nearest(name, candidates) {
        Some(near) => format!("did you mean `{near}`?"),
        None => otherwise.to_owned(),
    }
}

/// Names in a sentence: `a`, `b` and `c`; long lists are cut.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|n| format!("`{n}`")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [most @ .., last] if most.len() < 12 => format!("{} and {last}", most.join(", ")),
        many => format!("{} and {} more", many[..12].join(", "), many.len() - 12),
    }
}

/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_snake_case() {
        for (source, ir) in [
            ("VIP4_ANY", "vip4_any"),
            ("SetVip", "set_vip"),
            ("NotAVip", "not_a_vip"),
            ("NoPool", "no_pool"),
            ("L4Start", "l4_start"),
            ("Ipip4", "ipip4"),
            ("TCPFlags", "tcp_flags"),
            ("r#type", "type"),
            ("A", "a"),
        ] {
            assert_eq!(snake_case(source), ir);
        }
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["ethertype", "src", "dst", "NoPool"];
        assert_eq!(nearest("ethertyp", known), Some("ethertype"));
        assert_eq!(nearest("nopol", known), Some("NoPool"));
        assert_eq!(nearest("scr", known), Some("src"));
        assert_eq!(nearest("sr", known), Some("src"));
        assert_eq!(nearest("protocol", known), None);
        assert_eq!(nearest("ethretypes", known), Some("ethertype"));
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(list([]), "none");
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
