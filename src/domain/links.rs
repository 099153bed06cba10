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
    /// As the mail says it: `120.5M`.
    pub size: Option<String>,
    /// `2024-08-30`.
    pub expires: Option<String>,
    pub url_host: String,
    /// It stands in quoted history: an old link.
    pub quoted: bool,
}

/// Hosts (and what must follow) of large-attachment services.
const HOSTS: [(&str, &str, &str); 31] = [
    ("qq", "mail.qq.com", "ftn"),
    ("qq", "exmail.qq.com", "ftn"),
    ("qq", "wx.mail.qq.com", "ftn"),
    ("netease", "mail.163.com", "large-attachment-download"),
    ("netease", "mail.126.com", "large-attachment-download"),
    ("netease", "mail.yeah.net", "large-attachment-download"),
    ("netease", "qiye.163.com", "attachment"),
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
    ("other", "cloud.189.cn", ""),
    ("other", "caiyun.139.com", ""),
    ("other", "yun.139.com", ""),
    ("other", "pan.xunlei.com", ""),
    ("other", "123pan.com", ""),
    ("other", "123684.com", ""),
    ("other", "jianguoyun.com", ""),
    ("other", "ctfile.com", ""),
    ("other", "kdocs.cn", "/l/"),
    ("other", "wenshushu.cn", ""),
    ("other", "pan.wo.cn", ""),
    ("other", "drive.uc.cn", ""),
    ("other", "115.com", "/s/"),
    ("other", "wetransfer.com", ""),
];

static URL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"https?://([A-Za-z0-9.\-]+)(?::\d+)?(/[^\s"'<>）)】]*)?"#).ok());
/// `2024年08月30日 10:00 到期`, `2024-08-30前有效`, and `有效期至：2024/8/30`.
static EXPIRY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let date = r"(20\d\d)\s*[年\-/.]\s*(\d{1,2})\s*[月\-/.]\s*(\d{1,2})\s*日?";
    Regex::new(&format!(
        r"{date}[\s\d:：时分秒]{{0,12}}[)）\s]{{0,3}}(?:之?前?(?:到期|过期|失效|有效|截止))|(?:有效期|到期|过期|失效|截止)[^\d\n]{{0,12}}{date}"
    ))
    .ok()
});
/// `(120.5M, …` and `大小：1.2 GB`; not the digits of a file's name.
static SIZE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)(?:^|[\s(（,，:：])(\d{1,4}(?:\.\d{1,3})?\s?(?:[KMGT]i?B?|字节))(?:[\s)）,，;；/]|$)").ok());
/// What a net disk calls a folder that is shared.
static SHARED_NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:分享的文件|分享文件|文件名称?|文件夹)\s*[：:]\s*([^\s，,；;]{1,100})").ok());
/// Blocks of large attachments whose address stands nowhere in the mail.
static BLOCK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"从\s*(QQ|腾讯企业|网易|163|126)[^\n]{0,12}邮箱?发来的\s*(?:超大|云|大)附件").ok());
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
        let marks = ["<blockquote", "原始邮件", "gmail_quote", "Original Message", "isReplyContent"];
        let quote_at = marks.iter().filter_map(|mark| html.find(mark)).min().unwrap_or(html.len());
        for (at, provider, host) in urls(html) {
            let plain = plain_around(html, at);
            add(described(&plain.0, plain.1, provider, &host, at >= quote_at));
        }
    }
    let mut links = dedupe(links);
    if links.is_empty() {
        links.extend(announced(text, boundary));
    }
    links
}

/// A large attachment that is spoken of, while its address got lost on the way.
fn announced(text: &str, boundary: usize) -> Option<Link> {
    let found = BLOCK.as_ref()?.captures(text)?;
    let (whole, by) = (found.get(0)?, found.get(1)?.as_str());
    let (provider, host) = if matches!(by, "QQ" | "腾讯企业") { ("qq", "mail.qq.com") } else { ("netease", "mail.163.com") };
    let after = text.get(whole.end()..floor(text, whole.end() + 300)).unwrap_or_default();
    let name = FILE_NAME.as_ref().and_then(|pattern| pattern.find(after)).map(|found| bare(found.as_str()));
    Some(Link {
        provider: provider.to_owned(),
        name,
        size: size(after, false),
        expires: expiry(after, false),
        url_host: host.to_owned(),
        quoted: whole.start() >= boundary,
    })
}

