//! `GET /{waba_id}/message_templates`: filters, fields and cursors.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::graph::{
    errors::GraphError,
    paging::{cursor, limit, link, position},
    state::{templates::Template, world::World},
};

const LIMIT_MOST: usize = 1_000;

/// The page of an account's templates, newest first. `address` is the request without its query.
pub(crate) fn list(
    world: &World,
    account: &str,
    query: &BTreeMap<String, String>,
    address: &str,
    now_ms: u64,
) -> Result<Value, GraphError> {
    let limit = limit(query)?.min(LIMIT_MOST);
    let mut found: Vec<&Template> =
        world.templates.of_account(account).filter(|template| matches(template, query, now_ms)).collect();
    found.sort_by_key(|template| std::cmp::Reverse(template.seq));
    let after = query.get("after").map(|cursor| position(cursor)).transpose()?;
    let before = query.get("before").map(|cursor| position(cursor)).transpose()?;
    let start = match (after, before) {
        (Some(seq), _) => found.partition_point(|template| template.seq >= seq),
        (None, Some(seq)) => found.partition_point(|template| template.seq > seq).saturating_sub(limit),
        (None, None) => 0,
    };
    let page: Vec<&Template> = found.iter().skip(start).take(limit).copied().collect();
    let fields: Option<Vec<&str>> =
        query.get("fields").map(|fields| fields.split(',').map(str::trim).collect());
    let data: Vec<Value> = page.iter().map(|template| node(template, fields.as_deref(), now_ms)).collect();
    let mut answer = json!({ "data": data });
    if let (Some(first), Some(last)) = (page.first(), page.last()) {
        let (before, after) = (cursor(first.seq), cursor(last.seq));
        answer["paging"] = json!({ "cursors": { "before": before, "after": after } });
        if start + page.len() < found.len() {
            answer["paging"]["next"] = json!(link(address, query, "after", &after));
        }
        if start > 0 {
            answer["paging"]["previous"] = json!(link(address, query, "before", &before));
        }
    }
    Ok(answer)
}

fn matches(template: &Template, query: &BTreeMap<String, String>, now_ms: u64) -> bool {
    let filter = |name: &str, value: &str| query.get(name).is_none_or(|wanted| one_of(wanted, value));
    filter("name", &template.name)
        && filter("language", &template.language)
        && filter("status", template.status(now_ms))
        && filter("category", template.category.name())
}

/// `A`, `A,B` and `["A","B"]` are all understood.
fn one_of(wanted: &str, value: &str) -> bool {
    wanted.split(['[', ']', ',', '"', ' ']).any(|one| one.eq_ignore_ascii_case(value))
}

/// The template as a Graph node, reduced to the wanted fields; the id is always there.
pub(crate) fn node(template: &Template, fields: Option<&[&str]>, now_ms: u64) -> Value {
    let mut node = Map::new();
    let wanted = |name: &str| fields.is_none_or(|fields| fields.contains(&name));
    let mut add = |name: &str, value: Value| {
        if name == "id" || wanted(name) {
            node.insert(name.to_owned(), value);
        }
    };
    add("name", json!(template.name));
    add("parameter_format", json!(if template.named { "NAMED" } else { "POSITIONAL" }));
    add("components", json!(template.components));
    add("language", json!(template.language));
    add("status", json!(template.status(now_ms)));
    add("category", json!(template.category.name()));
    add("id", json!(template.id));
    if fields.is_some() {
        add("quality_score", json!({ "score": "UNKNOWN" }));
        add("rejected_reason", json!("NONE"));
    }
    Value::Object(node)
}
