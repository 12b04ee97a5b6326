//! `provost fleet`: many virtual phones at one server.
//!
//! Decides how they are made, how many boot at the same time, and what is measured. Every phone is a whole one with its
//! own certificate and connections; what it costs is this process's memory and time, beside those of the server.

mod figures;

use self::figures::{Figures, Took};
use crate::args::Fleet;
use crate::clock;
use crate::failure::Failure;
use crate::lab::Lab;
use crate::out::complain;
use crate::set_up::{self, Place};
use provost_core::mac::MacAddr;
use provost_phone::{DeviceCertificate, Flash, Hardware, Outcome, Pem, Phone, PhoneSetup};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Phones after whose boot a line of progress is said.
const PROGRESS: usize = 50;

/// How one boot or poll of one phone went.
type Done = (Phone, Result<Duration, String>);

pub(crate) async fn run(place: &Place<'_>, fleet: &Fleet) -> Result<(), Failure> {
    let setups = setups(place, fleet)?;
    let before = figures::resident_bytes();
    let phones: Vec<Phone> = setups
        .into_iter()
        .map(|setup| Phone::new(setup).map_err(|error| Failure::Usage(error.to_string())))
        .collect::<Result<_, _>>()?;
    complain(format!("{} phones boot at {}, {} at a time", phones.len(), fleet.server, fleet.at_once));
    let gate = Arc::new(Semaphore::new(usize::try_from(fleet.at_once).unwrap_or(usize::MAX)));
    let began = Instant::now();
    let (mut phones, boots) = all(phones, "booted", |phone| boot(phone, Arc::clone(&gate))).await;
    let mut figures = Figures::of_boots(boots, began.elapsed());
    figures.memory(before, figures::resident_bytes(), phones.len());
    for _ in 0..fleet.polls {
        let (spread, count) = (Duration::from_secs(fleet.poll_over_s.into()), phones.len());
        let mut number = 0_usize;
        let (polled, polls) = all(phones, "polled", |phone| {
            number = number.saturating_add(1);
            let share = f64_of(number) / f64_of(count.max(1));
            poll(phone, spread.mul_f64(share.clamp(0.0, 1.0)))
        })
        .await;
        phones = polled;
        figures.add_polls(polls);
    }
    figures.say(fleet.json);
    match figures.failures() {
        0 => Ok(()),
        failures => Err(Failure::Runtime(format!("{failures} boot(s) or poll(s) failed"))),
    }
}

fn setups(place: &Place<'_>, fleet: &Fleet) -> Result<Vec<PhoneSetup>, Failure> {
    let config = place.configuration()?;
    let catalog = set_up::facts(&config)?;
    let lab = Lab::of(&config.data_dir);
    if !lab.exists() {
        complain("warning: no DATA/lab: these phones have no factory certificate");
    }
    let first: MacAddr = fleet.first_mac.parse().map_err(|error| Failure::Usage(format!("--first-mac: {error}")))?;
    let mut setups = Vec::new();
    for (number, model) in (0..fleet.phones).zip(fleet.models.iter().cycle()) {
        let mac = counted(first, number)
            .ok_or_else(|| Failure::Usage("--first-mac: there are not enough addresses behind it".to_owned()))?;
        let certificate = lab.exists().then(|| lab.ensure_phone(mac)).transpose()?;
        setups.push(PhoneSetup {
            catalog: Arc::clone(&catalog),
            model: model.clone(),
            mac: mac.to_string().parse().map_err(Failure::runtime)?,
            firmware: None,
            hardware: Hardware::default(),
            image_key: Some(Pem::File(lab.image_key())).filter(|_| lab.image_key().exists()),
            server_url: fleet.server.clone(),
            network: None,
            certificate: certificate
                .map(|(chain, key)| DeviceCertificate { chain: Pem::File(chain), key: Pem::File(key) }),
            authorities: Some(Pem::File(lab.server_root())).filter(|_| lab.server_root().exists()),
            sntp: fleet.sntp.clone(),
            flash: Flash::in_memory(),
            clock: clock::system_time,
        });
        if setups.len() % 100 == 0 {
            complain(format!("{} phones have their certificates", setups.len()));
        }
    }
    Ok(setups)
}

/// The address that is `number` behind `first`.
fn counted(first: MacAddr, number: u32) -> Option<MacAddr> {
    let bytes = first.octets();
    let mut whole = [0; 8];
    whole.get_mut(2..)?.copy_from_slice(&bytes);
    let sum = u64::from_be_bytes(whole).checked_add(number.into())?.to_be_bytes();
    match sum {
        [0, 0, rest @ ..] => Some(MacAddr::new(rest)),
        _ => None,
    }
}

async fn boot(mut phone: Phone, gate: Arc<Semaphore>) -> Done {
    // The gate is never closed.
    let _pass = gate.acquire_owned().await;
    let began = Instant::now();
    let outcome = match phone.boot(&mut |_| {}).await {
        Ok(report) => ended(report.outcome, began),
        Err(error) => Err(error.to_string()),
    };
    (phone, outcome)
}

async fn poll(mut phone: Phone, after: Duration) -> Done {
    sleep(after).await;
    let began = Instant::now();
    let outcome = match phone.poll(&mut |_| {}).await {
        Ok(report) => ended(report.outcome, began),
        Err(error) => Err(error.to_string()),
    };
    (phone, outcome)
}

fn ended(outcome: Outcome, began: Instant) -> Result<Duration, String> {
    match outcome {
        Outcome::Configured => Ok(began.elapsed()),
        other => Err(other.to_string()),
    }
}

/// Does one thing with every phone at the same time and keeps what each took.
async fn all<F>(phones: Vec<Phone>, verb: &str, mut work: impl FnMut(Phone) -> F) -> (Vec<Phone>, Vec<Took>)
where
    F: Future<Output = Done> + Send + 'static,
{
    let count = phones.len();
    let mut tasks: JoinSet<Done> = JoinSet::new();
    for phone in phones {
        tasks.spawn(work(phone));
    }
    let (mut phones, mut took) = (Vec::new(), Vec::new());
    while let Some(done) = tasks.join_next().await {
        match done {
            Ok((phone, outcome)) => {
                phones.push(phone);
                took.push(outcome);
            }
            Err(error) => took.push(Err(format!("the phone's task ended: {error}"))),
        }
        if took.len() % PROGRESS == 0 || took.len() == count {
            let failed = took.iter().filter(|took| took.is_err()).count();
            complain(format!("{} of {count} {verb}, {failed} failed", took.len().saturating_sub(failed)));
        }
    }
    (phones, took)
}

fn f64_of(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_count_up_over_the_bytes() {
        let first: MacAddr = "0004f2f000fe".parse().unwrap();

        assert_eq!(counted(first, 0), Some(first));
        assert_eq!(counted(first, 3), Some("0004f2f00101".parse().unwrap()));
        assert_eq!(counted("fffffffffffe".parse().unwrap(), 2), None);
    }
}
