//! How a run goes on. A step that does something is first written down as being done, then
//! done under an id made of the run and its `effects`, and then told as done: whoever is
//! interrupted does the same again, under the same id.

use serde_json::{Map, Value};

use crate::answer;
use crate::condition::Facts;
use crate::definition::{Ask, Call, Definition, OnChange, Set, Step, StepId};
use crate::outgoing::Outgoing;
use crate::run::{At, Ending, Reply, Run};
use crate::values::{fill, fill_map, fill_url};
use crate::{MAX_SILENT_MESSAGES, MAX_SILENT_STEPS};

/// Why a run ends whose variables are too large.
const NO_ROOM: &str = "vars_too_large";

/// What happened to a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It is to go on from where it is.
    Proceed,
    /// The contact said something.
    Reply(Reply),
    /// A time has come.
    Due,
    /// What was being done is done.
    Done {
        /// What a call was answered.
        answer: Option<Value>,
        /// When, in milliseconds since 1970: what was said before answers no question.
        at_ms: i64,
    },
    /// What was being done can never be done: how that ends a run, and why, in a word.
    Failed(Ending, String),
    /// The run is to end.
    End(Ending),
}

/// What a step does outside the run.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Sends a message.
    Send(Outgoing),
    /// Writes something down with the contact.
    Set(Box<Set>),
    /// Posts to the owner's server.
    Call {
        /// Where to.
        url: String,
        /// What the owner wants posted.
        body: Map<String, Value>,
    },
    /// Hands the conversation over to a person, and says so.
    HandOver(Option<Outgoing>),
}

/// Lets a run go on until something is to be done, it rests, or it is over. What is to be done
/// is answered: the run has to be stored first.
pub fn advance(flow: &Definition, run: &mut Run, event: Event, facts: &Facts<'_>) -> Option<Effect> {
    match event {
        Event::Proceed => {}
        Event::End(why) => {
            if !run.is_over() {
                run.end(why);
            }
        }
        Event::Reply(reply) => hear(flow, run, reply, facts),
        Event::Due => wake(flow, run, facts),
        Event::Done { answer, at_ms } => done(flow, run, (answer.as_ref(), at_ms), facts),
        Event::Failed(why, reason) => failed(flow, run, why, reason),
    }
    proceed(flow, run, facts)
}

/// What is being done, for whoever finds a run amid a step.
pub fn effect(flow: &Definition, run: &Run, facts: &Facts<'_>) -> Option<Effect> {
    let At::Doing { step, again } = &run.at else { return None };
    let text = |text: &String| Outgoing::text(&fill(text, run, facts.contact));
    match flow.steps.get(step)? {
        Step::Message(message) => Some(Effect::Send(Outgoing::of_message(message, run, facts.contact))),
        Step::Ask(ask) => Some(Effect::Send(Outgoing::of_ask(ask, *again, run, facts.contact))),
        Step::Set(set) => Some(Effect::Set(Box::new(filled(set, run, facts)))),
        Step::Call(Call { url, body, .. }) => {
            let body = fill_map(body, run, facts.contact);
            Some(Effect::Call { url: fill_url(url, run, facts.contact), body })
        }
        Step::Handover(hand_over) => Some(Effect::HandOver(hand_over.text.as_ref().map(text))),
        Step::Condition(_) | Step::Wait(_) | Step::Goto(_) | Step::End(_) => None,
    }
}

/// Whether a reply is one of the choices of the question at which a run is.
pub fn is_choice(flow: &Definition, run: &Run, reply: &Reply, facts: &Facts<'_>) -> bool {
    let At::Asking { step, .. } = &run.at else { return false };
    let Some(Step::Ask(ask)) = flow.steps.get(step) else { return false };
    answer::read(ask, reply, facts.country, facts.now).is_some_and(|answered| answered.choice.is_some())
}

