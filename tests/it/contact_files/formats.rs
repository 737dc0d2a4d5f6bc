//! Every kind of file, encoding and delimiter.

use harness::{Api, World};
use serde_json::json;
use tables::{TableWriter, Xlsx};

use super::{announced, contacts, failed, imported, post, show, told};

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

#[tokio::test]
async fn a_table_below_titles_is_imported() {
    let mut book = Xlsx::begin(&["Elenco clienti 2026"], "Clienti");
    book.write(&[""; 1]);
    book.write(&["Nome", "Cellulare", "Città"]);
    book.write(&["Ada", "+393331234567", "Roma"]);
    book.write(&["Bob", "12", ""]);
    let report = "Attendee Report\nGenerated:,\"Jan 5, 2024\"\nTopic,ID,Start\nDemo,123,\"Jan 5, 2024\"\n\nDetails\n\
        Nome,Cellulare,Città\nAda,+393331234567,Roma\nBob,12,\n";
    for (name, file, skipped) in [("xlsx", book.end(), 2), ("csv", report.as_bytes().to_vec(), 5)] {
        let world = World::new().await;
        let api = Api::of(&world).await;
        let dry = post(&api, "a.file", &file, &[("dry_run", "1")]).await.expect(200);
        assert_eq!(
            (&dry["skipped_rows"], &dry["rows"], &dry["created"]),
            (&json!(skipped), &json!(2), &json!(1)),
            "{dry}"
        );
        let begun = announced(&world, &api, &file, json!({})).await;
        // Whoever takes over does not look for the header again.
        assert!(world.kill_after(12, world.drain()).await.is_none(), "it was done before it was killed");
        world.clock.advance_ms(600_000);
        world.drain().await;
        let import = show(&api, &begun).await;
        assert_eq!(
            [&import["created"], &import["failed"], &import["rows_read"]],
            [&json!(1), &json!(1), &json!(2)],
            "{name}: {import}"
        );
        assert_eq!(import["errors"][0]["row"], 2, "{name}");
        assert_eq!(import["table"]["skipped_rows"], skipped);
        let lines = failed(&world, &api, &import).await;
        assert!(
            lines[0].starts_with("Nome,Cellulare,Città,") && lines[1].starts_with("Bob,12,"),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn failed_rows_of_a_file_without_header_are_imported_the_same() {
    let world = World::new().await;
    let api = Api::of(&world).await;
    let good = |n: u32| format!("P{n};+39333123456{n};p{n}@x.it;Roma\n");
    let file = format!("{}Bob;+3933;b@x.it;Milano\n", (0..9).map(good).collect::<String>());
    let import =
        imported(&world, &api, "a.csv", file.as_bytes(), &[("mapping", r#"{"4": "metadata.Citta Natale"}"#)])
            .await;
    let mut lines = failed(&world, &api, &import).await;
    assert_eq!(lines[0], "name,phone,email,metadata.Citta Natale,reason");
    lines[1] = lines[1].replace("+3933,", "+393331234569,");
    let again = imported(&world, &api, "b.csv", lines.join("\n").as_bytes(), &[]).await;
    assert_eq!(again["created"], 1, "{again}");
    let bob = &contacts(&api).await[9];
    assert_eq!((&bob["name"], &bob["metadata"]), (&json!("Bob"), &json!({"Citta Natale": "Milano"})));
}
