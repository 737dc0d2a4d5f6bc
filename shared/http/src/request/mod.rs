//! What endpoints take: each lists its parameters in a type, from which they are read and
//! with which the documents are compared.

mod field;
mod given;
mod read;

use crate::Fields;

pub use field::{Field, FieldKind, FieldLimits, count, joined};
pub use given::{Given, Required};
pub use read::{Array, FromParameter, Object, Rows, Texts, Within};

/// What an endpoint, a group of parameters or a row takes; [`crate::request!`] writes it.
pub trait Request: Sized {
    /// The parameters. No other is looked at.
    const FIELDS: &'static [Field];

    /// Reads all of them. What is wrong with one is said when the handler asks for it:
    /// first comes what the handler asks for first.
    fn read(fields: Fields<'_>) -> Self;
}

/// Nothing but the path.
impl Request for () {
    const FIELDS: &'static [Field] = &[];

    fn read(_: Fields<'_>) -> Self {}
}

/// Makes a type that lists parameters, and reads them: see [`Request`].
///
/// Groups, which are such types too, stand in parentheses. Each line is a parameter: what
/// it is read as ([`Given`] or [`Required`], of one word that implements
/// [`FromParameter`]), the name of the document with its aliases, and its limits.
///
/// ```
/// #![deny(dead_code)]
/// use api_http::{Fields, Given, PhoneText, Request, Required, request};
///
/// request! {
///     /// Who is written to.
///     struct Recipient {
///         phone: Given<PhoneText> = named("phone" | "to"),
///     }
/// }
///
/// request! {
///     /// `POST /api/notes`
///     struct NewNote(recipient: Recipient) {
///         text: Required<String> = named("text").max_length(255),
///     }
/// }
///
/// let note = serde_json::json!({"to": "393391234567"});
/// let NewNote { recipient, text } = NewNote::read(Fields::from(note.as_object().unwrap()));
/// assert_eq!(recipient.phone.name(), "to");
/// assert_eq!(text.get().unwrap_err().message, "text is required");
/// ```
///
/// The compiler warns of a parameter that no handler asks for, like of any field that is
/// never read:
///
/// ```compile_fail
/// #![deny(dead_code)]
/// use api_http::{Fields, Given, Request, request};
///
/// request! {
///     struct ListNotes {
///         search: Given<String> = named("search"),
///         forgotten: Given<String> = named("forgotten"),
///     }
/// }
///
/// let none = serde_json::Map::new();
/// assert!(ListNotes::read(Fields::from(&none)).search.get().unwrap().is_none());
/// ```
// A field is made of tokens as they came (`tt`) from its first to its last: of one that a
// macro of another crate completes, the compiler would not say that it is never read.
#[macro_export]
macro_rules! request {
    (
        $(#[$about:meta])*
        $vis:vis struct $name:ident $(($($group:tt: $of:tt),* $(,)?))? {
            $($field:tt: $as:tt<$type:tt $end:tt = named($($alias:literal)|+) $(.$limit:ident($($value:expr),*))*),*
            $(,)?
        }
    ) => {
        $(#[$about])*
        #[derive(Debug)]
        $vis struct $name {
            $($($group: $of,)*)?
            $($field: $as<$type $end,)*
        }

        impl $crate::Request for $name {
            const FIELDS: &'static [$crate::Field] = {
                const GROUPS: &[&[$crate::Field]] = &[
                    $($(<$of as $crate::Request>::FIELDS,)*)?
                    &[$($as::<$type $end::field(&[$($alias),+])$(.$limit($($value),*))*),*],
                ];
                const ALL: [$crate::Field; $crate::request::count(GROUPS)] = $crate::request::joined(GROUPS);
                &ALL
            };

            fn read(fields: $crate::Fields<'_>) -> Self {
                Self {
                    $($($group: $crate::Request::read(fields),)*)?
                    $($field: $as::read(fields, &[$($alias),+], const {
                        $as::<$type $end::field(&[$($alias),+])$(.$limit($($value),*))*.limits.length
                    }),)*
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use serde_json::{Value, json};

    use super::*;
    use crate::PhoneText;

    crate::request! {
        struct Group {
            phone: Given<PhoneText> = named("phone" | "to"),
        }
    }

    type Groups = Rows<Group>;
    type Plan = Within<Group>;

    crate::request! {
        struct Asked(group: Group) {
            name: Required<String> = named("name").max_length(9),
            page: Given<NonZeroU64> = named("page").at_most(7),
            order: Given<String> = named("order").one_of(&["up", "down"]),
            rows: Given<Groups> = named("rows").max_items(2),
            plan: Given<Plan> = named("plan"),
        }
    }

    fn read(params: Value) -> Asked {
        Asked::read(Fields::from(params.as_object().unwrap()))
    }

    #[test]
    fn the_list_is_of_the_type() {
        let names: Vec<&str> = Asked::FIELDS.iter().map(|field| field.names[0]).collect();
        assert_eq!(names, ["phone", "name", "page", "order", "rows", "plan"]);
        let [phone, name, page, order, rows, plan] = Asked::FIELDS else { panic!("six") };
        assert_eq!(
            (phone.names, phone.kind, phone.required),
            (&["phone", "to"][..], FieldKind::Phone, false)
        );
        assert_eq!((name.required, name.limits.length), (true, Some(9)));
        assert_eq!((page.limits.least, page.limits.most), (Some(1), Some(7)));
        assert_eq!(order.limits.one_of, ["up", "down"]);
        assert_eq!((rows.kind, rows.limits.items), (FieldKind::Rows(Group::FIELDS), Some(2)));
        assert_eq!(plan.kind, FieldKind::Object(Group::FIELDS));
    }

    #[test]
    fn a_text_is_no_longer_than_its_type_says() {
        let name = |name: &str| read(json!({"name": name})).name.get();
        assert_eq!(name(" 123456789 ").unwrap().trim(), "123456789");
        assert_eq!(name("1234567890").unwrap_err().message, "name may have at most 9 characters");
        assert_eq!(name("èèèèèèèèè").unwrap().chars().count(), 9);
    }

    #[test]
    fn what_is_wrong_is_said_when_it_is_asked_for() {
        let Asked { group, name, page, order, rows, plan } =
            read(json!({"to": [1], "page": 0, "order": "up", "rows": [{"to": 5}, 6], "plan": {}}));
        assert_eq!(group.phone.name(), "to");
        assert_eq!(group.phone.get().unwrap_err().message, "to must be a string");
        assert_eq!(name.name(), "name");
        assert_eq!(name.get().unwrap_err().message, "name is required");
        assert_eq!(page.get().unwrap_err().message, "page must be at least 1");
        assert!(order.is_given().unwrap());
        assert_eq!(order.or("down".to_owned()).unwrap(), "up");
        let rows = rows.needed().unwrap();
        let read: Vec<bool> = rows.iter().map(|row| row.is_some()).collect();
        assert_eq!((rows.count(), read), (2, vec![true, false]));
        let inner = plan.get().unwrap().unwrap().0.phone;
        assert_eq!((inner.canonical(), inner.get().unwrap().is_none()), ("phone", true));
    }
}
