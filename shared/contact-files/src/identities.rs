//! What else a contact is known by, as an export writes it and an import reads it.

use domain::Invalid;
use domain::contact::{MAX_ALIASES, NewContact};
use domain::identity::{Identity, check_external_id};

/// Longest id of somebody on a channel, in bytes.
const MAX_ID: usize = 255;

/// Adds what a cell has to a contact. Ids in other systems are its own, as `external_id` is. What
/// a provider or a channel calls a person by counts only where nothing else does: a file can be
/// written by anybody, and must not make one person of two. A number that they had is none of
/// theirs any more.
///
/// # Errors
/// Names `identities`.
pub(crate) fn add(new: &mut NewContact, cell: &str) -> Result<(), Invalid> {
    let texts = serde_json::from_str::<Vec<String>>(cell).map_err(|_| wrong())?;
    if texts.len() > MAX_ALIASES + 1 {
        return Err(wrong());
    }
    let all: Vec<Identity> = texts.iter().map(|text| read(text)).collect::<Result<_, _>>()?;
    for identity in &all {
        if let Identity::External(id) = identity {
            match new.external_id {
                None => new.external_id = Some(id.clone()),
                Some(_) => new.aliases.push(identity.clone()),
            }
        }
    }
    if !new.identities().is_empty() {
        return Ok(());
    }
    for identity in all {
        match identity {
            Identity::Bsuid(id) => new.bsuid = new.bsuid.take().or(Some(id)),
            Identity::Custom { channel, id } => new.custom = new.custom.take().or(Some((channel, id))),
            Identity::Lid(_) => new.aliases.push(identity),
            Identity::Phone(_) | Identity::Email(_) | Identity::External(_) => {}
        }
    }
    if new.identities().is_empty() {
        let message = "identities has only numbers that the contact had: nobody is found by them";
        return Err(Invalid::new("identities", message));
    }
    Ok(())
}

fn read(text: &str) -> Result<Identity, Invalid> {
    let identity = Identity::decode(text).ok_or_else(wrong)?;
    let is_nobody = matches!(&identity, Identity::Custom { channel, .. } if channel.is_empty());
    if is_nobody || identity.value().is_empty() || identity.value().len() > MAX_ID {
        return Err(wrong());
    }
    if let Identity::External(id) = identity {
        return check_external_id(&id).map(Identity::External);
    }
    Ok(identity)
}

fn wrong() -> Invalid {
    let message = "identities must be an array of JSON, as an export writes it: [\"external#crm:7\"]";
    Invalid::new("identities", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_knows_counts_where_nothing_else_does() {
        let read = |external: Option<&str>, cell: &str| {
            let mut new = NewContact { external_id: external.map(str::to_owned), ..NewContact::default() };
            add(&mut new, cell).map(|()| new).map_err(|invalid| invalid.field)
        };
        let new = read(Some("crm:1"), r#"["external#shop:2","bsuid#IT.1"]"#).unwrap();
        assert_eq!(new.aliases, [Identity::External("shop:2".to_owned())]);
        assert_eq!((new.external_id.as_deref(), new.bsuid), (Some("crm:1"), None));
        assert_eq!(read(None, r#"["bsuid#IT.1"]"#).unwrap().bsuid.as_deref(), Some("IT.1"));
        let channel = Some(("live chat".to_owned(), "a#1".to_owned()));
        assert_eq!(read(None, r#"["custom:live chat#a#1"]"#).unwrap().custom, channel);
        for cell in [r#"["phone#+393331234567"]"#, "x", r#"["external#crm"]"#, r#"["bsuid#"]"#, r#"["a"]"#] {
            assert!(
                read(None, cell).is_err_and(|field| ["identities", "external_id"].contains(&&*field)),
                "{cell}"
            );
        }
    }
}
