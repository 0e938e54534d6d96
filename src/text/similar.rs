//! Suggests the known name that a misspelt name probably means. It is the name with the smallest edit distance
//! (Levenshtein, 1965). Two swapped characters count as one edit (Damerau, 1964).

/// The known name with the smallest distance from `name`; `None` if the distance is more than one third of the
/// characters of `name`. A distance of one is always allowed. ASCII case is ignored.
pub(crate) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let (length, characters) = (name.chars().count(), set_of_characters(name));
    let allowed = (length / 3).max(1);
    // Each edit adds at most one character to the set and removes at most one, and changes the length by at most one.
    let may_be_similar = |known: &&str| {
        let known_characters = set_of_characters(known);
        let added = (known_characters & !characters).count_ones() as usize;
        let removed = (characters & !known_characters).count_ones() as usize;
        added.max(removed).max(known.chars().count().abs_diff(length)) <= allowed
    };
    let similar = known.into_iter().filter(may_be_similar);
    let (edits, nearest) = similar.map(|known| (distance(name, known), known)).min()?;
    (edits <= allowed).then_some(nearest)
}

/// The characters of a name without ASCII case, as bits. Some characters share a bit.
fn set_of_characters(name: &str) -> u64 {
    name.chars()
        .fold(0, |set, character| set | 1 << (u32::from(character.to_ascii_lowercase()) % 64))
}

/// The number of edits that turn `from` into `to`, ignoring ASCII case. An edit inserts, deletes or replaces a
/// character, or swaps two adjacent characters.
fn distance(from: &str, to: &str) -> usize {
    let [from, to] =
        [from, to].map(|name| name.chars().map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>());
    // Entry n of row i is the distance between the first i characters of `from` and the first n characters of `to`.
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let (mut second_last, mut row) = (last.clone(), last.clone());
    for i in 0..from.len() {
        row[0] = i + 1;
        for j in 0..to.len() {
            let replaced = last[j] + usize::from(from[i] != to[j]);
            let mut edits = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from[i] == to[j - 1] && from[i - 1] == to[j] {
                edits = edits.min(second_last[j - 1] + 1);
            }
            row[j + 1] = edits;
        }
        (second_last, last, row) = (last, row, second_last);
    }
    last[to.len()]
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
        assert_eq!(distance("sned", "send"), 1);
        assert_eq!(distance("ca", "abc"), 3);
    }
}
