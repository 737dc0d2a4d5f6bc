//! Which addresses are not the public internet.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not dialled. Sources: the special-purpose registries of
/// IANA for IPv4 and IPv6, and what stripe/smokescreen and svix refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// `0.0.0.0/8`, `::`.
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// RFC 1918, and the unique and site-local addresses of IPv6.
    Private,
    /// `100.64.0.0/10`, between a carrier and its customers.
    SharedCarrier,
    /// `169.254.0.0/16`, `fe80::/10`: where clouds keep credentials.
    LinkLocal,
    /// An address at which a cloud answers its own machines outside of the
    /// link-local range.
    CloudMetadata,
    /// Multicast.
    Multicast,
    /// `255.255.255.255`.
    Broadcast,
    /// Examples in texts.
    Documentation,
    /// Measuring of devices.
    Benchmarking,
    /// Set aside by the IETF for protocols, relays, identifiers or the future.
    Reserved,
    /// An IPv6 address that carries an IPv4 address: mapped, compatible,
    /// translated, NAT64, 6to4, Teredo, ISATAP.
    EmbedsIpv4,
}

impl AddressClass {
    /// The class as a phrase: `a loopback address`.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Unspecified => "the unspecified address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::SharedCarrier => "a carrier's shared address",
            Self::LinkLocal => "a link-local address",
            Self::CloudMetadata => "a cloud metadata address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Documentation => "a documentation address",
            Self::Benchmarking => "a benchmarking address",
            Self::Reserved => "a reserved address",
            Self::EmbedsIpv4 => "an ipv6 address that carries an ipv4 address",
        }
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.phrase())
    }
}

/// Why `address` is not dialled; `None` for a public address.
pub fn classify(address: IpAddr) -> Option<AddressClass> {
    match address {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => classify_v6(v6),
    }
}

