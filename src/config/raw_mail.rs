//! `[raw_mail]`: where raw mail is kept: in the data folder, or in an object store that several machines share.

use super::{
    reader::Reader,
    receiving::secret,
    secret::SecretSource,
    sections::{existing, one_of},
};
use crate::edge::{
    blobs::objects::{ObjectPlace, ObjectSettings},
    mailbox::imap::is_loopback,
};

/// Where raw mail is kept.
#[derive(Debug, Clone)]
pub enum RawMailConfig {
    /// `raw/` below the data folder.
    Folder,
    /// An object store that speaks S3.
    S3(S3Config),
}

#[derive(Debug, Clone)]
pub struct S3Config {
    pub place: ObjectPlace,
    pub access_key: SecretSource,
    pub secret_key: SecretSource,
}

impl RawMailConfig {
    /// The object store with its keys, read now; `None` for the folder.
    ///
    /// # Errors
    /// One sentence naming the file or variable of a key.
    pub fn objects(&self) -> Result<Option<ObjectSettings>, String> {
        let Self::S3(config) = self else { return Ok(None) };
        Ok(Some(ObjectSettings {
            place: config.place.clone(),
            access_key: config.access_key.read()?,
            secret_key: config.secret_key.read()?,
        }))
    }
}

const SECTION: &str = "raw_mail";

/// `below`: the programme that shares the bucket of the main one; each purges only its own objects.
pub fn raw_mail(reader: &mut Reader, below: &str) -> RawMailConfig {
    let kind = reader.parsed(SECTION, "kind", |text| one_of(text, &["folder", "s3"]));
    if kind.as_deref() != Some("s3") {
        return RawMailConfig::Folder;
    }
    let (file, line) = reader.place(SECTION, "endpoint");
    let endpoint = reader.required(SECTION, "endpoint", "https://oss.example.cn").trim_end_matches('/').to_owned();
    if let Err(problem) = check_endpoint(&endpoint)
        && !endpoint.is_empty()
    {
        reader.wrong::<()>(SECTION, "endpoint", &file, line, problem);
    }
    let prefix = format!("{}/{below}", reader.string(SECTION, "prefix").unwrap_or_default()).trim_matches('/').to_owned();
    let place = ObjectPlace {
        endpoint,
        bucket: reader.required(SECTION, "bucket", "annexd"),
        prefix: if prefix.is_empty() { prefix } else { format!("{prefix}/") },
        region: reader.string(SECTION, "region").unwrap_or_else(|| "us-east-1".to_owned()),
        bucket_in_host: reader.boolean(SECTION, "bucket_in_host").unwrap_or(false),
        ca_file: reader.parsed(SECTION, "ca_file", existing),
    };
    RawMailConfig::S3(S3Config {
        place,
        access_key: key(reader, "access_key", "AWS_ACCESS_KEY_ID"),
        secret_key: key(reader, "secret_key", "AWS_SECRET_ACCESS_KEY"),
    })
}

/// A key; where none is named, the variable that all tools of S3 read.
fn key(reader: &mut Reader, name: &str, variable: &str) -> SecretSource {
    secret(reader, SECTION, name).unwrap_or_else(|| SecretSource::Environment(variable.to_owned()))
}

/// Mails must not pass a network in the clear.
fn check_endpoint(endpoint: &str) -> Result<(), String> {
    let Some((scheme, rest)) = endpoint.split_once("://") else {
        return Err(format!("{endpoint:?} is no address, like https://oss.example.cn"));
    };
    let host = rest.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())).map_or(rest, |(host, _)| host);
    match scheme {
        _ if host.is_empty() || rest.contains(['/', '@', '?']) => {
            Err(format!("{endpoint:?} is no address, like https://oss.example.cn; the bucket stands in bucket, keys in files or variables"))
        }
        "https" => Ok(()),
        "http" if is_loopback(host.trim_matches(['[', ']'])) => Ok(()),
        "http" => Err(format!("http is allowed only to this machine itself, not to {host}; use https")),
        _ => Err(format!("{endpoint:?} is no address, like https://oss.example.cn")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_protected_and_holds_nothing_else() {
        for good in ["https://oss.example.cn", "https://10.0.0.8:9000", "http://127.0.0.1:9000", "http://[::1]:9000", "http://localhost"] {
            assert_eq!(check_endpoint(good), Ok(()), "{good}");
        }
        for bad in ["oss.example.cn", "http://oss.example.cn", "https://", "https://key:secret@oss.cn", "https://oss.cn/bucket", "ftp://x"]
        {
            assert!(check_endpoint(bad).is_err(), "{bad}");
        }
    }
}
