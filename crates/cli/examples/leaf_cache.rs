//! Measures what a full handshake costs the real server for phones it remembers and for phones it never saw, on both TLS
//! stacks: part of `./bench`. Its argument is the `provost` program.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement: a failure here is a failed run")]

use openssl::ssl::{Ssl, SslContext, SslFiletype, SslMethod, SslVerifyMode, SslVersion};
use provost_testkit::{Maker, PhoneKey, Provost, TestServer};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

/// Handshakes of a row, taken by turns in groups, so that whatever else runs falls on all rows alike.
const GROUPS: usize = 20;
const GROUP: usize = 100;

/// The stack by what the phone offers.
const STACKS: [(&str, &str); 2] =
    [("modern stack, RSA-2048", "ECDHE-RSA-AES128-GCM-SHA256"), ("older stack, static RSA", "AES128-SHA")];

/// The processor time the server has used, from the scheduler's own count.
fn used(server: &TestServer) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap();
    let nanos = tasks.map(|task| -> u64 {
        let count = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap_or_default();
        count.split(' ').next().unwrap().parse().unwrap_or(0)
    });
    Duration::from_nanos(nanos.sum())
}

fn phone(PhoneKey { chain, key }: &PhoneKey, suites: &str) -> SslContext {
    let mut phone = SslContext::builder(SslMethod::tls_client()).unwrap();
    phone.set_verify(SslVerifyMode::NONE);
    phone.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    phone.set_cipher_list(suites).unwrap();
    phone.set_certificate_chain_file(chain).unwrap();
    phone.set_private_key_file(key, SslFiletype::PEM).unwrap();
    phone.build()
}

/// One group of handshakes, each by another of these phones.
fn handshakes(server: &TestServer, phones: &[SslContext]) -> Duration {
    let address = server.address("phones_https");
    let before = used(server);
    for phone in phones {
        Ssl::new(phone).unwrap().connect(TcpStream::connect(&address).unwrap()).unwrap();
    }
    used(server).saturating_sub(before)
}

fn main() {
    let program: PathBuf = std::env::args_os().nth(1).unwrap().into();
    let maker = Maker::new();
    let server = TestServer::start(&Provost::new(program), &maker);
    let known = maker.phone("0004f2000000");
    let mut rows = [[Duration::ZERO; 2]; STACKS.len()];
    let mut fresh = 0..;
    for _ in 0..GROUPS {
        for ((_, suites), row) in STACKS.iter().zip(&mut rows) {
            let remembered = vec![phone(&known, suites); GROUP];
            let anew: Vec<_> = (&mut fresh)
                .take(GROUP)
                .map(|number: usize| phone(&maker.phone(&format!("0004f21{number:05x}")), suites))
                .collect();
            for (sum, phones) in row.iter_mut().zip([remembered, anew]) {
                *sum += handshakes(&server, &phones);
            }
        }
    }
    let each = |sum: Duration| sum.as_secs_f64() * 1e6 / f64::from(u32::try_from(GROUPS * GROUP).unwrap());
    for ((name, _), [remembered, anew]) in STACKS.iter().zip(rows) {
        println!(
            "full handshake, {name}: leaf remembered {:.0} us, leaf never seen {:.0} us",
            each(remembered),
            each(anew)
        );
    }
}
