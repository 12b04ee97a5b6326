//! Phone models: what one is called, runs and offers.
//!
//! Decides which fields a model must have; a field nobody could source is listed as a gap, so that
//! "complete" always means filled or admitted.

use crate::fact::{Evidence, Fact, Gap};
use crate::file::is_part_number;
use crate::reader::{Errors, Problem, Readable, Reader, Word};
use crate::tree::{Node, Table};
use crate::version::Version;

/// A family of models that share firmware and habits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// The word models name it by.
    pub id: String,
    /// The maker's name for it.
    pub name: Fact<String>,
    /// How a person at an unclaimed phone can enter a code; where nothing is said, by voice.
    pub activation_doors: Fact<Vec<ActivationDoor>>,
    /// The digest algorithms its phones know as SIP clients; where nothing is said, MD5.
    pub sip_digests: Fact<Vec<SipDigest>>,
}

/// An algorithm of SIP digest authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SipDigest {
    /// What every phone knows.
    Md5,
    /// RFC 8760.
    Sha256,
}

impl Word for SipDigest {
    const ALL: &'static [Self] = &[Self::Md5, Self::Sha256];

    fn word(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }
}

/// A way to enter an activation code at the phone itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActivationDoor {
    /// A call that is answered by a voice.
    Voice,
    /// A soft key that asks for the digits and dials them.
    SoftKey,
}

impl Word for ActivationDoor {
    const ALL: &'static [Self] = &[Self::Voice, Self::SoftKey];

    fn word(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::SoftKey => "soft-key",
        }
    }
}

/// One phone model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The model's letters and digits in lower case.
    pub id: String,
    /// The name people know it by.
    pub name: Fact<String>,
    /// Id of its [`Family`].
    pub family: String,
    /// The maker's part numbers, which image names begin with.
    pub part_numbers: Vec<Fact<String>>,
    /// The family word of its User-Agent.
    pub user_agent_family: Fact<String>,
    /// The model words of its User-Agent.
    pub user_agent_tokens: Vec<Fact<String>>,
    /// What it puts for the model variable in file names.
    pub model_token: Fact<String>,
    /// Keys beside the screen that can carry lines.
    pub line_keys: Option<Fact<u32>>,
    /// Lines it can register.
    pub registrations: Option<Fact<u32>>,
    /// What is known of the end of its maker's care for it, in words.
    pub end_of_life: Option<Fact<String>>,
    /// What its virtual phone runs.
    pub firmware: Firmware,
    /// What its own administrator password may be.
    pub admin_password: Fact<PasswordRule>,
    /// What it offers in a TLS handshake.
    pub tls_offer: Fact<TlsOffer>,
    /// Id of the [`crate::BootSequence`] it follows.
    pub boot_sequence: Fact<String>,
    /// Keys to hold, in press order, to reset it without its password.
    pub reset_keys: Option<Fact<Vec<String>>>,
    /// Fields without a source.
    pub gaps: Vec<Gap>,
}

/// The firmware the virtual phone of a model has; what real ones may have says [`crate::Hardware`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firmware {
    /// The application version the virtual phone runs by default.
    pub reference: Fact<Version>,
    /// The updater that belongs to the reference version.
    pub reference_updater: Fact<Version>,
}

/// What a password may be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRule {
    /// The characters to draw from.
    pub alphabet: String,
    /// How many of them.
    pub length: usize,
}

/// What the phone's TLS client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsOffer {
    /// TLS 1.2 with RSA key exchange only.
    StaticRsaTls12,
    /// TLS 1.2 with ephemeral elliptic-curve key exchange.
    EcdheTls12,
}

impl Word for TlsOffer {
    const ALL: &'static [Self] = &[Self::StaticRsaTls12, Self::EcdheTls12];

    fn word(self) -> &'static str {
        match self {
            Self::StaticRsaTls12 => "static-rsa-tls12",
            Self::EcdheTls12 => "ecdhe-tls12",
        }
    }
}

impl Readable for PasswordRule {
    const EXPECTED: &'static str = "a table { alphabet, length }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let alphabet = fields.required_text("alphabet");
        let length: Option<usize> = fields.required("length");
        if length == Some(0) {
            fields.refuse("length", Problem::OutOfBounds { found: 0, min: 1, max: 255 });
        }
        fields.finish();
        Some(Self { alphabet: alphabet?, length: length? })
    }
}

