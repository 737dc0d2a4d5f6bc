//! Which contract a path belongs to.

/// Whose contract a path speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `/api`, and everything that no other dialect claims.
    SendApp,
    /// `/api/v1`
    Sendwo,
    /// `/v1/whatsapp`, `/v1/account`, `/v1/sms`, `/v1/verify`, `/v1/phone`, `/v1/email`
    SendApi,
    /// The rest of `/v1`.
    DmChamp,
}

/// Prefixes and their dialects; the longest that fits decides.
const PREFIXES: [(&str, Dialect); 9] = [
    ("/api", Dialect::SendApp),
    ("/api/v1", Dialect::Sendwo),
    ("/v1", Dialect::DmChamp),
    ("/v1/whatsapp", Dialect::SendApi),
    ("/v1/account", Dialect::SendApi),
    ("/v1/sms", Dialect::SendApi),
    ("/v1/verify", Dialect::SendApi),
    ("/v1/phone", Dialect::SendApi),
    ("/v1/email", Dialect::SendApi),
];

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 4] = [Self::SendApp, Self::Sendwo, Self::SendApi, Self::DmChamp];

    /// The dialect of a path, by whole segments: `/v1/whatsapp-web` is not below
    /// `/v1/whatsapp`.
    pub fn of_path(path: &str) -> Self {
        let longest = PREFIXES
            .iter()
            .filter(|(prefix, _)| Self::is_below(path, prefix))
            .max_by_key(|(prefix, _)| prefix.len());
        longest.map_or(Self::SendApp, |(_, dialect)| *dialect)
    }

    /// Whether a path is `prefix`, or below it.
    pub(crate) fn is_below(path: &str, prefix: &str) -> bool {
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The parameter that may carry the key, unless only a header does.
    pub fn key_parameter(self) -> Option<&'static str> {
        match self {
            Self::SendApp => Some("apikey"),
            Self::Sendwo => Some("apiToken"),
            Self::SendApi => None,
            Self::DmChamp => Some("apiKey"),
        }
    }

    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendApp => "sendapp",
            Self::Sendwo => "sendwo",
            Self::SendApi => "sendapi",
            Self::DmChamp => "dmchamp",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_decides_by_whole_segments() {
        for (path, want) in [
            ("/api/contacts", Dialect::SendApp),
            ("/api", Dialect::SendApp),
            ("/api/v1", Dialect::Sendwo),
            ("/api/v1/subscriber/list", Dialect::Sendwo),
            ("/api/v11/x", Dialect::SendApp),
            ("/v1/whatsapp/contacts", Dialect::SendApi),
            ("/v1/whatsapp-web/x", Dialect::DmChamp),
            ("/v1/contacts", Dialect::DmChamp),
            ("/v1", Dialect::DmChamp),
            ("/media/x/y", Dialect::SendApp),
            ("/", Dialect::SendApp),
        ] {
            assert_eq!(Dialect::of_path(path), want, "{path}");
        }
    }
}
