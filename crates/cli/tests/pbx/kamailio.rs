//! Debian's Kamailio with a registrar, the JSON-RPC and, where a test wants, the module that tracks calls.

use crate::scene::until;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub(crate) struct Kamailio {
    child: Option<Child>,
    folder: TempDir,
    pub(crate) sip: u16,
    pub(crate) rpc: u16,
}

/// Whether Kamailio tracks calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tracks {
    Calls,
    Nothing,
}

const MODULES: &[&str] =
    &["tm", "sl", "rr", "pv", "usrloc", "registrar", "textops", "siputils", "kex", "corex", "xhttp", "jsonrpcs"];

impl Kamailio {
    pub(crate) fn start(tracks: Tracks) -> Self {
        let sip = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let rpc = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let (dialog, track) = match tracks {
            Tracks::Calls => ("loadmodule \"dialog.so\"\n", "dlg_manage();"),
            Tracks::Nothing => ("", ""),
        };
        let modules: String = MODULES.iter().map(|module| format!("loadmodule \"{module}.so\"\n")).collect();
        let path = if Path::new("/usr/lib64/kamailio/modules").is_dir() {
            "/usr/lib64/kamailio/modules/".to_owned()
        } else {
            format!("/usr/lib/{}-linux-gnu/kamailio/modules/", std::env::consts::ARCH)
        };
        let config = format!(
            "#!KAMAILIO\ndebug=1\nlog_stderror=yes\nfork=yes\nchildren=1\ntcp_children=1\nauto_aliases=no\n\
             listen=udp:127.0.0.1:{sip}\nlisten=tcp:127.0.0.1:{rpc}\ntcp_accept_no_cl=yes\nmpath=\"{path}\"\n\
             {modules}{dialog}modparam(\"jsonrpcs\", \"transport\", 1)\n\
             request_route {{\n\
             if (is_method(\"REGISTER\")) {{ save(\"location\"); exit; }}\n\
             if (has_totag()) {{ if (loose_route() || is_method(\"ACK\")) {{ t_relay(); }} exit; }}\n\
             if (is_method(\"INVITE\")) {{ record_route(); {track} }}\n\
             if (!lookup(\"location\")) {{ sl_send_reply(\"404\", \"Not here\"); exit; }}\n\
             t_relay();\n}}\n\
             event_route[xhttp:request] {{\n\
             if ($hu =~ \"^/RPC\") {{ jsonrpc_dispatch(); exit; }}\n\
             xhttp_reply(\"404\", \"Not here\", \"text/plain\", \"\");\n}}\n"
        );
        std::fs::write(folder.path().join("kamailio.cfg"), config).unwrap();
        let mut kamailio = Self { child: None, folder, sip, rpc };
        kamailio.power_on();
        kamailio
    }

    /// Starts it on its ports, and waits until it answers.
    pub(crate) fn power_on(&mut self) {
        let at = self.folder.path();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(at.join("log")).unwrap();
        let child = Command::new("kamailio")
            .args(["-DD", "-E", "-m", "32", "-M", "4", "-f"])
            .arg(at.join("kamailio.cfg"))
            .arg("-Y")
            .arg(at)
            .arg("-w")
            .arg(at)
            .env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("kamailio (Debian: kamailio)");
        let child = self.child.insert(child);
        until(|| {
            let log = || std::fs::read_to_string(at.join("log")).unwrap_or_default();
            assert!(child.try_wait().unwrap().is_none(), "Kamailio ended:\n{}", log());
            TcpStream::connect(("127.0.0.1", self.rpc)).ok()
        });
    }

    /// Ends it with its children.
    pub(crate) fn power_off(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Killed outright, its children would go on.
            let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        self.power_off();
    }
}
