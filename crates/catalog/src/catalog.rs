//! The catalog as a whole: put together from text, checked, and asked.
//!
//! Decides that every reference leads somewhere and that nothing contradicts itself. Never reads a
//! file or the environment: text in, answers out.

use crate::authority::Authority;
use crate::boot::BootSequence;
use crate::built_in::BUILT_IN;
use crate::check;
use crate::constant::{Constant, Scope, Stage};
use crate::country::Country;
use crate::fact::Gap;
use crate::file::{FileMatch, FilePattern, FileRole, classify};
use crate::guide::{Guide, Symptom};
use crate::handset::{DialPad, Handset};
use crate::hardware::{FirmwareLine, Hardware};
use crate::menu::{Menu, MenuTree};
use crate::merge::{Entries, Layer, merge};
use crate::model::{Family, Model};
use crate::network::NetworkRules;
use crate::phone_web::{PhoneWeb, WebGeneration, WebPage};
use crate::reader::{CatalogErrors, Errors, Problem, Readable};
use crate::rules::{DirectoryFormat, ImageListFormat, MasterFile, PhoneRules};
use crate::setting::Setting;
use crate::tree::{Node, Place, Table, Value, parse};
use crate::unsupported::Unsupported;
use crate::user_agent::UserAgent;
use crate::version::Version;
use std::collections::{BTreeMap, BTreeSet};

/// One catalog file.
#[derive(Debug, Clone, Copy)]
pub struct SourceText<'a> {
    /// What errors call it, such as `catalog/vvx.toml`.
    pub name: &'a str,
    /// What is in it.
    pub text: &'a str,
}

/// What is known about phones; immutable once parsed.
#[derive(Debug, Clone)]
pub struct Catalog {
    families: BTreeMap<String, Family>,
    models: BTreeMap<String, Model>,
    hardware: BTreeMap<String, Hardware>,
    firmware_lines: BTreeMap<String, FirmwareLine>,
    settings: Vec<Setting>,
    constants: Vec<Constant>,
    countries: BTreeMap<String, Country>,
    files: Vec<FilePattern>,
    boot_sequences: BTreeMap<String, BootSequence>,
    authorities: Vec<Authority>,
    guides: Vec<Guide>,
    symptoms: Vec<Symptom>,
    unsupported: Vec<Unsupported>,
    gaps: Vec<Gap>,
    master_file: MasterFile,
    phone_rules: PhoneRules,
    directory: DirectoryFormat,
    image_list: ImageListFormat,
    phone_web: Option<PhoneWeb>,
    web_generations: Vec<WebGeneration>,
    web_pages: Vec<WebPage>,
    handsets: Vec<Handset>,
    menu_trees: BTreeMap<String, MenuTree>,
    menus: BTreeMap<String, Menu>,
    dial_pad: DialPad,
    network_rules: NetworkRules,
}

impl Catalog {
    /// The catalog this program was built with.
    ///
    /// # Errors
    /// Every mistake in the built-in files; a test keeps them free of any.
    pub fn built_in() -> Result<Self, CatalogErrors> {
        Self::parse(BUILT_IN)
    }

