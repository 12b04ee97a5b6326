//! Many phones call at once and key thirteen digits each; prints what each heard.
//!
//! A developer's tool for measuring the voice. Usage:
//! `calls HOST:PORT IDENTITIES [--tcp] [--at-once N] [--keys DIGITS] [--number WHOM] [--wait SECONDS] [--silent]`
//! where IDENTITIES is a file with `user password` on each line, and the digits this phone keys after that where they
//! differ; `--silent` sends nothing but keys.
//! The last line sums up; the exit status is 1 when a call failed.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example is an edge: it prints, and reads its arguments"
)]

use std::collections::VecDeque;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use provost_phone::{Account, Call, CallError, CallReport, EndedBy, Line, LineError, Password, Transport};
use tokio::task::JoinSet;
use tokio::time::Instant;

const USAGE: &str = "usage: calls HOST:PORT IDENTITIES [--tcp] [--at-once N] [--keys DIGITS] [--number WHOM] \
                     [--wait SECONDS] [--silent]";
/// How long a registration may take under load.
const REGISTER_LIMIT: Duration = Duration::from_secs(32);

/// What every call does.
#[derive(Debug, Clone)]
struct Plan {
    server: (String, u16),
    transport: Transport,
    identities: String,
    at_once: usize,
    keys: String,
    number: String,
    wait: Duration,
    silent: bool,
}

/// Who calls, and what they key.
struct Caller {
    user: String,
    password: String,
    keys: String,
}

/// How one call went.
struct Outcome {
    user: String,
    registered_in: Duration,
    result: Result<CallReport, Trouble>,
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("registration: {0}")]
    Line(#[from] LineError),
    #[error("call: {0}")]
    Call(#[from] CallError),
}

fn main() -> ExitCode {
    let Some(plan) = read_arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let identities = match std::fs::read_to_string(&plan.identities) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("cannot read {}: {error}", plan.identities);
            return ExitCode::from(2);
        }
    };
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(run(&plan, &identities)),
        Err(error) => {
            eprintln!("cannot start: {error}");
            ExitCode::from(2)
        }
    }
}

fn read_arguments() -> Option<Plan> {
    let mut words = std::env::args().skip(1);
    let server = words.next()?;
    let (host, port) = server.rsplit_once(':')?;
    let mut plan = Plan {
        server: (host.to_owned(), port.parse().ok()?),
        transport: Transport::Udp,
        identities: words.next()?,
        at_once: usize::MAX,
        keys: "1234567890123".to_owned(),
        number: "activate".to_owned(),
        wait: Duration::from_secs(60),
        silent: false,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--tcp" => plan.transport = Transport::Tcp,
            "--silent" => plan.silent = true,
            "--at-once" => plan.at_once = words.next()?.parse().ok()?,
            "--keys" => plan.keys = words.next()?,
            "--number" => plan.number = words.next()?,
            "--wait" => plan.wait = Duration::from_secs(words.next()?.parse().ok()?),
            _ => return None,
        }
    }
    Some(plan)
}

async fn run(plan: &Plan, identities: &str) -> ExitCode {
    let mut waiting: VecDeque<Caller> = identities.lines().filter_map(|line| caller(plan, line)).collect();
    let mut calls = JoinSet::new();
    let mut outcomes = Vec::new();
    loop {
        while calls.len() < plan.at_once {
            let Some(caller) = waiting.pop_front() else { break };
            calls.spawn(one(plan.clone(), caller));
        }
        match calls.join_next().await {
            Some(Ok(outcome)) => {
                println!("{}", line(&outcome));
                outcomes.push(outcome);
            }
            Some(Err(error)) => eprintln!("a call ended early: {error}"),
            None => break,
        }
    }
    sum_up(&outcomes)
}

fn caller(plan: &Plan, line: &str) -> Option<Caller> {
    let mut words = line.split_whitespace().map(str::to_owned);
    let (user, password) = (words.next()?, words.next()?);
    Some(Caller { user, password, keys: words.next().unwrap_or_else(|| plan.keys.clone()) })
}

async fn one(plan: Plan, Caller { user, password, keys }: Caller) -> Outcome {
    let (host, port) = &plan.server;
    let account = Account::new((host, *port), (&user, Password::new(password)));
    let began = Instant::now();
    let mut phone = Line::open(Account {
        transport: plan.transport,
        heard_bytes: 0,
        speaks: !plan.silent,
        user_agent: "PolycomVVX-bench".to_owned(),
        ..account
    });
    let registered = phone.registered(REGISTER_LIMIT).await;
    let registered_in = began.elapsed();
    let result = match registered {
        Ok(()) => call(&plan, &keys, &mut phone).await,
        Err(error) => Err(error.into()),
    };
    phone.power_off().await;
    Outcome { user, registered_in, result }
}

async fn call(plan: &Plan, keys: &str, phone: &mut Line) -> Result<CallReport, Trouble> {
    let mut call = phone.dial(&plan.number).await?;
    let keyed = key(plan, keys, &mut call).await;
    // A call the server ended meanwhile is reported by how it ended.
    match keyed {
        Ok(()) | Err(CallError::Ended(_)) => Ok(call.until_ended(plan.wait).await?),
        Err(error) => Err(error.into()),
    }
}

/// Keys once the first words were heard: people interrupt the voice.
async fn key(plan: &Plan, keys: &str, call: &mut Call) -> Result<(), CallError> {
    call.voice_begins(plan.wait).await?;
    call.key(keys).await
}

fn line(outcome: &Outcome) -> String {
    let mut text = format!("{}: registration {} ms", outcome.user, outcome.registered_in.as_millis());
    // Writing into a string cannot fail.
    let _ = match &outcome.result {
        Ok(CallReport { ended_by, duration, heard }) => write!(
            text,
            ", {} ms, {} packets, {} lost, {} late, spacing p50 {} p99 {} largest {} us, voice {} ms, {ended_by}",
            duration.as_millis(),
            heard.packets,
            heard.lost,
            heard.late,
            heard.median_spacing.as_micros(),
            heard.p99_spacing.as_micros(),
            heard.largest_gap.as_micros(),
            heard.voice.as_millis(),
        ),
        Err(trouble) => write!(text, ", FAILED: {trouble}"),
    };
    text
}

fn sum_up(outcomes: &[Outcome]) -> ExitCode {
    let reports: Vec<&CallReport> = outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok()).collect();
    let ended = reports.iter().filter(|report| report.ended_by == EndedBy::Server).count();
    let worst = |of: fn(&CallReport) -> Duration| reports.iter().map(|report| of(report)).max().unwrap_or_default();
    println!(
        "{} calls, {ended} ended by the server, {} failed, {} packets lost; worst p99 spacing {} us, worst gap {} us",
        outcomes.len(),
        outcomes.len().saturating_sub(ended),
        reports.iter().map(|report| report.heard.lost).fold(0, u64::saturating_add),
        worst(|report| report.heard.p99_spacing).as_micros(),
        worst(|report| report.heard.largest_gap).as_micros(),
    );
    if ended == outcomes.len() && ended > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
