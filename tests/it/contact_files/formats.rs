//! Every kind of file, encoding and delimiter.

use harness::{Api, World};
use serde_json::json;
use tables::{TableWriter, Xlsx};

use super::{contacts, failed, imported, told};

fn utf_16(text: &str, little: bool) -> Vec<u8> {
    let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(bytes).collect()
}

#[tokio::test]
async fn encodings_and_delimiters_are_found() {
    let latin: Vec<u8> =
        "Nome;Telefono\nNiccolò Forlì;+393331234567\nJosé;+393331234568\n".chars().map(|c| c as u8).collect();
    let plain = "Nome,Telefono\nNiccolò Forlì,+393331234567\nJosé,+393331234568\n";
    for (name, file) in [
        ("utf-8", plain.as_bytes().to_vec()),
        ("utf-8 with a mark", [b"\xEF\xBB\xBF", plain.as_bytes()].concat()),
        ("utf-16 le", utf_16(&plain.replace(',', "\t"), true)),
        ("utf-16 be", utf_16(&plain.replace(',', ";"), false)),
        ("windows-1252", latin),
        ("bars and carriage returns", plain.replace(',', "|").replace('\n', "\r\n").into_bytes()),
        ("told delimiter", format!("sep=;\r\n{}", plain.replace(',', ";")).into_bytes()),
    ] {
        let world = World::new().await;
        let api = Api::of(&world).await;
        let import = imported(&world, &api, "a.csv", &file, &[]).await;
        assert_eq!((&import["created"], &import["failed"]), (&json!(2), &json!(0)), "{name}: {import}");
        assert_eq!(told(&api, "name").await, ["Niccolò Forlì", "José"], "{name}");
    }
}

#[tokio::test]
async fn an_encoding_that_is_told_is_read() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let shift_jis = b"name,phone\n\x8E\x52\x93\x63,+819012345678\n";
    for (file, options, want) in [
        (&b"name,phone\n\x90,+393331234567\n"[..], [("encoding", "ibm850")], "É"),
        (b"name,phone\nMar\x92a,+393331234568\n", [("encoding", "macintosh")], "María"),
        (shift_jis, [("encoding", "shift_jis")], "山田"),
        (b"name,phone\nA\0da,+393331234569\n", [("encoding", "utf-8")], "Ada"),
        (
            "name,phone\nZoë,+393331234570\nJ\u{fffd}rgen,+393331234571\n".as_bytes(),
            [("country", "IT")],
            "Zoë",
        ),
    ] {
        let file = file.to_vec();
        // What came out of another program.
        let file = match file.windows(3).position(|three| three == "\u{fffd}".as_bytes()) {
            Some(at) => [&file[..at], b"\xFC", &file[at + 3..]].concat(),
            None => file,
        };
        let import = imported(&world, &api, "a.csv", &file, &options).await;
        assert_eq!(import["failed"], 0, "{import}");
        assert!(told(&api, "name").await.contains(&json!(want)), "{want}: {:?}", told(&api, "name").await);
    }
    assert!(told(&api, "name").await.contains(&json!("Jürgen")));
}

#[tokio::test]
async fn a_workbook_is_imported() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let mut book = Xlsx::begin(&["Vorname", "Nachname", "Handynummer", "Ort"], "Kunden");
    book.write(&["Jörg", "Weiß", "+49 151 23456789", "Köln"]);
    book.write(&["Eva", "", "0151 23456780", ""]);
    book.write(&["Uwe", "", "4.9E+12", ""]);
    let import = imported(&world, &api, "kunden.xlsx", &book.end(), &[("country", "DE")]).await;
    assert_eq!([&import["created"], &import["failed"]], [&json!(2), &json!(1)], "{import}");
    assert_eq!(told(&api, "phone").await, ["+4915123456789", "+4915123456780"]);
    assert_eq!(contacts(&api).await[0]["metadata"], json!({"ort": "Köln"}));
}

#[tokio::test]
async fn cards_are_imported() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let cards = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada Neri\r\nTEL;TYPE=HOME:+39 06 1234567\r\nTEL;TYPE=CELL:+39 333 1234567\r\n\
        EMAIL:ada@example.com\r\nCATEGORIES:vip,news\r\nUID:ada-1@phone.example.com\r\nEND:VCARD\r\n\
        BEGIN:VCARD\r\nVERSION:2.1\r\nN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:B=C3=A9b=C3=A9;Jean\r\nTEL;CELL:12\r\nEND:VCARD\r\n\
        BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Bob\r\nTEL:4040\r\nTEL:0612345678\r\nADR:;;;Roma;;;Italy\r\nUID:5\r\nEND:VCARD\r\n\
        BEGIN:VCARD\r\nFN:Half\r\nTEL:+393331234568\r\n";
    let import = imported(&world, &api, "rubrica.vcf", cards.as_bytes(), &[]).await;
    assert_eq!([&import["created"], &import["failed"]], [&json!(2), &json!(2)], "{import}");
    assert_eq!(told(&api, "phone").await, ["+393331234567", "+390612345678"]);
    let lines = failed(&world, &api, &import).await;
    assert!(lines[2].starts_with("Half,+393331234568,") && lines[2].contains("ends before"), "{lines:?}");
    let ada = &contacts(&api).await[0];
    assert_eq!((&ada["phone"], &ada["tags"]), (&json!("+393331234567"), &json!(["vip", "news"])));
    assert!(ada["identities"].to_string().contains("file:ada-1@phone.example.com"), "{ada}");
}

#[tokio::test]
async fn a_file_without_names_of_columns_is_told_by_what_is_in_it() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let file = b"Ada Neri;ada@example.com;+393331234567\nBob;bob@example.com;+393331234568\n";
    let import = imported(&world, &api, "a.csv", file, &[]).await;
    assert_eq!(import["table"]["header"], false);
    assert_eq!(told(&api, "name").await, ["Ada Neri", "Bob"]);
    assert_eq!(told(&api, "email").await, ["ada@example.com", "bob@example.com"]);
}
