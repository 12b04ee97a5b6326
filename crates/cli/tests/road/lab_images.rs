//! Images made by the command line and flashed by `phone boot`, also when the process is killed meanwhile.

use crate::provost;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};

const MAC: &str = "0004f2a00077";
const PART: &str = "3111-44500-001";

/// Serves a master file and one image over plain HTTP; returns the address and, for each image sent, the bytes.
///
/// After `stop` bytes of the image it tells so and holds the connection until the phone is gone.
fn serve(image: Vec<u8>, stop: usize) -> (String, Receiver<usize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            answer(stream, &image, stop, &tell);
        }
    });
    (format!("http://{address}"), told)
}

fn answer(mut stream: TcpStream, image: &[u8], stop: usize, tell: &Sender<usize>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else { return };
    for line in lines.by_ref() {
        if line.is_ok_and(|line| line.is_empty()) {
            break;
        }
    }
    let master = br#"<APPLICATION APP_FILE_PATH="sip.ld" CONFIG_FILES=""/>"#.as_slice();
    let (status, body, stop) = match first.split(' ').nth(1) {
        Some("/0004f2a00077.cfg") => (200, master, usize::MAX),
        Some("/3111-44500-001.sip.ld") => (200, image, stop),
        _ => (404, b"".as_slice(), usize::MAX),
    };
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let sent = body.get(..stop.min(body.len())).unwrap();
    if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(sent)).is_err() {
        return;
    }
    if body.len() == image.len() {
        let _ = tell.send(sent.len());
    }
    if sent.len() < body.len() {
        // Until the phone is gone.
        let _ = lines.next();
    }
}

fn make(data: &Path, out: &Path, more: &[&str]) -> (i32, String) {
    let version = ["--version", "5.9.8.5760", "--updater", "5.9.8.4127"];
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let arguments = [&["phone", "image", "--data", data, "--part", PART], version.as_slice(), more, &[out]].concat();
    let made = provost().run(&arguments);
    (made.code, made.out + &made.err)
}

fn boot(url: &str, folder: &Path, more: &[&str]) -> Vec<String> {
    let (data, flash) = (folder.join("data"), folder.join("flash"));
    let own = ["phone", "boot", "--server", url, "--model", "vvx500", "--mac", MAC];
    let paths = ["--data", data.to_str().unwrap(), "--flash", flash.to_str().unwrap()];
    [own.as_slice(), paths.as_slice(), more].concat().into_iter().map(str::to_owned).collect()
}

/// Application and updater in the phone's flash.
fn versions(folder: &Path) -> (String, String) {
    let text = std::fs::read_to_string(folder.join("flash/flash.json")).unwrap();
    let memory: serde_json::Value = serde_json::from_str(&text).unwrap();
    (memory["firmware"].as_str().unwrap().to_owned(), memory["updater"].as_str().unwrap().to_owned())
}

#[test]
fn an_image_is_made_signed_and_flashed_and_a_rogue_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("sip.ld"));

    let rogue = make(&data, &out, &["--rogue", "--bytes", "5000"]);
    assert_eq!(rogue.0, 0, "{}", rogue.1);
    assert!(!data.join("lab").exists(), "a rogue image needs no key of the lab");
    let rogue = std::fs::read(&out).unwrap();
    let made = make(&data, &out, &["--combined", "3111-48840-001,3111-44600-001", "--bytes", "5000"]);
    assert!(made.1.contains("for 3111-44500-001, 3111-48840-001, 3111-44600-001"), "{}", made.1);
    let key = std::fs::metadata(data.join("lab/image-maker.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);

    let (url, _told) = serve(rogue, usize::MAX);
    let refused = provost().run(&boot(&url, folder.path(), &[]));
    assert_eq!(refused.code, 0, "{}{}", refused.out, refused.err);
    assert!(refused.out.contains("sip.ld is not taken: its signature is not the maker's"), "{}", refused.out);
    assert_eq!(versions(folder.path()).0, "5.9.7.4477");

    let (url, _told) = serve(std::fs::read(&out).unwrap(), usize::MAX);
    let flashed = provost().run(&boot(&url, folder.path(), &["--json"]));
    assert_eq!(flashed.code, 0, "{}{}", flashed.out, flashed.err);
    let lines: Vec<serde_json::Value> = flashed.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let image = lines.iter().find(|line| line["path"] == "/3111-44500-001.sip.ld").unwrap();
    assert_eq!((image["status"].as_u64(), image["method"].as_str()), (Some(200), Some("GET")));
    assert!(image["bytes"].as_u64().unwrap() >= 5000, "{image}");
    assert_eq!(versions(folder.path()), ("5.9.8.5760".to_owned(), "5.9.8.4127".to_owned()));
}

#[test]
fn an_image_that_makes_no_sense_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("sip.ld");

    let made = make(&folder.path().join("data"), &out, &["--needs-updater", "new"]);

    assert_eq!(made.0, 64, "{}", made.1);
    assert!(made.1.contains("`new` is not a version"), "{}", made.1);
    assert!(!out.exists());
}

#[test]
fn a_phone_that_is_killed_while_an_image_comes_has_its_old_version_and_takes_it_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("sip.ld"));
    assert_eq!(make(&data, &out, &["--bytes", "300000"]).0, 0);
    let image = std::fs::read(&out).unwrap();

    for stop in [0, 10, 400, 100_000, image.len() - 1] {
        let (url, told) = serve(image.clone(), stop);
        let mut command = provost().command();
        let command = command.args(boot(&url, folder.path(), &[])).stdout(Stdio::null()).stderr(Stdio::null());
        let mut phone = command.spawn().unwrap();
        assert_eq!(told.recv().unwrap(), stop);
        phone.kill().unwrap();
        phone.wait().unwrap();
        assert_eq!(versions(folder.path()), ("5.9.7.4477".to_owned(), "5.9.7.47435".to_owned()), "after {stop} bytes");
    }
    let (url, _told) = serve(image, usize::MAX);
    let up = provost().run(&boot(&url, folder.path(), &[]));

    assert_eq!(up.code, 0, "{}{}", up.out, up.err);
    assert!(up.out.contains("flashed: 3111-44500-001.sip.ld from 5.9.7.4477"), "{}", up.out);
    assert_eq!(versions(folder.path()), ("5.9.8.5760".to_owned(), "5.9.8.4127".to_owned()));
}
