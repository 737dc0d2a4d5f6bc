//! What people write, paste and export, and what it is read as.

use proptest::prelude::*;

use super::*;

fn code(text: &str) -> Option<CallingCode> {
    CallingCode::parse(text).ok()
}

fn read(text: &str, country: &str) -> Option<String> {
    PhoneNumber::parse(text, code(country)).ok().map(|phone| phone.as_str().to_owned())
}

fn refusal(text: &str, country: &str) -> String {
    PhoneNumber::parse(text, code(country)).unwrap_err().message
}

fn check(cases: &[(&str, &str, &str)]) {
    for (text, country, want) in cases {
        let want = (!want.is_empty()).then(|| (*want).to_owned());
        assert_eq!(read(text, country), want, "{text:?} in {country:?}");
    }
}

#[test]
fn numbers_with_their_country_code() {
    check(&[
        ("+393391234567", "", "+393391234567"),
        ("393391234567", "", "+393391234567"),
        ("0039 339 123 4567", "", "+393391234567"),
        ("(0039) 339 1234567", "", "+393391234567"),
        ("+0039 339 1234567", "", "+393391234567"),
        ("+39 (339) 123-45.67", "", "+393391234567"),
        ("(+39) 339/1234567", "", "+393391234567"),
        // Those of the contracts, which no plan has.
        (" 1234567890", "", "+1234567890"),
        ("+39111111111", "", "+39111111111"),
        ("919876543210", "", "+919876543210"),
        ("+5555555555", "", "+5555555555"),
    ]);
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "",
        "0391234567",
        "12",
        "+1234567",
        "1234567890123456",
        "abc",
        "+39XXXXXXXXXX",
        "+2101234567",
        "39+12345678",
        "+",
        "mario@example.com",
        "1-800-FLOWERS",
        "347,1234567",
        "+393391234567@g.us",
        "wa.me/message/ABC",
    ] {
        assert_eq!(text.parse::<PhoneNumber>().unwrap_err().field, "phone", "{text}");
    }
}

#[test]
fn marks_that_nobody_sees_or_means() {
    check(&[
        ("\u{202a}+393471234567\u{202c}", "", "+393471234567"),
        ("\u{2068}+393471234567\u{2069}", "", "+393471234567"),
        ("+39\u{200b}3471234567", "", "+393471234567"),
        ("+39 347\u{2013}123\u{2013}4567", "", "+393471234567"),
        ("+39\t347\u{a0}1234567", "", "+393471234567"),
        ("'+393471234567", "", "+393471234567"),
        ("=\"+393471234567\"", "", "+393471234567"),
        ("\u{feff}+393471234567\u{ad}", "", "+393471234567"),
        ("\u{ff0b}３９３４７１２３４５６７", "", "+393471234567"),
        ("+٣٩ ٣٤٧ ١٢٣ ٤٥٦٧", "", "+393471234567"),
        ("+39 347\u{b7}123\u{b7}4567", "", "+393471234567"),
    ]);
}

#[test]
fn links_ids_and_labels() {
    check(&[
        ("tel:+39-347-123-4567", "", "+393471234567"),
        ("tel:3471234567;phone-context=+39", "", "+393471234567"),
        ("TEL:+393471234567;ext=12", "", "+393471234567"),
        ("https://wa.me/393471234567?text=ciao%20123", "", "+393471234567"),
        ("wa.me/+393471234567", "", "+393471234567"),
        ("https://api.whatsapp.com/send?phone=%2B393471234567&text=1", "", "+393471234567"),
        ("whatsapp://send?phone=393471234567", "", "+393471234567"),
        ("393471234567@s.whatsapp.net", "", "+393471234567"),
        ("393471234567:12@s.whatsapp.net", "", "+393471234567"),
        ("393471234567@c.us", "44", "+393471234567"),
        ("Tel.: +39 347 1234567", "", "+393471234567"),
        ("WhatsApp +39 347 1234567", "", "+393471234567"),
        ("Cell. (+39) 347 1234567 (casa)", "", "+393471234567"),
        ("p:+393471234567", "", "+393471234567"),
        ("P: 393471234567", "", "+393471234567"),
        ("tel:+39%20347%20123%204567", "", "+393471234567"),
        ("tel:%2B39-347-1234567", "", "+393471234567"),
        ("%2B39+347+1234567", "", ""),
        ("%2b393471234567", "", "+393471234567"),
        ("https://wa.me/%2B39%20347%C2%A01234567", "", "+393471234567"),
    ]);
}

