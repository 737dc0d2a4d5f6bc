//! Conditional updates: one description, rendered for `UpdateItem`, for a
//! transaction, and as a PartiQL statement of a batch.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementRequest, ReturnValuesOnConditionCheckFailure, Update as SdkUpdate,
};

use crate::item::{Item, Key, s};
use crate::repeat::MARK;
use crate::{Error, Result};

/// A precondition on the item.
#[derive(Debug, Clone)]
pub(crate) enum When {
    /// The item exists.
    Exists,
    /// The attribute has this value.
    Is(&'static str, AttributeValue),
    /// The attribute is absent.
    Absent(&'static str),
    /// The attribute is less than this.
    Below(&'static str, AttributeValue),
    /// The attribute is at most this.
    AtMost(&'static str, AttributeValue),
    /// The attribute is absent, or at most this.
    AbsentOrAtMost(&'static str, AttributeValue),
    /// The attribute is at least this.
    AtLeast(&'static str, AttributeValue),
    /// The attribute is absent, or something else.
    Not(&'static str, AttributeValue),
}

/// What to change in an item, and when.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    pub(crate) key: Key,
    set: Vec<(&'static str, AttributeValue)>,
    add: Vec<(&'static str, AttributeValue)>,
    drop_from_set: Vec<(&'static str, AttributeValue)>,
    remove: Vec<&'static str>,
    when: Vec<When>,
}

impl Update {
    pub(crate) fn of(key: Key) -> Self {
        Self {
            key,
            set: Vec::new(),
            add: Vec::new(),
            drop_from_set: Vec::new(),
            remove: Vec::new(),
            when: Vec::new(),
        }
    }

    pub(crate) fn set(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.set.push((name, value));
        self
    }

    pub(crate) fn set_some(self, name: &'static str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Adds to a number, or to a set.
    pub(crate) fn add(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.add.push((name, value));
        self
    }

    pub(crate) fn drop_from_set(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.drop_from_set.push((name, value));
        self
    }

    pub(crate) fn remove(mut self, name: &'static str) -> Self {
        self.remove.push(name);
        self
    }

    pub(crate) fn when(mut self, when: When) -> Self {
        self.when.push(when);
        self
    }

    /// Whether it may be applied twice: the second time changes nothing, and succeeds.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.when.is_empty() && self.add.is_empty()
    }

    /// Leaves `mark` in the item, and does nothing where it is already.
    pub(crate) fn marked(self, mark: &str) -> Self {
        let twice = !self.add.is_empty() && self.when.is_empty();
        let update = self.set(MARK, s(mark));
        if twice { update.when(When::Not(MARK, s(mark))) } else { update }
    }

    /// A PartiQL statement; a failed condition brings the item along.
    pub(crate) fn into_statement(self, table: &str) -> Result<BatchStatementRequest> {
        let mut text = format!("UPDATE \"{table}\"");
        let mut parameters = Vec::new();
        for (name, value) in self.set {
            text.push_str(&format!(" SET \"{name}\"=?"));
            parameters.push(value);
        }
        for name in &self.remove {
            text.push_str(&format!(" REMOVE \"{name}\""));
        }
        text.push_str(" WHERE pk=? AND sk=?");
        parameters.extend([AttributeValue::S(self.key.pk), AttributeValue::S(self.key.sk)]);
        for when in self.when {
            match when {
                When::Exists => {}
                When::Is(name, value) => push(&mut text, &mut parameters, name, "=", value),
                When::Below(name, value) => push(&mut text, &mut parameters, name, "<", value),
                When::AtMost(name, value) => push(&mut text, &mut parameters, name, "<=", value),
                When::AtLeast(name, value) => push(&mut text, &mut parameters, name, ">=", value),
                When::Absent(name) => text.push_str(&format!(" AND \"{name}\" IS MISSING")),
                When::AbsentOrAtMost(name, value) => {
                    text.push_str(&format!(" AND (\"{name}\" IS MISSING OR \"{name}\"<=?)"));
                    parameters.push(value);
                }
                When::Not(name, value) => {
                    text.push_str(&format!(" AND (\"{name}\" IS MISSING OR \"{name}\"<>?)"));
                    parameters.push(value);
                }
            }
        }
        BatchStatementRequest::builder()
            .statement(text)
            .set_parameters(Some(parameters))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|_| Error::Corrupt { kind: "statement" })
    }

    /// An action of a transaction.
    pub(crate) fn into_action(self, table: &str) -> Result<SdkUpdate> {
        let rendered = self.render();
        SdkUpdate::builder()
            .table_name(table)
            .set_key(Some(rendered.key))
            .update_expression(rendered.update)
            .set_condition_expression(rendered.condition)
            .set_expression_attribute_names(rendered.names)
            .set_expression_attribute_values(rendered.values)
            .build()
            .map_err(|_| Error::Corrupt { kind: "update" })
    }

    /// The expressions of a request.
    pub(crate) fn render(self) -> Rendered {
        let mut parts = Parts::default();
        let mut clauses = Vec::new();
        let sets: Vec<String> = self
            .set
            .into_iter()
            .map(|(name, value)| format!("{} = {}", parts.name(name), parts.value(value)))
            .collect();
        if !sets.is_empty() {
            clauses.push(format!("SET {}", sets.join(", ")));
        }
        for (verb, pairs) in [("ADD", self.add), ("DELETE", self.drop_from_set)] {
            let list: Vec<String> = pairs
                .into_iter()
                .map(|(name, value)| format!("{} {}", parts.name(name), parts.value(value)))
                .collect();
            if !list.is_empty() {
                clauses.push(format!("{verb} {}", list.join(", ")));
            }
        }
        if !self.remove.is_empty() {
            let list: Vec<String> = self.remove.iter().map(|name| parts.name(name)).collect();
            clauses.push(format!("REMOVE {}", list.join(", ")));
        }
        let condition: Vec<String> = self.when.into_iter().map(|when| parts.condition(when)).collect();
        Rendered {
            key: self.key.attributes(),
            update: clauses.join(" "),
            condition: (!condition.is_empty()).then(|| condition.join(" AND ")),
            names: (!parts.names.is_empty()).then_some(parts.names),
            values: (!parts.values.is_empty()).then_some(parts.values),
        }
    }
}

/// Renders conditions for a put, a delete or a check of a transaction.
pub(crate) fn conditions(when: Vec<When>) -> (String, Option<HashMap<String, String>>, Option<Item>) {
    let mut parts = Parts::default();
    let condition: Vec<String> = when.into_iter().map(|w| parts.condition(w)).collect();
    let names = (!parts.names.is_empty()).then_some(parts.names);
    (condition.join(" AND "), names, (!parts.values.is_empty()).then_some(parts.values))
}

fn push(
    text: &mut String,
    parameters: &mut Vec<AttributeValue>,
    name: &str,
    sign: &str,
    value: AttributeValue,
) {
    text.push_str(&format!(" AND \"{name}\"{sign}?"));
    parameters.push(value);
}

/// An update as requests have it.
pub(crate) struct Rendered {
    pub(crate) key: Item,
    pub(crate) update: String,
    pub(crate) condition: Option<String>,
    pub(crate) names: Option<HashMap<String, String>>,
    pub(crate) values: Option<Item>,
}

#[derive(Default)]
struct Parts {
    names: HashMap<String, String>,
    values: Item,
}

impl Parts {
    fn name(&mut self, name: &str) -> String {
        let alias = format!("#{name}");
        self.names.insert(alias.clone(), name.to_owned());
        alias
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let alias = format!(":v{}", self.values.len());
        self.values.insert(alias.clone(), value);
        alias
    }

    fn condition(&mut self, when: When) -> String {
        match when {
            When::Exists => "attribute_exists(pk)".to_owned(),
            When::Is(name, value) => format!("{} = {}", self.name(name), self.value(value)),
            When::Absent(name) => format!("attribute_not_exists({})", self.name(name)),
            When::Below(name, value) => format!("{} < {}", self.name(name), self.value(value)),
            When::AtMost(name, value) => format!("{} <= {}", self.name(name), self.value(value)),
            When::AtLeast(name, value) => format!("{} >= {}", self.name(name), self.value(value)),
            When::AbsentOrAtMost(name, value) => {
                let name = self.name(name);
                format!("(attribute_not_exists({name}) OR {name} <= {})", self.value(value))
            }
            When::Not(name, value) => {
                let name = self.name(name);
                format!("(attribute_not_exists({name}) OR {name} <> {})", self.value(value))
            }
        }
    }
}
