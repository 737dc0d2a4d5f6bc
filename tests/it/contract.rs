//! The parameters of the documents are those that the handlers' types list: none that is
//! accepted is undocumented, none that is documented is ignored.

use std::collections::BTreeSet;

use api_http::{Dialect, Field, FieldKind, FieldLimits, IDEMPOTENCY_KEY, Route};
use harness::documented::document;
use serde_json::Value;

use crate::routes::routes;

/// Marks the other names of a parameter.
const ALIASES: &str = "x-staffetta-aliases";
/// Marks an object whose members may also stand beside it.
const BESIDE: &str = "x-staffetta-beside";

/// Parameters with all that is said of them, a line each; those within others have a path.
type Lines = BTreeSet<String>;

fn line(path: &str, aliases: &[&str], required: bool, limits: &FieldLimits, one_of: &[&str]) -> String {
    let mut line = path.to_owned();
    let sorted = |words: &[&str]| {
        let words: BTreeSet<&str> = words.iter().copied().collect();
        words.into_iter().collect::<Vec<_>>().join(" ")
    };
    if !aliases.is_empty() {
        line += &format!(", also {}", sorted(aliases));
    }
    if required {
        line += ", required";
    }
    let numbers = [
        ("at least", limits.least.filter(|least| *least > 0)),
        ("at most", limits.most),
        ("items", limits.items.map(|items| items as u64)),
        ("characters", limits.length.map(|length| length as u64)),
    ];
    for (word, number) in numbers {
        line += &number.map_or_else(String::new, |number| format!(", {word} {number}"));
    }
    if !one_of.is_empty() {
        line += &format!(", one of {}", sorted(one_of));
    }
    line
}

/// What a type lists.
fn listed(fields: &[Field], within: &str, lines: &mut Lines) {
    let names: BTreeSet<&str> = fields.iter().flat_map(|field| field.names).copied().collect();
    let count: usize = fields.iter().map(|field| field.names.len()).sum();
    assert_eq!(names.len(), count, "two parameters share a name: {fields:?}");
    for field in fields {
        let path = format!("{within}{}", field.names[0]);
        lines.insert(line(&path, &field.names[1..], field.required, &field.limits, field.limits.one_of));
        match field.kind {
            FieldKind::Rows(inner) => listed(inner, &format!("{path}[]."), lines),
            FieldKind::Object(inner) | FieldKind::Beside(inner) => listed(inner, &format!("{path}."), lines),
            FieldKind::Text
            | FieldKind::Integer
            | FieldKind::Switch
            | FieldKind::Time
            | FieldKind::Phone
            | FieldKind::List
            | FieldKind::Array
            | FieldKind::FreeObject
            | FieldKind::File
            | FieldKind::Any => {}
        }
    }
}

/// What a document describes.
struct Described {
    dialect: Dialect,
    lines: Lines,
}

