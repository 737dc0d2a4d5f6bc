//! What a campaign gives and its template does not take.

use super::params::Params;
use super::slot::{ButtonKind, Place, Slot, all_slots};
use super::{Template, slot};

/// What of `params` and the draft's `media_url` fills nothing, each as a sentence. Nothing is
/// refused for it.
pub fn surplus(template: &Template, params: &Params, media_url: Option<&str>) -> Vec<String> {
    let slots = all_slots(template);
    let of = |card: Option<usize>| slots.iter().filter(move |slot| slot.card == card).collect::<Vec<_>>();
    let mut found = Vec::new();
    of_part(params, &of(None), "", &mut found);
    let has_file = |slot: &Slot| slot.card.is_none() && matches!(slot.place, Place::HeaderMedia(_));
    if media_url.is_some() && !slots.iter().any(has_file) {
        found.push("media_url fills nothing: the template has no header with a file".to_owned());
    }
    let cards = template.components.iter().map(|component| slot::list(component, "cards").len()).max();
    let cards = cards.unwrap_or(0);
    if params.cards.len() > cards {
        found.push(more("cards", params.cards.len(), cards, ""));
    }
    for (number, card) in params.cards.iter().take(cards).enumerate() {
        of_part(card, &of(Some(number)), &format!("carousel card {} ", number + 1), &mut found);
    }
    found.extend(params.unread.iter().map(|field| format!("{field} is not known and fills nothing")));
    found
}

fn more(what: &str, given: usize, taken: usize, of: &str) -> String {
    format!(
        "template_params has {given} {what} for {taken} that the template's {of}has: the rest fill nothing"
    )
    .replace("template's has", "template has")
}

fn of_part(params: &Params, slots: &[&Slot], of: &str, found: &mut Vec<String>) {
    let count = |is: fn(&Place) -> bool| slots.iter().filter(|slot| is(&slot.place)).count();
    let headers = count(|place| matches!(place, Place::HeaderText(_)));
    let bodies = count(|place| matches!(place, Place::Body(_)));
    let quick = |place: &Place| matches!(place, Place::Button(_, ButtonKind::QuickReply));
    let buttons = count(|place| matches!(place, Place::Button(..))) - count(quick);
    let open =
        |is_payload| params.buttons.iter().filter(move |b| b.index.is_none() && b.is_payload == is_payload);
    for (what, given, taken) in [
        ("header values", params.header.len(), headers),
        ("body values", params.body.len(), bodies),
        ("button values", open(false).count(), buttons),
        ("button payloads", open(true).count(), count(quick)),
    ] {
        if given > taken {
            found.push(more(what, given, taken, of));
        }
    }
    let indexed = params.buttons.iter().filter_map(|button| button.index);
    for index in
        indexed.filter(|index| !slots.iter().any(|s| matches!(s.place, Place::Button(i, _) if i == *index)))
    {
        found.push(format!(
            "template_params gives something for {of}button {}, which takes nothing",
            index + 1
        ));
    }
    for (what, given, taken) in [
        ("media", params.media.is_some(), count(|place| matches!(place, Place::HeaderMedia(_)))),
        ("location", params.location.is_some(), count(|place| matches!(place, Place::HeaderLocation))),
        ("product", params.product.is_some(), count(|place| matches!(place, Place::HeaderProduct))),
        ("limited_time_offer", params.offer.is_some(), count(|place| matches!(place, Place::Offer))),
    ] {
        if given && taken == 0 {
            found.push(format!("template_params.{what} fills nothing: the template has no such {of}part"));
        }
    }
    for name in params.named.keys().filter(|name| !slots.iter().any(|slot| takes(&slot.place, name))) {
        found.push(format!(
            "template_params.{name} fills nothing: the template has no {of}variable of that name"
        ));
    }
}

/// Whether a place is filled by what is given under a name.
fn takes(place: &Place, name: &str) -> bool {
    match place {
        Place::HeaderText(variable) | Place::Body(variable) => variable == name,
        Place::HeaderMedia(_) => matches!(name, "media" | "media_url"),
        Place::HeaderProduct => matches!(name, "product" | "product_retailer_id" | "catalog_id"),
        Place::Offer => {
            matches!(
                name,
                "limited_time_offer" | "offer" | "expiration" | "expiration_time_ms" | "expires_at"
            )
        }
        Place::Button(_, ButtonKind::CopyCode) => name == "coupon_code",
        Place::Button(_, ButtonKind::Flow) => name == "flow_token",
        Place::Button(_, ButtonKind::Catalog) => name == "thumbnail_product_retailer_id",
        Place::Button(..) | Place::HeaderLocation | Place::Unknown(_) => false,
    }
}
