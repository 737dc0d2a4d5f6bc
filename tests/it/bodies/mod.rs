//! What every endpoint answers, word for word: a story per area, and its answers in a
//! snapshot. Names, order and spelling of what clients read do not change unseen.
//!
//! The stories are played on virtual time with seeded ids, so that two runs answer alike.

mod dmchamp;
mod sendapi;
mod sendapp;
mod sendwo;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use harness::Setup;
use harness::faults::in_virtual_time;

use crate::routes::routes;
use story::Story;

/// Plays a story and compares its answers with the snapshot of the area.
fn compare(area: &str, story: impl AsyncFnOnce(&mut Story<'_>)) {
    let setup = Setup { any_number: true, ..Setup::default() };
    let mut answers = String::new();
    in_virtual_time(setup, async |world| {
        let mut told = Story::new(world).await;
        story(&mut told).await;
        answers = told.answers;
    });
    let mut settings = insta::Settings::new();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("snapshots");
    settings.bind(|| insta::assert_snapshot!(area, answers));
}

/// The texts of the files below a folder of `bodies` with an extension, by the files' names.
fn files(folder: &str, extension: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/bodies").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|found| found == extension));
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    paths.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

/// The route of an answer, such as `GET /api/contacts 200` with a body below it. A refusal
/// alone does not say what an endpoint answers; Sendwo's are 200 with a status of their own.
fn done(answer: &str) -> Option<&str> {
    let (heading, body) = answer.split_once('\n')?;
    let (route, status) = heading.rsplit_once(' ')?;
    let is_refusal = status >= "400" || body.contains("\n  \"status\": \"0\"");
    (!is_refusal).then_some(route)
}

/// Meta's webhook is in no table of routes: what it answers is Meta's to say.
#[test]
fn every_route_has_an_answer_in_a_snapshot() {
    let snapshots = files("snapshots", "snap");
    let answers = snapshots.values().filter_map(|text| Some(text.split_once("\n---\n")?.1.split("\n\n")));
    let told: BTreeSet<&str> = answers.flatten().filter_map(done).collect();
    let routes = routes().into_iter().map(|route| format!("{} {}", route.method, route.path));
    let untold: Vec<String> = routes.filter(|route| !told.contains(&**route)).collect();
    assert!(untold.is_empty(), "in no snapshot of tests/it/bodies:\n{}", untold.join("\n"));
}

#[test]
fn every_snapshot_has_its_story() {
    let stories: String =
        [files("", "rs"), files("sendapp", "rs")].iter().flat_map(BTreeMap::values).cloned().collect();
    for area in files("snapshots", "snap").into_keys() {
        assert!(stories.contains(&format!("compare(\"{area}\"")), "{area}.snap is left over");
    }
}
