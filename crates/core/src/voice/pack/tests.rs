use super::*;
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/voice/en");

/// The built-in pack as an operator's files.
fn files() -> Vec<(String, Vec<u8>)> {
    built_in::FILES.iter().map(|(name, samples)| ((*name).to_owned(), samples.to_vec())).collect()
}

/// What is wrong with the built-in pack after `damage`.
fn mistakes(damage: impl FnOnce(&mut String, &mut Vec<(String, Vec<u8>)>)) -> Vec<String> {
    let (mut texts, mut files) = (built_in::TEXTS.to_owned(), files());
    damage(&mut texts, &mut files);
    let mistakes = VoicePack::from_files(&texts, files).unwrap_err();
    mistakes.0.iter().map(ToString::to_string).collect()
}

fn samples_of<'a>(files: &'a mut [(String, Vec<u8>)], name: &str) -> &'a mut Vec<u8> {
    &mut files.iter_mut().find(|(file, _)| file == name).unwrap().1
}

#[test]
fn the_built_in_pack_says_every_prompt() {
    let pack = VoicePack::built_in().unwrap();

    assert_eq!(pack.language(), "en");
    for prompt in Prompt::all() {
        assert!(!pack.text(prompt).is_empty() && !pack.samples(prompt).is_empty());
    }
}

#[test]
fn every_file_of_the_folder_is_compiled_in() {
    let mut there: Vec<String> = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".ulaw"))
        .collect();
    let mut compiled: Vec<&str> = built_in::FILES.iter().map(|(name, _)| *name).collect();

    there.sort();
    compiled.sort_unstable();

    assert_eq!(there, compiled);
}

#[test]
fn texts_and_recordings_belong_together() {
    let texts: toml::Table = built_in::TEXTS.parse().unwrap();
    let words: Vec<&str> = texts["speak"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let made = std::fs::read_to_string(Path::new(FOLDER).join("made.toml")).unwrap();
    let made: toml::Table = made.parse().unwrap();

    let pack = VoicePack::built_in().unwrap();

    assert_eq!(made.len(), Prompt::COUNT);
    for prompt in Prompt::all() {
        let parts = [words.join(" ").as_bytes(), pack.text(prompt).as_bytes(), pack.samples(prompt)].join(&b'\n');
        let hash = parts
            .iter()
            .chain(b"\n")
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        let name = prompt.name();
        assert_eq!(made[name].as_str(), Some(&*format!("{hash:016x}")), "{name}: run `cargo xtask voice`");
    }
}

#[test]
fn the_built_in_recordings_are_equally_loud_and_small_together() {
    let pack = VoicePack::built_in().unwrap();

    for prompt in Prompt::all() {
        let loud = pack.samples(prompt).iter().map(|byte| linear(*byte)).filter(|sample| sample.abs() > 300);
        let (count, power) = loud.fold((0i64, 0i64), |(count, sum), it| (count + 1, sum + i64::from(it).pow(2)));
        let rms = (power / count).isqrt();
        assert!((2000..5500).contains(&rms), "{}: {rms}", prompt.name());
        assert!(pack.samples(prompt).iter().all(|byte| linear(*byte).abs() < 24_000), "{}", prompt.name());
    }
    assert!(Prompt::all().map(|prompt| pack.samples(prompt).len()).sum::<usize>() < 800_000);
}

#[test]
fn an_operators_folder_is_read() {
    let mut files = files();
    files.push(("README.md".to_owned(), b"not a recording".to_vec()));
    let texts = built_in::TEXTS.replace("language = \"en\"", "language = \"en-scouse\"");

    let pack = VoicePack::from_files(&texts, files).unwrap();

    assert_eq!((pack.language(), pack.voice()), ("en-scouse", "flite rms"));
    assert_eq!(pack.samples(Prompt::Goodbye), VoicePack::built_in().unwrap().samples(Prompt::Goodbye));
}

#[test]
fn every_mistake_is_reported_at_once() {
    let found = mistakes(|texts, files| {
        *texts = texts.replace("goodbye = ", "good-bye = ").replace("language = ", "tongue = ");
        files.retain(|(name, _)| name != "welcome.ulaw");
        files.push(("wellcome.ulaw".to_owned(), vec![0xff; 8000]));
        samples_of(files, "mistyped.ulaw").fill(0xff);
        samples_of(files, "restarting.ulaw").truncate(3000);
        samples_of(files, "digit-7.ulaw").resize(40_000, 0xff);
        samples_of(files, "reference.ulaw").iter_mut().step_by(20).for_each(|byte| *byte = 0x80);
    });

    let starts = [
        "pack.toml lacks `language`",
        "pack.toml holds `tongue`",
        "welcome.ulaw is missing",
        "mistyped.ulaw is nearly silent",
        "restarting.ulaw lasts 375 ms",
        "pack.toml lacks `prompts.goodbye`",
        "reference.ulaw is clipped in",
        "digit-7.ulaw lasts 5000 ms",
        "pack.toml holds `prompts.good-bye`",
        "wellcome.ulaw belongs to no prompt",
    ];
    for start in starts {
        assert!(found.iter().any(|mistake| mistake.starts_with(start)), "{start}: {found:#?}");
    }
}

#[test]
fn a_pack_without_texts_is_refused() {
    assert!(mistakes(|texts, _| *texts = "prompts = ".to_owned())[0].starts_with("pack.toml cannot be read"));
    assert!(mistakes(|texts, _| texts.clear()).len() >= Prompt::COUNT);
}
