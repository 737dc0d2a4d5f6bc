//! The routes of the gateway, the router of `cargo lambda watch` and the code are the same.
//!
//! `STAFFETTA_UPDATE=1 cargo test -p tests --test it gateway` writes the routes of the
//! code into the other two.

use std::collections::BTreeSet;
use std::fmt::Write;

use axum::body::Body;
use harness::gateway::{asked, paths, routes};
use harness::{Api, World};
use http::Request;
use registry::DEFAULT;
use registry::render::camel;

use crate::registered::assert_generated;

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
    yaml + &template_route("Default", "$default", DEFAULT.name)
}

fn watch_routes() -> String {
    let mut toml = String::from("[workspace.metadata.lambda.watch.router]\n");
    for ((prefix, is_rest), function) in routes() {
        let rest = if is_rest { "/{*rest}" } else { "" };
        writeln!(toml, "\"{prefix}{rest}\" = \"{function}\"").unwrap();
    }
    writeln!(toml, "\"/{{*rest}}\" = \"{}\"", DEFAULT.name).unwrap();
    toml
}

#[test]
fn template_and_watch_router_have_the_routes_of_the_code() {
    assert_generated("infra/template.yaml", "  # routes", &template_routes());
    assert_generated("Cargo.toml", "# routes", &watch_routes());
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