#[test]
fn whose_a_number_is_may_stand_beside_it() {
    for text in [
        "+39 347 1234567 (Mario)",
        "+39 347 1234567 (Mario Rossi, ufficio)",
        "+39 347 1234567 [Zoë]",
        "+39 347 1234567 - Mario",
        "Mario: +39 347 1234567",
        "Mario Rossi: 347 1234567",
        "Tel: +39 347 1234567 (ufficio)",
        "Tel. ufficio: +39 347 1234567",
        "Mario: 347 1234567 (casa)",
        "Segreteria (Anna): +39 347 1234567",
        "(Mario) +39 347 1234567",
        "Mario \u{2013} 347 1234567",
        "+39 347 1234567, Mario",
        "+39 347 1234567 / Mario",
        "☎ +39 347 1234567",
    ] {
        check(&[(text, "39", "+393471234567")]);
    }
    for text in [
        "Fax: +39 02 1234567",
        "+39 02 1234567 (fax)",
        "Mario (347)",
        "+39 (XX) 347 1234567",
        "order 12345678",
        "x: 12",
        "Mario:",
    ] {
        check(&[(text, "39", "")]);
    }
}

#[test]
fn what_a_spreadsheet_made_of_it_is_refused() {
    for text in ["39347321999.0", "+39347321999.00", "3.93473E+11", "3,93473E+11", "39347321999,0", "393E9"] {
        let message = refusal(text, "39");
        assert!(message.contains("spreadsheet"), "{text}: {message}");
    }
}

#[test]
fn trunk_prefixes_are_dropped_where_the_country_has_them() {
    check(&[
        ("+49 (0) 170 3331234", "", "+491703331234"),
        ("0049 (0)170 3331234", "", "+491703331234"),
        ("+49 0170 3331234", "", "+491703331234"),
        ("+44 07700 931234", "", "+447700931234"),
        ("+44 (0)20 7946 0958", "", "+442079460958"),
        ("+7 8 912 345 67 89", "", "+79123456789"),
        ("+36 06 20 123 4567", "", "+36201234567"),
        ("+54 11 15 1234 5678", "", "+5491112345678"),
        ("+39 0471 931234", "", "+390471931234"),
        ("+39 (0)471 931234", "", "+390471931234"),
        ("+39 (0) 347 1234567", "", "+393471234567"),
        ("+225 07 12 34 56 78", "", "+2250712345678"),
    ]);
}

#[test]
fn trunk_prefixes_of_former_plans_are_dropped_too() {
    let mexican = "+525512345678";
    for text in [
        "+52 01 55 1234 5678",
        "+52 (01) 55 1234 5678",
        "+52 0155 12345678",
        "0052 01 55 1234 5678",
        "52 01 55 1234 5678",
        "+52 044 55 1234 5678",
        "+52 (045) 55 1234 5678",
        "+52 1 044 55 1234 5678",
        "+52 (0) 55 1234 5678",
        "+52 0 55 1234 5678",
        "+52 1 55 1234 5678",
    ] {
        check(&[(text, "", mexican), (text, "52", mexican)]);
    }
    check(&[
        ("01 55 1234 5678", "MX", mexican),
        ("(01) 55 1234 5678", "52", mexican),
        ("044 55 1234 5678", "52", mexican),
        ("045 664 123 4567", "52", "+526641234567"),
        ("01 800 123 4567", "52", "+528001234567"),
        ("55 1234 5678", "52", mexican),
        // Brazil: the carrier that carries the call, and where it is left open.
        ("+55 0 11 91234 5678", "", "+5511912345678"),
        ("+55 (0xx11) 91234-5678", "", "+5511912345678"),
        ("+55 0 15 11 91234 5678", "", "+5511912345678"),
        ("(0XX11) 3123-4567", "55", "+551131234567"),
        ("0xx11 91234-5678", "55", "+5511912345678"),
        ("(0**11) 91234-5678", "55", "+5511912345678"),
        ("0 41 11 91234-5678", "55", "+5511912345678"),
        // Argentina: 0 before the area, 15 before a mobile number, which is 9 from abroad.
        ("+54 011 15 1234-5678", "", "+5491112345678"),
        ("+54 9 11 15 1234-5678", "", "+5491112345678"),
        ("+54 9 011 1234-5678", "", "+5491112345678"),
        ("+54 9 011 15 1234-5678", "", "+5491112345678"),
        ("0351 15 123 4567", "54", "+5493511234567"),
        // Where there is no trunk prefix any more, or never was.
        ("+56 09 8765 4321", "", "+56987654321"),
        ("09 8765 4321", "56", "+56987654321"),
        ("+57 03 300 123 4567", "", "+573001234567"),
        ("+57 0 300 123 4567", "", "+573001234567"),
        ("+48 0 601 234 567", "", "+48601234567"),
        ("0 601 234 567", "48", "+48601234567"),
        ("+34 0 612 345 678", "", "+34612345678"),
        ("+351 0912 345 678", "", "+351912345678"),
        ("+30 0 697 123 4567", "", "+306971234567"),
        // The zero belongs to the prefix.
        ("0+39 347 1234567", "", "+393471234567"),
        ("00+39 347 1234567", "44", "+393471234567"),
        ("(0+39) 347 1234567", "", "+393471234567"),
        ("+39 06 1234567", "", "+39061234567"),
    ]);
}