/// Takes a run that went by an earlier version over to this one.
pub fn resume_after_change(flow: &Definition, version: u32, run: &mut Run) {
    if run.version == version || run.is_over() {
        return;
    }
    run.version = version;
    let is_gone = run.step().is_none_or(|step| !flow.steps.contains_key(step));
    // What is at a question has to be at one still, and so on.
    let fits = run.step().and_then(|step| flow.steps.get(step)).is_some_and(|step| match &run.at {
        At::Asking { .. } => matches!(step, Step::Ask(_)),
        At::Waiting { .. } => matches!(step, Step::Wait(_)),
        At::Before { .. } | At::Doing { .. } | At::Ended { .. } => true,
    });
    if flow.on_change == OnChange::End || is_gone || !fits {
        run.end(Ending::Changed);
    }
}

fn go(run: &mut Run, to: Option<&StepId>) {
    run.tries = 0;
    match to {
        Some(step) => run.at = At::Before { step: step.clone() },
        None => run.end(Ending::Finished),
    }
}

fn hear(flow: &Definition, run: &mut Run, reply: Reply, facts: &Facts<'_>) {
    if run.is_over() {
        return;
    }
    if is_expired(flow, run, reply.at_ms) {
        run.end(Ending::Expired);
        return;
    }
    run.heard_ms = run.heard_ms.max(reply.at_ms);
    (run.silent_steps, run.silent_messages) = (0, 0);
    let At::Asking { step, asked_ms, .. } = run.at.clone() else {
        // Nobody asked yet: it is what conditions find.
        if matches!(run.at, At::Doing { .. }) {
            run.hear_later(reply.clone());
        }
        run.reply = Some(reply);
        return;
    };
    // Said before the question was asked, to the second: Meta tells no more.
    if reply.at_ms.div_euclid(1_000) < asked_ms.div_euclid(1_000) {
        return;
    }
    let Some(Step::Ask(ask)) = flow.steps.get(&step) else {
        run.end(Ending::Changed);
        return;
    };
    let answered = answer::read(ask, &reply, facts.country, facts.now);
    run.reply = Some(reply);
    match answered {
        Some(answered) => {
            if let Some(name) = &ask.save
                && !run.keep([(name.clone(), answered.value)].into_iter().collect())
            {
                run.fail(NO_ROOM);
                return;
            }
            let to = answered.choice.and_then(|choice| choice.to.as_ref()).or(ask.next.as_ref());
            go(run, to);
        }
        None => wrong(run, ask, step),
    }
}

/// An answer that was none: it is asked again, until there were too many.
fn wrong(run: &mut Run, ask: &Ask, step: StepId) {
    if run.tries >= ask.retries {
        go(run, ask.on_invalid.as_ref());
        return;
    }
    run.tries += 1;
    say(run, step, true);
}

/// A step that sends something, unless the contact has heard enough.
fn say(run: &mut Run, step: StepId, again: bool) {
    if run.silent_messages >= MAX_SILENT_MESSAGES {
        run.end(Ending::Loop);
        return;
    }
    run.silent_messages += 1;
    run.begin(step, again);
}

/// Whether a contact who is asked something was not heard of for too long.
pub fn is_expired(flow: &Definition, run: &Run, at_ms: i64) -> bool {
    let is_asking = matches!(run.at, At::Asking { .. });
    is_asking && at_ms >= run.heard_ms + i64::from(flow.expires_hours) * 3_600_000
}

fn wake(flow: &Definition, run: &mut Run, facts: &Facts<'_>) {
    let now_ms = facts.now.as_millisecond();
    match run.at.clone() {
        At::Waiting { step, due_ms } if due_ms <= now_ms => {
            let next = match flow.steps.get(&step) {
                Some(Step::Wait(wait)) => wait.next.as_ref(),
                Some(_) | None => None,
            };
            go(run, next);
        }
        At::Asking { step, due_ms, .. } => {
            let on_timeout = match flow.steps.get(&step) {
                Some(Step::Ask(ask)) => ask.on_timeout.as_ref(),
                Some(_) | None => None,
            };
            if is_expired(flow, run, now_ms) {
                run.end(Ending::Expired);
            } else if due_ms.is_some_and(|due| due <= now_ms) {
                match on_timeout {
                    Some(_) => go(run, on_timeout),
                    None => run.end(Ending::Expired),
                }
            }
        }
        At::Waiting { .. } | At::Before { .. } | At::Doing { .. } | At::Ended { .. } => {}
    }
}

