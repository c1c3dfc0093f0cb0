//! "Did you mean": the nearest of the names that exist.

/// The candidate that a misspelt `name` most likely means: letters changed, left out, added or swapped in at most
/// a third of it (one at least), upper and lower case alike. Ties: the first candidate.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let d = distance(&name.to_lowercase(), &candidate.to_lowercase());
        if d <= limit && best.is_none_or(|(least, _)| d < least) {
            best = Some((d, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A sentence for the end of an error: the nearest name, else the names that there are, else nothing.
#[must_use]
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(name, candidates.clone()) {
        return format!("; did you mean `{near}`?");
    }
    let all: Vec<String> = candidates.into_iter().map(|c| format!("`{c}`")).collect();
    if all.is_empty() { String::new() } else { format!("; there are {}", all.join(", ")) }
}

/// Edit distance with swaps of neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = usize::from(a[i - 1] != b[j - 1]);
                let mut d = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    d = d.min(rows[i - 2][j - 2] + 1);
                }
                d
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::{hint, nearest};

    #[test]
    fn misspelt_names_find_what_was_meant() {
        let names = ["vip4", "vip4_any", "backend", "pool"];
        let check = |name: &str, want: Option<&str>| assert_eq!(nearest(name, names), want, "{name}");
        check("vip5", Some("vip4"));
        check("VIP4", Some("vip4"));
        check("bakcend", Some("backend"));
        check("backends", Some("backend"));
        check("plo", None);
        check("polo", Some("pool"));
        check("unrelated", None);
        check("", None);
    }

    #[test]
    fn a_hint_names_the_nearest_or_all() {
        assert_eq!(hint("rong", ["ring"]), "; did you mean `ring`?");
        assert_eq!(hint("x_y_z", ["ring", "pool"]), "; there are `ring`, `pool`");
        assert_eq!(hint("x", []), "");
    }
}