    /// The built-in catalog with an operator's files on top.
    ///
    /// An entry with a known identity changes that entry field by field; another one is added and
    /// needs all mandatory fields.
    ///
    /// # Errors
    /// Every mistake in every file.
    pub fn with_overlay(overlay: &[SourceText<'_>]) -> Result<Self, CatalogErrors> {
        Self::of_layers(&[BUILT_IN, overlay])
    }

    /// A catalog of these files alone.
    ///
    /// # Errors
    /// Every mistake in every file.
    pub fn parse(sources: &[SourceText<'_>]) -> Result<Self, CatalogErrors> {
        Self::of_layers(&[sources])
    }

    fn of_layers(layers: &[&[SourceText<'_>]]) -> Result<Self, CatalogErrors> {
        let mut errors = Errors::default();
        let layers: Vec<Layer> = layers
            .iter()
            .map(|sources| sources.iter().map(|source| parse(source.name, source.text, &mut errors)).collect())
            .collect();
        let entries = merge(layers, &mut errors);
        let catalog = Self::read(&entries, &mut errors);
        check::references(&entries, &mut errors);
        if let Some(catalog) = &catalog {
            check::platform_parameters(catalog, &entries, &mut errors);
        }
        errors.into_result()?;
        // Without an error every mandatory entry was read; the empty list is never returned.
        catalog.ok_or_else(|| CatalogErrors(Vec::new()))
    }

    fn read(entries: &Entries, errors: &mut Errors) -> Option<Self> {
        let mut settings = each(entries, "setting", Setting::read, errors);
        settings.sort_by(|a, b| (&a.id, a.breadth()).cmp(&(&b.id, b.breadth())));
        let mut constants = each(entries, "constant", Constant::read, errors);
        constants.sort_by(|a, b| (&a.scope, &a.id).cmp(&(&b.scope, &b.id)));
        let families = each(entries, "family", Family::read, errors);
        let models = each(entries, "model", Model::read, errors);
        let hardware = each(entries, "hardware", Hardware::read, errors);
        let lines = each(entries, "firmware-line", FirmwareLine::read, errors);
        let countries = each(entries, "country", Country::read, errors);
        let files = each(entries, "file", FilePattern::read, errors);
        let boot_sequences = each(entries, "boot-sequence", BootSequence::read, errors);
        let authorities = each(entries, "authority", Authority::read, errors);
        let guides = each(entries, "guide", Guide::read, errors);
        let symptoms = each(entries, "symptom", Symptom::read, errors);
        let unsupported = each(entries, "unsupported", Unsupported::read, errors);
        let gaps = each(entries, "gap", read_gap, errors);
        let master_file = only(entries, "master-file", MasterFile::read, errors);
        let phone_rules = only(entries, "phone-rules", PhoneRules::read, errors);
        let directory = only(entries, "directory", DirectoryFormat::read, errors);
        let image_list = only(entries, "image-list", ImageListFormat::read, errors);
        let phone_web = entries.only("phone-web").and_then(|table| PhoneWeb::read(table, errors));
        let web_generations = each(entries, "web-generation", WebGeneration::read, errors);
        let web_pages = each(entries, "web-page", WebPage::read, errors);
        let handsets = each(entries, "handset", Handset::read, errors);
        let trees = each(entries, "menu-tree", MenuTree::read, errors);
        let menus = each(entries, "menu", Menu::read, errors);
        let dial_pad = only(entries, "dial-pad", DialPad::read, errors);
        let network_rules = only(entries, "network-rules", NetworkRules::read, errors);
        Some(Self {
            families: families.into_iter().map(|family| (family.id.clone(), family)).collect(),
            models: models.into_iter().map(|model| (model.id.clone(), model)).collect(),
            hardware: hardware.into_iter().map(|entry| (entry.id.clone(), entry)).collect(),
            firmware_lines: lines.into_iter().map(|line| (line.id.clone(), line)).collect(),
            settings,
            constants,
            countries: countries.into_iter().map(|entry| (entry.code.clone(), entry)).collect(),
            files,
            boot_sequences: boot_sequences.into_iter().map(|boot| (boot.id.clone(), boot)).collect(),
            authorities,
            guides,
            symptoms,
            unsupported,
            gaps,
            master_file: master_file?,
            phone_rules: phone_rules?,
            directory: directory?,
            image_list: image_list?,
            phone_web,
            web_generations,
            web_pages,
            handsets,
            menu_trees: trees.into_iter().map(|tree| (tree.id.clone(), tree)).collect(),
            menus: menus.into_iter().map(|menu| (menu.id.clone(), menu)).collect(),
            dial_pad: dial_pad?,
            network_rules: network_rules?,
        })
    }

    /// All models, by id.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.values()
    }

    /// The model with this id.
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.models.get(id)
    }

    /// The model whose User-Agent carries exactly this token.
    pub fn model_by_user_agent_token(&self, token: &str) -> Option<&Model> {
        self.models().find(|model| model.user_agent_tokens.iter().any(|known| known.value == token))
    }

    /// The model with this part number.
    pub fn model_by_part_number(&self, part: &str) -> Option<&Model> {
        self.models().find(|model| model.part_numbers.iter().any(|known| known.value == part))
    }

    /// All hardware, by id.
    pub fn all_hardware(&self) -> impl Iterator<Item = &Hardware> {
        self.hardware.values()
    }

    /// What is known of the hardware of the model with this id, whether or not a configuration can be made for it.
    pub fn hardware(&self, id: &str) -> Option<&Hardware> {
        self.hardware.get(id)
    }

    /// The hardware with this part number.
    pub fn hardware_by_part(&self, part: &str) -> Option<&Hardware> {
        self.all_hardware().find(|entry| entry.part_numbers.iter().any(|known| known.value == part))
    }

    /// The hardware whose User-Agent carries exactly this token.
    pub fn hardware_by_user_agent_token(&self, token: &str) -> Option<&Hardware> {
        self.all_hardware().find(|entry| entry.user_agent_tokens.iter().any(|known| known.value == token))
    }

    /// All lines of firmware, by id.
    pub fn firmware_lines(&self) -> impl Iterator<Item = &FirmwareLine> {
        self.firmware_lines.values()
    }

    /// The line of firmware with this id.
    pub fn firmware_line(&self, id: &str) -> Option<&FirmwareLine> {
        self.firmware_lines.get(id)
    }

    /// The family with this id.
    pub fn family(&self, id: &str) -> Option<&Family> {
        self.families.get(id)
    }

    /// All settings, by id; of one id the entry for fewer phones first.
    pub fn settings(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter()
    }

    /// How this model, running this firmware, spells a setting; the most specific entry that fits.
    pub fn setting(&self, id: &str, model: &Model, firmware: &Version) -> Option<&Setting> {
        self.settings.iter().find(|setting| {
            let family = setting.families.is_empty() || setting.families.contains(&model.family);
            setting.id == id && family && setting.firmware.contains(firmware)
        })
    }

    /// The constants of a stage for this model and firmware: platform, then family, then model.
    pub fn constants(&self, stage: Stage, model: &Model, firmware: &Version) -> Vec<&Constant> {
        let fits = |constant: &&Constant| {
            let scope = match &constant.scope {
                Scope::Platform => true,
                Scope::Family(family) => *family == model.family,
                Scope::Model(id) => *id == model.id,
            };
            scope && constant.stages.contains(&stage) && constant.firmware.contains(firmware)
        };
        self.constants.iter().filter(fits).collect()
    }

    /// The country with this ISO 3166-1 alpha-2 code in capitals.
    pub fn country(&self, code: &str) -> Option<&Country> {
        self.countries.get(code)
    }

    /// All countries, by code.
    pub fn countries(&self) -> impl Iterator<Item = &Country> {
        self.countries.values()
    }

    /// Every number that reaches help in some country: an unclaimed phone does not say where it is.
    pub fn emergency_numbers(&self) -> BTreeSet<&str> {
        self.countries().flat_map(|country| &country.emergency_numbers.value).map(String::as_str).collect()
    }

    /// The country an IANA time zone is in.
    pub fn country_of_time_zone(&self, iana: &str) -> Option<&Country> {
        self.countries().find(|country| country.time_zones.iter().any(|zone| zone == iana))
    }

    /// What a requested path means; `None` when it is no file a phone asks for.
    pub fn file(&self, name: &str) -> Option<FileMatch> {
        classify(&self.files, name)
    }

    /// The forms of the names of files for this.
    pub fn files_for(&self, role: FileRole) -> impl Iterator<Item = &FilePattern> {
        self.files.iter().filter(move |file| file.role == role)
    }

    /// The words of the master file.
    pub const fn master_file(&self) -> &MasterFile {
        &self.master_file
    }

    /// How phones read configuration and show themselves.
    pub const fn phone_rules(&self) -> &PhoneRules {
        &self.phone_rules
    }

    /// The boot sequence a model follows today.
    pub fn boot(&self, model: &Model) -> Option<&BootSequence> {
        self.boot_sequences.get(&model.boot_sequence.value)
    }

    /// The boot sequence a model follows with this application version: the narrowest variant that fits, else
    /// the model's own.
    pub fn boot_of(&self, model: &Model, application: &Version) -> Option<&BootSequence> {
        let bounds = |boot: &BootSequence| {
            let variant = boot.variant.as_ref()?;
            let fits = variant.instead_of == model.boot_sequence.value && variant.firmware.contains(application);
            fits.then(|| variant.firmware.bounds())
        };
        let variants = self.boot_sequences.values().filter_map(|boot| Some((bounds(boot)?, boot)));
        variants.max_by_key(|(bounds, _)| *bounds).map(|(_, boot)| boot).or_else(|| self.boot(model))
    }

    /// The maker's certificate authorities.
    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// What a person does at a phone, in the order of the files.
    pub fn guides(&self) -> &[Guide] {
        &self.guides
    }

    /// What phones and people complain of, in the order of the files.
    pub fn symptoms(&self) -> &[Symptom] {
        &self.symptoms
    }

    /// The phones that are not served, in the order of the files.
    pub fn unsupported(&self) -> &[Unsupported] {
        &self.unsupported
    }

    /// The words of the phone's contact file.
    pub const fn directory(&self) -> &DirectoryFormat {
        &self.directory
    }

    /// The words of the list of versions that a phone's own upgrade page reads.
    pub const fn image_list(&self) -> &ImageListFormat {
        &self.image_list
    }

    /// What a phone's own HTTP server is switched by; none in a catalog that says nothing of it.
    pub const fn phone_web(&self) -> Option<&PhoneWeb> {
        self.phone_web.as_ref()
    }

    /// How the web pages of a phone with this application know who asks.
    pub fn web_generation(&self, application: &Version) -> Option<&WebGeneration> {
        self.web_generations.iter().find(|generation| generation.firmware.contains(application))
    }

    /// The pages with settings, in the order of the files.
    pub fn web_pages(&self) -> &[WebPage] {
        &self.web_pages
    }

    /// All handsets, in the order of the files.
    pub fn handsets(&self) -> &[Handset] {
        &self.handsets
    }

    /// How the phone with this id, a model's or of hardware alone, feels in the hand.
    pub fn handset(&self, id: &str) -> Option<&Handset> {
        self.handsets.iter().find(|handset| handset.models.iter().any(|model| model == id))
    }

    /// Where the menus of a handset begin.
    pub fn menu_tree(&self, handset: &Handset) -> Option<&MenuTree> {
        self.menu_trees.get(&handset.menus.value)
    }

    /// The menu with this id.
    pub fn menu(&self, id: &str) -> Option<&Menu> {
        self.menus.get(id)
    }

    /// What the keys of a dial pad type.
    pub const fn dial_pad(&self) -> &DialPad {
        &self.dial_pad
    }

    /// What phones obey about their network and their polling.
    pub const fn network_rules(&self) -> &NetworkRules {
        &self.network_rules
    }

    /// Settings nobody found a source for.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// What the User-Agent of a file request says; it proves nothing.
    pub fn user_agent<'a>(&self, text: &'a str) -> Option<UserAgent<'a>> {
        UserAgent::read(&self.phone_rules, text)
    }
}

/// Reads one entry from its table.
type Read<T> = fn(&Table, &mut Errors) -> Option<T>;

fn each<T>(entries: &Entries, section: &str, read: Read<T>, errors: &mut Errors) -> Vec<T> {
    entries.of(section).filter_map(|table| read(table, errors)).collect()
}

fn only<T>(entries: &Entries, section: &str, read: Read<T>, errors: &mut Errors) -> Option<T> {
    if let Some(table) = entries.only(section) {
        return read(table, errors);
    }
    let place = Place { file: "catalog".into(), line: 1 };
    errors.push(&place, Problem::Missing { key: section.to_owned() });
    None
}

fn read_gap(table: &Table, errors: &mut Errors) -> Option<Gap> {
    let node = Node { place: table.place.clone(), value: Value::Table(table.clone()) };
    Gap::read(&node, errors)
}
