//! Measures how many unclaimed phones can call and activate at once, upward until calls fail: part of `./bench`.
//! Usage: `crowd_of_calls PROVOST CALLS N...`, where PROVOST is the program, CALLS the `calls` example of the virtual
//! phone, and each N a crowd of fresh phones with a code each, which send nothing but keys.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement: a failure here is a failed run"
)]

use provost_testkit::{Maker, Provost, ServerSetup, TestServer};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];
/// Room for 6,000 calls.
const SECTIONS: &str = "[sip]\nrtp-ports = \"20000-31999\"\n[log]\nlevel = \"error\"\n";

/// The processor time the server has used, from the scheduler's own count.
fn used(server: &TestServer) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap();
    let nanos = tasks.map(|task| -> u64 {
        let count = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap_or_default();
        count.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
    });
    Duration::from_nanos(nanos.sum())
}

/// One line of the list of callers: the phone's identity, and a code of its own.
fn caller(server: &TestServer, maker: &Maker, place: (&str, &str), number: usize) -> String {
    let mac = format!("0004f2{number:06x}");
    let bootstrap = server.phone(Some(&maker.phone(&mac)), &format!("/{mac}-provost.cfg"), AGENT).text();
    let value = |name: &str| {
        let (_, rest) = bootstrap.split_once(&format!("{name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let device = server.device(place, &format!("{}", 100_000 + number), "vvx500");
    format!("{} {} {}", value("reg.1.auth.userId"), value("reg.1.auth.password"), server.code(&device))
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [provost, calls, crowds @ ..] = arguments.as_slice() else {
        println!("usage: crowd_of_calls PROVOST CALLS N...");
        return;
    };
    let maker = Maker::new();
    let setup = ServerSetup { sections: SECTIONS.to_owned(), ..ServerSetup::default() };
    let server = TestServer::start_with(&Provost::new(PathBuf::from(provost)), &maker, &setup);
    let (account, site) = server.site();
    let list = server.data().join("callers");
    let mut phones = 1..;
    for crowd in crowds.iter().map(|crowd| crowd.parse::<usize>().unwrap()) {
        let callers: Vec<String> =
            (&mut phones).take(crowd).map(|number| caller(&server, &maker, (&account, &site), number)).collect();
        std::fs::write(&list, callers.join("\n")).unwrap();
        let (before, began) = (used(&server), Instant::now());
        let told = Command::new(calls).arg(server.address("sip")).arg(&list).args(["--silent"]).output().unwrap();
        let (spent, lasted) = (used(&server).saturating_sub(before), began.elapsed());
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        println!(
            "{} in {:.1} s, server CPU {:.1} s, resident {} MB",
            told.lines().last().unwrap_or("nothing was told"),
            lasted.as_secs_f64(),
            spent.as_secs_f64(),
            server.resident_kb() / 1024
        );
        for failed in told.lines().filter(|line| line.contains("FAILED")).take(3) {
            println!("    {failed}");
        }
    }
}
