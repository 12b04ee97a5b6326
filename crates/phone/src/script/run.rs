//! Carries a script out on a phone.
//!
//! Decides what each statement does with the keys, the display, the network and the web pages. A statement that
//! is not fulfilled ends the script; what it tells then is in `report`.

mod hands;
mod report;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

pub use report::{Failed, ScriptFailure, StepReport};

use super::statement::{Given, Line, NetworkChange, OptionAnswer, Origin, Script, Statement, Text, WebAct};
use super::watch::{Seen, Watch};
use super::web::{REFUSALS, Visitor, WebTrouble};
use crate::flash::{Flash, FlashError, Memory};
use crate::handset::{Handset, Key};
use crate::network::Network;
use crate::setup::PhoneSetup;

/// How long something is waited for that a script names no time for.
const PATIENCE: Duration = Duration::from_secs(30);
/// However fast the phone is, networks and servers take their own time.
const LEAST_PATIENCE: Duration = Duration::from_secs(20);

/// What a script is carried out on.
#[derive(Debug)]
pub struct Bench {
    /// The phone.
    pub handset: Handset,
    /// The network its cable ends in.
    pub network: Network,
    /// Where its network says that the time can be had.
    pub time: Option<Ipv4Addr>,
    /// Where its web pages are.
    pub web: Option<Url>,
    /// Values of variables, which win over those of the script.
    pub variables: BTreeMap<String, String>,
}

/// A script being carried out.
pub struct Runner<'a> {
    script: &'a Script,
    bench: Bench,
    variables: BTreeMap<String, String>,
    watch: Watch,
    visitor: Option<Visitor>,
    step: Option<(String, String, Instant)>,
    /// Whether the phone's count-down stands still for the hands.
    still: bool,
}

impl Script {
    /// The phone as the script takes it for granted: `given` lines become its setup and its memory.
    ///
    /// # Errors
    /// [`ScriptFailure`] when a variable has no value, or the memory cannot be written.
    pub fn given(&self, setup: PhoneSetup, variables: &BTreeMap<String, String>) -> Result<PhoneSetup, ScriptFailure> {
        let variables = self.variables(variables)?;
        let mut setup = setup;
        let mut memory = Memory { mac: setup.mac.to_string(), model: setup.model.clone(), ..Memory::default() };
        for (line, given) in self.givens() {
            let fill = |text: &Text| text.fill(&variables).map_err(|name| self.unknown(line, name));
            match given {
                Given::Firmware(version) => setup.firmware = Some(fill(version)?),
                Given::Flash(name, value) => drop(memory.device.insert(name.clone(), fill(value)?)),
                Given::Setting(name, value) => drop(memory.phone_overrides.insert(name.clone(), fill(value)?)),
                Given::NoCertificate => setup.certificate = None,
                Given::Option(code, answer) => {
                    let network = setup.network.get_or_insert_default();
                    say(network, *code, Some(answered(answer, &fill)?));
                }
                Given::NoTime => silence(setup.network.get_or_insert_default()),
            }
        }
        let bare = memory.device.is_empty() && memory.phone_overrides.is_empty();
        if !bare {
            self.remember(&setup.flash, &memory)?;
        }
        Ok(setup)
    }

    fn remember(&self, flash: &Flash, memory: &Memory) -> Result<(), ScriptFailure> {
        let line = self.givens().next().map_or(1, |(line, _)| line);
        let refused = |error: FlashError| ScriptFailure::Given { origin: self.at(line), reason: error.to_string() };
        match flash.load().map_err(refused)? {
            Some(_) => Err(ScriptFailure::Given {
                origin: self.at(line),
                reason: "the phone has a memory already; give this script one that is new".to_owned(),
            }),
            None => flash.store(memory).map_err(refused),
        }
    }

    /// The caller's variables, and the script's own where the caller has none.
    fn variables(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ScriptFailure> {
        let mut variables = given.clone();
        for line in &self.lines {
            if let Statement::Let(name, value) = &line.statement
                && !variables.contains_key(name)
            {
                let value = value.fill(&variables).map_err(|name| self.unknown(line.number, name))?;
                variables.insert(name.clone(), value);
            }
        }
        Ok(variables)
    }

    fn at(&self, line: usize) -> Origin {
        Origin { file: self.name.clone(), line }
    }

    fn unknown(&self, line: usize, name: String) -> ScriptFailure {
        ScriptFailure::Variable { origin: self.at(line), name }
    }
}

impl<'a> Runner<'a> {
    /// Makes ready to carry `script` out; nothing is done yet.
    ///
    /// # Errors
    /// [`ScriptFailure::Variable`] when it uses a variable that has no value.
    pub fn new(script: &'a Script, bench: Bench) -> Result<Self, ScriptFailure> {
        let variables = script.variables(&bench.variables)?;
        for line in &script.lines {
            for text in line.statement.texts() {
                text.fill(&variables).map_err(|name| script.unknown(line.number, name))?;
            }
        }
        let watch = Watch::new(&bench.handset);
        Ok(Self { script, bench, variables, watch, visitor: None, step: None, still: false })
    }

