//! baresip as the phone: real RTP both ways, real key events.

use crate::line::{Line, MAC, Scene, until};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Baresip {
    child: Child,
    control: TcpStream,
    folder: TempDir,
}

impl Baresip {
    fn start(line: &Line) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let spoken = folder.path().join("spoken.wav");
        std::fs::write(&spoken, silent_wav()).unwrap();
        let config = format!(
            "sip_listen 127.0.0.1:0\nmodule_path /usr/lib/baresip/modules\nsnd_path {sounds}\n\
             audio_source aufile,{spoken}\nausrc_srate 8000\nauplay_srate 8000\naudio_txmode thread\nmodule g711.so\n\
             module aufile.so\nmodule sndfile.so\nmodule_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
             ctrl_tcp_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\n",
            sounds = folder.path().display(),
            spoken = spoken.display()
        );
        std::fs::write(folder.path().join("config"), config).unwrap();
        let account = format!(
            "<sip:{user}@{server}>;auth_user={user};auth_pass={password};regint=120;audio_codecs=PCMA,PCMU\n",
            user = line.user,
            server = line.server,
            password = line.password
        );
        std::fs::write(folder.path().join("accounts"), account).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("baresip")
            .args(["-f", folder.path().to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("baresip (Debian: baresip-core)");
        let began = Instant::now();
        let control = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(control) => break control,
                Err(_) if began.elapsed() < Duration::from_secs(20) => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => panic!("baresip: {error}"),
            }
        };
        Self { child, control, folder }
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.path().join("log")).unwrap_or_default()).into_owned()
    }

    /// What it recorded of the other side.
    fn heard(&self) -> Vec<u8> {
        let recorded = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let other_side = |path: &std::path::PathBuf| path.to_string_lossy().ends_with("dec.wav");
        recorded.filter(other_side).flat_map(|path| std::fs::read(path).unwrap()).collect()
    }

    /// A command in baresip's own words, as a netstring of JSON.
    fn does(&mut self, command: &str, parameters: &str) {
        let text = format!("{{\"command\":\"{command}\",\"params\":\"{parameters}\"}}");
        self.control.write_all(format!("{}:{text},", text.len()).as_bytes()).unwrap();
    }

    /// Waits for an event of the control connection with this word in it.
    fn hears_of(&mut self, word: &str) {
        self.control.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let (began, mut text) = (Instant::now(), String::new());
        let mut piece = [0; 4_096];
        while began.elapsed() < Duration::from_secs(30) {
            if let Ok(length) = self.control.read(&mut piece) {
                text.push_str(&String::from_utf8_lossy(&piece[..length]));
            }
            if text.contains(word) {
                return;
            }
        }
        panic!("baresip told nothing of {word}: {text}\n{}", self.log());
    }
}

/// Half a minute of a quiet room: 8,000 samples of 16 bits a second.
fn silent_wav() -> Vec<u8> {
    const BYTES: u32 = 30 * 16_000;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + BYTES).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    for half in [1u16, 1] {
        wav.extend(half.to_le_bytes());
    }
    for word in [8_000u32, 16_000] {
        wav.extend(word.to_le_bytes());
    }
    for half in [2u16, 16] {
        wav.extend(half.to_le_bytes());
    }
    wav.extend(b"data");
    wav.extend(BYTES.to_le_bytes());
    wav.resize(wav.len() + usize::try_from(BYTES).unwrap(), 0);
    wav
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn baresip_registers_calls_hears_the_voice_keys_the_code_and_is_hung_up_on() {
    let scene = Scene::set();
    let mut phone = Baresip::start(&scene.line);

    assert!(until(|| phone.log().contains("200 OK").then_some(())).is_some(), "{}", phone.log());
    phone.does("dial", &format!("sip:{}@{}", scene.line.contact, scene.line.server));
    phone.hears_of("CALL_ESTABLISHED");
    for digit in scene.code.chars() {
        phone.does("sndcode", &digit.to_string());
        // As fast as a person presses; baresip takes one key at a time.
        std::thread::sleep(Duration::from_millis(350));
    }
    phone.hears_of("CALL_CLOSED");

    assert_eq!(scene.state(&scene.device), "activated", "{}", phone.log());
    scene.told(MAC, "Was told to restart");
    let heard = phone.heard();
    let samples: Vec<i16> = heard.chunks_exact(2).skip(22).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    let loud = samples.iter().filter(|sample| sample.unsigned_abs() > 1_000).count();
    assert!(loud > 8_000, "of {} samples {loud} are loud: no voice was heard", samples.len());
}
