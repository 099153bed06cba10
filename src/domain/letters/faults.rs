//! Faults of servers, disk and program as administrators read them: a Chinese sentence first, then the words of the log in
//! quotation marks, so that the log can be searched for them.

/// Signs in a fault's English sentence, lower case, and what they mean; the first that stands in it counts.
const MEANINGS: &[(&str, &str)] = &[
    ("a bug while", "程序处理时出错，属程序缺陷，请转技术人员"),
    ("broke the reading process", "邮件内容使读取程序中断，请转技术人员"),
    ("reading process could not be started", "读取程序无法启动，请检查内存和进程数限制"),
    ("unsafe login", "邮箱服务商认为登录不安全"),
    // What NetEase's SMTP server says (`chinese-mail.md` section 2).
    ("user has no permission", "邮箱服务商不允许该账号发信，可能是SMTP服务未开启或账号被限制发信"),
    ("mail from must equal", "发件人地址与登录账号不一致"),
    ("dt:sum", "发件人地址与登录账号不一致"),
    ("null sender", "邮箱服务商不接受空发件人"),
    ("auth error limit", "登录失败次数过多，邮箱服务商暂时拒绝本机"),
    ("too much fail authentication", "登录失败次数过多，邮箱服务商暂时拒绝登录"),
    ("err.login.passerr", "服务器拒绝登录"),
    ("ip in blacklist", "本机网络地址被邮箱服务商列入黑名单"),
    ("hl:ipb", "本机网络地址被邮箱服务商列入黑名单"),
    ("hl:ihu", "本机网络地址被邮箱服务商列入黑名单"),
    ("dt:rbl", "本机网络地址被邮箱服务商列入黑名单"),
    ("wm:bl", "邮箱服务商不接受本机网络地址或该账号"),
    ("mi:spb", "该账号被邮箱服务商列入黑名单"),
    ("hl:rep", "邮箱服务商认为本机发信异常，暂时拒绝"),
    ("hl:mep", "邮箱服务商认为本机发信异常，暂时拒绝"),
    ("hl:icc", "同时连接过多"),
    ("hl:ifc", "短时间内连接过多"),
    ("hl:itc", "已达当日发信上限"),
    ("mi:stc", "已达当日发信上限"),
    ("rp:trc", "已达当日收件人上限"),
    ("mi:sfq", "15分钟内发信过多"),
    ("rp:qrc", "短时间内收件人过多"),
    ("dt:spm", "内容被判为垃圾邮件"),
    ("mi:nhd", "邮箱服务商不接受本机名称，属配置问题"),
    ("mi:imf", "发件人地址写法有误，属配置问题"),
    ("rp:frl", "邮箱服务商不允许该账号转发"),
    ("mi:spf", "发件域名未通过对方的SPF检查"),
    ("mi:dma", "发件域名未通过对方的DMARC检查"),
    ("user suspended", "收件账号已停用"),
    ("user in blacklist", "收件地址被列入黑名单"),
    ("illegal attachment", "附件类型不被接受"),
    ("exceeded mailsize", "邮件过大"),
    ("invalid user", "收件地址不存在"),
    ("user not found", "收件地址不存在"),
    ("user unknown", "收件地址不存在"),
    ("mailbox not found", "收件地址不存在"),
    ("mailbox full", "对方邮箱已满"),
    ("quota exceeded", "对方邮箱已满"),
    ("secret", "授权码文件无法使用"),
    ("certificate", "服务器证书未通过验证"),
    ("ca file", "证书文件无法使用"),
    ("starttls", "服务器未能建立加密连接"),
    ("tls", "未能建立加密连接"),
    ("unprotected connection", "配置的连接没有加密，已拒绝使用"),
    ("authentication", "服务器拒绝登录"),
    ("authorization", "服务器拒绝登录"),
    ("login fail", "服务器拒绝登录"),
    ("connection refused", "服务器拒绝连接"),
    ("network is unreachable", "网络不通"),
    ("no route to host", "网络不通"),
    ("lookup", "服务器域名无法解析"),
    ("name resolution", "服务器域名无法解析"),
    ("name or service not known", "服务器域名无法解析"),
    ("is no host name", "服务器域名有误"),
    ("the object store", "对象存储不能使用"),
    ("no space left", "磁盘空间已用尽"),
    ("disk is full", "磁盘空间已用尽"),
    ("permission denied", "没有读写权限"),
    ("database is locked", "数据库被占用"),
    ("the database answered", "数据库出错"),
    ("stored json is damaged", "数据库中的内容损坏"),
    ("a file could not be used", "文件无法读写"),
    ("did not answer", "服务器没有及时应答"),
    ("was not answered", "服务器没有应答"),
    ("timed out", "服务器没有及时应答"),
    ("closed the connection", "服务器关闭了连接"),
    ("each connection is refused", "服务器接连拒绝连接"),
    ("connection broke", "与服务器的连接中断"),
    ("connection reset", "与服务器的连接中断"),
    ("broken pipe", "与服务器的连接中断"),
    ("refused", "服务器拒绝了请求"),
];

/// Longest quotation, in characters.
const QUOTED_CHARS_MAX: usize = 160;

/// The sentence for people. What is Chinese already stays as it is; what is not known is quoted.
#[must_use]
pub fn in_chinese(fault: &str) -> String {
    let fault = fault.trim();
    if fault.is_empty() || fault.chars().next().is_some_and(|first| !first.is_ascii()) {
        return fault.to_owned();
    }
    let lower = fault.to_ascii_lowercase();
    let quoted = quotation(fault);
    match MEANINGS.iter().find(|(sign, _)| lower.contains(sign)) {
        Some((_, meaning)) => format!("{meaning}（原文：“{quoted}”）"),
        None => format!("原文“{quoted}”"),
    }
}

fn quotation(fault: &str) -> String {
    let mut words: String = fault.chars().map(|c| if c.is_control() { ' ' } else { c }).take(QUOTED_CHARS_MAX).collect();
    if fault.chars().count() > QUOTED_CHARS_MAX {
        words.push('…');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_in_chinese_with_the_logs_words_behind_it() {
        assert_eq!(
            in_chinese("the server did not answer EXAMINE in time"),
            "服务器没有及时应答（原文：“the server did not answer EXAMINE in time”）"
        );
        for (fault, meaning) in [
            ("a bug while reading this mail: index out of bounds", "程序缺陷"),
            ("imap.163.com:993: Connection refused (os error 111)", "拒绝连接"),
            ("the database answered: database is locked", "数据库被占用"),
            ("the server refused EXAMINE: NO EXAMINE Unsafe Login. Please contact kefu@188.com", "登录不安全"),
            ("imap.163.com:993: invalid peer certificate: Expired", "证书"),
        ] {
            let told = in_chinese(fault);
            assert!(told.contains(meaning) && told.contains(fault), "{told}");
        }
    }

    #[test]
    fn chinese_stays_and_the_unknown_is_quoted_in_bounds() {
        assert_eq!(in_chinese("服务器繁忙"), "服务器繁忙");
        assert_eq!(in_chinese(""), "");
        let told = in_chinese(&format!("odd\r\n{}", "x".repeat(5000)));
        assert!(told.starts_with("原文“odd  x") && told.chars().count() < 180, "{told}");
    }
}
