//! The virtual phone against scripted servers: what a real phone does must be what this one does.

#[cfg(test)]
mod boot_server;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod flashing;
#[cfg(test)]
mod flashing_old;
#[cfg(test)]
mod former_provider;
#[cfg(test)]
mod handset;
#[cfg(test)]
mod image_server;
#[cfg(test)]
mod power_cuts;
#[cfg(test)]
mod recordings;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod server;
#[cfg(test)]
mod sip_calls;
#[cfg(test)]
mod sip_lines;
#[cfg(test)]
mod sip_phone;
#[cfg(test)]
mod sip_server;
#[cfg(test)]
mod sip_stage;
#[cfg(test)]
mod support;
#[cfg(test)]
mod trouble;
#[cfg(test)]
mod trust;
