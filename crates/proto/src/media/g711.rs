//! G.711, the two laws every phone speaks.
//!
//! Both laws pack a sample into sign, segment and step; tables for decoding and for turning prompts from one law into
//! the other are computed at compile time from the definition, not copied. Source: ITU-T G.711 (1988), tables 1 and 2.

use std::fmt;

/// One of the two laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// mu-law, `PCMU`: North America and Japan. Prompts are stored in it.
    Mu,
    /// A-law, `PCMA`: everywhere else.
    A,
}

/// The name in a session description.
impl fmt::Display for Law {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Mu => "PCMU",
            Self::A => "PCMA",
        })
    }
}

impl Law {
    /// The payload type that means this law unless a session description says otherwise (RFC 3551 §6).
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Mu => 0,
            Self::A => 8,
        }
    }

    /// The byte that is heard as nothing.
    pub const fn silence(self) -> u8 {
        self.encode(0)
    }

    /// The byte whose step a 16-bit sample falls into.
    pub const fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Mu => encode_mu(sample),
            Self::A => encode_a(sample),
        }
    }

    /// The 16-bit sample a byte stands for.
    pub fn decode(self, byte: u8) -> i16 {
        let table = match self {
            Self::Mu => &MU_DECODED,
            Self::A => &A_DECODED,
        };
        table.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// The byte of this law for a byte of mu-law: how a prompt is sent to a phone that chose A-law.
    pub fn from_mu(self, byte: u8) -> u8 {
        match self {
            Self::Mu => byte,
            Self::A => MU_TO_A.get(usize::from(byte)).copied().unwrap_or(0xd5),
        }
    }
}

/// Added before mu-law finds the segment, so that segments begin at powers of two.
const MU_BIAS: i32 = 0x84;
/// The largest 16-bit magnitude that mu-law can say, bias left out.
const MU_CLIP: i32 = 32_635;

const fn encode_mu(sample: i16) -> u8 {
    let magnitude = magnitude(sample);
    let biased = (if magnitude > MU_CLIP { MU_CLIP } else { magnitude }) + MU_BIAS;
    let segment = biased.ilog2() - 7;
    let step = (biased >> (segment + 3)) & 0x0f;
    !(sign(sample < 0) | packed(segment, step))
}

const fn decode_mu(byte: u8) -> i16 {
    let bits = !byte;
    let segment = (bits >> 4) & 7;
    let magnitude = ((step_of(bits) << 3) + 0x84) << segment;
    let magnitude = magnitude - 0x84;
    if bits & 0x80 == 0 { magnitude } else { -magnitude }
}

const fn encode_a(sample: i16) -> u8 {
    let magnitude = magnitude(sample) >> 4;
    let (segment, step) = if magnitude < 16 {
        (0, magnitude)
    } else {
        let segment = magnitude.ilog2() - 3;
        (segment, (magnitude >> (segment - 1)) & 0x0f)
    };
    (sign(sample >= 0) | packed(segment, step)) ^ A_EVEN_BITS
}

const fn decode_a(byte: u8) -> i16 {
    let bits = byte ^ A_EVEN_BITS;
    let step = step_of(bits) << 4;
    let magnitude = match (bits >> 4) & 7 {
        0 => step + 8,
        segment => (step + 0x108) << (segment - 1),
    };
    if bits & 0x80 == 0 { -magnitude } else { magnitude }
}

/// A-law flips every other bit, so that silence is not a row of zeros on the line.
const A_EVEN_BITS: u8 = 0x55;

/// One's complement of negative samples, as ITU-T G.191 does it: both signs have steps of the same size.
const fn magnitude(sample: i16) -> i32 {
    let [low, high] = (if sample < 0 { !sample } else { sample }).to_le_bytes();
    i32::from_le_bytes([low, high, 0, 0])
}

const fn sign(set: bool) -> u8 {
    if set { 0x80 } else { 0 }
}

const fn packed(segment: u32, step: i32) -> u8 {
    let [segment, ..] = segment.to_le_bytes();
    let [step, ..] = step.to_le_bytes();
    (segment << 4) | step
}

const fn step_of(bits: u8) -> i16 {
    i16::from_le_bytes([bits & 0x0f, 0])
}

