//! The routes of the gateway, from those of the code.

use std::collections::BTreeMap;

/// Every path of the code, with its function.
pub fn paths() -> BTreeMap<String, &'static str> {
    let tables = [
        ("accounts", accounts::table().routes()),
        ("assistant", assistant::table().routes()),
        ("campaigns", campaigns::table().routes()),
        ("catalog", catalog::table().routes()),
        ("contacts", contacts::table().routes()),
        ("inbound", inbound::table().routes()),
        ("messages", messages::table().routes()),
        ("senders", senders::table().routes()),
        ("webhooks", webhooks::table().routes()),
    ];
    let mut paths = BTreeMap::from([(inbound::META.to_owned(), "inbound")]);
    for (function, routes) in tables {
        paths.extend(routes.into_iter().map(|route| (route.path.to_owned(), function)));
    }
    paths
}

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The shortest prefix of a path, below its dialect's base, that no other function
/// has a path below; or that is a path of the function's own, since a longer prefix of
/// another wins over it.
fn group(path: &str, function: &str, all: &BTreeMap<String, &'static str>) -> String {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let least = match segments.as_slice() {
        ["api", "v1", ..] | ["v1", "whatsapp", _, ..] => 3,
        ["media", ..] => 1,
        _ => 2,
    };
    let prefixes = (least..=segments.len()).map(|n| format!("/{}", segments[..n].join("/")));
    let own = |prefix: &String| {
        all.get(prefix) == Some(&function) || all.iter().all(|(p, f)| *f == function || !is_below(p, prefix))
    };
    let mut own = prefixes.filter(own);
    own.next().unwrap_or_else(|| panic!("two functions share {path}"))
}

/// The routes of the gateway: a prefix, and whether it is what is below it.
pub fn routes() -> BTreeMap<(String, bool), &'static str> {
    let all = paths();
    let mut routes = BTreeMap::new();
    for (path, function) in &all {
        let prefix = group(path, function, &all);
        let is_rest = *path != prefix;
        routes.insert((prefix, is_rest), *function);
    }
    routes
}

/// Whom the gateway asks: a full match wins over the longest prefix.
pub fn asked<'a>(path: &str, routes: &'a BTreeMap<(String, bool), &'static str>) -> &'a str {
    let exact = routes.get(&(path.to_owned(), false));
    let below = routes.iter().filter(|((prefix, is_rest), _)| {
        *is_rest && path.strip_prefix(&**prefix).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
    });
    let longest = below.max_by_key(|((prefix, _), _)| prefix.len()).map(|(_, function)| function);
    exact.or(longest).copied().unwrap_or(registry::DEFAULT.name)
}
