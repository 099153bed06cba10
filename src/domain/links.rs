//! Large attachments and net disks: files that lie behind a link instead of in the mail. They are recognised, never fetched
//! (phishing, login walls); the sender is asked to attach them. And the line between a mail and the history quoted below it.

use std::sync::LazyLock;

use regex::Regex;

/// A link to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// `qq`, `netease`, `baidu`, `weiyun`, `aliyun`, `quark`, `lanzou`, `other`.
    pub provider: String,
    pub name: Option<String>,
    /// `2024-08-30`.
    pub expires: Option<String>,
    pub url_host: String,
    /// It stands in quoted history: an old link.
    pub quoted: bool,
}

/// Hosts (and what must follow) of large-attachment services.
const HOSTS: [(&str, &str, &str); 15] = [
    ("qq", "mail.qq.com", "ftn"),
    ("qq", "exmail.qq.com", "ftn"),
    ("qq", "wx.mail.qq.com", "ftn"),
    ("netease", "mail.163.com", "large-attachment-download"),
    ("netease", "mail.126.com", "large-attachment-download"),
    ("netease", "dashi.163.com", "cloud-attachment-download"),
    ("netease", "u.163.com", ""),
    ("netease", "fs.163.com", ""),
    ("baidu", "pan.baidu.com", ""),
    ("weiyun", "share.weiyun.com", ""),
    ("aliyun", "aliyundrive.com", ""),
    ("aliyun", "alipan.com", ""),
    ("quark", "pan.quark.cn", ""),
    ("lanzou", "lanzou", ""),
    ("other", "cowtransfer.com", ""),
];

static URL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"https?://([A-Za-z0-9.\-]+)(?::\d+)?(/[^\s"'<>）)】]*)?"#).ok());
/// `2024年08月30日`, `2024-08-30`, `2024/8/30` near 到期 or 有效期.
static EXPIRY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(20\d\d)\s*[年\-/.]\s*(\d{1,2})\s*[月\-/.]\s*(\d{1,2})\s*日?").ok());
static FILE_NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)([^\s<>:：/\\|]{1,100}\.(?:zip|rar|7z|docx?|xlsx?|wps|et|pdf|tar|gz|pptx?|jpe?g|png))").ok());
/// Where a mail program begins the quoted history.
static QUOTE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?m)^[ \t>]*(?:-{2,}\s*(?:原始邮件|Original(?: Message)?|转发的邮件|Forwarded [Mm]essage|转发邮件信息|回复的原邮件)\s*-{2,}.*|_{10,}|(?:发件人|寄件者|From)[：:].{0,200}\n[ \t>]*(?:发送时间|发送日期|日期|收件人|Sent|Date|To)[：:].*|在.{4,60}写道[：:].*|On .{6,100} wrote:.*)$",
    )
    .ok()
});

/// All links of a mail, each once; HTML is searched for links that its text does not show.
#[must_use]
pub fn find_links(text: &str, html: Option<&str>) -> Vec<Link> {
    let boundary = above_quote(text).len();
    let mut links: Vec<Link> = Vec::new();
    let mut add = |link: Link| {
        if !links.iter().any(|known| known.url_host == link.url_host && known.name == link.name) {
            links.push(link);
        }
    };
    for (at, provider, host) in urls(text) {
        add(described(text, at, provider, &host, at >= boundary));
    }
    if let Some(html) = html {
        let quote_at = html.find("<blockquote").or_else(|| html.find("原始邮件")).unwrap_or(html.len());
        for (at, provider, host) in urls(html) {
            let plain = plain_around(html, at);
            add(described(&plain.0, plain.1, provider, &host, at >= quote_at));
        }
    }
    dedupe(links)
}

/// A link found in both text and HTML counts once: the one that says more.
fn dedupe(links: Vec<Link>) -> Vec<Link> {
    let mut kept: Vec<Link> = Vec::new();
    for link in links {
        match kept.iter_mut().find(|known| known.url_host == link.url_host && (known.name.is_none() || link.name.is_none())) {
            Some(known) => {
                known.name = known.name.take().or(link.name);
                known.expires = known.expires.take().or(link.expires);
            }
            None => kept.push(link),
        }
    }
    kept
}

fn urls(text: &str) -> Vec<(usize, &'static str, String)> {
    let Some(pattern) = URL.as_ref() else { return Vec::new() };
    let mut found = Vec::new();
    for captures in pattern.captures_iter(text) {
        let (Some(whole), Some(host)) = (captures.get(0), captures.get(1)) else { continue };
        let host = host.as_str().to_ascii_lowercase();
        let path = captures.get(2).map_or("", |path| path.as_str());
        let service = HOSTS.iter().find(|(_, known, must)| {
            let same = host == *known || host.ends_with(&format!(".{known}")) || (*known == "lanzou" && host.contains("lanzou"));
            same && path.contains(must)
        });
        if let Some((provider, ..)) = service {
            found.push((whole.start(), *provider, host));
        }
    }
    found
}

