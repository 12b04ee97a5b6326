//! How a phone names itself to DHCP servers (option 60).
//!
//! Decides the bytes; never whether they are sent. Both forms: a short text, and the parts one by one under the
//! maker's enterprise number.
//! Rules: domain notes 5, which hold the maker's own sample; RFC 3925 is what the long form looks like.

/// Bytes of the enterprise number and of the length of what follows.
#[cfg(test)]
const HEAD: usize = 5;

/// What the long form says, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorClass {
    /// The maker's number among enterprises.
    pub enterprise: u32,
    /// The maker's name.
    pub company: String,
    /// Family and model, such as `SoundPointIP-SPIP_601`.
    pub model: String,
    /// Part number and revision, such as `2345-11605-001,2`.
    pub part: String,
    /// The application: kind, version, and when it was built.
    pub application: String,
    /// The boot program, likewise. The boot program itself says this in both places.
    pub boot_program: String,
}

impl VendorClass {
    /// The value of option 60, without its code and length; nothing when it does not fit.
    pub fn binary(&self) -> Option<Vec<u8>> {
        let parts = [&self.company, &self.model, &self.part, &self.application, &self.boot_program];
        let mut inner = Vec::new();
        for (code, part) in (1..).zip(parts) {
            inner.push(code);
            inner.push(u8::try_from(part.len()).ok()?);
            inner.extend_from_slice(part.as_bytes());
        }
        let mut value = self.enterprise.to_be_bytes().to_vec();
        value.push(u8::try_from(inner.len()).ok()?);
        value.append(&mut inner);
        // One option holds 255 bytes.
        (value.len() <= usize::from(u8::MAX)).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> VendorClass {
        VendorClass {
            enterprise: 0x0000_363d,
            company: "Polycom".to_owned(),
            model: "SoundPointIP-SPIP_601".to_owned(),
            part: "2345-11605-001,2".to_owned(),
            application: "SIP/Tip.XXXX/08-Jun-07 10:44".to_owned(),
            boot_program: "BR/3.1.0.XXXX/28-Apr-05 13:30".to_owned(),
        }
    }

    #[test]
    fn the_long_form_is_byte_by_byte_the_makers_sample() {
        let mut expected = vec![0x00, 0x00, 0x36, 0x3d, 0x6f];
        for (head, text) in [
            ([0x01, 0x07], "Polycom"),
            ([0x02, 0x15], "SoundPointIP-SPIP_601"),
            ([0x03, 0x10], "2345-11605-001,2"),
            ([0x04, 0x1c], "SIP/Tip.XXXX/08-Jun-07 10:44"),
            ([0x05, 0x1d], "BR/3.1.0.XXXX/28-Apr-05 13:30"),
        ] {
            expected.extend(head);
            expected.extend(text.as_bytes());
        }

        let value = sample().binary().unwrap();

        assert_eq!(value, expected);
        assert_eq!(value.len(), 0x74, "the length byte of the option");
    }

    #[test]
    fn what_does_not_fit_is_not_cut() {
        assert_eq!(VendorClass { model: "x".repeat(256), ..sample() }.binary(), None);
        assert_eq!(VendorClass { model: "x".repeat(170), ..sample() }.binary(), None);
    }

    proptest! {
        #[test]
        fn lengths_always_match(model in ".{0,80}", part in ".{0,80}") {
            if let Some(value) = (VendorClass { model, part, ..sample() }).binary() {
                prop_assert_eq!(usize::from(value[4]), value.len() - HEAD);
                let mut at = HEAD;
                for code in 1..=5 {
                    prop_assert_eq!(value[at], code);
                    at += 2 + usize::from(value[at + 1]);
                }
                prop_assert_eq!(at, value.len());
            }
        }
    }
}
