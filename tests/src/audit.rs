//! A full look at the table: what must hold whatever happened.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::TenantId;
use serde_json::Value;

use crate::World;

type Item = HashMap<String, AttributeValue>;

/// What a full scan found of one tenant's contacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// Contacts.
    pub contacts: u64,
    /// What does not hold, in words.
    pub problems: Vec<String>,
    /// Identities that lead to no contact that carries them.
    pub orphans: u64,
    /// Blocks that a writer marked and did not come back to.
    pub marked: u64,
    /// Contacts that the plan's limit counts.
    pub used: u64,
}

impl World {
    /// Scans the table for the contacts of the world's tenant.
    pub async fn audit(&self) -> Audit {
        self.audit_of(self.tenant()).await
    }

    /// Scans the table for the contacts of a tenant.
    pub async fn audit_of(&self, tenant: &TenantId) -> Audit {
        let items = self.scan().await;
        let of = |kind: &str| {
            let prefix = format!("{kind}#{tenant}");
            items.iter().filter(move |item| {
                text(item, "pk")
                    .strip_prefix(&prefix)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
            })
        };
        let mut audit = Audit::default();
        let contacts: BTreeMap<u64, &Item> = of("CONTACTS")
            .filter(|item| !item.contains_key("gone"))
            .map(|item| (number(item, "id"), item))
            .collect();
        audit.contacts = contacts.len() as u64;
        let pointers: HashMap<String, u64> =
            of("IDENT").map(|item| (text(item, "pk"), number(item, "id"))).collect();
        let mut carriers: HashMap<String, u64> = HashMap::new();
        for (id, contact) in &contacts {
            for key in identities(tenant, contact) {
                if let Some(other) = carriers.insert(key.clone(), *id) {
                    audit.problems.push(format!("{key} is carried by {other} and {id}"));
                }
                if pointers.get(&key) != Some(id) {
                    audit.problems.push(format!("{key} leads to {:?}, not {id}", pointers.get(&key)));
                }
            }
        }
        audit.orphans = pointers.keys().filter(|key| !carriers.contains_key(*key)).count() as u64;
        for head in of("BLOCKS") {
            let block: u64 = text(head, "sk").parse().unwrap();
            let there = contacts.keys().filter(|id| **id / 1_000 == block).count() as u64;
            if head.contains_key("writers") {
                audit.marked += 1;
            } else if number(head, "count") != there {
                let count = number(head, "count");
                audit.problems.push(format!("block {block} counts {count}, there are {there}"));
            }
        }
        audit.used = of("COUNTER").filter(|i| text(i, "sk") == "contacts").map(|i| number(i, "used")).sum();
        audit
    }

    /// Puts an item into the table that an older version left there: texts and numbers, and
    /// lists of texts.
    pub async fn left_before(&self, pk: &str, sk: &str, fields: &Value) {
        let of = |value: &Value| match value {
            Value::String(text) => AttributeValue::S(text.clone()),
            Value::Number(number) => AttributeValue::N(number.to_string()),
            Value::Array(texts) => {
                let text = |one: &Value| AttributeValue::S(one.as_str().unwrap().to_owned());
                AttributeValue::L(texts.iter().map(text).collect())
            }
            Value::Null | Value::Bool(_) | Value::Object(_) => panic!("no field of an item: {value}"),
        };
        let put = self.embedded.dynamodb().put_item().table_name("staffetta");
        let put = put.item("pk", of(&pk.into())).item("sk", of(&sk.into()));
        let fields = fields.as_object().unwrap().iter();
        fields.fold(put, |put, (name, value)| put.item(name, of(value))).send().await.unwrap();
    }

    /// Every key of the table.
    pub async fn keys(&self) -> Vec<String> {
        self.scan().await.iter().map(|item| format!("{} {}", text(item, "pk"), text(item, "sk"))).collect()
    }

    /// Every item of the table.
    async fn scan(&self) -> Vec<Item> {
        let client = self.embedded.dynamodb();
        let mut pages = client.scan().table_name("staffetta").into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.unwrap());
        }
        items
    }
}

fn identities(tenant: &TenantId, contact: &Item) -> Vec<String> {
    let mut keys = Vec::new();
    for (kind, value) in [("phone", text(contact, "phone")), ("bsuid", text(contact, "bsuid"))] {
        keys.push((kind, value));
    }
    keys.push(("email", text(contact, "email").to_lowercase()));
    keys.retain(|(_, value)| !value.is_empty());
    keys.into_iter().map(|(kind, value)| format!("IDENT#{tenant}#{kind}#{value}")).collect()
}

fn text(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

fn number(item: &Item, name: &str) -> u64 {
    item.get(name).and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok()).unwrap_or(0)
}
