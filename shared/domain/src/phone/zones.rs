//! Where the clocks of a number's country stand.
//!
//! The zones are those of the IANA database; of a country with many, those in which it has
//! people to speak of, so that a time which fits each of them fits everybody.

use super::{CallingCode, plan};
use crate::message::Address;

/// Calling codes with their zones (IANA, zone1970.tab).
const BY_CODE: &[(u16, &[&str])] = &[
    (
        7,
        &[
            "Europe/Kaliningrad",
            "Europe/Moscow",
            "Asia/Yekaterinburg",
            "Asia/Novosibirsk",
            "Asia/Vladivostok",
        ],
    ),
    (20, &["Africa/Cairo"]),
    (27, &["Africa/Johannesburg"]),
    (30, &["Europe/Athens"]),
    (31, &["Europe/Amsterdam"]),
    (32, &["Europe/Brussels"]),
    (33, &["Europe/Paris"]),
    (34, &["Europe/Madrid", "Atlantic/Canary"]),
    (36, &["Europe/Budapest"]),
    (39, &["Europe/Rome"]),
    (40, &["Europe/Bucharest"]),
    (41, &["Europe/Zurich"]),
    (43, &["Europe/Vienna"]),
    (44, &["Europe/London"]),
    (45, &["Europe/Copenhagen"]),
    (46, &["Europe/Stockholm"]),
    (47, &["Europe/Oslo"]),
    (48, &["Europe/Warsaw"]),
    (49, &["Europe/Berlin"]),
    (51, &["America/Lima"]),
    (52, &["America/Mexico_City", "America/Tijuana", "America/Cancun"]),
    (53, &["America/Havana"]),
    (54, &["America/Argentina/Buenos_Aires"]),
    (55, &["America/Sao_Paulo", "America/Manaus", "America/Rio_Branco"]),
    (56, &["America/Santiago"]),
    (57, &["America/Bogota"]),
    (58, &["America/Caracas"]),
    (60, &["Asia/Kuala_Lumpur"]),
    (61, &["Australia/Sydney", "Australia/Adelaide", "Australia/Perth"]),
    (62, &["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]),
    (63, &["Asia/Manila"]),
    (64, &["Pacific/Auckland"]),
    (65, &["Asia/Singapore"]),
    (66, &["Asia/Bangkok"]),
    (81, &["Asia/Tokyo"]),
    (82, &["Asia/Seoul"]),
    (84, &["Asia/Ho_Chi_Minh"]),
    (86, &["Asia/Shanghai"]),
    (90, &["Europe/Istanbul"]),
    (91, &["Asia/Kolkata"]),
    (92, &["Asia/Karachi"]),
    (93, &["Asia/Kabul"]),
    (94, &["Asia/Colombo"]),
    (95, &["Asia/Yangon"]),
    (98, &["Asia/Tehran"]),
    (211, &["Africa/Juba"]),
    (212, &["Africa/Casablanca"]),
    (213, &["Africa/Algiers"]),
    (216, &["Africa/Tunis"]),
    (218, &["Africa/Tripoli"]),
    (220, &["Africa/Banjul"]),
    (221, &["Africa/Dakar"]),
    (222, &["Africa/Nouakchott"]),
    (223, &["Africa/Bamako"]),
    (224, &["Africa/Conakry"]),
    (225, &["Africa/Abidjan"]),
    (226, &["Africa/Ouagadougou"]),
    (227, &["Africa/Niamey"]),
    (228, &["Africa/Lome"]),
    (229, &["Africa/Porto-Novo"]),
    (230, &["Indian/Mauritius"]),
    (231, &["Africa/Monrovia"]),
    (232, &["Africa/Freetown"]),
    (233, &["Africa/Accra"]),
    (234, &["Africa/Lagos"]),
    (235, &["Africa/Ndjamena"]),
    (236, &["Africa/Bangui"]),
    (237, &["Africa/Douala"]),
    (238, &["Atlantic/Cape_Verde"]),
    (239, &["Africa/Sao_Tome"]),
    (240, &["Africa/Malabo"]),
    (241, &["Africa/Libreville"]),
    (242, &["Africa/Brazzaville"]),
    (243, &["Africa/Kinshasa", "Africa/Lubumbashi"]),
    (244, &["Africa/Luanda"]),
    (245, &["Africa/Bissau"]),
    (248, &["Indian/Mahe"]),
    (249, &["Africa/Khartoum"]),
    (250, &["Africa/Kigali"]),
    (251, &["Africa/Addis_Ababa"]),
    (252, &["Africa/Mogadishu"]),
    (253, &["Africa/Djibouti"]),
    (254, &["Africa/Nairobi"]),
    (255, &["Africa/Dar_es_Salaam"]),
    (256, &["Africa/Kampala"]),
    (257, &["Africa/Bujumbura"]),
    (258, &["Africa/Maputo"]),
    (260, &["Africa/Lusaka"]),
    (261, &["Indian/Antananarivo"]),
    (262, &["Indian/Reunion"]),
    (263, &["Africa/Harare"]),
    (264, &["Africa/Windhoek"]),
    (265, &["Africa/Blantyre"]),
    (266, &["Africa/Maseru"]),
    (267, &["Africa/Gaborone"]),
    (268, &["Africa/Mbabane"]),
    (269, &["Indian/Comoro"]),
    (290, &["Atlantic/St_Helena"]),
    (291, &["Africa/Asmara"]),
    (297, &["America/Aruba"]),
    (298, &["Atlantic/Faroe"]),
    (299, &["America/Nuuk"]),
    (350, &["Europe/Gibraltar"]),
    (351, &["Europe/Lisbon", "Atlantic/Azores"]),
    (352, &["Europe/Luxembourg"]),
    (353, &["Europe/Dublin"]),
    (354, &["Atlantic/Reykjavik"]),
    (355, &["Europe/Tirane"]),
    (356, &["Europe/Malta"]),
    (357, &["Asia/Nicosia"]),
    (358, &["Europe/Helsinki"]),
    (359, &["Europe/Sofia"]),
    (370, &["Europe/Vilnius"]),
    (371, &["Europe/Riga"]),
    (372, &["Europe/Tallinn"]),
    (373, &["Europe/Chisinau"]),
    (374, &["Asia/Yerevan"]),
    (375, &["Europe/Minsk"]),
    (376, &["Europe/Andorra"]),
    (377, &["Europe/Monaco"]),
    (378, &["Europe/San_Marino"]),
    (379, &["Europe/Vatican"]),
    (380, &["Europe/Kyiv"]),
    (381, &["Europe/Belgrade"]),
    (382, &["Europe/Podgorica"]),
    (383, &["Europe/Belgrade"]),
    (385, &["Europe/Zagreb"]),
    (386, &["Europe/Ljubljana"]),
    (387, &["Europe/Sarajevo"]),
    (389, &["Europe/Skopje"]),
    (420, &["Europe/Prague"]),
    (421, &["Europe/Bratislava"]),
    (423, &["Europe/Vaduz"]),
    (500, &["Atlantic/Stanley"]),
    (501, &["America/Belize"]),
    (502, &["America/Guatemala"]),
    (503, &["America/El_Salvador"]),
    (504, &["America/Tegucigalpa"]),
    (505, &["America/Managua"]),
    (506, &["America/Costa_Rica"]),
    (507, &["America/Panama"]),
    (508, &["America/Miquelon"]),
    (509, &["America/Port-au-Prince"]),
    (590, &["America/Guadeloupe"]),
    (591, &["America/La_Paz"]),
    (592, &["America/Guyana"]),
    (593, &["America/Guayaquil"]),
    (594, &["America/Cayenne"]),
    (595, &["America/Asuncion"]),
    (596, &["America/Martinique"]),
    (597, &["America/Paramaribo"]),
    (598, &["America/Montevideo"]),
    (599, &["America/Curacao"]),
    (670, &["Asia/Dili"]),
    (673, &["Asia/Brunei"]),
    (674, &["Pacific/Nauru"]),
    (675, &["Pacific/Port_Moresby"]),
    (676, &["Pacific/Tongatapu"]),
    (677, &["Pacific/Guadalcanal"]),
    (678, &["Pacific/Efate"]),
    (679, &["Pacific/Fiji"]),
    (680, &["Pacific/Palau"]),
    (682, &["Pacific/Rarotonga"]),
    (683, &["Pacific/Niue"]),
    (685, &["Pacific/Apia"]),
    (686, &["Pacific/Tarawa", "Pacific/Kiritimati"]),
    (687, &["Pacific/Noumea"]),
    (689, &["Pacific/Tahiti"]),
    (691, &["Pacific/Pohnpei"]),
    (692, &["Pacific/Majuro"]),
    (850, &["Asia/Pyongyang"]),
    (852, &["Asia/Hong_Kong"]),
    (853, &["Asia/Macau"]),
    (855, &["Asia/Phnom_Penh"]),
    (856, &["Asia/Vientiane"]),
    (880, &["Asia/Dhaka"]),
    (886, &["Asia/Taipei"]),
    (960, &["Indian/Maldives"]),
    (961, &["Asia/Beirut"]),
    (962, &["Asia/Amman"]),
    (963, &["Asia/Damascus"]),
    (964, &["Asia/Baghdad"]),
    (965, &["Asia/Kuwait"]),
    (966, &["Asia/Riyadh"]),
    (967, &["Asia/Aden"]),
    (968, &["Asia/Muscat"]),
    (970, &["Asia/Gaza"]),
    (971, &["Asia/Dubai"]),
    (972, &["Asia/Jerusalem"]),
    (973, &["Asia/Bahrain"]),
    (974, &["Asia/Qatar"]),
    (975, &["Asia/Thimphu"]),
    (976, &["Asia/Ulaanbaatar"]),
    (977, &["Asia/Kathmandu"]),
    (992, &["Asia/Dushanbe"]),
    (993, &["Asia/Ashgabat"]),
    (994, &["Asia/Baku"]),
    (995, &["Asia/Tbilisi"]),
    (996, &["Asia/Bishkek"]),
    (998, &["Asia/Tashkent"]),
];

/// All of the North American plan that is not known better.
const NORTH_AMERICA: &[&str] =
    &["America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"];
const EASTERN: &[&str] = &["America/New_York"];
const CENTRAL: &[&str] = &["America/Chicago"];
const MOUNTAIN: &[&str] = &["America/Denver"];
const PACIFIC: &[&str] = &["America/Los_Angeles"];

/// Area codes of large parts of the North American plan that lie in one zone whole (NANPA).
const AREAS: &[(&[u16], &[&str])] = &[
    (
        &[
            201, 202, 203, 207, 212, 215, 216, 234, 239, 240, 267, 301, 302, 304, 305, 315, 321, 330, 332,
            336, 339, 347, 351, 352, 386, 401, 404, 407, 410, 412, 413, 419, 440, 443, 470, 475, 484, 508,
            513, 516, 518, 551, 561, 567, 570, 585, 603, 607, 609, 610, 614, 617, 631, 646, 667, 678, 680,
            681, 704, 706, 716, 718, 724, 727, 732, 740, 754, 757, 762, 770, 772, 774, 781, 786, 802, 803,
            804, 813, 814, 828, 843, 845, 848, 856, 857, 860, 862, 863, 864, 878, 904, 908, 910, 912, 914,
            917, 919, 929, 934, 937, 941, 947, 954, 959, 973, 978, 980, 984, 416, 647, 437, 905, 289, 613,
            514, 438, 450,
        ],
        EASTERN,
    ),
    (
        &[
            205, 214, 217, 224, 225, 228, 251, 254, 256, 262, 281, 309, 312, 314, 316, 318, 319, 320, 331,
            334, 337, 346, 361, 405, 409, 414, 417, 430, 432, 469, 479, 501, 504, 507, 512, 515, 563, 573,
            580, 601, 608, 612, 615, 618, 630, 636, 651, 660, 662, 682, 708, 712, 713, 715, 731, 737, 763,
            769, 773, 779, 806, 815, 816, 817, 830, 832, 847, 870, 872, 901, 903, 913, 918, 920, 936, 940,
            952, 956, 972, 979, 985,
        ],
        CENTRAL,
    ),
    (&[303, 307, 385, 406, 435, 505, 575, 719, 720, 801, 970], MOUNTAIN),
    (
        &[
            206, 209, 213, 253, 310, 323, 341, 360, 408, 415, 424, 425, 442, 503, 510, 530, 559, 562, 564,
            619, 626, 628, 650, 657, 661, 669, 702, 707, 714, 725, 747, 760, 775, 805, 818, 831, 858, 909,
            916, 925, 949, 951, 971,
        ],
        PACIFIC,
    ),
    (&[480, 520, 602, 623, 928], &["America/Phoenix"]),
    (&[808], &["Pacific/Honolulu"]),
    (&[787, 939], &["America/Puerto_Rico"]),
    (&[809, 829, 849], &["America/Santo_Domingo"]),
    (&[876, 658], &["America/Jamaica"]),
    (&[868], &["America/Port_of_Spain"]),
];

/// The zones of an address: of a number by its calling code, and within +1 by its area; of a
/// business-scoped user id by its country. None of what tells no country.
pub(crate) fn of(address: &Address) -> &'static [&'static str] {
    let by_code =
        |code: u16| BY_CODE.iter().find(|(known, _)| *known == code).map_or(&[][..], |(_, zones)| zones);
    match address {
        Address::Phone(phone) => match plan::split(phone.digits()) {
            Some((1, rest)) => {
                let area = rest.get(..3).and_then(|area| area.parse().ok()).unwrap_or(0);
                let known = AREAS.iter().find(|(areas, _)| areas.contains(&area));
                known.map_or(NORTH_AMERICA, |(_, zones)| zones)
            }
            Some((code, _)) => by_code(code),
            None => &[],
        },
        Address::Bsuid(id) => match id.get(..2).and_then(CallingCode::of_country).map(CallingCode::get) {
            Some(1) => NORTH_AMERICA,
            Some(code) => by_code(code),
            None => &[],
        },
        Address::Custom(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn every_zone_is_one_and_codes_are_in_order() {
        let areas = AREAS.iter().flat_map(|(_, zones)| *zones);
        for zone in BY_CODE.iter().flat_map(|(_, zones)| *zones).chain(NORTH_AMERICA).chain(areas) {
            assert!(TimeZone::get(zone).is_ok(), "{zone}");
        }
        assert!(BY_CODE.is_sorted_by_key(|(code, _)| code));
    }
}
