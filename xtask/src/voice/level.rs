//! Where speech begins and ends, and how loud it is.

/// The level speech is brought to, in dB below full scale, pauses left out.
pub(super) const LEVEL_DB: f64 = -20.0;
/// No sample above this, so that neither law of G.711 clips.
const PEAK_DB: f64 = -3.2;
/// 10 ms.
const WINDOW: usize = 80;
/// A window this far below the loudest one is a pause.
const PAUSE_DB: f64 = 32.0;
/// Windows kept before and after: consonants begin and end softly.
const MARGIN: usize = 3;

/// The part of a recording in which somebody speaks.
pub(super) struct Speech<'a> {
    pub(super) samples: &'a [i16],
    /// Root of the mean power, pauses left out.
    pub(super) level_db: f64,
    pub(super) peak_db: f64,
    /// What brings it to [`LEVEL_DB`], as far as its peaks allow.
    pub(super) gain_db: f64,
}

/// None if nobody speaks.
pub(super) fn speech(samples: &[i16]) -> Option<Speech<'_>> {
    let levels: Vec<f64> = samples.chunks(WINDOW).map(level_db).collect();
    let loudest = levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if loudest < -60.0 {
        return None;
    }
    let spoken = |level: &f64| *level > loudest - PAUSE_DB;
    let first = levels.iter().position(spoken)?.saturating_sub(MARGIN);
    let last = levels.iter().rposition(spoken)?.saturating_add(MARGIN);
    let end = last.saturating_add(1).saturating_mul(WINDOW).min(samples.len());
    let samples = samples.get(first.saturating_mul(WINDOW)..end)?;
    let active: Vec<i16> =
        samples.chunks(WINDOW).filter(|window| spoken(&level_db(window))).flatten().copied().collect();
    let peak = samples.iter().map(|sample| sample.unsigned_abs()).max()?;
    let (level_db, peak_db) = (level_db(&active), 20.0 * (f64::from(peak.max(1)) / 32_768.0).log10());
    Some(Speech { samples, level_db, peak_db, gain_db: (LEVEL_DB - level_db).min(PEAK_DB - peak_db) })
}

/// The same with no pause longer than `pause_ms`; the middle of longer ones is left out.
pub(super) fn without_long_pauses(samples: &[i16], pause_ms: usize) -> Vec<i16> {
    let windows: Vec<&[i16]> = samples.chunks(WINDOW).collect();
    let loudest = windows.iter().map(|window| level_db(window)).fold(f64::NEG_INFINITY, f64::max);
    let half = pause_ms / 20;
    let mut kept = Vec::with_capacity(samples.len());
    for run in windows.chunk_by(|a, b| (level_db(a) > loudest - PAUSE_DB) == (level_db(b) > loudest - PAUSE_DB)) {
        let pause = run.first().is_some_and(|window| level_db(window) <= loudest - PAUSE_DB);
        let left_out = half..run.len().saturating_sub(half);
        let windows = run.iter().enumerate().filter(|(place, _)| !(pause && left_out.contains(place)));
        kept.extend(windows.flat_map(|(_, window)| window.iter().copied()));
    }
    kept
}

fn level_db(samples: &[i16]) -> f64 {
    let power: u64 = samples.iter().map(|sample| u64::from(sample.unsigned_abs()).saturating_pow(2)).sum();
    let mean = power / u64::try_from(samples.len()).unwrap_or(u64::MAX).max(1);
    10.0 * (f64::from(u32::try_from(mean).unwrap_or(u32::MAX).max(1)) / f64::from(1u32 << 30)).log10()
}

pub(super) fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect()
}

pub(super) fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_around_speech_is_left_out_and_the_level_is_that_of_speech() {
        let mut recording = vec![0i16; 4000];
        recording.extend((0..1600).map(|place| if place % 2 == 0 { 1000 } else { -1000 }));
        recording.extend([0; 4000]);

        let speech = speech(&recording).unwrap();

        assert_eq!(speech.samples.len(), 1600 + 2 * MARGIN * WINDOW);
        assert!((speech.level_db + 30.3).abs() < 0.1, "{}", speech.level_db);
        assert!((speech.gain_db - 10.3).abs() < 0.1, "{}", speech.gain_db);
    }

    #[test]
    fn long_pauses_are_cut_down_and_short_ones_kept() {
        let tone = [1000i16; 800];
        let recording = [&tone[..], &[0; 800], &tone, &[0; 4000], &tone].concat();

        let kept = without_long_pauses(&recording, 200);

        assert_eq!(kept, [&tone[..], &[0; 800], &tone, &[0; 1600], &tone].concat());
    }

    #[test]
    fn peaks_limit_the_gain() {
        let mut recording = vec![500i16; 8000];
        recording[4000] = 16_384;

        let speech = speech(&recording).unwrap();

        assert!((speech.peak_db + speech.gain_db - PEAK_DB).abs() < 0.01);
    }

    #[test]
    fn nothing_said_is_no_speech() {
        assert!(speech(&[0; 8000]).is_none());
        assert!(speech(&[]).is_none());
        assert_eq!(samples(&bytes(&[1, -2])), [1, -2]);
    }
}
