//! What people write.

use super::{Promise, Stage, digits, messages};

pub(super) async fn of_people(stage: &Stage) {
    stage.world.writes(&digits(0), "Buongiorno");
    stage.world.writes(&digits(1), "HELP");
    messages::send(stage, 2).await;
    stage.world.writes(&digits(2), "STOP");
    stage.until_opted_out(2).await;
    for (n, text) in [(0, "Buongiorno"), (1, "HELP"), (2, "STOP")] {
        stage.promise(Promise::Received { from: n, text: text.to_owned() });
    }
    stage.promise(Promise::Answered { to: digits(1), text: "Siamo aperti".to_owned() });
}
