//! Time zone and daylight rule as parameters.

use super::{Layer, RenderError, Values};
use crate::time::UnixMillis;
use crate::time_zone::{ClockChange, PhoneClock, Week, phone_clock};

/// Sets offset and daylight rule of the site's zone, over whatever DHCP says.
pub(super) fn set_zone(values: &mut Values<'_>, zone: &str, now: UnixMillis) -> Result<PhoneClock, RenderError> {
    let clock = phone_clock(zone, now)?;
    let offset = clock.gmt_offset_s.to_string();
    values.set(Layer::Site, "sntp.gmt-offset", &offset)?;
    values.set(Layer::Site, "sntp.gmt-offset-override-dhcp", "true")?;
    values.set(Layer::Site, "device.sntp-gmt-offset", &offset)?;
    match &clock.daylight {
        None => values.set(Layer::Site, "dst.enable", "false")?,
        Some(rule) => {
            values.set(Layer::Site, "dst.enable", "true")?;
            values.set(Layer::Site, "dst.fixed-day-enable", "false")?;
            set_change(values, "start", rule.start)?;
            set_change(values, "stop", rule.stop)?;
        }
    }
    Ok(clock)
}

fn set_change(values: &mut Values<'_>, end: &str, change: ClockChange) -> Result<(), RenderError> {
    let last = if change.week == Week::Last { "true" } else { "false" };
    for (part, value) in [
        ("month", change.month.to_string()),
        ("date", change.date().to_string()),
        ("time", change.hour.to_string()),
        ("day-of-week", change.day_of_week.to_string()),
        ("last-in-month", last.to_owned()),
    ] {
        values.set(Layer::Site, &format!("dst.{end}-{part}"), &value)?;
    }
    Ok(())
}