impl Readable for Firmware {
    const EXPECTED: &'static str = "a table { reference, reference-updater }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let reference = fields.required("reference");
        let reference_updater = fields.required("reference-updater");
        fields.finish();
        let (reference, reference_updater) = (reference?, reference_updater?);
        Some(Self { reference, reference_updater })
    }
}

impl Family {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let name = fields.required("name");
        let doors = fields.optional("activation-doors");
        let digests = fields.optional("sip-digests");
        fields.finish();
        Some(Self {
            id: id?,
            name: name?,
            activation_doors: doors.unwrap_or_else(by_voice_alone),
            sip_digests: digests.unwrap_or_else(by_md5_alone),
        })
    }
}

/// Every phone that can register can call.
fn by_voice_alone() -> Fact<Vec<ActivationDoor>> {
    Fact {
        value: vec![ActivationDoor::Voice],
        source: "decision".to_owned(),
        evidence: Evidence::Inferred,
        note: Some("nothing else is said of this family".to_owned()),
    }
}

/// What SIP began with.
fn by_md5_alone() -> Fact<Vec<SipDigest>> {
    Fact {
        value: vec![SipDigest::Md5],
        source: "decision".to_owned(),
        evidence: Evidence::Inferred,
        note: Some("nothing else is said of this family".to_owned()),
    }
}

impl Model {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id: Option<String> = fields.required_text("id");
        let name = fields.required("name");
        let family = fields.required_text("family");
        let part_numbers: Vec<Fact<String>> = fields.optional("part-numbers").unwrap_or_default();
        let user_agent_family = fields.required("user-agent-family");
        let user_agent_tokens = fields.required("user-agent-tokens");
        let model_token = fields.required("model-token");
        let line_keys = fields.optional("line-keys");
        let registrations = fields.optional("registrations");
        let end_of_life = fields.optional("end-of-life");
        let firmware: Option<Firmware> = fields.required("firmware");
        let admin_password = fields.required("admin-password");
        let tls_offer = fields.required("tls-offer");
        let boot_sequence = fields.required("boot-sequence");
        let reset_keys = fields.optional("reset-keys");
        let gaps: Vec<Gap> = fields.optional("gaps").unwrap_or_default();

        if let Some(found) = id.clone().filter(|id| !is_model_id(id)) {
            let expected = "a model's letters and digits in lower case, such as vvx450";
            fields.refuse("id", Problem::Malformed { found, expected });
        }
        for part in part_numbers.iter().filter(|part| !is_part_number(&part.value)) {
            let expected = "a part number, such as 3111-48840-001";
            let found = part.value.clone();
            fields.refuse("part-numbers", Problem::Malformed { found, expected });
        }
        let gaps = settle_gaps(&mut fields, table, (gaps, &MAY_BE_GAPS));
        fields.finish();
        Some(Self {
            id: id?,
            name: name?,
            family: family?,
            part_numbers,
            user_agent_family: user_agent_family?,
            user_agent_tokens: user_agent_tokens?,
            model_token: model_token?,
            line_keys,
            registrations,
            end_of_life,
            firmware: firmware?,
            admin_password: admin_password?,
            tls_offer: tls_offer?,
            boot_sequence: boot_sequence?,
            reset_keys,
            gaps,
        })
    }
}

fn is_model_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// The fields of a model that may be absent when their absence is admitted.
const MAY_BE_GAPS: [&str; 5] = ["part-numbers", "line-keys", "registrations", "reset-keys", "end-of-life"];

/// Refuses fields that are neither filled nor gaps; drops gaps that an overlay has filled.
pub(crate) fn settle_gaps(
    fields: &mut Reader<'_>,
    table: &Table,
    (gaps, may_be): (Vec<Gap>, &[&'static str]),
) -> Vec<Gap> {
    for gap in gaps.iter().filter(|gap| !may_be.contains(&gap.field.as_str())) {
        let expected = may_be.to_vec();
        fields.refuse("gaps", Problem::UnknownWord { found: gap.field.clone(), expected });
    }
    for field in may_be.iter().filter(|field| !table.has_path(field)) {
        if !gaps.iter().any(|gap| gap.field == **field) {
            fields.refuse("gaps", Problem::NotEvenAGap { key: (*field).to_owned() });
        }
    }
    gaps.into_iter().filter(|gap| !table.has_path(&gap.field)).collect()
}
