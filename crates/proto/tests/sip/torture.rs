//! The messages of RFC 4475, one by one, by UDP and by TCP: what each is answered with and why.
//!
//! Nobody here has a password, so what is sane is challenged (401) or answered (OPTIONS, 200).

use std::path::PathBuf;

use provost_proto::sip::{Flow, StreamId};

use crate::world::{World, address, status};

/// What a message brings about: the statuses of the answers, and whether its connection is closed.
type Outcome = (&'static [u16], End);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Closed,
}
use End::{Closed, Open};

fn folder() -> Option<PathBuf> {
    let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").into_os_string();
    #[expect(clippy::disallowed_methods, reason = "a test is told by the environment where reference data lies")]
    let shared = std::env::var("PROVOST_SHARED").map_or_else(|_| beside(), Into::into);
    let folder = PathBuf::from(shared).join("data/rfc4475");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is absent", folder.display());
    None
}

fn by_udp(bytes: &[u8]) -> Vec<u16> {
    let mut world = World::new();
    world.datagram(5060, bytes);
    assert!(world.sent.iter().all(|(to, _)| *to == Flow::Udp(address(5060))));
    assert_eq!(world.endpoint.counts().transactions, 0);
    world.take_sent().iter().map(|text| status(text)).collect()
}

fn by_tcp(bytes: &[u8]) -> (Vec<u16>, End) {
    let mut world = World::new();
    world.endpoint.stream_opened(world.now, StreamId(1), address(9));
    world.stream(1, bytes);
    let end = if world.closed.is_empty() { Open } else { Closed };
    let statuses = world.take_sent().iter().map(|text| status(text)).collect();
    world.advance(3 * 3_600_000);
    assert_eq!(world.endpoint.counts(), provost_proto::sip::Counts::default(), "the connection ends sometime");
    (statuses, end)
}

/// The message, its answers by UDP, its outcome by TCP. What has no comment is either plainly wrong or only unusual.
const TABLE: [(&str, &[u16], Outcome); 49] = [
    // Spaces inside the angle brackets of To: malformed.
    ("badaspec", &[400], (&[400], Open)),
    // A branch that is the magic cookie alone counts as none (RFC 2543); OPTIONS is answered.
    ("badbranch", &[200], (&[200], Open)),
    // Nobody needs the Date.
    ("baddate", &[401], (&[401], Open)),
    // A comma in an unquoted display name is understood. The file lacks its last line end, so a stream waits on.
    ("baddn", &[200], (&[], Open)),
    // A Via that cannot be read: there is nothing to send an answer along.
    ("badinv01", &[], (&[], Open)),
    ("badvers", &[505], (&[505], Open)),
    // A response nobody asked for, with a hop that is not us.
    ("bcast", &[], (&[], Open)),
    ("bext01", &[420], (&[420], Open)),
    // A status beyond 699 is no response, and responses are not answered.
    ("bigcode", &[], (&[], Closed)),
    // Less body than said: a datagram is refused, a stream waits for the rest.
    ("clerr", &[400], (&[], Open)),
    ("cparam01", &[401], (&[401], Open)),
    ("cparam02", &[401], (&[401], Open)),
    // Two messages: in one datagram the second is surplus; in a stream both count, and the rest is no message.
    ("dblreq", &[401], (&[401, 401], Closed)),
    ("esc01", &[401], (&[401], Open)),
    // RE%47IST%45R is another method than REGISTER.
    ("esc02", &[501], (&[501], Open)),
    ("escnull", &[401], (&[401], Open)),
    // Headers in the Request-URI.
    ("escruri", &[400], (&[400], Open)),
    ("insuf", &[400], (&[400], Open)),
    ("intmeth", &[501], (&[501], Open)),
    // No Content-Length: fine in a datagram, the end of a stream.
    ("inv2543", &[401], (&[400], Closed)),
    ("invut", &[415], (&[415], Open)),
    ("longreq", &[401], (&[401], Open)),
    ("ltgtruri", &[400], (&[400], Open)),
    ("lwsdisp", &[200], (&[200], Open)),
    ("lwsruri", &[400], (&[400], Open)),
    ("lwsstart", &[400], (&[400], Open)),
    // Two different lengths.
    ("mcl01", &[400], (&[400], Closed)),
    ("mismatch01", &[400], (&[400], Open)),
    ("mismatch02", &[400], (&[400], Open)),
    // MESSAGE is not for us.
    ("mpart01", &[405], (&[405], Open)),
    ("multi01", &[400], (&[400], Open)),
    ("ncl", &[400], (&[400], Closed)),
    ("noreason", &[], (&[], Open)),
    ("novelsc", &[416], (&[416], Open)),
    ("quotbal", &[400], (&[400], Open)),
    // An unknown scheme of authorization proves nothing.
    ("regaut01", &[401], (&[401], Open)),
    // A question mark in a Contact without brackets.
    ("regbadct", &[400], (&[400], Open)),
    ("regescrt", &[401], (&[401], Open)),
    // A CSeq beyond 2^31.
    ("scalar02", &[400], (&[400], Open)),
    ("scalarlg", &[], (&[], Open)),
    ("sdp01", &[401], (&[401], Open)),
    ("semiuri", &[200], (&[200], Open)),
    ("transports", &[200], (&[200], Open)),
    ("trws", &[400], (&[400], Open)),
    ("unkscm", &[416], (&[416], Open)),
    // To and From of other schemes can be read; that nobody is called so comes after the proof.
    ("unksm2", &[401], (&[401], Open)),
    ("unreason", &[], (&[], Open)),
    // All understood, and it names a dialog that does not exist.
    ("wsinv", &[481], (&[481], Open)),
    // Zero hops left is enough for whom it is addressed to.
    ("zeromf", &[200], (&[200], Open)),
];

#[test]
fn every_torture_message_has_its_outcome() {
    let Some(folder) = folder() else { return };

    for (name, udp, tcp) in TABLE {
        let bytes = std::fs::read(folder.join(format!("{name}.dat"))).unwrap();
        assert_eq!(by_udp(&bytes), udp, "{name} by UDP");
        let (statuses, end) = by_tcp(&bytes);
        assert_eq!((statuses.as_slice(), end), tcp, "{name} by TCP");
    }
}

#[test]
fn no_torture_message_is_missing() {
    let Some(folder) = folder() else { return };

    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "dat"));
    let mut files: Vec<_> = files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    files.sort();

    assert_eq!(files, TABLE.map(|(name, _, _)| name));
}

#[test]
fn service_goes_on_after_all_torture_messages_on_one_machine() {
    let Some(folder) = folder() else { return };
    let mut world = World::new();

    for (at, (name, _, _)) in TABLE.iter().enumerate() {
        let bytes = std::fs::read(folder.join(format!("{name}.dat"))).unwrap();
        let id = u64::try_from(at).unwrap();
        world.endpoint.stream_opened(world.now, StreamId(id), address(9));
        world.stream(id, &bytes);
        world.datagram(5060, &bytes);
    }

    world.established(5061);
}
