//! Dependencies point one way: functions, http, ops, then store, queue, media and
//! channels, then domain.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

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

/// The crates below `functions`.
fn functions() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions");
    let entries = std::fs::read_dir(folder).unwrap();
    let folders = entries.map(Result::unwrap).filter(|entry| entry.path().is_dir());
    folders.map(|folder| folder.file_name().into_string().unwrap()).collect()
}

#[test]
fn each_library_is_linked_in_one_place() {
    let crates = dependencies();
    let routed: BTreeSet<String> = functions()
        .into_iter()
        .filter(|name| !name.ends_with("-worker") && name != "schedule-tick")
        .collect();
    // The process, its start-up and the tests put everything together.
    let everywhere = ["local", "runtime", "tests"];
    for (library, places) in [
        ("aws-sdk-dynamodb", vec!["store"]),
        ("serde_dynamo", vec!["store"]),
        ("aws-sdk-sqs", vec!["queue"]),
        ("aws-sdk-s3", vec!["media"]),
        ("aws-sdk-scheduler", vec!["queue"]),
        ("aws-sdk-secretsmanager", vec![]),
        // What writes workbooks is linked by the one who writes reports.
        ("flate2", vec!["campaign-worker"]),
        ("csv", vec!["campaign-worker"]),
        ("lambda_runtime", vec![]),
        ("lambda_http", vec![]),
        ("axum", [vec!["api-http", "simulators"], routed.iter().map(String::as_str).collect()].concat()),
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
    let functions = functions();
    let below = |name: &str| -> Option<Vec<&str>> {
        Some(match name {
            "domain" => vec![],
            "store" | "queue" | "media" => vec!["domain"],
            "outbound" => vec![],
            "channels" => vec!["domain", "outbound"],
            "ops" => vec!["domain", "store", "queue", "media", "channels", "outbound"],
            "api-http" => vec!["domain", "store", "queue", "media", "channels", "ops"],
            "runtime" => vec!["domain", "store", "queue", "media", "channels", "outbound", "ops", "api-http"],
            "simulators" => vec![],
            name if functions.contains(name) => {
                vec!["domain", "store", "queue", "media", "channels", "ops", "api-http", "runtime"]
            }
            // The process and the tests put everything together.
            _ => return None,
        })
    };
    for (name, dependencies) in &crates {
        let Some(may) = below(name) else { continue };
        for ours in dependencies.iter().filter(|d| crates.contains_key(*d)) {
            assert!(may.contains(&ours.as_str()), "{name} must not depend on {ours}");
        }
    }
}

#[test]
fn every_function_is_a_crate_of_its_folders_name() {
    let crates = dependencies();
    for name in functions() {
        assert!(crates.contains_key(&name), "functions/{name} is not the crate {name}");
    }
}

#[test]
fn every_file_of_the_product_opens_with_what_it_is() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut folders: Vec<PathBuf> = ["shared", "functions", "infra"].map(|folder| root.join(folder)).into();
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