fn classify_v4(address: Ipv4Addr) -> Option<AddressClass> {
    Some(match address.octets() {
        [0, ..] => AddressClass::Unspecified,
        [127, ..] => AddressClass::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressClass::Private,
        // Alibaba's metadata, inside the carriers' range.
        [100, 100, 100, 200] => AddressClass::CloudMetadata,
        [100, 64..=127, ..] => AddressClass::SharedCarrier,
        [169, 254, ..] => AddressClass::LinkLocal,
        // Azure's agent endpoint and Oracle's metadata.
        [168, 63, 129, 16] | [192, 0, 0, 192] => AddressClass::CloudMetadata,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => AddressClass::Documentation,
        [198, 18..=19, ..] => AddressClass::Benchmarking,
        [255, 255, 255, 255] => AddressClass::Broadcast,
        [224..=239, ..] => AddressClass::Multicast,
        [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => AddressClass::Reserved,
        _ => return None,
    })
}

fn classify_v6(address: Ipv6Addr) -> Option<AddressClass> {
    if address.is_unspecified() {
        return Some(AddressClass::Unspecified);
    }
    if address.is_loopback() {
        return Some(AddressClass::Loopback);
    }
    if embeds_ipv4(address) {
        return Some(AddressClass::EmbedsIpv4);
    }
    Some(match address.segments() {
        [0x100, 0, 0, 0..=1, ..] => AddressClass::Reserved,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => AddressClass::Documentation,
        [0x2001, 0x2, 0, ..] => AddressClass::Benchmarking,
        // The IETF's own block: ORCHID, anycast services, AMT, AS112.
        [0x2001, 0..=0x1ff, ..] => AddressClass::Reserved,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => AddressClass::Private,
        [0xfe80..=0xfebf, ..] => AddressClass::LinkLocal,
        [0xff00..=0xffff, ..] => AddressClass::Multicast,
        [0x2000..=0x3fff, ..] => return None,
        // Only 2000::/3 is given out; segment routing's 5f00::/16 is among the rest.
        _ => AddressClass::Reserved,
    })
}

fn embeds_ipv4(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Compatible, mapped (RFC 4291) and translated (RFC 2765).
        [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => true,
        // NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo (RFC 4380), ISATAP (RFC 5214).
        [0x64, 0xff9b, ..] | [0x2002, ..] | [0x2001, 0, ..] | [_, _, _, _, 0 | 0x200, 0x5efe, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_every_range() {
        use AddressClass::{
            Benchmarking, Broadcast, CloudMetadata, Documentation, LinkLocal, Loopback, Multicast, Private,
            Reserved, SharedCarrier, Unspecified,
        };
        for (address, want) in [
            ("0.255.255.255", Some(Unspecified)),
            ("1.0.0.0", None),
            ("9.255.255.255", None),
            ("10.0.0.0", Some(Private)),
            ("11.0.0.0", None),
            ("100.63.255.255", None),
            ("100.64.0.0", Some(SharedCarrier)),
            ("100.127.255.255", Some(SharedCarrier)),
            ("100.128.0.0", None),
            ("126.255.255.255", None),
            ("127.255.255.255", Some(Loopback)),
            ("128.0.0.0", None),
            ("168.63.129.16", Some(CloudMetadata)),
            ("168.63.129.17", None),
            ("169.253.255.255", None),
            ("169.254.170.2", Some(LinkLocal)),
            ("169.255.0.0", None),
            ("172.15.255.255", None),
            ("172.16.0.0", Some(Private)),
            ("172.31.255.255", Some(Private)),
            ("172.32.0.0", None),
            ("192.0.0.8", Some(Reserved)),
            ("192.0.1.0", None),
            ("192.0.2.1", Some(Documentation)),
            ("192.88.99.1", Some(Reserved)),
            ("192.167.255.255", None),
            ("192.169.0.0", None),
            ("198.17.255.255", None),
            ("198.19.255.255", Some(Benchmarking)),
            ("198.20.0.0", None),
            ("223.255.255.255", None),
            ("224.0.0.1", Some(Multicast)),
            ("240.0.0.1", Some(Reserved)),
            ("255.255.255.255", Some(Broadcast)),
        ] {
            assert_eq!(classify(address.parse().unwrap()), want, "{address}");
        }
    }

    #[test]
    fn ipv6_is_open_only_where_addresses_are_given_out() {
        use AddressClass::{
            Benchmarking, Documentation, EmbedsIpv4, LinkLocal, Loopback, Multicast, Private, Reserved,
            Unspecified,
        };
        for (address, want) in [
            ("::", Some(Unspecified)),
            ("::1", Some(Loopback)),
            ("::2", Some(EmbedsIpv4)),
            ("::ffff:8.8.8.8", Some(EmbedsIpv4)),
            ("::ffff:0:127.0.0.1", Some(EmbedsIpv4)),
            ("64:ff9b::7f00:1", Some(EmbedsIpv4)),
            ("64:ff9b:1::a00:1", Some(EmbedsIpv4)),
            ("2001::1", Some(EmbedsIpv4)),
            ("2002:7f00:1::", Some(EmbedsIpv4)),
            ("2a00:1450::5efe:7f00:1", Some(EmbedsIpv4)),
            ("2a00:1450::200:5efe:7f00:1", Some(EmbedsIpv4)),
            ("100::1", Some(Reserved)),
            ("2001:2::1", Some(Benchmarking)),
            ("2001:20::1", Some(Reserved)),
            ("2001:200::1", None),
            ("2001:db8::1", Some(Documentation)),
            ("2001:4860:4860::8888", None),
            ("3fff:0fff::1", Some(Documentation)),
            ("3ffe::1", None),
            ("4000::1", Some(Reserved)),
            ("5f00::1", Some(Reserved)),
            ("fc00::1", Some(Private)),
            ("fd00:ec2::254", Some(Private)),
            ("fe80::1", Some(LinkLocal)),
            ("fec0::1", Some(Private)),
            ("ff02::1", Some(Multicast)),
        ] {
            assert_eq!(classify(address.parse().unwrap()), want, "{address}");
        }
    }
}
