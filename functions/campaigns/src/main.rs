//! The function on Lambda: requests of the API.

use std::process::ExitCode;

use campaigns::{App, routes};
use messaging::Services;
use queue::Queue::{Campaign, Send};
use queue::Queues;

fn main() -> ExitCode {
    runtime::lambda(async |env| {
        let queues = Queues::of(&env, &[Campaign, Send])?;
        let mut services = Services::of(&env, secrets::store(&env)?, queues)?;
        services.schedules = Some(schedules::Schedules::of(&env)?);
        api_http::lambda(&env, routes(App { services, patience: messaging::campaigns::PATIENCE })).await
    })
}
