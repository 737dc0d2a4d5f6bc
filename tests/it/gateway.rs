//! The template, the watch router and the code declare the same routes, and what
//! else the template has to have.
//!
//! `STAFFETTA_UPDATE=1 cargo test -p tests --test it gateway` writes the routes
//! of the code into the other two.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use axum::body::Body;
use harness::gateway::{DEFAULT, asked, paths, routes};
use harness::{Api, World, roles};
use http::Request;
use local::embedded::Role;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap()
}

fn camel(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

fn template_route(id: &str, key: &str, function: &str) -> String {
    let target = format!("!Sub integrations/${{{}Integration}}", camel(function));
    let properties = format!("      ApiId: !Ref Api\n      RouteKey: {key}\n      Target: {target}\n");
    format!("  {id}Route:\n    Type: AWS::ApiGatewayV2::Route\n    Properties:\n{properties}")
}

fn template_routes() -> String {
    let mut yaml = String::new();
    let mut taken = BTreeSet::new();
    for ((prefix, is_rest), function) in routes() {
        let (rest, proxy) = if is_rest { ("Rest", "/{proxy+}") } else { ("", "") };
        let mut id = format!("{}{rest}", camel(&prefix));
        // A path that is written with dashes and with underscores.
        while !taken.insert(id.clone()) {
            id.push_str("Again");
        }
        yaml.push_str(&template_route(&id, &format!("ANY {prefix}{proxy}"), function));
    }
    yaml + &template_route("Default", "$default", DEFAULT)
}

fn watch_routes() -> String {
    let mut toml = String::from("[workspace.metadata.lambda.watch.router]\n");
    for ((prefix, is_rest), function) in routes() {
        let rest = if is_rest { "/{*rest}" } else { "" };
        writeln!(toml, "\"{prefix}{rest}\" = \"{function}\"").unwrap();
    }
    writeln!(toml, "\"/{{*rest}}\" = \"{DEFAULT}\"").unwrap();
    toml
}

/// The lines between two markers are as they are generated; or are made so.
pub(crate) fn assert_generated(file: &str, begin: &str, end: &str, want: &str) {
    let text = read(file);
    let (before, rest) = text.split_once(begin).unwrap_or_else(|| panic!("{file} has no {begin:?}"));
    let (now, after) = rest.split_once(end).unwrap_or_else(|| panic!("{file} has no {end:?}"));
    if now == want {
        return;
    }
    assert!(std::env::var_os("STAFFETTA_UPDATE").is_some(), "{file} is not what the code says");
    std::fs::write(root(file), format!("{before}{begin}{want}{end}{after}")).unwrap();
}

#[test]
fn template_and_watch_router_have_the_routes_of_the_code() {
    let template = template_routes();
    assert_generated("infra/template.yaml", "  # routes: begin\n", "  # routes: end\n", &template);
    assert_generated("Cargo.toml", "# routes: begin\n", "# routes: end\n", &watch_routes());
    assert!(routes().len() < 300, "a gateway has at most 300 routes");
}

#[tokio::test]
async fn each_function_answers_as_all_together_do() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let routes = routes();
    let mut odd: BTreeSet<String> =
        ["/", "/api", "/api/v1", "/v1", "/nothing", "/api/v2/contacts"].map(str::to_owned).into();
    for path in paths().keys() {
        let path = path.replace("{id}", "1").replace("{name}", "x").replace("{token}", "x");
        odd.insert(format!("{path}/"));
        odd.insert(format!("{path}/more/and/more"));
        odd.insert(path);
    }
    for path in odd {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let request = || Request::builder().method(method).uri(&path).body(Body::empty()).unwrap();
            let alone = api.send_to(asked(&path, &routes), request()).await;
            let together = api.send_together(request()).await;
            let same = alone.status == together.status && alone.body == together.body;
            assert!(same, "{method} {path}: {} {}", alone.status, String::from_utf8_lossy(&alone.body));
        }
    }
}

fn functions() -> BTreeSet<String> {
    let entries = std::fs::read_dir(root("functions")).unwrap();
    let folders = entries.map(Result::unwrap).filter(|entry| entry.path().is_dir());
    folders.map(|folder| folder.file_name().into_string().unwrap()).collect()
}

/// The resource of a logical id, as text.
fn resource<'a>(template: &'a str, id: &str) -> &'a str {
    let start = template.find(&format!("\n  {id}:\n")).unwrap_or_else(|| panic!("no {id}")) + 1;
    let rest = &template[start..];
    let end = rest[1..].match_indices("\n  ").find(|(i, _)| !rest[i + 4..].starts_with(' '));
    &rest[..end.map_or(rest.len(), |(i, _)| i + 1)]
}

#[test]
fn every_function_is_built_and_deployed() {
    let template = read("infra/template.yaml");
    let alias = read(".cargo/config.toml");
    for function in functions() {
        assert!(
            alias.contains(&format!("\"-p\", \"{function}\"")),
            "cargo lambdas does not build {function}"
        );
        let resource = resource(&template, &format!("{}Function", camel(&function)));
        assert!(resource.contains(&format!("CodeUri: ../target/lambda/{function}/")), "{function}");
        let main = read(&format!("functions/{function}/src/main.rs"));
        assert!(
            main.lines().filter(|line| !line.trim().is_empty()).count() <= 15,
            "{function}: main is long"
        );
    }
}

#[test]
fn whoever_feeds_its_own_queue_may_do_so_for_ever() {
    let template = read("infra/template.yaml");
    for queue in queue::Queue::ALL {
        let parked = resource(&template, &format!("{}Dlq", camel(queue.as_str())));
        let name = format!("${{AWS::StackName}}-{}", queue.as_str());
        let wanted = |name: &str| format!("QueueName: !Sub {name}\n");
        let of = resource(&template, &format!("{}Queue", camel(queue.as_str())));
        assert!(of.contains(&wanted(&name)), "{of}");
        assert!(parked.contains(&wanted(&format!("{name}{}", queue::PARKED))), "{parked}");
        // A worker feeds its own queue when it has the leave to.
        let worker = camel(&format!("{}-worker", queue.as_str()));
        let role = resource(&template, &format!("{worker}Role"));
        let sends = role.split("Sid:").any(|statement| {
            let own = format!("!GetAtt {}Queue.Arn", camel(queue.as_str()));
            statement.contains("sqs:SendMessage") && statement.contains(&own)
        });
        let function = resource(&template, &format!("{worker}Function"));
        assert_eq!(function.contains("RecursiveLoop: Allow"), sends, "{worker}");
        assert!(function.contains("FunctionResponseTypes: [ReportBatchItemFailures]"), "{worker}");
    }
}

/// The kinds of items in a function's statement about the table.
fn granted(template: &str, function: &str) -> BTreeSet<String> {
    let (begin, end) = (format!("# stores of {function}: begin"), format!("# stores of {function}: end"));
    let (_, rest) = template.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (statement, _) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
    let quoted = statement.split('"').skip(1).step_by(2);
    quoted.filter_map(|key| key.strip_suffix("#*")).map(str::to_owned).collect()
}

#[test]
fn a_policy_allows_the_kinds_that_its_function_declares() {
    let template = read("infra/template.yaml");
    let names: BTreeSet<String> = roles().into_iter().map(|role| role.name.to_owned()).collect();
    assert_eq!(names, functions());
    for Role { name: function, kinds } in roles() {
        let kinds: BTreeSet<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        assert_eq!(granted(&template, function), kinds, "{function}");
        let role = resource(&template, &format!("{}Role", camel(function)));
        assert!(!role.contains("dynamodb:*") && !role.contains("Resource: \"*\""), "{function}");
    }
}
