//! A private S3-compatible server for one test: moto, as its users run it, by TLS on loopback. `./test` installs it below `target/`.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{certificates::Certificates, mail_system::Keeper};

/// It begins slowly: Python reads all of AWS first.
const START_SECS: u64 = 60;
pub const BUCKET: &str = "mails";

/// One server with one empty bucket, running until dropped. Its objects are in its memory.
pub struct S3Server {
    pub port: u16,
    ca: PathBuf,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    _server: Keeper,
    _folder: tempfile::TempDir,
}

impl S3Server {
    pub fn start(certificates: &Certificates) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/s3-server/bin/moto_server");
        assert!(program.exists(), "{} is missing; run ./test, which installs it", program.display());
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("keeper.sh"), include_str!("mail_system/keeper.sh")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (leaf, key) = (certificates.leaf.display().to_string(), certificates.key.display().to_string());
        let server = [program.to_str().unwrap(), "-H", "127.0.0.1", "-p", &port.to_string(), "-c", &leaf, "-k", &key].map(str::to_owned);
        let words: Vec<&str> = server.iter().map(String::as_str).collect();
        let keeper = Keeper::start(folder.path(), "moto", "true", "true", &words);
        annexd::edge::tls::choose_ring();
        let trusted = reqwest::Certificate::from_pem(&fs::read(&certificates.ca).unwrap()).unwrap();
        let client = reqwest::Client::builder().add_root_certificate(trusted).no_proxy().build().unwrap();
        let this = Self {
            port,
            ca: certificates.ca.clone(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            client,
            _server: keeper,
            _folder: folder,
        };
        let end = Instant::now() + Duration::from_secs(START_SECS);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || fs::read_to_string(this._folder.path().join("moto.out")).unwrap_or_default();
            assert!(Instant::now() < end, "moto does not listen after {START_SECS} s: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        this.ask(reqwest::Method::PUT, "");
        this
    }

    /// `[raw_mail]` for this server, or for what stands before it at another port.
    pub fn section(&self, port: u16, prefix: &str) -> String {
        format!(
            "\n[raw_mail]\nkind = \"s3\"\nendpoint = \"https://127.0.0.1:{port}\"\nbucket = \"{BUCKET}\"\nprefix = \"{prefix}\"\nca_file = \"{}\"\naccess_key_env = \"TEST_S3_ACCESS\"\nsecret_key_env = \"TEST_S3_SECRET\"\n",
            self.ca.display()
        )
    }

    /// Names of all objects.
    pub fn keys(&self) -> Vec<String> {
        let list = self.ask(reqwest::Method::GET, "?list-type=2");
        list.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap().to_owned()).collect()
    }

    /// What an object holds.
    pub fn object(&self, key: &str) -> Vec<u8> {
        let url = format!("https://127.0.0.1:{}/{BUCKET}/{key}", self.port);
        self.runtime.block_on(async {
            self.client
                .get(url)
                .header("Authorization", "AWS key:unread")
                .send()
                .await
                .unwrap()
                .error_for_status()
                .unwrap()
                .bytes()
                .await
                .unwrap()
                .to_vec()
        })
    }

    fn ask(&self, method: reqwest::Method, query: &str) -> String {
        let url = format!("https://127.0.0.1:{}/{BUCKET}{query}", self.port);
        self.runtime
            .block_on(async { self.client.request(method, url).send().await.unwrap().error_for_status().unwrap().text().await.unwrap() })
    }
}
