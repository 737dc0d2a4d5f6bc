//! Lists: groups that people are put into by name, whatever their tags say.

use crate::{Invalid, ListId};

/// Most lists of a tenant.
pub const MAX_LISTS: u64 = 1_000;
/// Most lists that one contact is in.
pub const MAX_LISTS_OF_CONTACT: usize = 100;
/// Longest name of a list, in characters.
pub const MAX_LIST_NAME: usize = 255;

/// A list of contacts. Who is in it, the contacts say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Its number, which is never another list's.
    pub id: ListId,
    /// Its name.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

/// The name of a list: one line, within its limit.
///
/// # Errors
/// Names the field `name`.
pub fn clean_list_name(name: &str) -> Result<String, Invalid> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    if name.is_empty() {
        return Err(Invalid::new("name", "name must not be empty"));
    }
    if name.chars().count() > MAX_LIST_NAME {
        return Err(Invalid::new("name", format!("name may have at most {MAX_LIST_NAME} characters")));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_and_not_empty() {
        assert_eq!(clean_list_name(" Clienti\n di\tMilano\u{7} ").unwrap(), "Clienti di Milano");
        for bad in ["", " \n", "\u{7}", &"x".repeat(256)] {
            assert_eq!(clean_list_name(bad).unwrap_err().field, "name", "{bad:?}");
        }
    }
}
