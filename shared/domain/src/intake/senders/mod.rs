//! The senders whose shapes are known, each in its file.

mod hubspot;
mod klaviyo;
mod pipedrive;
mod shopify;
mod stripe;
mod typeform;
mod woocommerce;

use super::node::Node;
use super::person::Person;
use super::{Ignored, Payload, walk};

/// A sender that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    Shopify,
    WooCommerce,
    HubSpot,
    Klaviyo,
    Pipedrive,
    Stripe,
    Typeform,
}

impl Platform {
    const ALL: [Self; 7] = [
        Self::Shopify,
        Self::WooCommerce,
        Self::HubSpot,
        Self::Klaviyo,
        Self::Pipedrive,
        Self::Stripe,
        Self::Typeform,
    ];

    /// The tag of its contacts.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Shopify => "shopify",
            Self::WooCommerce => "woocommerce",
            Self::HubSpot => "hubspot",
            Self::Klaviyo => "klaviyo",
            Self::Pipedrive => "pipedrive",
            Self::Stripe => "stripe",
            Self::Typeform => "typeform",
        }
    }

    /// Headers that only this sender has.
    fn headers(self) -> &'static [&'static str] {
        match self {
            Self::Shopify => &["x-shopify-topic", "x-shopify-hmac-sha256"],
            Self::WooCommerce => &["x-wc-webhook-topic", "x-wc-webhook-signature"],
            Self::HubSpot => &["x-hubspot-signature", "x-hubspot-signature-v3"],
            Self::Klaviyo => &["klaviyo-webhook-id"],
            Self::Pipedrive => &[],
            Self::Stripe => &["stripe-signature"],
            Self::Typeform => &["typeform-signature"],
        }
    }

    /// The sender that the headers name.
    pub(super) fn by_headers(payload: &Payload<'_>) -> Option<Self> {
        let agent = payload.header("user-agent").unwrap_or_default().to_ascii_lowercase();
        Self::ALL.into_iter().find(|sender| {
            sender.headers().iter().any(|name| payload.header(name).is_some())
                || agent.contains(sender.as_str())
        })
    }

    /// The sender whose shape the body has.
    pub(super) fn by_shape(root: &Node) -> Option<Self> {
        Self::ALL.into_iter().find(|sender| sender.fits(root))
    }

    fn fits(self, root: &Node) -> bool {
        match self {
            Self::Shopify => shopify::fits(root),
            Self::WooCommerce => woocommerce::fits(root),
            Self::HubSpot => hubspot::fits(root),
            Self::Klaviyo => klaviyo::fits(root),
            Self::Pipedrive => pipedrive::fits(root),
            Self::Stripe => stripe::fits(root),
            Self::Typeform => typeform::fits(root),
        }
    }

    fn people(self, root: &Node, payload: &Payload<'_>) -> Result<Vec<Person>, Ignored> {
        match self {
            Self::Shopify => shopify::people(root, payload.header("x-shopify-topic")),
            Self::WooCommerce => {
                let (topic, shop) =
                    (payload.header("x-wc-webhook-topic"), payload.header("x-wc-webhook-source"));
                woocommerce::people(root, topic, shop)
            }
            Self::HubSpot => hubspot::people(root),
            Self::Klaviyo => Ok(klaviyo::people(root)),
            Self::Pipedrive => pipedrive::people(root),
            Self::Stripe => stripe::people(root),
            Self::Typeform => Ok(typeform::people(root)),
        }
    }
}

/// The people of a body. A body that has no known shape is searched, also when
/// its headers name a sender: Klaviyo's users, for one, write their own. So is one in
/// whose known shape nobody stands.
pub(super) fn people(root: &Node, payload: &Payload<'_>) -> Result<Vec<Person>, Ignored> {
    let shop =
        Platform::by_headers(payload).filter(|s| matches!(s, Platform::Shopify | Platform::WooCommerce));
    let Some(sender) = shop.or_else(|| Platform::by_shape(root)) else { return walk::people(root) };
    match sender.people(root, payload) {
        Ok(people) if people.iter().any(Person::is_reachable) => Ok(people),
        // The person may stand beside the sender's own record, as in a meeting's body.
        Ok(nobody) => match walk::people(root) {
            Ok(people) if people.iter().any(Person::is_reachable) => Ok(people),
            Ok(_) => Ok(nobody),
            Err(reason) => Err(reason),
        },
        Err(Ignored::OnlyAnId) => {
            let found = walk::people(root).ok().filter(|people| people.iter().any(Person::is_reachable));
            found.ok_or(Ignored::OnlyAnId)
        }
        Err(reason) => Err(reason),
    }
}

/// A topic that names what happened to what, as `customers/update` or
/// `order.deleted` do.
fn check_topic(topic: &str, about: &[&str]) -> Result<(), Ignored> {
    let (what, happened) = topic.split_once(['/', '.']).unwrap_or((topic, ""));
    if matches!(happened, "delete" | "deleted" | "redact" | "data_request" | "privacyDeletion" | "deletion") {
        return Err(Ignored::Deleted);
    }
    if about.contains(&what) { Ok(()) } else { Err(Ignored::OtherTopic(topic.chars().take(100).collect())) }
}
