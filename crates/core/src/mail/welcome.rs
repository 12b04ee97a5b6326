//! The welcome mail: what its templates may speak of, and the templates that come with Provost.
//!
//! What is said of a model is what the catalog knows of it (how its user enters a code); nothing is said that nobody
//! sourced.

use super::template::MailTemplate;
use serde::Serialize;

/// What a welcome mail may speak of.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct Welcome {
    /// Whom it is for.
    pub user: WelcomeUser,
    /// The name of their site.
    pub site: String,
    /// The name of the customer.
    pub account: String,
    /// Devices that wait to be activated.
    pub devices: Vec<WelcomeDevice>,
    /// Devices that are.
    pub active: Vec<WelcomeDevice>,
    /// The link to the codes, good once.
    pub link: String,
    /// How long it is good after the mail was sent.
    pub link_hours: i64,
    /// Where a code is entered without a link.
    pub activate_page: String,
}

/// The person.
#[derive(Debug, Clone, Serialize)]
pub struct WelcomeUser {
    /// Name.
    pub name: String,
    /// Extension.
    pub extension: String,
    /// Mail address.
    pub email: String,
    /// SIP users of the lines, in order.
    pub lines: Vec<String>,
}

/// A device of theirs.
#[derive(Debug, Clone, Serialize)]
pub struct WelcomeDevice {
    /// The model as it is sold.
    pub model: String,
    /// The activation code in groups; empty for one that is active.
    pub code: String,
    /// The last day of the code, as 2027-02-20.
    pub expires: String,
    /// Whether a voice asks for the code where the Activate key is pressed.
    pub voice: bool,
    /// Whether a soft key *Enter code* asks for it on the screen.
    pub soft_key: bool,
}

/// Hours after the sending of the mail in which its link shows the codes.
pub const LINK_HOURS: i64 = 72;

/// What stands in the place of a code or link for who may not see it.
pub const MASKED_CODE: &str = "•••• •••• •••••";

impl Welcome {
    /// Somebody made up, on whom templates are tried. Each list has entries, and the names what must be escaped.
    pub fn sample() -> Self {
        let device = |model: &str, code: &str, soft_key| WelcomeDevice {
            model: model.to_owned(),
            code: code.to_owned(),
            expires: "2027-02-20".to_owned(),
            voice: true,
            soft_key,
        };
        Self {
            user: WelcomeUser {
                name: "Ada Byron & Co <sample>".to_owned(),
                extension: "1001".to_owned(),
                email: "ada@example.com".to_owned(),
                lines: vec!["1001".to_owned(), "1050".to_owned()],
            },
            site: "Vienna".to_owned(),
            account: "Example".to_owned(),
            devices: vec![device("Model A", "1234 5678 90123", true), device("Model B", "2345 6789 01234", false)],
            active: vec![WelcomeDevice { code: String::new(), ..device("Model C", "", false) }],
            link: "https://phones.example.com/welcome/sample".to_owned(),
            link_hours: LINK_HOURS,
            activate_page: "https://phones.example.com/activate".to_owned(),
        }
    }

    /// The same person without a device, and without lines: the other end of what a template meets.
    pub fn bare_sample() -> Self {
        let mut bare = Self::sample();
        bare.user.lines.clear();
        bare.devices.clear();
        bare.active.clear();
        bare
    }

    /// The same with nothing in it that activates a phone.
    #[must_use]
    pub fn masked(mut self) -> Self {
        for device in &mut self.devices {
            MASKED_CODE.clone_into(&mut device.code);
        }
        if let Some((front, _)) = self.link.rsplit_once('/') {
            self.link = format!("{front}/••••");
        }
        self
    }

    /// What a subject may speak of: it stands in lists and logs, so nothing that activates a phone.
    pub(super) fn for_subject(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        struct Subject<'a> {
            user: &'a WelcomeUser,
            site: &'a str,
            account: &'a str,
        }
        Subject { user: &self.user, site: &self.site, account: &self.account }
    }
}

/// The templates that come with Provost, in English.
pub fn built_in() -> MailTemplate {
    MailTemplate {
        subject: include_str!("../../../../assets/mail/welcome/subject.txt").trim().to_owned(),
        text: include_str!("../../../../assets/mail/welcome/body.txt").to_owned(),
        html: include_str!("../../../../assets/mail/welcome/body.html").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_templates_say_everything_of_everybody() {
        let template = built_in();
        template.check().unwrap();
        let mail = template.render(&Welcome::sample()).unwrap();

        for part in [mail.text.as_str(), mail.html.as_deref().unwrap()] {
            for word in
                ["1001", "1050", "Vienna", "Model A", "1234 5678 90123", "Model B", "2345 6789 01234", "Model C"]
            {
                assert!(part.contains(word), "{word} in {part}");
            }
            // HTML has its slashes as entities.
            assert!(part.replace("&#x2f;", "/").contains("/welcome/sample"), "{part}");
            assert!(part.contains("72 hours"), "{part}");
        }
        assert!(mail.text.contains("Ada Byron & Co <sample>"));
        assert!(mail.html.unwrap().contains("Ada Byron &amp; Co &lt;sample&gt;"));
        let bare = template.render(&Welcome::bare_sample()).unwrap();
        assert!(!bare.text.contains("/welcome/"), "{}", bare.text);
        assert!(bare.text.contains("another mail"), "{}", bare.text);
    }

    #[test]
    fn what_is_masked_holds_no_code_and_no_link() {
        let mail = built_in().render(&Welcome::sample().masked()).unwrap();

        assert!(!mail.text.contains("90123") && !mail.text.contains("welcome/sample"), "{}", mail.text);
        assert!(mail.text.contains(MASKED_CODE));
    }
}
