//! Dependencies point one way, and a function links what it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};
use registry::Client;

/// What each crate of the workspace depends on, other than for its tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap();
    let of = |package: &cargo_metadata::Package| {
        let normal = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
        normal.map(|d| d.name.clone()).collect()
    };
    metadata.packages.iter().map(|p| (p.name.to_string(), of(p))).collect()
}

#[test]
fn each_library_is_linked_in_one_place() {
    let crates = dependencies();
    let routed: Vec<&str> = registry::ALL.iter().filter(|f| f.is_api()).map(|f| f.name).collect();
    // The process and the tests put everything together.
    let everywhere = ["local", "tests"];
    for (library, places) in [
        ("aws-sdk-dynamodb", vec!["store"]),
        ("serde_dynamo", vec!["store"]),
        ("aws-sdk-sqs", vec!["queue"]),
        ("aws-sdk-s3", vec!["media"]),
        ("aws-sdk-scheduler", vec!["schedules"]),
        ("aws-sdk-secretsmanager", vec!["secrets"]),
        // What reads and writes tables.
        ("flate2", vec!["tables"]),
        ("csv", vec!["tables"]),
        ("calamine", vec!["tables"]),
        ("encoding_rs", vec!["tables"]),
        ("lambda_runtime", vec!["runtime"]),
        ("lambda_http", vec!["api-http"]),
        ("axum", [vec!["api-http", "simulators"], routed].concat()),
    ] {
        for (name, dependencies) in &crates {
            let may = places.contains(&name.as_str()) || everywhere.contains(&name.as_str());
            assert!(may || !dependencies.contains(library), "{name} must not depend on {library}");
        }
    }
}

#[test]
fn our_own_crates_depend_only_downwards() {
    let crates = dependencies();
    // Each crate, after all those that it may depend on.
    let order = [
        "domain",
        "tables",
        "flows",
        "environment",
        "store",
        "queue",
        "media",
        "outbound",
        "channels",
        "schedules",
        "runtime",
        "ops",
        "secrets",
        "bodies",
        "contact-files",
        "dispatch",
        "messaging",
        "api-http",
    ];
    let place = |name: &str| order.iter().position(|one| *one == name);
    for (name, dependencies) in &crates {
        let is_function = registry::Function::named(name).is_some();
        let own = match place(name) {
            Some(place) => place,
            None if is_function => order.len(),
            // The process, the registry of what is deployed and the tests put everything together.
            None => continue,
        };
        for ours in dependencies.iter().filter(|d| crates.contains_key(*d)) {
            assert!(place(ours).is_some_and(|place| place < own), "{name} must not depend on {ours}");
        }
    }
    assert!(dependencies_of(&crates, "simulators").is_empty(), "the simulators know nothing of the product");
    for name in ["domain", "tables", "environment", "outbound"] {
        let ours = dependencies_of(&crates, name);
        assert!(ours.iter().all(|ours| *ours == "environment"), "{name} knows too much: {ours:?}");
    }
}

/// Our own crates that a crate depends on.
fn dependencies_of<'a>(crates: &'a BTreeMap<String, BTreeSet<String>>, name: &str) -> Vec<&'a str> {
    crates[name].iter().filter(|name| crates.contains_key(*name)).map(String::as_str).collect()
}

/// Everything that a crate links, by any way.
fn tree(metadata: &cargo_metadata::Metadata, name: &str) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().unwrap();
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let names: BTreeMap<_, _> = metadata.packages.iter().map(|p| (&p.id, p.name.to_string())).collect();
    let root = metadata.workspace_packages().into_iter().find(|p| p.name.as_str() == name).unwrap();
    let (mut waiting, mut seen) = (vec![&root.id], BTreeSet::new());
    while let Some(id) = waiting.pop() {
        if seen.insert(id) {
            let linked = nodes[id].deps.iter().filter(|dependency| {
                dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
            });
            waiting.extend(linked.map(|dependency| &dependency.pkg));
        }
    }
    seen.into_iter().map(|id| names[id].clone()).collect()
}

/// A function links what its entry says that it reaches, and no more, in its whole tree.
#[test]
fn a_function_links_what_it_reaches() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).exec().unwrap();
    for function in registry::ALL {
        let linked = tree(&metadata, function.name);
        let reaches = |clients: &[Client]| clients.iter().any(|client| function.clients.contains(client));
        let sends = reaches(&[Client::Graph, Client::Files]);
        for (library, reached) in [
            ("aws-sdk-dynamodb", true),
            ("aws-sdk-secretsmanager", reaches(&[Client::Secret])),
            // What sends is one crate, whose parts are linked together.
            ("aws-sdk-s3", sends || reaches(&[Client::Bucket])),
            ("aws-sdk-scheduler", sends || reaches(&[Client::Schedules])),
            ("channels", sends),
            ("reqwest", sends || reaches(&[Client::Outbound])),
            ("messaging", sends),
            ("lambda_http", function.is_api()),
            ("axum", function.is_api()),
        ] {
            // Taking in what Meta reports is beside what works it off.
            let is_intake = function.name == "inbound";
            let may = reached || (is_intake && sends_anything(library));
            assert!(may || !linked.contains(library), "{} links {library}", function.name);
        }
        for only_tests in ["local", "registry", "simulators", "dynoxide-rs", "s3s"] {
            assert!(!linked.contains(only_tests), "{} links {only_tests}", function.name);
        }
    }
}

fn sends_anything(library: &str) -> bool {
    ["aws-sdk-s3", "aws-sdk-scheduler", "channels", "reqwest", "messaging"].contains(&library)
}

#[test]
fn every_file_opens_with_what_it_is() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut folders: Vec<PathBuf> =
        ["shared", "functions", "infra", "tests"].map(|folder| root.join(folder)).into();
    let mut silent = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !std::fs::read_to_string(&path).unwrap().starts_with("//!")
            {
                silent.push(path);
            }
        }
    }
    assert!(silent.is_empty(), "without a line that says what it is: {silent:#?}");
}
