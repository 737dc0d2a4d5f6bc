//! <https://www.typeform.com/developers/webhooks/example-payload/>: answers have a
//! type; what a text answers is said by its field's `ref` or question.

use crate::intake::fields::{Field, meaning};
use crate::intake::node::Node;
use crate::intake::person::{Names, Person};

pub(super) fn fits(root: &Node) -> bool {
    root.at("form_response").is_some_and(Node::is_map)
}

pub(super) fn people(root: &Node) -> Vec<Person> {
    let form = root.at("form_response").unwrap_or(&Node::Null);
    let answers = form.at("answers").map_or(&[][..], Node::items);
    let mut person = Person::default();
    let fields: Vec<(Field, &Node)> = answers.iter().filter_map(|answer| field(form, answer)).collect();
    person.read_fields(fields, None, Names::All);
    person.read(form.at("hidden").unwrap_or(&Node::Null), Names::All);
    vec![person]
}

fn field<'n>(form: &'n Node, answer: &'n Node) -> Option<(Field, &'n Node)> {
    let kind = answer.text("type")?;
    let value = answer.get(kind)?;
    match kind {
        "email" => Some((Field::Email(0), value)),
        "phone_number" => Some((Field::Phone(0), value)),
        "text" | "number" => {
            let by_ref = || meaning(answer.text("field.ref")?);
            let by_title = || meaning(question(form, answer.text("field.id")?)?);
            Some((by_ref().or_else(by_title)?, value))
        }
        _ => None,
    }
}

fn question<'n>(form: &'n Node, id: &str) -> Option<&'n str> {
    let fields = form.at("definition.fields").map_or(&[][..], Node::items);
    // A contact block holds fields of its own.
    let nested = fields.iter().flat_map(|field| field.at("properties.fields").map_or(&[][..], Node::items));
    fields.iter().chain(nested).find(|field| field.text("id") == Some(id))?.text("title")
}
