//! Files that are broken, something else, or meant to do harm: refused with expected and found, and nothing of them stays.

use crate::files::{Files, OF_350, OF_450, RELEASE, bytes, sha256};
use crate::{nothing_is_kept, server, upload};
use provost_testkit::{Reply, TestServer};
use std::path::Path;

/// Refused with this code, and all these words in the message.
fn is_refused(server: &TestServer, (file, said): (&Path, &str), (code, words): (&str, &[&str])) {
    let reply: Reply = upload(server, server.token(), file, said);
    let text = reply.text();
    assert_eq!((reply.status, reply.json()["code"].as_str().unwrap()), (409, code), "{text}");
    for word in words {
        assert!(text.contains(word), "no `{word}` in {text}");
    }
    nothing_is_kept(server);
}

#[test]
fn a_corrupted_zip_is_refused_with_entry_expected_and_found_and_its_good_images_with_it() {
    let (server, files) = (server(), Files::new());

    let flipped = files.release();
    // In the second image's packed bytes: the first one is good.
    files.change(&flipped, "at = b.index(b'more/'); b[at + 150000] ^= 1");
    is_refused(&server, (&flipped, ""), ("bad-zip", &[OF_350, "is corrupted", "expected 300004 bytes", "found"]));

    let crc = files.release();
    files.change(&crc, "at = b.rindex(b'PK\\x01\\x02', 0, b.rindex(b'more/')); b[at + 16] ^= 1");
    is_refused(&server, (&crc, ""), ("bad-zip", &[OF_350, "is corrupted", "with the CRC", "found"]));

    let truncated = files.release();
    files.change(&truncated, "del b[-1000:]");
    is_refused(&server, (&truncated, ""), ("bad-zip", &[RELEASE, "expected a zip's directory", "cut off"]));
}

#[test]
fn another_file_than_was_meant_is_refused_by_its_sha256_with_both() {
    let (server, files) = (server(), Files::new());
    let (image, other) = (files.file(OF_450, &bytes(1)), files.file("other", &bytes(2)));
    let said = format!("&version=6.4.8.1&sha256={}", sha256(&other));

    is_refused(&server, (&image, &said), ("wrong-sha256", &[&sha256(&other), &sha256(&image), "expected", "found"]));
}

#[test]
fn what_is_no_image_is_refused_with_what_it_is() {
    let (server, files) = (server(), Files::new());
    let page = format!("<!DOCTYPE html><html>{}</html>", "Sign in ".repeat(20_000));
    let page = files.file(OF_450, page.as_bytes());
    is_refused(
        &server,
        (&page, "&version=6.4.8.1"),
        ("not-an-image", &["expected the maker's .ld file", "web page (HTML)"]),
    );
    let empty = files.file(OF_450, b"");
    is_refused(&server, (&empty, "&version=6.4.8.1"), ("not-an-image", &["an empty file"]));
    let in_zip = files.zip("images.zip", &[(OF_350, &bytes(1)), (OF_450, b"<html>Sign in</html>")]);
    is_refused(&server, (&in_zip, "&version=6.4.8.1"), ("not-an-image", &[OF_450, "web page (HTML)"]));
    let none = files.zip("pictures.zip", &[("a.png", b"\x89PNG"), ("9999-99999-999.sip.ld", &bytes(1))]);
    is_refused(&server, (&none, "&version=6.4.8.1"), ("bad-zip", &["found none that can be taken", "9999-99999-999"]));
    let unknown = files.file("9999-99999-999.sip.ld", &bytes(1));
    is_refused(&server, (&unknown, "&version=6.4.8.1"), ("not-an-image", &["is not in the catalog"]));
}

