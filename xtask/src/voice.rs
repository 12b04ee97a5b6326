//! Makes the recordings of a language pack from its texts.
//!
//! Decides level, band and pauses, the same for every prompt and every voice, and reports what came out. The words are
//! spoken by the program that `pack.toml` names; sox filters and encodes. The same texts, programs and versions give the
//! same bytes. What the files were made from is written to `made.toml`, which a test compares with the texts.

mod level;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use toml::{Table, Value};

use crate::{Failure, say};

/// The pack that is compiled into the program.
const BUILT_IN: &str = "assets/voice/en";
/// What a telephone carries; less below makes small loudspeakers clearer.
const BAND: &str = "200-3500";

const HEAD: &str = "\
# Written by `cargo xtask voice`; not to be edited. What each recording was made from, as the FNV-1a hash of command,
# text and samples: a test tells when texts or files were changed without the other.

";

/// Makes the recordings in `folder`, or those of the built-in pack.
pub(crate) fn make(root: &Path, folder: Option<&str>) -> Result<(), Failure> {
    let folder = folder.map_or_else(|| root.join(BUILT_IN), PathBuf::from);
    let wrong = |what: &str| Failure::Found(vec![format!("{}: {what}", folder.join("pack.toml").display())]);
    let pack: Table =
        std::fs::read_to_string(folder.join("pack.toml"))?.parse().map_err(|error| wrong(&format!("{error}")))?;
    let words = pack.get("speak").and_then(Value::as_array).ok_or_else(|| wrong("`speak` must be a list of words"))?;
    let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
    let prompts = pack.get("prompts").and_then(Value::as_table).ok_or_else(|| wrong("a table `prompts` is missing"))?;
    let scratch = scratch_folder()?;
    let mut made = HEAD.to_owned();
    let (mut trouble, mut total) = (Vec::new(), 0usize);
    say(&format!("{:<20} {:>6} {:>7} {:>7} {:>7}\n", "prompt", "ms", "level", "peak", "clipped"));
    for (name, text) in prompts {
        let Some(text) = text.as_str() else { return Err(wrong(&format!("`{name}` is no text"))) };
        let recording = record(&scratch, &words, name, text)?;
        std::fs::write(folder.join(format!("{name}.ulaw")), &recording.samples)?;
        let hash = hash(&[words.join(" ").as_bytes(), text.as_bytes(), &recording.samples]);
        made.push_str(&format!("{name} = \"{hash:016x}\"\n"));
        total = total.saturating_add(recording.samples.len());
        say(&recording.line(name));
        trouble.extend(recording.trouble().map(|what| format!("{name}: {what}")));
    }
    std::fs::write(folder.join("made.toml"), made)?;
    std::fs::remove_dir_all(&scratch)?;
    say(&format!("{} recordings, {total} bytes\n", prompts.len()));
    if trouble.is_empty() { Ok(()) } else { Err(trouble.into()) }
}

struct Recording {
    samples: Vec<u8>,
    level_db: f64,
    peak_db: f64,
}

impl Recording {
    fn clipped(&self) -> usize {
        self.samples.iter().filter(|byte| matches!(byte, 0x00 | 0x80)).count()
    }

    fn line(&self, name: &str) -> String {
        let (ms, clipped) = (self.samples.len() / 8, self.clipped());
        format!("{name:<20} {ms:>6} {:>7.1} {:>7.1} {clipped:>7}\n", self.level_db, self.peak_db)
    }

    fn trouble(&self) -> Option<&'static str> {
        if self.clipped() > 0 {
            Some("clipped")
        } else if self.level_db < level::LEVEL_DB - 4.0 {
            Some("too quiet: its peaks stand too far above the rest")
        } else {
            None
        }
    }
}

fn record(scratch: &Path, words: &[&str], name: &str, text: &str) -> Result<Recording, Failure> {
    let (text_file, wav) = (scratch.join("text"), scratch.join("spoken.wav"));
    std::fs::write(&text_file, format!("{text}\n"))?;
    let fill = |word: &&str| {
        word.replace("{text-file}", &text_file.to_string_lossy()).replace("{wav}", &wav.to_string_lossy())
    };
    let words: Vec<String> = words.iter().map(fill).collect();
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::Found(vec!["`speak` is empty".to_owned()]));
    };
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run(program, &arguments, &[])?;
    let spoken = wav.to_string_lossy();
    // -D: no dither, which is random. -6 dB leaves room for what the filter adds.
    let raw = ["-t", "raw", "-e", "signed-integer", "-b", "16", "-L", "-r", "8000", "-c", "1", "-"];
    let filter = ["gain", "-6", "sinc", BAND];
    let samples = run("sox", &[&["-D", &spoken], &raw[..], &filter].concat(), &[])?;
    // A letter and its word are one; between sentences people need time to understand.
    let pause_ms = if name.starts_with("letter-") { 100 } else { 220 };
    let samples = level::without_long_pauses(&level::samples(&samples), pause_ms);
    let Some(speech) = level::speech(&samples) else {
        return Err(Failure::Found(vec![format!("{name}: {program} said nothing")]));
    };
    let gain = format!("{:.2}", speech.gain_db);
    let tail = if name.starts_with("digit-") { "0.12" } else { "0.18" };
    let end = format!("{}s", speech.samples.len());
    let shape = ["gain", &gain, "fade", "t", "0.005", &end, "0.015", "pad", "0.03", tail];
    let ulaw = ["-t", "ul", "-r", "8000", "-c", "1", "-"];
    let samples = run("sox", &[&["-D"], &raw[..], &ulaw, &shape].concat(), &level::bytes(speech.samples))?;
    Ok(Recording { samples, level_db: speech.level_db + speech.gain_db, peak_db: speech.peak_db + speech.gain_db })
}

/// Runs a program to its end and returns what it wrote.
fn run(program: &str, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, Failure> {
    let pipes = |command: &mut Command| command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = pipes(Command::new(program).args(arguments)).map_err(|error| {
        Failure::Found(vec![format!("cannot run `{program}`: {error}; install the Debian package that holds it")])
    })?;
    if let Some(mut pipe) = child.stdin.take() {
        // The programs read all before they write; what one that ended early says, stands on the terminal.
        drop(pipe.write_all(input));
    }
    let output = child.wait_with_output()?;
    if output.status.success() { Ok(output.stdout) } else { Err(Failure::Command) }
}

fn scratch_folder() -> Result<PathBuf, Failure> {
    let folder = std::env::temp_dir().join(format!("provost-voice-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// FNV-1a of the parts, a line feed after each: no secret, only told apart.
fn hash(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter().chain(b"\n"));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
