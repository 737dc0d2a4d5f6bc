//! What the registry says of the functions is what the templates, the build, the
//! documents and the code say.
//!
//! `STAFFETTA_UPDATE=1 cargo test -p tests --test it registered` writes it into the files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use harness::World;
use registry::{ALL, render};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap()
}

/// What stands between the lines `<mark>: begin` and `<mark>: end` of a file is as it is
/// generated; or is made so.
pub(crate) fn assert_generated(file: &str, mark: &str, want: &str) {
    let text = read(file);
    let (begin, end) = (format!("{mark}: begin"), format!("{mark}: end"));
    let begin = text.find(&begin).unwrap_or_else(|| panic!("{file} has no {begin:?}"));
    let begin = begin + text[begin..].find('\n').unwrap() + 1;
    let end = begin + text[begin..].find(&end).unwrap_or_else(|| panic!("{file} has no {end:?}"));
    if text[begin..end] == *want {
        return;
    }
    assert!(std::env::var_os("STAFFETTA_UPDATE").is_some(), "{file} is not what the code says");
    std::fs::write(root(file), format!("{}{want}{}", &text[..begin], &text[end..])).unwrap();
}

#[test]
fn every_folder_of_a_function_is_registered() {
    let entries = std::fs::read_dir(root("functions")).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.path().is_dir());
    let folders: BTreeSet<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let names: BTreeSet<String> = ALL.iter().map(|function| function.name.to_owned()).collect();
    assert_eq!(names, folders);
    for name in names {
        let main = read(&format!("functions/{name}/src/main.rs"));
        let lines = main.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("use "));
        assert!(lines.count() <= 15, "{name}: main is long");
        // The queues that it asks for are those that it feeds, and its own.
        let named = main.split_once("Queues::of(&env, &[").and_then(|(_, rest)| rest.split_once(']'));
        let named: BTreeSet<&str> =
            named.map_or("", |(named, _)| named).split(", ").filter(|n| !n.is_empty()).collect();
        let function = registry::Function::named(&name).unwrap();
        let own = function.jobs().map(|jobs| jobs.queue);
        let used = function.feeds.iter().copied().chain(own).map(|queue| render::camel(queue.as_str()));
        let used: BTreeSet<String> = used.collect();
        assert_eq!(named, used.iter().map(String::as_str).collect(), "{name}");
    }
}

#[tokio::test]
async fn the_local_process_serves_every_function_of_the_api() {
    let world = World::new().await;
    let served: BTreeSet<&str> = world.apps().functions().iter().map(|(name, _)| *name).collect();
    let api: BTreeSet<&str> = ALL.iter().filter(|function| function.is_api()).map(|f| f.name).collect();
    assert_eq!(served, api);
}

#[test]
fn every_kind_of_item_is_explained() {
    let explained = read("shared/README.md");
    for kind in store::Kind::ALL {
        assert!(explained.contains(&format!("`{kind}`")), "shared/README.md does not explain {kind}");
    }
}

#[test]
fn no_entry_says_a_thing_twice() {
    for function in ALL {
        let kinds = function.kinds();
        assert_eq!(kinds.iter().collect::<BTreeSet<_>>().len(), kinds.len(), "{}", function.name);
    }
}

#[test]
fn templates_build_and_documents_say_what_is_registered() {
    for (file, mark, want) in [
        ("infra/template.yaml", "  # functions", render::functions(true)),
        ("infra/template.yaml", "  # workers", render::functions(false)),
        ("infra/template.yaml", "  # queues", render::queue_resources()),
        ("infra/template.yaml", "  # queue outputs", render::queue_outputs()),
        ("infra/observability.yaml", "  # parked", render::parked_alarms()),
        ("infra/observability.yaml", "  # errors", render::error_alarms()),
        (".cargo/config.toml", "  # functions", render::packages()),
        ("infra/README.md", "<!-- functions", render::table()),
    ] {
        assert_generated(file, mark, &want);
    }
    let budgets = render::budgets();
    if read("infra/budgets.json") != budgets {
        assert!(
            std::env::var_os("STAFFETTA_UPDATE").is_some(),
            "infra/budgets.json is not what is registered"
        );
        std::fs::write(root("infra/budgets.json"), budgets).unwrap();
    }
    // JSON within YAML takes no marks.
    let dashboard = read("infra/observability.yaml");
    for title in ["Functions: duration p99, ms", "Functions: at work at one moment"] {
        let (_, widget) = dashboard.split_once(title).unwrap();
        let (widget, _) = widget.split_once("]]}}").unwrap();
        for function in ALL {
            let shown = widget.contains(&format!("\"${{Prefix}}-{}\"", function.name));
            assert!(shown, "«{title}» does not show {}", function.name);
        }
    }
}
