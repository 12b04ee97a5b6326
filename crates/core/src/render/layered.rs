//! Lays what administrators entered over Provost's own values.

use super::{Effective, LeftOut, Place, Shown, Target, Values};
use crate::facts::BoundDevice;
use crate::layers::{is_secret_name, owner_of, setting_name};

/// Sets the entries of all layers the device is in, those that win last.
pub(super) fn add_layers(values: &mut Values<'_>, bound: &BoundDevice) {
    if bound.layers.is_empty() {
        return;
    }
    let has_line = bound.why_no_line().is_none();
    let count = |number: Option<usize>| number.filter(|_| has_line).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let lines = count(bound.user.as_ref().map(|user| user.lines.len()));
    let servers = count(bound.site.as_ref().map(|site| site.sip_servers.len()));
    for (layer, place) in bound.layers.iter().zip(0usize..) {
        let mut add = Add { values, entry: place, layer: layer.subject.layer(), lines, servers };
        for (name, value) in &layer.entries.settings {
            add.setting(name, value);
        }
        for (parameter, value) in &layer.entries.raw {
            add.raw(parameter, value);
        }
    }
}

struct Add<'v, 'a> {
    values: &'v mut Values<'a>,
    entry: usize,
    layer: super::Layer,
    lines: u32,
    servers: u32,
}

impl Add<'_, '_> {
    fn setting(&mut self, name: &str, value: &str) {
        if let Err(why) = self.try_setting(name, value) {
            self.leave_out(name, value, why);
        }
    }

    fn try_setting(&mut self, name: &str, value: &str) -> Result<(), String> {
        let Target { catalog, model, firmware } = self.values.target;
        let (id, line) = setting_name(name).ok_or_else(|| "it names no line".to_owned())?;
        if let Some(why) = owner_of(id) {
            return Err(why.to_owned());
        }
        let setting = catalog
            .setting(id, model, firmware)
            .ok_or_else(|| format!("a {} with {firmware} has no such setting", model.name.value))?;
        let encoded = setting.encode(value).map_err(|error| error.to_string())?;
        let lines = match (setting.parameter.contains("{line}"), line) {
            (false, _) => 1..=1,
            (true, _) if self.lines == 0 => return Err("the phone has no line".to_owned()),
            (true, Some(line)) if line > self.lines => return Err(format!("the phone has no line {line}")),
            (true, Some(line)) => line..=line,
            (true, None) => 1..=self.lines,
        };
        let servers = if setting.parameter.contains("{server}") { self.servers } else { 1 };
        for line in lines {
            for server in 1..=servers {
                let at = Place { line, server };
                let parameter = setting.parameter(at.line, at.server);
                self.push(parameter, encoded.clone(), setting.enable);
            }
        }
        Ok(())
    }

    fn raw(&mut self, parameter: &str, value: &str) {
        let rules = self.values.target.catalog.phone_rules();
        let prefix = rules.device_prefix.value.to_ascii_lowercase();
        let known = self.values.list.iter().find(|known| known.parameter.eq_ignore_ascii_case(parameter));
        let (is_owned, known) = (known.is_some_and(|known| known.is_owned), known.map(|known| known.parameter.clone()));
        if is_owned {
            return self.leave_out(parameter, value, "Provost sets it itself".to_owned());
        }
        let enable = parameter.to_ascii_lowercase().starts_with(&prefix);
        // An XML file holds each parameter once, and a phone may not tell one case from another.
        // However it is spelled: one of the spellings may not look like a secret.
        let is_secret = is_secret_name(parameter);
        self.push_as(is_secret, known.unwrap_or_else(|| parameter.to_owned()), value.to_owned(), enable);
    }

    fn push(&mut self, parameter: String, value: String, enable: bool) {
        self.push_as(false, parameter, value, enable);
    }

    fn push_as(&mut self, is_secret: bool, parameter: String, value: String, enable: bool) {
        let shown = if is_secret || is_secret_name(&parameter) { Shown::OnReveal } else { Shown::Plainly };
        let entry = Some(self.entry);
        self.values.push(Effective { shown, entry, ..Effective::of(parameter, value, self.layer, enable) });
    }

    fn leave_out(&mut self, name: &str, value: &str, why: String) {
        let (entry, name, value) = (self.entry, name.to_owned(), value.to_owned());
        self.values.left_out.push(LeftOut { entry, name, value, why });
    }
}