/// What `byte` means in each of the 256 places of a table, computed at compile time.
macro_rules! table {
    ($zero:literal, |$byte:ident| $value:expr) => {{
        let mut table = [$zero; 256];
        let (mut rest, mut place) = (table.as_mut_slice(), 0u16);
        while let Some((entry, after)) = rest.split_first_mut() {
            let [$byte, _] = place.to_le_bytes();
            *entry = $value;
            (rest, place) = (after, place + 1);
        }
        table
    }};
}
const MU_DECODED: [i16; 256] = table!(0i16, |byte| decode_mu(byte));
const A_DECODED: [i16; 256] = table!(0i16, |byte| decode_a(byte));
const MU_TO_A: [u8; 256] = table!(0u8, |byte| encode_a(decode_mu(byte)));

#[cfg(test)]
mod tests {
    use super::*;

    /// Decision and output values of the positive half as G.711 states them: eight segments, of which each doubles the
    /// step; computed here by adding up, which is not how the code above does it.
    fn positive_values(law: Law) -> Vec<i32> {
        let mut values = Vec::new();
        match law {
            // Table 2b: 0, 2, 4 ... 30, then 16 steps of 4 from 33 on, and so on, in units of a 14-bit sample.
            Law::Mu => {
                let mut low = 0;
                for segment in 0..8 {
                    let step = 2 << segment;
                    for place in 0..16 {
                        values.push(if segment == 0 { place * 2 } else { low + place * step + step / 2 } * 4);
                    }
                    low = if segment == 0 { 31 } else { low + 16 * step };
                }
            }
            // Table 1b: 1, 3 ... 63 in 13-bit units over two equal segments, then doubling.
            Law::A => {
                let mut low = 0;
                for segment in 0..8 {
                    let step = if segment == 0 { 2 } else { 1 << segment };
                    values.extend((0..16).map(|place| (low + place * step + step / 2) * 8));
                    low += 16 * step;
                }
            }
        }
        values
    }

    #[test]
    fn output_values_are_those_of_the_recommendation() {
        for (place, value) in positive_values(Law::Mu).into_iter().enumerate() {
            let byte = u8::try_from(place).unwrap();
            assert_eq!(i32::from(Law::Mu.decode(!byte)), value, "place {place}");
            assert_eq!(i32::from(Law::Mu.decode(!byte & 0x7f)), -value, "place {place}");
        }
        for (place, value) in positive_values(Law::A).into_iter().enumerate() {
            let byte = u8::try_from(place).unwrap() | 0x80;
            assert_eq!(i32::from(Law::A.decode(byte ^ 0x55)), value, "place {place}");
            assert_eq!(i32::from(Law::A.decode((byte & 0x7f) ^ 0x55)), -value, "place {place}");
        }
        assert_eq!((Law::Mu.decode(0x80), Law::A.decode(0xaa)), (32_124, 32_256), "full scale");
    }

    /// Half a step of the segment a byte lies in, as a 16-bit sample.
    fn half_step(law: Law, byte: u8) -> i32 {
        match law {
            Law::Mu => 4 << ((!byte >> 4) & 7),
            Law::A => 4 << (((byte ^ 0x55) >> 4) & 7).max(1),
        }
    }

    #[test]
    fn every_sample_falls_into_the_step_around_it() {
        for law in [Law::Mu, Law::A] {
            let mut before = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let byte = law.encode(sample);
                let (value, error) = (law.decode(byte), i32::from(law.decode(byte)).abs_diff(i32::from(sample)));
                assert!(value >= before, "{law}: {sample} became {value} after {before}");
                before = value;
                let louder_than_can_be_said = i32::from(sample).abs() > MU_CLIP && law == Law::Mu;
                let half = half_step(law, byte).unsigned_abs();
                assert!(error <= half || louder_than_can_be_said, "{law}: {sample} became {value}");
            }
        }
    }

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for byte in 0..=255u8 {
            assert_eq!(Law::A.encode(Law::A.decode(byte)), byte);
            // Mu-law has two zeros; the negative one is not kept.
            let kept = if byte == 0x7f { 0xff } else { byte };
            assert_eq!(Law::Mu.encode(Law::Mu.decode(byte)), kept);
        }
    }

    #[test]
    fn a_prompt_keeps_its_sound_in_the_other_law() {
        for byte in 0..=255u8 {
            let (mu, a) = (i32::from(Law::Mu.decode(byte)), i32::from(Law::A.decode(Law::A.from_mu(byte))));
            assert!((mu - a).abs() <= 8 + mu.abs() / 16, "byte {byte}: {mu} became {a}");
            assert_eq!(Law::Mu.from_mu(byte), byte);
        }
        assert_eq!((Law::Mu.silence(), Law::A.silence()), (0xff, 0xd5));
    }
}