#[test]
fn zips_meant_to_do_harm_are_refused_before_they_can() {
    let (server, files) = (server(), Files::new());
    let outside = files.zip("images.zip", &[(&format!("../../{OF_450}"), &bytes(1))]);
    is_refused(&server, (&outside, "&version=6.4.8.1"), ("bad-zip", &["expected names within it", "../../"]));

    let encrypted = files.zip("images.zip", &[(OF_450, &bytes(1))]);
    files.change(&encrypted, "b[6] |= 1; b[b.rindex(b'PK\\x01\\x02') + 8] |= 1");
    is_refused(&server, (&encrypted, "&version=6.4.8.1"), ("bad-zip", &[OF_450, "is encrypted"]));

    // Says 3 GiB of zeros.
    let bomb = files.zip("images.zip", &[(OF_450, &vec![0; 4_000_000])]);
    files.change(&bomb, "at = b.rindex(b'PK\\x01\\x02') + 24; b[at:at + 4] = (3 << 30).to_bytes(4, 'little')");
    is_refused(&server, (&bomb, "&version=6.4.8.1"), ("bad-zip", &["expected at most 2147483648 bytes", "3221225472"]));

    // Says little, and holds more.
    let liar = files.zip("images.zip", &[(OF_450, &vec![0; 4_000_000])]);
    files.change(&liar, "at = b.rindex(b'PK\\x01\\x02') + 24; b[at:at + 4] = (100000).to_bytes(4, 'little')");
    is_refused(&server, (&liar, "&version=6.4.8.1"), ("bad-zip", &[OF_450, "expected 100000 bytes", "found"]));

    let many: Vec<String> = (0..2_001).map(|number| format!("{number}.txt")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
    let many = files.zip("images.zip", &many);
    is_refused(&server, (&many, "&version=6.4.8.1"), ("bad-zip", &["expected at most 2000 entries", "found 2001"]));
}

#[test]
fn a_zip_that_hides_a_second_directory_is_refused_at_once_and_in_little_memory() {
    let (server, files) = (server(), Files::new());
    let zip = files.zip("images.zip", &[(OF_450, &bytes(1))]);
    // In the comment: a larger end of a hundred million entries, what points at it, and an end that tells to go by it.
    files.change(
        &zip,
        "import struct\n\
         n, at = 10**8, len(b)\n\
         big = b'PK\\x06\\x06' + struct.pack('<QHHIIQQQQ', 44, 45, 45, 0, 0, n, n, n * 46, 0)\n\
         big += b'PK\\x06\\x07' + struct.pack('<IQI', 0, at, 1)\n\
         big += b'PK\\x05\\x06' + struct.pack('<HHHHIIH', 0, 0, 65535, 65535, 0xffffffff, 0xffffffff, 0) + b' '\n\
         b[-2:] = struct.pack('<H', len(big))\n\
         b += big",
    );
    assert!(crate::images(&server).is_empty());
    let before = server.resident_kb();

    is_refused(&server, (&zip, "&version=6.4.8.1"), ("bad-zip", &["expected one end", "read in two ways"]));

    let after = server.resident_kb();
    assert!(after < before + 48 * 1024, "{before} kB before, {after} kB after");
}

#[test]
fn versions_beside_images_count_for_their_folder_and_must_agree_there() {
    let (server, files) = (server(), Files::new());
    let ends = [("a/sip.ver", b"6.4.8.1".as_slice()), ("a/3111-48840-001.sip.ver", b"6.4.9.1")];
    let image = (format!("a/{OF_450}"), bytes(1));
    let zip = files.zip("images.zip", &[(&image.0, &image.1), ends[0], ends[1]]);
    is_refused(&server, (&zip, ""), ("bad-zip", &["says the version 6.4.9.1", "6.4.8.1"]));

    let other = (format!("b/{OF_350}"), bytes(2));
    let zip = files.zip(
        "images.zip",
        &[(&image.0, &image.1), (&other.0, &other.1), ends[0], ("b/sip.ver", b"5.9.8.1"), ("c/bootblock.ld", b"x")],
    );
    let done = upload(&server, server.token(), &zip, "&kind=application");
    assert_eq!(done.status, 201, "{}", done.text());
    assert!(done.text().contains("c/bootblock.ld"), "left out, whatever is said: {}", done.text());
    for image in crate::images(&server) {
        let expected = if image["name"] == OF_450 { "6.4.8.1" } else { "5.9.8.1" };
        assert_eq!(image["version"], expected, "{image}");
    }
}

#[test]
fn an_upload_with_a_key_must_say_which_bytes_it_has() {
    let (server, files) = (server(), Files::new());
    let image = files.file(OF_450, &bytes(1));
    let keyed = |said: &str| {
        let url = format!("{}/api/v1/firmware/images?name={OF_450}&version=6.4.8.1{said}", server.address("console"));
        let bearer = format!("Authorization: Bearer {}", server.token());
        let headers = ["--header", &bearer, "--header", "Idempotency-Key: one"];
        let request = ["--request", "POST", "--upload-file", crate::path(&image), &url];
        Reply::of(&[headers.as_slice(), &request].concat())
    };

    let refused = keyed("");
    assert!(refused.status == 400 && refused.text().contains("sha256="), "{} {}", refused.status, refused.text());
    nothing_is_kept(&server);

    let said = format!("&sha256={}", sha256(&image));
    assert_eq!(keyed(&said).status, 201);
    assert_eq!(keyed(&said).header("idempotency-replayed"), Some("true"));
}

#[test]
fn more_than_a_gibibyte_is_refused_before_it_is_sent() {
    let (server, files) = (server(), Files::new());
    let file = files.file(OF_450, b"");
    std::fs::File::options().write(true).open(&file).unwrap().set_len(1024 * 1024 * 1024 + 1).unwrap();
    let url = format!("{}/api/v1/firmware/images?name={OF_450}&version=6.4.8.1", server.address("console"));
    let bearer = format!("Authorization: Bearer {}", server.token());

    // Who asks first whether to send (RFC 9110, 10.1.1) does not send it.
    let asks = ["--expect100-timeout", "60", "--header", "Expect: 100-continue"];
    let request = ["--request", "POST", "--header", &bearer, "--upload-file", crate::path(&file), &url];
    let reply = Reply::of(&[asks.as_slice(), &request].concat());

    assert_eq!(
        (reply.status, reply.json()["code"].as_str().unwrap()),
        (413, "too-large"),
        "{} {}",
        reply.text(),
        reply.trouble
    );
    nothing_is_kept(&server);
}
