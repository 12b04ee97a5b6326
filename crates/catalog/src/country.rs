//! Countries: time zones, emergency numbers, dialing and the tones people expect to hear.

use crate::fact::{Evidence, Fact, Origin};
use crate::reader::{Errors, Problem, Readable, Reader};
use crate::setting::check_parameter;
use crate::tree::{Node, Table};
use std::collections::BTreeMap;

/// What a phone in one country needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2, upper case.
    pub code: String,
    /// The English name.
    pub name: String,
    /// IANA names of its zones, the most populous first.
    pub time_zones: Vec<String>,
    /// Numbers that reach help.
    pub emergency_numbers: Fact<Vec<String>>,
    /// When a dialed number is complete, in the phone's own notation.
    pub digit_map: Fact<String>,
    /// Parameters of the call-progress tones.
    pub tones: Vec<ToneParameter>,
    /// Key of the tones' source.
    pub tones_source: String,
    /// How well the tones are known.
    pub tones_evidence: Evidence,
    /// What a reader should know before relying on the tones.
    pub tones_note: Option<String>,
}

/// One parameter of a tone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToneParameter {
    /// The maker's parameter.
    pub parameter: String,
    /// The value as the phone reads it.
    pub value: String,
}

/// The tones of a country with their common origin.
struct Tones {
    parameters: Vec<ToneParameter>,
    origin: Origin,
}

impl Readable for Tones {
    const EXPECTED: &'static str = "a table { parameters, source, evidence }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let parameters: Option<BTreeMap<String, String>> = fields.required("parameters");
        let origin = fields.origin();
        for parameter in parameters.iter().flat_map(BTreeMap::keys) {
            check_parameter(&mut fields, ("parameters", parameter));
        }
        fields.finish();
        let tone = |(parameter, value)| ToneParameter { parameter, value };
        let parameters = parameters?.into_iter().map(tone).collect();
        Some(Self { parameters, origin: origin? })
    }
}

impl Country {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let code: Option<String> = fields.required_text("code");
        let name = fields.required_text("name");
        let time_zones: Option<Vec<String>> = fields.required("time-zones");
        let emergency_numbers = fields.required("emergency-numbers");
        let digit_map = fields.required("digit-map");
        let tones: Option<Tones> = fields.required("tones");
        if let Some(found) = code.as_ref().filter(|code| !is_country_code(code)) {
            let expected = "two capital letters of ISO 3166-1, such as GB";
            fields.refuse("code", Problem::Malformed { found: found.clone(), expected });
        }
        if time_zones.as_ref().is_some_and(Vec::is_empty) {
            fields.refuse("time-zones", Problem::Empty { key: "time-zones".to_owned() });
        }
        fields.finish();
        let Tones { parameters, origin } = tones?;
        Some(Self {
            code: code?,
            name: name?,
            time_zones: time_zones?,
            emergency_numbers: emergency_numbers?,
            digit_map: digit_map?,
            tones: parameters,
            tones_source: origin.source,
            tones_evidence: origin.evidence,
            tones_note: origin.note,
        })
    }
}

fn is_country_code(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}