    /// Carries every line out; `told` hears of each step when it is done.
    ///
    /// # Errors
    /// [`ScriptFailure::Failed`] at the first statement that is not fulfilled.
    pub async fn run(mut self, told: &mut (dyn FnMut(StepReport) + Send)) -> Result<(), ScriptFailure> {
        let script = self.script;
        for (at, line) in script.lines.iter().enumerate() {
            if let Statement::Step(number, words) = &line.statement {
                self.end_step(told);
                let words = self.fill(words);
                self.step = Some((number.clone(), words, Instant::now()));
                continue;
            }
            self.keep_time(at).await;
            if let Err(found) = self.carry_out(&line.statement).await {
                return Err(self.failed(line, found));
            }
        }
        self.end_step(told);
        Ok(())
    }

    fn end_step(&mut self, told: &mut (dyn FnMut(StepReport) + Send)) {
        if let Some((number, words, began)) = self.step.take() {
            told(StepReport { number, words, took: began.elapsed() });
        }
    }

    fn failed(&self, line: &Line, found: String) -> ScriptFailure {
        ScriptFailure::Failed(Box::new(Failed {
            origin: self.script.at(line.number),
            step: self.step.as_ref().map(|(number, words, _)| (number.clone(), words.clone())),
            statement: line.statement.to_string(),
            found,
            face: self.watch.face(),
        }))
    }

    /// Hands that follow right upon the power are never too late, however busy the machine is: until they have pressed
    /// what they are there for, the count-down stands still.
    async fn keep_time(&mut self, at: usize) {
        let by_hand =
            |line: &Line| matches!(line.statement, Statement::Press(_) | Statement::PressSoft(_) | Statement::Hold(..));
        let acts = |line: &&Line| !matches!(line.statement, Statement::Step(..));
        let mut ahead = self.script.lines.get(at..).into_iter().flatten().filter(acts);
        let still = match (ahead.next(), ahead.next()) {
            (Some(Line { statement: Statement::PowerOn, .. }), next) => next.is_some_and(by_hand),
            (Some(now), _) => self.still && by_hand(now),
            (None, _) => false,
        };
        self.stand_still(still).await;
    }

    async fn stand_still(&mut self, still: bool) {
        if self.still != still {
            self.still = still;
            self.bench.handset.stand_still(still).await;
        }
    }

    async fn carry_out(&mut self, statement: &Statement) -> Result<(), String> {
        match statement {
            Statement::Procedure(_) | Statement::Models(_) | Statement::Let(..) | Statement::Given(_) => Ok(()),
            Statement::Step(..) => Ok(()),
            Statement::Press(keys) => self.press(keys).await,
            Statement::PressSoft(labels) => self.press_soft(&self.fill_all(&labels.0)).await,
            Statement::PressLine(labels) => self.press_line(&self.fill_all(&labels.0)).await,
            Statement::PressUntil(key, texts) => self.press_until(*key, &self.fill_all(&texts.0)).await,
            Statement::Hold(keys, time) => {
                self.bench.handset.hold(keys, *time).await;
                Ok(())
            }
            Statement::MoveTo(rows) => self.move_to(&self.fill_all(&rows.0)).await,
            Statement::Select(rows) => {
                self.move_to(&self.fill_all(&rows.0)).await?;
                self.press(&[Key::Select]).await
            }
            Statement::Type(text) => self.type_text(&self.fill(text)).await,
            Statement::Clear => self.clear().await,
            Statement::Wait(time) => {
                self.bench.handset.pause(*time).await;
                Ok(())
            }
            Statement::Expect(what, within) => {
                let wanted = Seen::of(what, |text| text.fill(&self.variables))?;
                let deadline = self.deadline(*within);
                self.watch.until(deadline, &wanted).await
            }
            Statement::PowerOn => {
                self.bench.handset.plug_in().await;
                Ok(())
            }
            Statement::PowerOff => {
                self.bench.handset.unplug().await;
                Ok(())
            }
            Statement::Network(change) => self.change_network(change).await,
            Statement::ForgetRequests => {
                self.watch.forget_requests();
                Ok(())
            }
            Statement::Web(act) => self.visit(act).await,
        }
    }

