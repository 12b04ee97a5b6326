//! Every phone a handset is known of, and keys pressed at random.

use std::sync::Arc;

use proptest::prelude::*;
use provost_catalog::Catalog;
use provost_phone::{Face, Handset, Key, Pace, Phone, PhoneSetup};

use crate::handset::Held;
use crate::server::BootServer;
use crate::support::{MAC, master, nobody, setup};

/// Hardware that cannot name itself, and what nobody knows of it.
const UNNAMED: [(&str, &str); 3] = [("ssduo", "User-Agent"), ("trio8300", "User-Agent"), ("edgee500", "part number")];

#[tokio::test]
async fn hardware_without_boot_facts_boots_under_its_own_name() {
    for (model, user_agent) in [
        ("spip335", "FileTransport PolycomSoundPointIP-SPIP_335-UA/4.0.15.1047 Type/Application"),
        ("ssip6000", "FileTransport PolycomSoundStationIP-SSIP_6000-UA/"),
        ("edgee350", "FileTransport PolyEdge-Edge_E350-UA/8.3.1.0614 Type/Application"),
        ("ccx500", "FileTransport PolycomCCX-CCX_500-UA/"),
        ("trio8800", "FileTransport PolycomRealPresenceTrio-Trio_8800-UA/"),
        ("spip320", "FileTransport PolycomSoundPointIP-SPIP_320-UA/3.3.5.0247"),
    ] {
        let server = BootServer::start().await;
        server.file(&format!("/{MAC}.cfg"), &master("[PHONE_MODEL].cfg"));
        let mut phone = Phone::new(setup(model, &server)).unwrap();

        phone.boot(&mut nobody()).await.unwrap();

        let agents: Vec<String> = server.seen().into_iter().map(|seen| seen.user_agent).collect();
        assert!(agents.iter().any(|agent| agent.starts_with(user_agent)), "{model}: {agents:?}");
        let named = user_agent.split(['-', '/']).find(|word| word.contains('_')).unwrap().replace('_', "");
        assert!(server.lines().contains(&format!("GET /{named}.cfg 404")), "{:?}", server.lines());
    }
}

#[tokio::test]
async fn what_cannot_name_itself_is_no_phone() {
    let server = BootServer::start().await;

    for (id, what) in UNNAMED {
        let error = Phone::new(setup(id, &server)).err().unwrap();

        assert_eq!(error.to_string(), format!("too little is known of {id}: its hardware has no {what}"));
    }
    assert!(Handset::new(setup("vvxd230", &server), Pace(1)).is_err());
}

#[tokio::test]
async fn every_model_and_every_handset_can_be_held() {
    let catalog = Arc::new(Catalog::built_in().unwrap());
    let server = BootServer::start().await;
    assert!(catalog.models().all(|model| catalog.handset(&model.id).is_some()));
    for id in catalog
        .handsets()
        .iter()
        .flat_map(|handset| &handset.models)
        .filter(|id| !UNNAMED.iter().any(|(other, _)| other == id))
    {
        let setup = PhoneSetup { catalog: Arc::clone(&catalog), ..setup(id, &server) };
        let held = Held::new(setup);
        held.phone.stand_still(true).await;

        held.phone.plug_in().await;

        let face = held.face();
        assert_eq!(face.soft_key("Cancel"), Some(1), "{id}");
        assert!(!face.title.is_empty(), "{id}");
    }
}

/// Keys a hand could find, the odd ones included.
fn any_key() -> impl Strategy<Value = Key> {
    prop_oneof![
        (0..=9u8).prop_map(Key::Digit),
        (0..=5u8).prop_map(Key::Soft),
        (0..=9u8).prop_map(Key::Line),
        any::<u8>().prop_map(Key::Touch),
        prop::sample::select(vec![
            Key::Star,
            Key::Pound,
            Key::Up,
            Key::Down,
            Key::Left,
            Key::Right,
            Key::Select,
            Key::Home,
            Key::Back,
            Key::HookUp,
            Key::HookDown,
            Key::Speaker,
            Key::Delete,
            Key::VolumeUp,
        ]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_break_a_phone(keys in prop::collection::vec(any_key(), 0..300), early in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            for model in ["vvx500", "spip335", "edgee350"] {
                let (held, _server) = Held::at_server(model).await;
                if early {
                    held.stop().await;
                    held.phone.stand_still(false).await;
                } else {
                    held.phone.plug_in().await;
                    if model != "edgee350" {
                        held.ready().await;
                    }
                }
                // A password opens what is behind it now and then.
                for part in keys.chunks(20) {
                    held.phone.press_quickly(part).await;
                    let _ = held.phone.type_text("456").await;
                    held.phone.press(Key::Soft(1)).await;
                }

                held.phone.unplug().await;
                assert_eq!(held.face(), Face::default());
                held.phone.stand_still(true).await;
                held.phone.plug_in().await;
                assert_eq!(held.face().soft_key("Cancel"), Some(1));
            }
        });
    }
}
