//! An object store that speaks S3: one object a raw mail, named by its hash, so that putting it twice changes nothing.

use std::{
    error::Error as _,
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt as _;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, Error, ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig, aws::AmazonS3Builder,
    path::Path as Key,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::edge::tls;

/// Larger mails are put in parts, one after another, so that memory does not follow the size of a mail.
const PART_BYTES: usize = 8 << 20;
/// How long a request may be tried again before the mail is left for later.
const PATIENCE: Duration = Duration::from_secs(30);
/// Without an answer for so long, a connection is given up.
const SILENCE: Duration = Duration::from_secs(20);
/// A look at whether the store answers takes no longer.
const LOOK: Duration = Duration::from_secs(5);

/// Where the objects are, and the keys to them.
#[derive(Debug, Clone)]
pub struct ObjectSettings {
    pub place: ObjectPlace,
    pub access_key: SecretString,
    pub secret_key: SecretString,
}

/// Where the objects are.
#[derive(Debug, Clone)]
pub struct ObjectPlace {
    /// `https://oss.example.cn`
    pub endpoint: String,
    pub bucket: String,
    /// Before each object's name; empty, or ends with `/`.
    pub prefix: String,
    pub region: String,
    /// The bucket's name stands in the host's name instead of the path.
    pub bucket_in_host: bool,
    /// An extra CA to trust, PEM.
    pub ca_file: Option<PathBuf>,
}

/// One bucket. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    /// `https://oss.example.cn/bucket`, for people.
    place: String,
    /// Why the last put failed; `None` since one went well.
    put_fault: Arc<Mutex<Option<String>>>,
}

impl Objects {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn open(settings: &ObjectSettings) -> io::Result<Self> {
        let at = &settings.place;
        tls::choose_ring();
        let mut client = ClientOptions::new().with_timeout_disabled().with_connect_timeout(SILENCE).with_read_timeout(SILENCE);
        if let Some(file) = &at.ca_file {
            let pem = fs::read(file).map_err(|error| io::Error::new(error.kind(), format!("the CA file {}: {error}", file.display())))?;
            for certificate in Certificate::from_pem_bundle(&pem).map_err(|error| said("the CA file cannot be used", error))? {
                client = client.with_root_certificate(certificate);
            }
        }
        let endpoint = match at.endpoint.split_once("://") {
            Some((scheme, host)) if at.bucket_in_host => format!("{scheme}://{}.{host}", at.bucket),
            _ => at.endpoint.clone(),
        };
        let retry = RetryConfig { backoff: BackoffConfig::default(), max_retries: 10, retry_timeout: PATIENCE };
        let store = AmazonS3Builder::new()
            .with_client_options(client)
            // Allowed by the configuration for this machine alone.
            .with_allow_http(at.endpoint.starts_with("http://"))
            .with_endpoint(endpoint)
            .with_virtual_hosted_style_request(at.bucket_in_host)
            .with_bucket_name(&at.bucket)
            .with_region(&at.region)
            .with_access_key_id(settings.access_key.expose_secret())
            .with_secret_access_key(settings.secret_key.expose_secret())
            .with_retry(retry)
            .build()
            .map_err(|error| said("the object store cannot be set up", error))?;
        Ok(Self {
            store: Arc::new(store),
            prefix: at.prefix.clone(),
            place: format!("{}/{}", at.endpoint, at.bucket),
            put_fault: Arc::default(),
        })
    }