    async fn change_network(&mut self, change: &NetworkChange) -> Result<(), String> {
        let fill = |text: &Text| text.fill(&self.variables);
        let mut network = self.bench.network.clone();
        match change {
            NetworkChange::With(code, answer) => say(&mut network, *code, Some(answered(answer, &fill)?)),
            NetworkChange::Without(code) => say(&mut network, *code, None),
            NetworkChange::Time(true) => {
                let time = self.bench.time.ok_or_else(|| "nobody tells the time here".to_owned())?;
                say(&mut network, TIME, Some(time.octets().to_vec()));
            }
            NetworkChange::Time(false) => silence(&mut network),
        }
        self.bench.network = network.clone();
        self.bench.handset.connect(Some(network)).await;
        Ok(())
    }

    async fn visit(&mut self, act: &WebAct) -> Result<(), String> {
        let Some(home) = self.bench.web.clone() else {
            return Err("nobody serves this phone's web pages".to_owned());
        };
        let fill = |text: &Text| text.fill(&self.variables);
        let visitor = self.visitor.get_or_insert_with(|| Visitor::new(home));
        let done = match act {
            WebAct::Login(user, password) => visitor.login(&fill(user)?, &fill(password)?).await,
            WebAct::Open(way) => visitor.open(&fill(way)?).await,
            WebAct::Set(label, value) => visitor.set(&fill(label)?, &fill(value)?),
            WebAct::Click(words) => visitor.click(&fill(words)?).await,
            WebAct::Refused(words) => match visitor.click(&fill(words)?).await {
                Err(WebTrouble::Status { status, .. }) if REFUSALS.contains(&status) => Ok(()),
                Err(trouble) => Err(trouble),
                Ok(()) => return Err(format!("it was taken: {}", visitor.text().unwrap_or_default())),
            },
            WebAct::Expect(text) => return reads(visitor, &fill(text)?, true),
            WebAct::ExpectNoField(label) => {
                let label = fill(label)?;
                let there = visitor.has_field(&label).map_err(|trouble| trouble.to_string())?;
                return if there { Err(format!("the page has a field \"{label}\"")) } else { Ok(()) };
            }
            WebAct::ExpectNo(text) => return reads(visitor, &fill(text)?, false),
        };
        done.map_err(|trouble| trouble.to_string())
    }

    fn deadline(&self, within: Option<Duration>) -> Instant {
        let pace = self.bench.handset.pace();
        Instant::now() + pace.real(within.unwrap_or(PATIENCE)).max(LEAST_PATIENCE)
    }

    /// A text with its variables; all have values, which was looked at before the first line.
    fn fill(&self, text: &Text) -> String {
        text.fill(&self.variables).unwrap_or_else(|_| text.0.clone())
    }

    fn fill_all(&self, texts: &[Text]) -> Vec<String> {
        texts.iter().map(|text| self.fill(text)).collect()
    }
}

/// The option that names time servers (RFC 2132, 8.3).
const TIME: u8 = 42;
/// The older option for the same (RFC 2132, 3.6).
const OLD_TIME: u8 = 4;

fn say(network: &mut Network, code: u8, answer: Option<Vec<u8>>) {
    let options = &mut network.dhcp.get_or_insert_default().options;
    match answer {
        Some(answer) => drop(options.insert(code, answer)),
        None => drop(options.remove(&code)),
    }
}

/// The network tells no time: an address where nobody answers would be somebody on one machine or another.
fn silence(network: &mut Network) {
    say(network, TIME, None);
    say(network, OLD_TIME, None);
}

fn answered<E>(answer: &OptionAnswer, fill: &impl Fn(&Text) -> Result<String, E>) -> Result<Vec<u8>, E> {
    Ok(match answer {
        OptionAnswer::Text(text) => fill(text)?.into_bytes(),
        OptionAnswer::Address(address) => address.octets().to_vec(),
    })
}

fn reads(visitor: &Visitor, text: &str, wanted: bool) -> Result<(), String> {
    let page = visitor.text().map_err(|trouble| trouble.to_string())?;
    let found = page.contains(text);
    if found == wanted { Ok(()) } else { Err(format!("the page reads: {page}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::DhcpAnswer;

    #[test]
    fn a_network_without_the_time_names_no_time_server() {
        let address = [192, 0, 2, 1];
        let answer = DhcpAnswer::default().with(TIME, address).with(OLD_TIME, address).with(6, address);
        let mut network = Network { dhcp: Some(answer), ..Network::default() };

        silence(&mut network);

        assert_eq!(network.dhcp.unwrap().options.into_keys().collect::<Vec<_>>(), [6]);
    }
}