impl Described {
    fn resolved(&self, value: &'static Value) -> &'static Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(pointer) => {
                let target = document(self.dialect).pointer(pointer.trim_start_matches('#'));
                self.resolved(target.unwrap_or_else(|| panic!("{pointer}")))
            }
            None => value,
        }
    }

    /// The schema itself, and those that it is made of.
    fn parts(&self, schema: &'static Value) -> Vec<&'static Value> {
        let of = |word: &str| schema[word].as_array().into_iter().flatten();
        let inner = ["allOf", "oneOf", "anyOf"].into_iter().flat_map(of);
        let referred = schema.get("$ref").map(|_| self.resolved(schema));
        let inner = referred.into_iter().chain(inner).flat_map(|part| self.parts(part));
        std::iter::once(schema).chain(inner).collect()
    }

    /// One parameter: its schema, with what stands outside of that in a query.
    fn parameter(&mut self, path: &str, outside: &'static Value, required: bool) {
        let mut parts = self.parts(outside);
        parts.extend(outside.get("schema").map(|schema| self.parts(schema)).unwrap_or_default());
        let texts = |word: &str| {
            let lists = parts.iter().filter_map(|part| part[word].as_array());
            lists.flatten().filter_map(Value::as_str).collect::<Vec<_>>()
        };
        let number = |word: &str| parts.iter().find_map(|part| part[word].as_u64());
        let limits = FieldLimits {
            least: number("minimum"),
            most: number("maximum"),
            items: number("maxItems").map(|items| items as usize),
            length: number("maxLength").map(|length| length as usize),
            one_of: &[],
        };
        self.lines.insert(line(path, &texts(ALIASES), required, &limits, &texts("enum")));
        let items = parts.iter().filter_map(|part| part.get("items")).flat_map(|items| self.parts(items));
        let items: Vec<&Value> = items.collect();
        self.members(&parts, &format!("{path}."));
        self.members(&items, &format!("{path}[]."));
    }

    /// The members of an object, whose schema has these parts.
    fn members(&mut self, parts: &[&'static Value], within: &str) {
        let members = parts.iter().filter_map(|part| part["properties"].as_object()).flatten();
        let around = members.clone().find(|(_, member)| member[BESIDE] == true).map(|(name, _)| name);
        for (name, member) in members {
            if within.is_empty() && is_edge(self.dialect, name) {
                continue;
            }
            let required = parts.iter().filter_map(|part| part["required"].as_array()).flatten();
            let is_required = required.into_iter().any(|required| required == name);
            let path = match around.filter(|around| *around != name) {
                Some(around) => format!("{within}{around}.{name}"),
                None => format!("{within}{name}"),
            };
            self.parameter(&path, member, is_required);
        }
    }
}

/// What the edge reads by itself is described once, with the credentials.
fn is_edge(dialect: Dialect, name: &str) -> bool {
    name == IDEMPOTENCY_KEY || dialect.key_parameter() == Some(name)
}

/// What the document says of a route: of each form of its body, with the query.
fn documented(route: &Route) -> Vec<(&'static str, Lines)> {
    let item = &document(route.dialect)["paths"][route.path];
    let operation = &item[route.method.to_lowercase()];
    let mut query = Described { dialect: route.dialect, lines: Lines::new() };
    let parameters = [&item["parameters"], &operation["parameters"]];
    for parameter in parameters.into_iter().flat_map(|list| list.as_array().into_iter().flatten()) {
        let parameter = query.resolved(parameter);
        let name = parameter["name"].as_str().unwrap();
        if parameter["in"] == "query" && !is_edge(route.dialect, name) {
            query.parameter(name, parameter, parameter["required"] == true);
        }
    }
    let contents = operation["requestBody"]["content"].as_object().into_iter().flatten();
    let of_body = |(form, content): (&'static String, &'static Value)| {
        let mut body = Described { dialect: route.dialect, lines: query.lines.clone() };
        body.members(&body.parts(&content["schema"]), "");
        (form.as_str(), body.lines)
    };
    let bodies: Vec<_> = contents.map(of_body).collect();
    if bodies.is_empty() { vec![("the query", query.lines)] } else { bodies }
}

#[test]
fn the_documents_and_the_handlers_list_the_same_parameters() {
    let mut wrong = String::new();
    for route in routes() {
        let mut ours = Lines::new();
        listed(route.fields, "", &mut ours);
        for (form, theirs) in documented(&route) {
            if ours == theirs {
                continue;
            }
            wrong += &format!("\n{} {}, {form}:\n", route.method, route.path);
            for line in theirs.difference(&ours) {
                wrong += &format!("  only documented: {line}\n");
            }
            for line in ours.difference(&theirs) {
                wrong += &format!("  only in the type: {line}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "the documents differ from the handlers' types:\n{wrong}");
}

#[test]
fn the_documents_name_the_parameter_that_carries_the_key() {
    for dialect in Dialect::ALL {
        let schemes = document(dialect)["components"]["securitySchemes"].as_object().unwrap();
        let named = schemes.values().find(|scheme| scheme["in"] == "query").map(|scheme| &scheme["name"]);
        assert_eq!(named.and_then(Value::as_str), dialect.key_parameter(), "{dialect:?}");
    }
}
