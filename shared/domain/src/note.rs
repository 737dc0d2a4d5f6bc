//! Notes that a tenant's people write about a contact.

use jiff::Timestamp;

use crate::Invalid;

/// Longest note, in characters.
pub const MAX_NOTE: usize = 4_000;
/// Most notes of one contact; of two who are one, twice as many are kept.
pub const MAX_NOTES: usize = 100;
/// Most text of all notes of one contact, in bytes; of two who are one, twice as much is kept.
pub const MAX_NOTES_BYTES: usize = 32_768;

/// A note.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    /// Names it: a ULID. The same note is never kept twice.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
    /// The key that wrote it, by its name.
    pub author: String,
    /// What it says.
    pub text: String,
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Note").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The text of a note: trimmed, without control characters other than line breaks and tabs.
///
/// # Errors
/// Names the field `note` when there is nothing, or too much.
pub fn clean_note(text: &str) -> Result<String, Invalid> {
    let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let text = text.trim();
    if text.is_empty() {
        return Err(Invalid::new("note", "note must not be empty"));
    }
    if text.chars().count() > MAX_NOTE {
        return Err(Invalid::new("note", format!("note may have at most {MAX_NOTE} characters")));
    }
    Ok(text.to_owned())
}

/// Adds a note to those of a contact; answers whether there was room. One that is there
/// already stays as it is.
pub fn add_note(notes: &mut Vec<Note>, note: &Note) -> bool {
    if notes.iter().any(|known| known.id == note.id) {
        return true;
    }
    if notes.len() >= MAX_NOTES || bytes(notes) + note.text.len() > MAX_NOTES_BYTES {
        return false;
    }
    notes.push(note.clone());
    in_order(notes);
    true
}

/// Makes one list of the notes of two contacts who are one. Beyond twice what one may have,
/// the oldest go.
pub fn join_notes(notes: &mut Vec<Note>, others: Vec<Note>) {
    for note in others {
        if notes.iter().all(|known| known.id != note.id) {
            notes.push(note);
        }
    }
    in_order(notes);
    while notes.len() > 2 * MAX_NOTES || bytes(notes) > 2 * MAX_NOTES_BYTES {
        notes.remove(0);
    }
}

fn in_order(notes: &mut [Note]) {
    notes.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
}

fn bytes(notes: &[Note]) -> usize {
    notes.iter().map(|note| note.text.len()).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn note(n: i64, bytes: usize) -> Note {
        let at = Timestamp::from_second(n).unwrap();
        Note { id: format!("{n:05}"), at, author: "owner".to_owned(), text: "x".repeat(bytes) }
    }

    #[test]
    fn a_note_is_text() {
        assert_eq!(clean_note(" Chiamare\u{0}\nalle 9\t ").unwrap(), "Chiamare\nalle 9");
        for bad in ["", " \n", "\u{7}", &"è".repeat(MAX_NOTE + 1)] {
            assert_eq!(clean_note(bad).unwrap_err().field, "note");
        }
        assert_eq!(clean_note(&"è".repeat(MAX_NOTE)).unwrap().chars().count(), MAX_NOTE);
    }

    #[test]
    fn a_contact_has_room_for_so_many_notes_and_no_more() {
        let mut notes = Vec::new();
        for n in 0..100 {
            assert!(add_note(&mut notes, &note(n, 10)), "{n}");
        }
        assert!(!add_note(&mut notes, &note(100, 10)));
        // What is there already is no note more.
        assert!(add_note(&mut notes, &note(7, 10)));
        assert_eq!(notes.len(), MAX_NOTES);
        let mut large = vec![note(0, MAX_NOTES_BYTES - 5)];
        assert!(!add_note(&mut large, &note(1, 6)) && add_note(&mut large, &note(1, 5)));
    }

    proptest! {
        #[test]
        fn of_two_who_are_one_the_newest_notes_are_kept_in_whatever_order_they_are_joined(
            ours in prop::collection::btree_set(0i64..600, 0..200),
            theirs in prop::collection::btree_set(0i64..600, 0..200),
            bytes in 1usize..600,
        ) {
            let of = |ids: &std::collections::BTreeSet<i64>| ids.iter().map(|n| note(*n, bytes)).collect::<Vec<_>>();
            let (mut one, mut other) = (of(&ours), of(&theirs));
            join_notes(&mut one, of(&theirs));
            join_notes(&mut other, of(&ours));
            prop_assert_eq!(&one, &other);
            let all: Vec<i64> = ours.union(&theirs).copied().collect();
            let room = (2 * MAX_NOTES).min(2 * MAX_NOTES_BYTES / bytes).min(all.len());
            let newest: Vec<Note> = all[all.len() - room..].iter().map(|n| note(*n, bytes)).collect();
            prop_assert_eq!(one, newest);
        }
    }
}