/// A link found in both text and HTML counts once: the one that says more.
fn dedupe(links: Vec<Link>) -> Vec<Link> {
    let mut kept: Vec<Link> = Vec::new();
    for link in links {
        match kept.iter_mut().find(|known| known.url_host == link.url_host && (known.name.is_none() || link.name.is_none())) {
            Some(known) => {
                known.name = known.name.take().or(link.name);
                known.size = known.size.take().or(link.size);
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

/// Name and expiry stand within a few lines of the link, and not beyond the next one.
fn described(text: &str, at: usize, provider: &str, host: &str, quoted: bool) -> Link {
    let before = text.get(floor(text, at.saturating_sub(400))..at).unwrap_or_default();
    let before = before.rsplit("http").next().unwrap_or(before);
    let after = text.get(at..floor(text, at + 300)).unwrap_or_default();
    // The address itself ends at the first space.
    let after = after.split_once(char::is_whitespace).map_or("", |(_, rest)| rest);
    let after = after.split("http").next().unwrap_or(after);
    let same_line = |text: &str, last: bool| {
        let line = if last { text.rsplit('\n').next() } else { text.split('\n').next() };
        line.map(str::to_owned).unwrap_or_default()
    };
    let before_line = last_name(&same_line(before, true));
    // What names the file also dates it.
    let stands_after = before_line.is_none() && first_name(&same_line(after, false)).is_some();
    let nearest = |first: Option<String>, second: Option<String>| if stands_after { first.or(second) } else { second.or(first) };
    let expires = nearest(expiry(after, false), expiry(before, true));
    let size = nearest(size(after, false), size(before, true));
    let name = before_line
        .or_else(|| first_name(&same_line(after, false)))
        .or_else(|| last_name(before))
        .or_else(|| first_name(after))
        .or_else(|| SHARED_NAME.as_ref()?.captures_iter(before).last()?.get(1).map(|found| bare(found.as_str())));
    Link { provider: provider.to_owned(), name, size, expires, url_host: host.to_owned(), quoted }
}

/// The first or last size in a text.
fn size(text: &str, last: bool) -> Option<String> {
    let mut all = SIZE.as_ref()?.captures_iter(text);
    let found = if last { all.last() } else { all.next() }?;
    Some(found.get(1)?.as_str().to_owned())
}

fn last_name(text: &str) -> Option<String> {
    FILE_NAME.as_ref()?.find_iter(text).last().map(|found| bare(found.as_str()))
}

fn first_name(text: &str) -> Option<String> {
    FILE_NAME.as_ref()?.find(text).map(|found| bare(found.as_str()))
}

fn bare(name: &str) -> String {
    name.trim_matches(['“', '”', '"', '[', ']', '【', '】', '(', '（', '《', '》']).to_owned()
}

/// The first or last date of expiry in a text.
fn expiry(text: &str, last: bool) -> Option<String> {
    let mut all = EXPIRY.as_ref()?.captures_iter(text);
    let found = if last { all.last() } else { all.next() }?;
    let start = if found.get(1).is_some() { 1 } else { 4 };
    let part = |index: usize| found.get(start + index).and_then(|part| part.as_str().parse::<i16>().ok());
    let date = jiff::civil::Date::new(part(0)?, i8::try_from(part(1)?).ok()?, i8::try_from(part(2)?).ok()?).ok()?;
    Some(date.to_string())
}

/// The HTML near a position without its tags, and where the position lies in it.
fn plain_around(html: &str, at: usize) -> (String, usize) {
    let before = html.get(floor(html, at.saturating_sub(1_500))..at).unwrap_or_default();
    // Another file's block ends where its own link ends.
    let before = before.rsplit("http").next().map_or(before, |own| own.split_once("</a>").map_or(own, |(_, rest)| rest));
    let before = strip(before);
    let position = before.len();
    (before + &strip(html.get(at..floor(html, at + 1_000)).unwrap_or_default()), position)
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

/// The last character boundary up to `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Whether a mail passes on another one: what stands below the marker is then what it is about.
#[must_use]
pub fn is_forward(subject: &str) -> bool {
    let folded = super::folding::fold(subject);
    ["转发", "fw:", "fwd:"].iter().any(|mark| folded.starts_with(mark))
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
        assert_eq!(links[0].size.as_deref(), Some("120.5M"));
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

    #[test]
    fn several_files_in_one_block_keep_their_own_names() {
        let html = r#"<div id="divNeteaseBigAttach">从网易163邮箱发来的云附件<div><a href="https://mail.163.com/large-attachment-download/1?p=x&file=a">附件1材料.zip</a>80.1M 2024年9月1日 12:00 到期</div><div><a href="https://mail.163.com/large-attachment-download/2?p=x&file=b">附件2汇总表.rar</a>90M 2024年9月2日 12:00 到期</div></div>"#;
        let links = find_links("", Some(html));
        let told: Vec<_> = links.iter().map(|link| (link.name.as_deref(), link.size.as_deref(), link.expires.as_deref())).collect();
        assert_eq!(
            told,
            [(Some("附件1材料.zip"), Some("80.1M"), Some("2024-09-01")), (Some("附件2汇总表.rar"), Some("90M"), Some("2024-09-02"))]
        );
    }

    #[test]
    fn a_net_disk_link_with_its_code_names_what_is_shared() {
        let links =
            find_links("通过网盘分享的文件：专项课题材料\n链接: https://pan.baidu.com/s/1AbC_d 提取码: x1y2\n有效期至：2024/9/30", None);
        assert_eq!(links.len(), 1);
        assert_eq!(
            (links[0].provider.as_str(), links[0].name.as_deref(), links[0].expires.as_deref()),
            ("baidu", Some("专项课题材料"), Some("2024-09-30"))
        );
    }

    #[test]
    fn the_date_of_a_letter_is_no_expiry() {
        let text = "2024年8月15日\n材料.zip (98M，2024年09月12日 15:00 到期)\nhttps://wx.mail.qq.com/ftn/download?func=3&key=1";
        let links = find_links(text, None);
        assert_eq!((links[0].name.as_deref(), links[0].expires.as_deref()), (Some("材料.zip"), Some("2024-09-12")));
    }

    #[test]
    fn a_block_whose_address_got_lost_is_still_a_large_attachment() {
        let links = find_links("从QQ邮箱发来的超大附件\n白山市材料.rar (120.5M, 2024年08月30日 10:00 到期)", None);
        assert_eq!((links[0].provider.as_str(), links[0].name.as_deref()), ("qq", Some("白山市材料.rar")));
    }
}