    /// Address and bucket, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    fn key(&self, sha256: &str) -> Key {
        Key::from(format!("{}{sha256}", self.prefix))
    }

    /// Puts bytes that are in memory; returns once the store has them for good.
    ///
    /// # Errors
    /// When the store does not take them, after several attempts.
    pub async fn put(&self, sha256: &str, bytes: Vec<u8>) -> io::Result<()> {
        let put = self.store.put(&self.key(sha256), PutPayload::from(bytes)).await;
        self.note(put.map(drop))
    }

    /// Puts a file, in parts where it is large: the object is there whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be read, or the store does not take it.
    pub async fn put_file(&self, sha256: &str, file: &Path) -> io::Result<()> {
        let (mut file, first) = part(fs::File::open(file)?).await?;
        if first.len() < PART_BYTES {
            return self.put(sha256, first).await;
        }
        let mut upload = self.note(self.store.put_multipart(&self.key(sha256)).await)?;
        let mut next = first;
        while !next.is_empty() {
            let put = upload.put_part(PutPayload::from(next)).await;
            if put.is_err() {
                // Parts of an upload that was given up cost room and nothing else.
                let _ = upload.abort().await;
            }
            self.note(put)?;
            (file, next) = part(file).await?;
        }
        self.note(upload.complete().await.map(drop))
    }

    fn note<T>(&self, put: object_store::Result<T>) -> io::Result<T> {
        let put = put.map_err(|error| said("the object store did not take a raw mail", error));
        if let Ok(mut fault) = self.put_fault.lock() {
            *fault = put.as_ref().err().map(ToString::to_string);
        }
        put
    }

    /// Writes an object's bytes into a new file, as they come.
    ///
    /// # Errors
    /// `NotFound` where there is no such object; otherwise the store does not answer.
    pub async fn fetch_into(&self, sha256: &str, file: &Path) -> io::Result<()> {
        let failed = |error| said("the object store did not give a raw mail", error);
        let mut stream = self.store.get(&self.key(sha256)).await.map_err(failed)?.into_stream();
        let mut file = fs::File::create_new(file)?;
        while let Some(piece) = stream.next().await {
            file.write_all(&piece.map_err(failed)?)?;
        }
        Ok(())
    }

    /// Removes an object; one that is gone already is no fault.
    ///
    /// # Errors
    /// When the store does not do it.
    pub async fn remove(&self, sha256: &str) -> io::Result<()> {
        match self.store.delete(&self.key(sha256)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(said("the object store did not remove a raw mail", error)),
        }
    }

    /// Whether the store answers at all.
    ///
    /// # Errors
    /// Why not.
    pub async fn answers(&self) -> io::Result<()> {
        match tokio::time::timeout(LOOK, self.store.head(&self.key("no-such-mail"))).await {
            Err(_) => Err(io::Error::other(format!("the object store {} did not answer within {} s", self.place, LOOK.as_secs()))),
            // Whoever may not list a bucket is not told that an object is missing; what may not be put, the next mail tells.
            Ok(Ok(_) | Err(Error::NotFound { .. } | Error::PermissionDenied { .. } | Error::Unauthenticated { .. })) => Ok(()),
            Ok(Err(error)) => Err(said("the object store does not answer as it should", error)),
        }
    }

    /// Why raw mail cannot be put now; `None`: the store answers, and took what this process last gave it.
    pub async fn fault(&self) -> Option<String> {
        match self.answers().await {
            Err(error) => Some(error.to_string()),
            Ok(()) => self.put_fault.lock().ok().and_then(|fault| fault.clone()),
        }
    }

    /// Puts, gets and deletes an object of its own.
    ///
    /// # Errors
    /// What cannot be done, and why.
    pub async fn probe(&self) -> io::Result<()> {
        let key = Key::from(format!("{}probe-{:016x}", self.prefix, fastrand::u64(..)));
        let bytes = fastrand::u128(..).to_le_bytes();
        self.store.put(&key, PutPayload::from(bytes.to_vec())).await.map_err(|error| said("an object cannot be put", error))?;
        let got = self.store.get(&key).await.map_err(|error| said("an object cannot be got", error))?;
        let got = got.bytes().await.map_err(|error| said("an object cannot be got", error))?;
        self.store.delete(&key).await.map_err(|error| said("an object cannot be deleted", error))?;
        if got.as_ref() == bytes { Ok(()) } else { Err(io::Error::other("an object came back with other bytes")) }
    }
}

/// The next part of a file; less than a whole one only at its end.
async fn part(file: fs::File) -> io::Result<(fs::File, Vec<u8>)> {
    tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        (&file).take(PART_BYTES as u64).read_to_end(&mut bytes)?;
        Ok((file, bytes))
    })
    .await
    .map_err(io::Error::other)?
}

/// One sentence with all causes: the library's own words leave the last one out.
fn said(what: &str, error: Error) -> io::Error {
    let kind = if matches!(error, Error::NotFound { .. }) { io::ErrorKind::NotFound } else { io::ErrorKind::Other };
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !words.contains(&more) {
            words.push_str(&format!(": {more}"));
        }
        cause = next.source();
    }
    io::Error::new(kind, format!("{what}: {}", without_document(&words)))
}

/// Of a refusal in XML its code alone: the rest may repeat the key's name and what was signed.
fn without_document(words: &str) -> String {
    let Some((before, document)) = words.split_once('<') else { return words.to_owned() };
    let code = document.split_once("Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code);
    format!("{before}{code}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_servers_refusal_the_code_is_repeated_and_no_key() {
        let words = "Server returned non-2xx status code: 403 Forbidden: <?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code>\
                     <AWSAccessKeyId>AKIA1</AWSAccessKeyId><StringToSign>x</StringToSign></Error>";
        assert_eq!(without_document(words), "Server returned non-2xx status code: 403 Forbidden: SignatureDoesNotMatch");
        assert_eq!(without_document("<html>busy"), "");
        assert_eq!(without_document("Connection refused"), "Connection refused");
    }
}
