//! Suggests the known name that a misspelt name probably means, by its edit distance (Levenshtein, 1965).

/// The known name with the fewest edits from `name`, ASCII case ignored; `None` if that takes more edits than a
/// third of its characters (at least one is allowed).
pub(crate) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let allowed = (name.chars().count() / 3).max(1);
    let (edits, nearest) = known
        .into_iter()
        .map(|known| (distance(name, known), known))
        .min()?;
    (edits <= allowed).then_some(nearest)
}

/// The number of characters to insert, delete or replace to turn one name into the other, ASCII case ignored.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.to_ascii_lowercase().chars().collect();
    // Entry n: the distance between the characters of `from` so far and the first n of `to`.
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for character in from.to_ascii_lowercase().chars() {
        let mut diagonal = row[0];
        row[0] += 1;
        for (column, expected) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(character != *expected);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["Content", "Location_X", "Location_Y", "MsgType"];

    #[test]
    fn suggests_the_nearest_name_and_no_far_one() {
        assert_eq!(nearest("Contnet", KNOWN), Some("Content"));
        assert_eq!(nearest("content", KNOWN), Some("Content"));
        assert_eq!(nearest("Location_y", KNOWN), Some("Location_Y"));
        assert_eq!(nearest("weather", KNOWN), None);
        assert_eq!(nearest("weather", []), None);
    }

    #[test]
    fn counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("天气", "天"), 1);
        assert_eq!(distance("same", "SAME"), 0);
    }
}