fn done(flow: &Definition, run: &mut Run, (answer, at_ms): (Option<&Value>, i64), facts: &Facts<'_>) {
    let At::Doing { step, .. } = run.at.clone() else { return };
    match flow.steps.get(&step) {
        Some(Step::Ask(ask)) => {
            let due_ms = ask.timeout_minutes.map(|minutes| at_ms + i64::from(minutes) * 60_000);
            run.at = At::Asking { step, asked_ms: at_ms, due_ms };
            for reply in std::mem::take(&mut run.unheard) {
                hear(flow, run, reply, facts);
            }
            return;
        }
        Some(Step::Message(message)) => go(run, message.next.as_ref()),
        Some(Step::Set(set)) => set_vars(run, set, facts),
        Some(Step::Call(call)) => {
            let found = |pointer: &String| answer.and_then(|answer| answer.pointer(pointer)).cloned();
            let vars = call.save.iter().map(|(name, at)| (name.clone(), found(at).unwrap_or_default()));
            // An answer that is too large to be kept is none.
            let to = if run.keep(vars.collect()) { None } else { call.on_error.as_ref() };
            go(run, to.or(call.next.as_ref()));
        }
        Some(Step::Handover(_)) => run.end(Ending::HandedOver),
        Some(Step::Condition(_) | Step::Wait(_) | Step::Goto(_) | Step::End(_)) | None => {
            run.end(Ending::Changed);
        }
    }
    // It was said before a question that comes now.
    run.unheard.clear();
}

fn failed(flow: &Definition, run: &mut Run, why: Ending, reason: String) {
    let At::Doing { step, .. } = run.at.clone() else { return };
    match flow.steps.get(&step) {
        Some(Step::Call(call)) => go(run, call.on_error.as_ref().or(call.next.as_ref())),
        Some(_) | None => {
            run.reason = Some(reason);
            run.end(why);
        }
    }
}

/// Takes steps until one does something, rests, or there is none.
fn proceed(flow: &Definition, run: &mut Run, facts: &Facts<'_>) -> Option<Effect> {
    while let At::Before { step: id } = run.at.clone() {
        let Some(step) = flow.steps.get(&id) else {
            run.end(Ending::Changed);
            return None;
        };
        if run.silent_steps >= MAX_SILENT_STEPS {
            run.end(Ending::Loop);
            return None;
        }
        run.silent_steps += 1;
        match step {
            Step::Message(_) | Step::Ask(_) => say(run, id, false),
            Step::Set(set) if set.is_silent() => set_vars(run, set, facts),
            Step::Set(_) | Step::Call(_) | Step::Handover(_) => run.begin(id, false),
            Step::Condition(condition) => {
                let case = condition.cases.iter().find(|case| case.when.holds(run, facts));
                go(run, case.map(|case| &case.to).or(condition.otherwise.as_ref()));
            }
            Step::Wait(wait) => {
                let due_ms = facts.now.as_millisecond() + i64::from(wait.minutes) * 60_000;
                run.at = At::Waiting { step: id, due_ms };
            }
            Step::Goto(goto) => go(run, Some(&goto.to)),
            Step::End(_) => run.end(Ending::Finished),
        }
    }
    effect(flow, run, facts)
}

/// Sets what concerns the run, and goes on.
fn set_vars(run: &mut Run, set: &Set, facts: &Facts<'_>) {
    let vars = fill_map(&set.vars, run, facts.contact);
    match run.keep(vars) {
        true => go(run, set.next.as_ref()),
        false => run.fail(NO_ROOM),
    }
}

fn filled(set: &Set, run: &Run, facts: &Facts<'_>) -> Set {
    let text = |text: &String| fill(text, run, facts.contact);
    Set {
        metadata: fill_map(&set.metadata, run, facts.contact),
        add_tags: set.add_tags.iter().map(text).collect(),
        remove_tags: set.remove_tags.iter().map(text).collect(),
        lists: set.lists.clone(),
        note: set.note.as_ref().map(text),
        vars: Map::new(),
        next: None,
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
