//! Who has a mailbox in the lab: the department, its divisions and administrators, bureaus, enterprises. All made up.

/// One mailbox.
#[derive(Debug, Clone)]
pub struct Account {
    /// Login and address.
    pub address: String,
    pub password: String,
}

impl Account {
    /// The part after `@`.
    pub fn domain(&self) -> &str {
        self.address.rsplit('@').next().unwrap_or_default()
    }
}

/// The collecting mailbox that annexd watches and writes from.
pub const DEPARTMENT: &str = "jlsgxtkjc@163.com";

/// A second collecting mailbox, for another programme.
pub const SECOND: &str = "jlszxqy@163.com";

/// Division ids of `config/divisions.toml`; each has the mailbox `ID@division.example.cn`.
pub const DIVISIONS: [&str; 12] =
    ["auto", "equip", "petro", "material", "pharma", "food", "textile", "electronics", "software", "green", "civilexp", "tech"];

/// Readers of the digest.
pub const ADMINISTRATORS: [&str; 2] = ["admin@dept.example.cn", "deputy@dept.example.cn"];

/// Those who write to the department. Every sender of the journey's manifest is one of them.
pub const SUBMITTERS: [&str; 20] = [
    "gxj-changchun@example.cn",
    "gxj-jilin@example.cn",
    "gxj-siping@example.cn",
    "gxj-liaoyuan@example.cn",
    "gxj-tonghua@example.cn",
    "gxj-baishan@example.cn",
    "gxj-songyuan@example.cn",
    "gxj-baicheng@example.cn",
    "gxj-yanbian@example.cn",
    "gxj-meihekou@example.cn",
    "gxq-changchun@example.cn",
    "gxq-jingyue@example.cn",
    "gxq-jilin@example.cn",
    "gxq-yanji@example.cn",
    "gxq-tonghua@example.cn",
    "gxj-nongan@example.cn",
    "jkq-songyuan@example.cn",
    "heping@qiye.example.cn",
    "sunli@qiye.example.cn",
    "machine@example.cn",
];

/// All of them; passwords differ from account to account.
pub fn accounts() -> Vec<Account> {
    let divisions = DIVISIONS.iter().map(|id| format!("{id}@division.example.cn"));
    let people = [DEPARTMENT, SECOND].into_iter().chain(ADMINISTRATORS).chain(SUBMITTERS).map(str::to_owned);
    people.chain(divisions).map(account).collect()
}

/// An account with the lab's password for its address.
pub fn account(address: String) -> Account {
    let password = format!("geheim-{}", address.bytes().map(u32::from).sum::<u32>());
    Account { address, password }
}
