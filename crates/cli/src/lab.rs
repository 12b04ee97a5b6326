//! The lab of `up`: an authority that stands in for the phone maker's, and factory certificates from it.
//!
//! Decides what stands in `DATA/lab`: `maker-bundle.crt`, `server-root.crt`, `<mac>.chain.pem`, `<mac>.key`,
//! what the authority needs to issue more, and the key pair firmware images of the lab are signed with
//! (`image-maker.key`, `image-maker.pub`).

use crate::clock;
use crate::data_dir::{make_private_folder, write_private, write_public};
use crate::failure::Failure;
use provost_core::mac::MacAddr;
use provost_core::secret::Secret;
use provost_phone::image::ImageSigner;
use provost_pki::authority::{KeyAndChain, PhoneSubject, TestMaker, Validity};
use std::fs;
use std::path::{Path, PathBuf};

const MAKER: &str = "Provost Lab Phone Maker";
const DAYS: i64 = 30 * 365;

/// The lab of a data folder.
#[derive(Debug)]
pub(crate) struct Lab {
    folder: PathBuf,
}

impl Lab {
    pub(crate) fn of(data: &Path) -> Self {
        Self { folder: data.join("lab") }
    }

    pub(crate) fn maker_bundle(&self) -> PathBuf {
        self.folder.join("maker-bundle.crt")
    }

    pub(crate) fn server_root(&self) -> PathBuf {
        self.folder.join("server-root.crt")
    }

    /// The factory certificate chain and the key of a phone.
    pub(crate) fn pair(&self, mac: MacAddr) -> (PathBuf, PathBuf) {
        (self.folder.join(format!("{mac}.chain.pem")), self.folder.join(format!("{mac}.key")))
    }

    /// Makes the maker's authority unless it is there.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        make_private_folder(&self.folder).map_err(|error| self.at_fault(&error))?;
        if !self.maker_bundle().exists() {
            let validity = Validity::days_from(clock::now(), DAYS);
            let maker = TestMaker::generate(MAKER, validity).map_err(Failure::runtime)?;
            self.write_secret("issuing.key", maker.issuing_key_pem.reveal())?;
            self.write("root.crt", &maker.root_pem)?;
            self.write("policy.crt", &maker.policy_pem)?;
            self.write("issuing.crt", &maker.issuing_pem)?;
            // Last: its presence says that the rest is complete.
            self.write("maker-bundle.crt", &maker.bundle_pem())?;
        }
        self.ensure_image_signer()?;
        Ok(())
    }

    /// The public key lab phones take images by.
    pub(crate) fn image_key(&self) -> PathBuf {
        self.folder.join("image-maker.pub")
    }

    /// The key that signs images of the lab; made unless it is there.
    pub(crate) fn ensure_image_signer(&self) -> Result<ImageSigner, Failure> {
        make_private_folder(&self.folder).map_err(|error| self.at_fault(&error))?;
        let path = self.folder.join("image-maker.key");
        let signer = match fs::read(&path) {
            Ok(pem) => ImageSigner::from_pem(&pem).map_err(Failure::runtime)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let signer = ImageSigner::generate().map_err(Failure::runtime)?;
                let pem = signer.to_pem().map_err(Failure::runtime)?;
                write_private(&path, &pem).map_err(|error| self.at_fault(&error))?;
                signer
            }
            Err(error) => return Err(self.at_fault(&error)),
        };
        // Written each time: a start that was cut short may have left the private half alone.
        let public = signer.public_pem().map_err(Failure::runtime)?;
        write_public(&self.image_key(), &public).map_err(|error| self.at_fault(&error))?;
        Ok(signer)
    }

    /// Puts the root of the server's certificate where phones of the lab look for it.
    pub(crate) fn put_server_root(&self, pem: &str) -> Result<(), Failure> {
        self.write("server-root.crt", pem)
    }

    /// Whether phones can be given certificates here.
    pub(crate) fn exists(&self) -> bool {
        self.maker_bundle().exists()
    }

    /// Makes a phone's factory certificate unless it has one.
    pub(crate) fn ensure_phone(&self, mac: MacAddr) -> Result<(PathBuf, PathBuf), Failure> {
        let (chain, key) = self.pair(mac);
        if !chain.exists() || !key.exists() {
            let read = |name: &str| fs::read_to_string(self.folder.join(name)).map_err(|error| self.at_fault(&error));
            let maker = TestMaker {
                root_pem: read("root.crt")?,
                policy_pem: read("policy.crt")?,
                issuing_pem: read("issuing.crt")?,
                issuing_key_pem: Secret::new(read("issuing.key")?),
            };
            let validity = Validity::days_from(clock::now(), DAYS.saturating_sub(1));
            let subject = PhoneSubject { mac, organization: MAKER, validity };
            let KeyAndChain { chain_pem, key_pem } = maker.issue(&subject).map_err(Failure::runtime)?;
            write_private(&key, key_pem.reveal().as_bytes()).map_err(|error| self.at_fault(&error))?;
            write_public(&chain, chain_pem.as_bytes()).map_err(|error| self.at_fault(&error))?;
        }
        Ok((chain, key))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        write_public(&self.folder.join(name), text.as_bytes()).map_err(|error| self.at_fault(&error))
    }

    fn write_secret(&self, name: &str, text: &str) -> Result<(), Failure> {
        write_private(&self.folder.join(name), text.as_bytes()).map_err(|error| self.at_fault(&error))
    }

    fn at_fault(&self, error: &std::io::Error) -> Failure {
        Failure::Runtime(format!("the lab in {} cannot be used: {error}", self.folder.display()))
    }
}