#[test]
fn what_no_number_of_the_country_can_be_is_not_completed() {
    for (text, country) in [
        ("1155552671", "1"),
        ("1155552671", "US"),
        ("(115) 555-2671", "1"),
        ("0155552671", "1"),
        ("11155552671", "1"),
        ("1234567890", "1"),
        ("555 0123", "1"),
        ("(212) 555-012", "1"),
        ("06 12 34 56 7", "33"),
        ("0712345", "33"),
        ("07700 9001234", "44"),
        ("0981234", "91"),
        ("612 345 67", "34"),
        ("6123 456 789", "34"),
        ("1234567890", "34"),
        ("0 55 1234 567", "52"),
    ] {
        assert_eq!(read(text, country), None, "{text} in {country}");
        let code = code(country).unwrap();
        for reading in [PhoneNumber::read_typed(text, Some(code)), PhoneNumber::read_at_home(text, code)] {
            assert_eq!(reading.unwrap_err().field, "phone", "{text} in {country}");
        }
    }
    // Those of the contracts have a code, or another country.
    check(&[
        ("+1155552671", "1", "+1155552671"),
        ("+11155552671", "1", "+11155552671"),
        ("+1234567890", "1", "+1234567890"),
        ("+39111111111", "39", "+39111111111"),
        ("1234567890", "39", "+391234567890"),
        ("15551234567", "1", "+15551234567"),
        ("(555) 123-4567", "1", "+15551234567"),
        ("202 555 0123", "1", "+12025550123"),
        ("5215512345678", "52", "+525512345678"),
    ]);
}

#[test]
fn national_numbers_take_the_country() {
    check(&[
        ("339 1234567", "39", "+393391234567"),
        ("3931234567", "39", "+393931234567"),
        ("347 331 1234", "IT", "+393473311234"),
        ("338 331 1234", "39", "+393383311234"),
        ("393391234567", "39", "+393391234567"),
        ("02 1234567", "39", "+39021234567"),
        ("07700 900123", "44", "+447700900123"),
        ("0171 1234567", "de", "+491711234567"),
        ("612 34 56 78", "34", "+34612345678"),
        ("(555) 555-5555", "1", "+15555555555"),
        ("1 202 555 0123", "1", "+12025550123"),
        ("011 39 347 1234567", "1", "+393471234567"),
        ("8 912 345 67 89", "7", "+79123456789"),
        ("11 91234 5678", "55", "+5511912345678"),
        ("919876543210", "39", "+919876543210"),
        ("0044 7700 900123", "39", "+447700900123"),
        ("0391234567", "", ""),
    ]);
}

#[test]
fn what_could_be_two_numbers_is_refused_with_both() {
    let message = refusal("17012345678", "49");
    assert!(message.contains("+4917012345678") && message.contains("+17012345678"), "{message}");
    // A number with `+` is one.
    check(&[("+17012345678", "49", "+17012345678"), ("017012345678", "49", "+4917012345678")]);
}

