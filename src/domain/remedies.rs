//! What to do about a fault of mailbox or mail server, for the administrator who sets annexd up: one Chinese sentence a cause.

/// Signs in a fault's sentence, lower case, and the remedy; the first that stands in it counts.
const REMEDIES: &[(&[&str], &str)] = &[
    (
        &["unsafe login"],
        "邮箱服务商认为这次登录不安全。请先用网页邮箱登录一次并完成安全验证，确认“设置—POP3/SMTP/IMAP”中IMAP服务已开启，半小时后再试；不要连续重试。",
    ),
    (
        &["not open", "not enabled", "is disabled", "has no permission", "service is closed", "未开启"],
        "该邮箱没有开启此项服务，或账号暂被限制。请登录网页邮箱，在“设置—POP3/SMTP/IMAP”中开启IMAP/SMTP服务，并重新生成授权码。",
    ),
    (
        &["frequency limited", "too much fail", "auth error limit"],
        "登录失败次数过多，账号被暂时限制。请停止重试，至少等待一小时，再用新生成的授权码登录。",
    ),
    (
        &["login", "authentication", "authorization", "535", "password error"],
        "这里要填授权码，不是邮箱的登录密码。请登录网页邮箱，在“设置—POP3/SMTP/IMAP”中确认IMAP/SMTP服务已开启，生成授权码，写入password_file所指的文件（只写授权码一行）。授权码约180天到期。",
    ),
    (
        &["unknownissuer", "unknown issuer", "badsignature", "self-signed", "self signed", "unknownca"],
        "服务器证书不是公认机构签发的，通常是单位的防火墙或杀毒软件在拦截加密连接。请网管对邮箱服务器放行；确须经过拦截设备或使用自建服务器的，把该机构的CA证书（PEM格式）存为文件，填入ca_file。不要关闭证书检查。",
    ),
    (
        &["expired", "notvalidyet", "not valid yet"],
        "服务器证书不在有效期内。请先核对本机的日期和时间；时间无误的，是服务器证书过期，或加密连接被拦截，请联系网管。",
    ),
    (
        &["notvalidforname", "not valid for name", "certificate not valid for"],
        "证书上的名称与服务器名称不符：可能是host填写有误，也可能是连接被转到了别的机器。请核对host，再问网管是否拦截加密连接。",
    ),
    (&["ca file"], "ca_file所指的文件不存在或不是PEM格式的证书，请核对路径。"),
    (
        &["secret file", "secret of", "should hold the secret"],
        "授权码文件读不到或为空。请确认文件存在，只写授权码一行，权限600，属主是运行annexd的用户。",
    ),
    (
        &["is no host name", "lookup", "name resolution", "name or service not known"],
        "服务器名称无法解析。请核对host的拼写，并检查本机的DNS设置。",
    ),
    (&["connection refused"], "服务器拒绝连接。请核对host和port（163.com：收件993，发件465），并问网管是否封了该端口。"),
    (
        &["network is unreachable", "no route to host", "did not answer", "was not answered", "timed out"],
        "连不上服务器。请检查网络，并问网管是否放行对该服务器端口（163.com：993、465）的访问。",
    ),
    (&["starttls"], "服务器不支持STARTTLS，请改用security = \"tls\"（收件993，发件465）。"),
    (&["is no maildir folder"], "path所指的目录不是Maildir，其下应有new、cur、tmp三个目录。"),
    (
        &["permission denied", "readonly", "read-only"],
        "没有读写权限。请以annexd用户运行（runuser -u annexd -- annexd …），并核对目录属主。",
    ),
    (
        &["tesseract"],
        "文字识别程序或简体中文语言包未安装：apt install tesseract-ocr tesseract-ocr-chi-sim。不装也不影响收件和登记，只是扫描件没有识别结果可供参考；不需要的，请将[ocr]的enabled改为false。",
    ),
    (&["made by a newer annexd"], "数据库由更新版本的annexd建立。请装回该版本，或恢复升级前的备份。"),
];

/// What to do about a fault; `None` where its words give no hint.
#[must_use]
pub fn remedy(fault: &str) -> Option<&'static str> {
    let lower = fault.to_lowercase();
    REMEDIES.iter().find(|(signs, _)| signs.iter().any(|sign| lower.contains(sign))).map(|(_, remedy)| *remedy)
}

/// The web setting that hides mail (收取选项), said where nothing older than 30 days is shown.
pub const WINDOW: &str =
    "邮箱只显示了30天以内的来信。如邮箱中另有更早的来信，请在网页邮箱“设置—收取选项”中改为“收取全部邮件”，否则系统看不到它们。";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_common_fault_of_the_first_hour_names_its_own_remedy() {
        for (fault, sign) in [
            ("the server refused LOGIN: NO LOGIN Login error or password error", "授权码，不是"),
            ("535 Error: authentication failed", "授权码，不是"),
            ("550 User has no permission", "开启IMAP/SMTP服务"),
            ("the server refused EXAMINE: NO EXAMINE Unsafe Login. Please contact kefu@188.com for help", "不安全"),
            ("imap.163.com:993: invalid peer certificate: UnknownIssuer", "拦截加密连接"),
            ("127.0.0.1:1: invalid peer certificate: certificate expired: verification time 1", "有效期"),
            ("x: invalid peer certificate: certificate not valid for name \"x\"; certificate is only valid for", "名称不符"),
            ("imap.163.com:993: Connection refused (os error 111)", "port"),
            ("imap.163.con: failed to lookup address information: Name or service not known", "拼写"),
            ("smtp.163.com:465 did not answer within 60 s", "放行"),
            ("/x is no Maildir folder: No such file", "Maildir"),
        ] {
            let found = remedy(fault).unwrap_or_default();
            assert!(found.contains(sign), "{fault}: {found}");
        }
        assert_eq!(remedy("something else"), None);
    }
}
