//! What every endpoint answers, word for word: a story per area, and its answers in a
//! snapshot. Names, order and spelling of what clients read do not change unseen.
//!
//! The stories are played on virtual time with seeded ids, so that two runs answer alike.

mod dmchamp;
mod sendapi;
mod sendapp;
mod sendwo;
mod story;

use harness::Setup;
use harness::faults::in_virtual_time;

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