#[test]
fn of_two_numbers_the_first() {
    let other = Some(LeftOut::OtherNumber);
    for (text, want, left_out) in [
        ("+39 347 1234567 / +39 348 1234567", "+393471234567", other),
        ("347 1234567/348 1234567", "+393471234567", other),
        ("347 1234567; 348 1234567", "+393471234567", other),
        ("3471234567,3481234567", "+393471234567", other),
        ("347 1234567 o 348 1234567", "+393471234567", other),
        ("+393471234567 +393481234567", "+393471234567", other),
        ("+393471234567\n+393481234567", "+393471234567", other),
        ("3471234567 3481234567", "+393471234567", other),
        ("3471234567 - 3481234567", "+393471234567", other),
        ("06 12345678/9", "+390612345678", other),
        ("02/1234567/1234568", "+39021234567", other),
        ("347/1234567", "+393471234567", None),
        ("0471/931234", "+390471931234", None),
        ("347 123 4567;", "+393471234567", None),
        ("+39 347 1234567 ::: +39 02 1234567", "+393471234567", other),
        ("347 1234567 ::: 02 1234567 ::: 06 1234567", "+393471234567", other),
        (":::+39 347 1234567", "+393471234567", None),
        ("Mobile: +39 347 1234567 ::: Work: +39 02 1234567", "+393471234567", other),
        ("+39 347 1234567 (Mario); +39 348 1234567 (Anna)", "+393471234567", other),
        ("Mario: 347 1234567, Anna: 348 1234567", "+393471234567", other),
        ("347 1234567 (Mario) / 348 1234567 (Anna)", "+393471234567", other),
        ("+39 347 1234567 (Mario) +39 348 1234567 (Anna)", "+393471234567", other),
        ("+39 347 1234567 (M) e +39 348 1234567 (A)", "+393471234567", other),
        ("p:+393471234567|p:+393481234567", "+393471234567", other),
    ] {
        let reading = PhoneNumber::read(text, code("39")).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
        assert_eq!((reading.number.as_str(), reading.left_out), (want, left_out), "{text}");
    }
}

#[test]
fn an_extension_is_left_out() {
    for text in [
        "+1 555-625-1199 ext. 12",
        "+1 555-625-1199x3",
        "+1 555 625 1199 #4",
        "+1 555 625 1199 int. 12",
        "+15556251199,,12",
        "tel:+15556251199;ext=12",
        "+1 555 625 1199 (ext 12)",
    ] {
        let reading = PhoneNumber::read(text, None).unwrap();
        assert_eq!(
            (reading.number.as_str(), reading.left_out),
            ("+15556251199", Some(LeftOut::Extension)),
            "{text}"
        );
    }
}

#[test]
fn countries_by_code_and_by_name() {
    for text in ["39", "+39", "IT", "it ", "Italy", "ITALIA", "ita"] {
        assert_eq!(code(text).map(CallingCode::get), Some(39), "{text}");
    }
    assert!(["", "999", "Lombardy", "XX", "+", "UN"].iter().all(|text| code(text).is_none()));
}

#[test]
fn debug_shows_no_number() {
    let phone: PhoneNumber = "+393391234567".parse().unwrap();
    assert_eq!(format!("{phone:?} {:?}", phone.key()), "PhoneNumber(***67) PhoneKey(***)");
}

#[test]
fn spellings_of_one_number_are_one_person() {
    for (spellings, current) in [
        (["+5511991231234", "+551191231234"], "+5511991231234"),
        (["+5216641234567", "+526641234567"], "+526641234567"),
        (["+52 1 55 1234 5678", "0052 55 1234 5678"], "+525512345678"),
    ] {
        for text in spellings {
            let phone: PhoneNumber = text.parse().unwrap();
            assert_eq!(phone.as_str(), current, "{text}");
        }
    }
    let [mobile, plain]: [PhoneNumber; 2] =
        ["+5491112345678", "+541112345678"].map(|text| text.parse().unwrap());
    assert_eq!((mobile.as_str(), plain.as_str()), ("+5491112345678", "+541112345678"));
    assert_eq!(mobile.key(), plain.key());
    assert_eq!(plain.or_clearer(&mobile).as_str(), "+5491112345678");
    // A landline has no 9 to lose.
    assert_ne!(key("+551131231234"), key("+5511931231234"));
    assert_ne!(key("+393471234567"), key("+393471234568"));
}