/// Name and expiry stand within a few lines of the link.
fn described(text: &str, at: usize, provider: &str, host: &str, quoted: bool) -> Link {
    let start = boundary(text, at.saturating_sub(400), false);
    let end = boundary(text, (at + 300).min(text.len()), true);
    let before = text.get(start..at).unwrap_or_default();
    let after = text.get(at..end).unwrap_or_default();
    let name = FILE_NAME.as_ref().and_then(|pattern| {
        let last = pattern.find_iter(before).last();
        let first = || after.split_once(char::is_whitespace).and_then(|(_, rest)| pattern.find(rest));
        last.or_else(first).map(|found| found.as_str().trim_matches(['“', '”', '"', '[', ']', '【', '】']).to_owned())
    });
    Link { provider: provider.to_owned(), name, expires: expiry(before).or_else(|| expiry(after)), url_host: host.to_owned(), quoted }
}

fn expiry(text: &str) -> Option<String> {
    if !["到期", "过期", "有效期", "失效"].iter().any(|word| text.contains(word)) {
        return None;
    }
    let found = EXPIRY.as_ref()?.captures_iter(text).last()?;
    let part = |index: usize| found.get(index).and_then(|part| part.as_str().parse::<i16>().ok());
    let date = jiff::civil::Date::new(part(1)?, i8::try_from(part(2)?).ok()?, i8::try_from(part(3)?).ok()?).ok()?;
    Some(date.to_string())
}

/// The HTML near a position without its tags, and where the position lies in it.
fn plain_around(html: &str, at: usize) -> (String, usize) {
    let start = boundary(html, at.saturating_sub(1_500), false);
    let end = boundary(html, (at + 1_000).min(html.len()), true);
    let before = strip(html.get(start..at).unwrap_or_default());
    let position = before.len();
    (before + &strip(html.get(at..end).unwrap_or_default()), position)
}

fn strip(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

/// The nearest character boundary.
fn boundary(text: &str, mut at: usize, forward: bool) -> usize {
    while !text.is_char_boundary(at) {
        at = if forward { at + 1 } else { at.saturating_sub(1) };
    }
    at
}

/// What the sender wrote, without the history that the mail program quoted below it.
#[must_use]
pub fn above_quote(text: &str) -> &str {
    let by_marker = QUOTE.as_ref().and_then(|pattern| pattern.find(text)).map_or(text.len(), |found| found.start());
    let mut by_angle = text.len();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('>') {
            by_angle = at;
            break;
        }
        at += line.len();
    }
    text.get(..by_marker.min(by_angle)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QQ: &str = "材料见链接。\n从QQ邮箱发来的超大附件\n白山市材料.rar (120.5M, 2024年08月30日 10:00 到期)\n进入下载页面：http://mail.qq.com/cgi-bin/ftnExs_download?k=1&code=2\n";

    #[test]
    fn a_qq_link_is_recognised_with_name_and_expiry() {
        let links = find_links(QQ, None);
        assert_eq!(links.len(), 1);
        assert_eq!(
            (links[0].provider.as_str(), links[0].name.as_deref(), links[0].expires.as_deref()),
            ("qq", Some("白山市材料.rar"), Some("2024-08-30"))
        );
        assert!(!links[0].quoted);
    }

    #[test]
    fn a_link_in_quoted_history_is_old_news() {
        let text = format!("附件已补上。\n\n------------------ 原始邮件 ------------------\n发件人: \"x\"\n{QQ}");
        assert!(find_links(&text, None)[0].quoted);
        assert_eq!(above_quote(&text).trim(), "附件已补上。");
    }

    #[test]
    fn a_netease_link_in_html_is_found() {
        let html = r#"<div id="divNeteaseBigAttach">从网易163邮箱发来的超大附件<br><a href="https://mail.163.com/large-attachment-download/x?p=X-NETEASE-HUGE-ATTACHMENT&file=abc">汇总材料.zip</a> 80.1M 2024-09-01 12:00 到期</div>"#;
        let links = find_links("", Some(html));
        assert_eq!(links.len(), 1);
        assert_eq!((links[0].provider.as_str(), links[0].expires.as_deref()), ("netease", Some("2024-09-01")));
    }

    #[test]
    fn an_ordinary_link_is_no_attachment() {
        assert!(find_links("详见 https://mail.qq.com/ 和 https://gxt.jl.gov.cn/a.pdf", None).is_empty());
    }
}
