//! `provost models`: the phones of the catalog.

use crate::args::Models;
use crate::failure::Failure;
use crate::out::say;
use crate::set_up::{self, Place};
use provost_app::model_views;

pub(crate) fn run(place: &Place<'_>, models: &Models) -> Result<(), Failure> {
    let config = place.configuration()?;
    let views = model_views(&*set_up::catalog(&config)?);
    if models.json {
        say(serde_json::to_string_pretty(&views).map_err(Failure::runtime)?);
        return Ok(());
    }
    let unknown = || "not known".to_owned();
    say(format!("{:<10} {:<22} {:<20} {:<14} {}", "ID", "MODEL", "PART", "FIRMWARE FLOOR", "GAPS"));
    for view in views {
        let gaps: Vec<_> = view.gaps.iter().map(|gap| gap.field.as_str()).collect();
        let floor = view.firmware_floor.unwrap_or_else(unknown);
        let line = format!(
            "{:<10} {:<22} {:<20} {:<14} {}",
            view.id,
            view.name,
            view.part_numbers.join(" "),
            floor,
            gaps.join(", ")
        );
        say(line.trim_end());
    }
    Ok(())
}