fn key(text: &str) -> PhoneKey {
    PhoneNumber::from_e164(text).unwrap().key()
}

#[test]
fn older_spellings_have_the_key_of_the_number() {
    for (text, older) in [
        ("+5511991231234", Some("+551191231234")),
        ("+526641234567", Some("+5216641234567")),
        ("+541112345678", Some("+5491112345678")),
        ("+5491112345678", Some("+5491112345678")),
        ("+551131231234", None),
        ("+393471234567", None),
    ] {
        let spellings = key(text).older_spellings();
        assert_eq!(spellings.iter().map(String::as_str).collect::<Vec<_>>(), Vec::from_iter(older), "{text}");
        assert!(spellings.iter().all(|spelling| key(spelling) == key(text)), "{text}");
    }
}

/// A number of a country, whose plan gives out such ones.
fn valid() -> impl Strategy<Value = (&'static str, String)> {
    prop_oneof![
        (3_200_000_000u64..3_990_000_000).prop_map(|n| ("39", n.to_string())),
        (0u32..10_000_000).prop_map(|n| ("44", format!("771{n:07}"))),
        (0u32..10_000_000).prop_map(|n| ("49", format!("171{n:07}"))),
        (0u32..10_000_000).prop_map(|n| ("33", format!("61{n:07}"))),
        (0u32..10_000_000).prop_map(|n| ("55", format!("1199{n:07}"))),
        (0u32..10_000_000).prop_map(|n| ("52", format!("664{n:07}"))),
        (200_0000u32..999_9999).prop_map(|n| ("1", format!("212{n}"))),
    ]
}

/// A way of writing a number.
fn spelled(code: &str, national: &str, way: usize, at: usize) -> String {
    let at = 3 + at % (national.len() - 6);
    let (a, b) = national.split_at(at);
    let trunk = if matches!(code, "44" | "49" | "33") { "0" } else { "" };
    match way {
        0 => format!("+{code}{national}"),
        1 => format!("00{code} {a}-{b}"),
        2 => format!("+{code} ({trunk}) {a} {b}").replace("() ", ""),
        3 => format!("\u{202a}+{code}\u{a0}{a}\u{2011}{b}\u{202c}"),
        4 => format!("tel:+{code}{a}{b}"),
        5 => format!("'+{code}{a}.{b}"),
        6 => format!("{trunk}{a} {b}"),
        7 => format!("+{code} {trunk}{a}/{b}"),
        8 => format!("https://wa.me/{code}{national}"),
        9 => format!("{code}{national}@c.us"),
        _ => format!("Tel. (+{code}) {national} int. 12"),
    }
}

proptest! {
    #[test]
    fn two_spellings_of_one_number_are_one_contact(
        (country, national) in valid(), ways in [0usize..11, 0usize..11], at in [0usize..20, 0usize..20],
    ) {
        let [a, b] = [0, 1].map(|i| spelled(country, &national, ways[i], at[i]));
        let keys = [&a, &b].map(|text| PhoneNumber::parse(text, code(country)).map(|phone| phone.key()));
        let is_of_two = |key: &Result<PhoneKey, Invalid>| key.as_ref().is_err_and(|e| e.message.contains(" may be "));
        if !keys.iter().any(is_of_two) {
            prop_assert_eq!(keys[0].as_ref().unwrap(), keys[1].as_ref().unwrap(), "{} {}", a, b);
        }
    }

    #[test]
    fn never_panics_and_is_idempotent(text in "\\PC{0,24}", country in 0u16..999) {
        let country = code(&country.to_string());
        if let Ok(phone) = PhoneNumber::parse(&text, country) {
            prop_assert_eq!(PhoneNumber::parse(phone.as_str(), country).unwrap(), phone.clone());
            prop_assert_eq!(PhoneNumber::from_e164(phone.as_str()).unwrap(), phone);
        }
    }

    #[test]
    fn digits_are_read_once(digits in "[+]?[0-9]{8,15}", country in prop_oneof![Just(""), Just("39"), Just("49"), Just("1")]) {
        if let Ok(phone) = PhoneNumber::parse(&digits, code(country)) {
            prop_assert_eq!(PhoneNumber::parse(phone.as_str(), code(country)).unwrap(), phone);
        }
    }
}
