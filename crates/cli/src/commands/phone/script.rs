//! `provost phone script`: procedures carried out on virtual phones.
//!
//! Decides which phone a script gets: one of its own, fresh out of the box unless --flash says otherwise, with its web
//! pages on a port of this machine. Goes on with the next script when one fails, and fails in the end.

use super::{parts, web};
use crate::args::RunScripts;
use crate::failure::Failure;
use crate::out::{complain, say};
use crate::set_up::Place;
use provost_phone::script::{Bench, Runner, Script, StepReport};
use provost_phone::{Handset, Pace, PhoneSetup};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Where the phone's own pages listen: a free port, this machine only.
const WEB: ([u8; 4], u16) = ([127, 0, 0, 1], 0);
/// What a script is carried out on when neither it nor the command line names a model.
const MODEL: &str = "vvx450";

pub(super) async fn run(place: &Place<'_>, scripts: &RunScripts) -> Result<(), Failure> {
    let read: Vec<Script> = read_all(&scripts.files)?;
    if scripts.check {
        say(format!("{} script(s) can be read", read.len()));
        return Ok(());
    }
    let given = variables(&scripts.variables)?;
    let mut failed = 0_u32;
    for script in &read {
        match carry_out(place, (scripts, &given), script).await {
            Ok(()) => {}
            Err(Failure::Runtime(text)) => {
                failed = failed.saturating_add(1);
                match scripts.json {
                    true => say(json!({ "script": script.name, "outcome": "failed", "error": text }).to_string()),
                    false => complain(text.trim_end()),
                }
            }
            Err(other) => return Err(other),
        }
    }
    match failed {
        0 => Ok(()),
        failed => Err(Failure::Runtime(format!("{failed} of {} script(s) failed", read.len()))),
    }
}

/// Reads every script before the first is carried out, and says what is wrong with all of them.
fn read_all(files: &[impl AsRef<Path>]) -> Result<Vec<Script>, Failure> {
    let mut read = Vec::new();
    let mut mistakes = Vec::new();
    for file in files {
        let file = file.as_ref();
        match fs::read_to_string(file) {
            Err(error) => mistakes.push(format!("{}: {error}", file.display())),
            Ok(text) => match Script::parse(&file.display().to_string(), &text) {
                Ok(script) => read.push(script),
                Err(error) => mistakes.push(error.to_string()),
            },
        }
    }
    if mistakes.is_empty() { Ok(read) } else { Err(Failure::Usage(mistakes.join("\n"))) }
}

fn variables(given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |text: &String| {
        let wrong = || Failure::Usage(format!("--set {text}: write NAME=VALUE"));
        text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(wrong)
    };
    given.iter().map(pair).collect()
}

async fn carry_out(
    place: &Place<'_>,
    (scripts, given): (&RunScripts, &BTreeMap<String, String>),
    script: &Script,
) -> Result<(), Failure> {
    let model = scripts.model.clone().or_else(|| script.models().first().map(|model| (*model).to_owned()));
    let model = model.unwrap_or_else(|| MODEL.to_owned());
    if !script.models().is_empty() && !script.models().contains(&model.as_str()) {
        complain(format!("warning: {} is not written for a {model}", script.name));
    }
    let setup = parts::in_network(parts::setup(place, (&model, &scripts.mac), &scripts.parts)?, &scripts.around)?;
    let mut variables = given.clone();
    variables.entry("mac".to_owned()).or_insert_with(|| setup.mac.to_string());
    variables.entry("model".to_owned()).or_insert_with(|| model.clone());
    let setup = script.given(setup, &variables).map_err(Failure::runtime)?;
    let handset =
        Handset::new(setup.clone(), Pace(scripts.around.pace)).map_err(|error| Failure::Usage(error.to_string()))?;
    let pages = web::serve(&handset, &setup, WEB.into()).await?;
    let bench = Bench { web: format!("https://{}/", pages.https()).parse().ok(), ..bench(handset, &setup, variables) };
    if !scripts.json {
        say(format!("{}: {} on {model}", script.name, script.title().unwrap_or("no title")));
    }
    let runner = Runner::new(script, bench).map_err(|error| Failure::Usage(error.to_string()))?;
    let (name, json) = (script.name.clone(), scripts.json);
    runner.run(&mut |step| tell(&name, &step, json)).await.map_err(Failure::runtime)?;
    match json {
        true => say(json!({ "script": name, "model": model, "outcome": "done" }).to_string()),
        false => say("  done"),
    }
    Ok(())
}

fn bench(handset: Handset, setup: &PhoneSetup, variables: BTreeMap<String, String>) -> Bench {
    let network = setup.network.clone().unwrap_or_default();
    let time = parts::time_in(&network);
    Bench { handset, network, time, web: None, variables }
}

fn tell(script: &str, step: &StepReport, json: bool) {
    let millis = u64::try_from(step.took.as_millis()).unwrap_or(u64::MAX);
    if json {
        let line = json!({ "script": script, "step": step.number, "words": step.words, "took-ms": millis });
        say(line.to_string());
    } else {
        say(format!("  step {:<4} {} ({millis} ms)", step.number, step.words));
    }
}
