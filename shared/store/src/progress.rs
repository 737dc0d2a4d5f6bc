//! State, error and timestamps as attributes, shared by ledger rows and messages.

use domain::outcome::Reason;
use domain::recipient::{Progress, State};

use crate::item::{Item, n, number, s, text};
use crate::update::Update;

/// Reads the progress of an item.
pub(crate) fn read_progress(item: &Item) -> Progress {
    Progress {
        state: text(item, "state").and_then(|s| State::parse(&s)).unwrap_or(State::Unknown),
        provider_id: text(item, "wamid"),
        reason: text(item, "reason").map(|reason| Reason::parse(&reason)),
        held: item.contains_key("held"),
        accepted_at: number(item, "acc"),
        sent_at: number(item, "snt"),
        delivered_at: number(item, "dlv"),
        read_at: number(item, "rd"),
        failed_at: number(item, "fld"),
    }
}

fn reason_of(progress: &Progress) -> Option<String> {
    progress.reason.as_ref().map(ToString::to_string)
}

/// Sets what `after` has and `before` has not.
pub(crate) fn set_changes(mut update: Update, before: Option<&Progress>, after: &Progress) -> Update {
    if before.is_none_or(|b| b.state != after.state) {
        update = update.set("state", s(after.state.as_str())).set("rk", n(after.state.rank()));
    }
    let texts = [
        ("wamid", before.and_then(|b| b.provider_id.clone()), after.provider_id.clone()),
        ("reason", before.and_then(reason_of), reason_of(after)),
    ];
    for (name, was, is) in texts {
        update = match (was, is) {
            (was, Some(is)) if was.as_deref() != Some(&is) => update.set(name, s(is)),
            (Some(_), None) => update.remove(name),
            _ => update,
        };
    }
    let was_held = before.is_some_and(|b| b.held);
    update = match (was_held, after.held) {
        (false, true) => update.set("held", n(1)),
        (true, false) => update.remove("held"),
        _ => update,
    };
    let times = [
        ("acc", before.and_then(|b| b.accepted_at), after.accepted_at),
        ("snt", before.and_then(|b| b.sent_at), after.sent_at),
        ("dlv", before.and_then(|b| b.delivered_at), after.delivered_at),
        ("rd", before.and_then(|b| b.read_at), after.read_at),
        ("fld", before.and_then(|b| b.failed_at), after.failed_at),
    ];
    for (name, was, is) in times {
        if was != is {
            update = update.set_some(name, is.map(n));
        }
    }
    update
}

/// The attributes of a new item's progress.
pub(crate) fn attributes(progress: &Progress) -> Item {
    let mut item = Item::from([
        ("state".to_owned(), s(progress.state.as_str())),
        ("rk".to_owned(), n(progress.state.rank())),
    ]);
    let texts = [("wamid", progress.provider_id.clone()), ("reason", reason_of(progress))];
    item.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), s(text?)))));
    let times = [
        ("acc", progress.accepted_at),
        ("snt", progress.sent_at),
        ("dlv", progress.delivered_at),
        ("rd", progress.read_at),
        ("fld", progress.failed_at),
    ];
    item.extend(times.into_iter().filter_map(|(name, at)| Some((name.to_owned(), n(at?)))));
    item
}
