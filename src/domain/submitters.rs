//! Who submits: the bureaus and zones of R1, recognised from names in letters, tables, subjects and addresses.
//! Data in `config/submitters.toml`; traps in the notice's own names (吉林省/吉林市, 通化市/通化县, 白山/白城) are handled here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::folding;

mod naming;

/// Id of a bureau or zone that is named but stands in no directory.
pub const UNKNOWN: &str = "unknown";

/// The directory of submitters.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submitters {
    #[serde(default, rename = "submitter")]
    pub entries: Vec<Submitter>,
    /// County-level areas: their bureaus are known, and all of them hold.
    #[serde(default, rename = "county")]
    pub counties: Vec<Counties>,
    /// Addresses whose mail is recorded and never answered: providers' own mail and promotions. `@example.cn`: all of a domain.
    #[serde(default = "providers")]
    pub never_answered: Vec<String>,
}

/// NetEase's own mail, where a directory says nothing.
fn providers() -> Vec<String> {
    vec!["@service.netease.com".to_owned()]
}

/// The county-level areas of one prefecture, in a compact table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counties {
    /// Id of the prefecture's bureau.
    pub of: String,
    /// Name of the prefecture as it may stand before the area's: 长春市.
    pub city: String,
    /// `农安县 nongan 220122`: names joined by `/`, id, GB/T 2260 code.
    pub areas: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submitter {
    /// `changchun`.
    pub id: String,
    /// Official name: 长春市工业和信息化局.
    pub name: String,
    #[serde(default)]
    pub abbreviations: Vec<String>,
    /// Names so short that they count only as a whole line or before a word a bureau's name goes on with: 净月.
    #[serde(default)]
    pub bare: Vec<String>,
    /// GB/T 2260 code of its area, 4 or 6 digits.
    #[serde(default)]
    pub area: String,
    pub class: SubmitterClass,
    pub decision: Decision,
    /// Mail addresses known to belong to it.
    #[serde(default)]
    pub addresses: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubmitterClass {
    Prefecture,
    SeparatelyNamed,
    NationalZone,
    ProvincialZone,
    Other,
}

/// What happens to its topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Named in the notice.
    Accept,
    /// Not named: answered, its topics wait for a person.
    Hold,
}

/// Where a bureau's name was found, strongest first (`domain.md` 4: signature line of the letter, 填报单位, subject, sender name, address).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    Letter,
    Table,
    Subject,
    Name,
    Address,
}

/// A text in which a bureau may be named.
#[derive(Debug, Clone)]
pub struct Clue<'a> {
    pub how: How,
    pub text: &'a str,
}

/// Who sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bureau {
    /// Directory id; `unknown` for a bureau or zone that is not in the directory.
    pub id: String,
    pub name: String,
    pub how: How,
    pub decision: Decision,
}

impl Submitters {
    /// Reads a directory and checks it.
    ///
    /// # Errors
    /// Every mistake found, each with the entry it stands in.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let directory: Self = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
        let mistakes = directory.mistakes();
        if mistakes.is_empty() { Ok(directory) } else { Err(mistakes) }
    }

    /// The directory built into the binary.
    #[must_use]
    pub fn shipped() -> Self {
        Self::parse(Self::shipped_text()).unwrap_or_default()
    }

    /// Its text: what a file that adds to it begins with.
    #[must_use]
    pub fn shipped_text() -> &'static str {
        include_str!("../../config/submitters.toml")
    }

    /// Whether mail from this address is never answered.
    #[must_use]
    pub fn is_never_answered(&self, address: &str) -> bool {
        let address = folding::fold(address);
        self.never_answered
            .iter()
            .map(|known| folding::fold(known))
            .any(|known| if known.starts_with('@') { address.ends_with(&known) } else { address == known })
    }

    /// The bureau named by the strongest clue that names one; `None` where no clue names any.
    #[must_use]
    pub fn recognise(&self, clues: &[Clue<'_>]) -> Option<Bureau> {
        let mut clues: Vec<&Clue<'_>> = clues.iter().collect();
        clues.sort_by_key(|clue| clue.how);
        let names = naming::Names::of(self);
        clues.into_iter().find_map(|clue| match clue.how {
            How::Address => self.by_address(clue.text),
            How::Letter => names.in_letter(clue.text).map(|name| name.bureau(clue.how)),
            How::Table | How::Subject | How::Name => names.in_line(clue.text).map(|name| name.bureau(clue.how)),
        })
    }

    fn by_address(&self, text: &str) -> Option<Bureau> {
        let folded = folding::fold(text);
        let address = folded.rsplit_once('<').map_or(folded.as_str(), |(_, address)| address).trim_end_matches('>');
        let domain = address.rfind('@').and_then(|at| address.get(at..)).unwrap_or_default();
        let known = |wanted: &str| self.entries.iter().find(|entry| entry.addresses.iter().any(|known| folding::fold(known) == wanted));
        let entry = known(address).or_else(|| known(domain))?;
        Some(Bureau { id: entry.id.clone(), name: entry.name.clone(), how: How::Address, decision: entry.decision })
    }

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut ids = BTreeSet::new();
        for entry in &self.entries {
            if entry.id.is_empty() || entry.name.is_empty() {
                mistakes.push(format!("submitter {:?} {:?}: id and name must not be empty", entry.id, entry.name));
            }
            if entry.id == UNKNOWN {
                mistakes.push(format!("submitter {}: the id {UNKNOWN} is reserved", entry.name));
            }
            if !ids.insert(entry.id.as_str()) {
                mistakes.push(format!("submitter {}: this id stands twice", entry.id));
            }
            for address in entry.addresses.iter().filter(|address| !address.contains('@')) {
                mistakes.push(format!("submitter {}: {address:?} is no mail address", entry.id));
            }
        }
        for address in self.never_answered.iter().filter(|address| !address.contains('@')) {
            mistakes.push(format!("never_answered: {address:?} is no mail address"));
        }
        for counties in &self.counties {
            if !self.entries.iter().any(|entry| entry.id == counties.of) {
                mistakes.push(format!("county {}: no submitter has the id {}", counties.city, counties.of));
            }
            for area in counties.areas.iter().filter(|area| area.split_whitespace().count() != 3) {
                mistakes.push(format!("county {}: {area:?} is not \"name id code\"", counties.city));
            }
        }
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(how: How, text: &str) -> Option<(String, Decision)> {
        Submitters::shipped().recognise(&[Clue { how, text }]).map(|bureau| (bureau.id, bureau.decision))
    }

    #[track_caller]
    fn assert_id(how: How, text: &str, id: &str) {
        assert_eq!(ask(how, text).map(|found| found.0).as_deref(), Some(id), "{text}");
    }

    #[test]
    fn the_shipped_directory_is_in_order() {
        let shipped = Submitters::parse(include_str!("../../config/submitters.toml")).unwrap();
        assert_eq!(shipped.entries.iter().filter(|entry| entry.decision == Decision::Accept).count(), 16);
        assert_eq!(shipped.counties.iter().map(|counties| counties.areas.len()).sum::<usize>(), 59);
    }

    #[test]
    fn who_is_never_answered_is_a_list_of_addresses_and_domains() {
        let directory = Submitters::parse("never_answered = ['News@shop.example', '@ads.example']").unwrap();
        for (address, never) in
            [("news@SHOP.example", true), ("a@ads.example", true), ("a@xads.example", false), ("a@service.netease.com", false)]
        {
            assert_eq!(directory.is_never_answered(address), never, "{address}");
        }
        assert!(Submitters::parse("").unwrap().is_never_answered("system@service.netease.com"), "where nothing is said");
        assert!(Submitters::parse("never_answered = ['shop']").is_err());
    }

    #[test]
    fn every_mistake_of_a_directory_is_reported_at_once() {
        let text = "[[submitter]]\nid='a'\nname='甲'\nclass='other'\ndecision='hold'\naddresses=['x']\n\
                    [[submitter]]\nid='a'\nname=''\nclass='other'\ndecision='hold'\n[[county]]\nof='b'\ncity='乙市'\nareas=['丙县']\n";
        assert_eq!(Submitters::parse(text).unwrap_err().len(), 5);
        assert_eq!(Submitters::parse("[[submitter]]\nname = 1").unwrap_err().len(), 1);
    }

    #[test]
    fn every_official_name_and_abbreviation_names_its_owner() {
        for entry in Submitters::shipped().entries {
            for name in std::iter::once(&entry.name).chain(&entry.abbreviations).chain(&entry.bare) {
                assert_id(How::Table, &format!("{name}（盖章）"), &entry.id);
                assert_id(How::Subject, &format!("{name}报送聚力攻坚专项课题"), &entry.id);
                if !name.ends_with('局') {
                    assert_id(How::Subject, &format!("{name}工信局报送课题"), &entry.id);
                }
            }
        }
    }

    #[test]
    fn the_province_is_the_addressee_never_the_sender() {
        for text in ["吉林省工业和信息化厅", "省工信厅", "吉林工信", "吉林工信局", "吉林省工信厅科技处：报送课题", "吉林省工信局"]
        {
            assert_eq!(ask(How::Subject, text), None, "{text}");
            assert_eq!(ask(How::Letter, text), None, "{text}");
        }
        assert_id(How::Subject, "吉林省吉林市工信局报送专项课题", "jilin");
        assert_id(How::Subject, "吉林市高新区专项课题（3项）", "jilin-gaoxin");
    }

    #[test]
    fn county_and_prefecture_are_not_confused() {
        assert_id(How::Table, "通化市工信局", "tonghua");
        assert_id(How::Table, "通化县工信局", "tonghuaxian");
        assert_id(How::Table, "通化市通化县工业和信息化局", "tonghuaxian");
        assert_id(How::Table, "长白县工信局", "changbai");
        assert_id(How::Table, "长白山管委会经发局", "changbaishan");
        assert_id(How::Table, "白山市工信局", "baishan");
        assert_id(How::Table, "白城市工信局", "baicheng");
        assert_id(How::Table, "延吉市工信局", "yanji");
        assert_id(How::Table, "延边州工信局", "yanbian");
        assert_id(How::Table, "梅河口市工业和信息化局", "meihekou");
        assert_id(How::Table, "梅河口高新区管委会", "meihekou-gaoxin");
    }

    #[test]
    fn county_bureaus_and_economic_zones_hold_under_their_own_name() {
        for (text, id) in [
            ("农安县工信局", "nongan"),
            ("敦化市工信局", "dunhua"),
            ("抚松县经济局", "fusong"),
            ("长春市农安县工业和信息化局", "nongan"),
            ("长春市朝阳区工信局", "chaoyang"),
            ("农安工信局", "nongan"),
            ("前郭尔罗斯蒙古族自治县工业和信息化局", "qianguo"),
            ("长春经开区", "changchun-jingkai"),
            ("长春汽车经济技术开发区", "changchun-qikai"),
            ("长春新区工信局", "changchun-xinqu"),
        ] {
            assert_eq!(ask(How::Subject, &format!("{text}报送专项课题")), Some((id.to_owned(), Decision::Hold)), "{text}");
        }
        let bureau = Submitters::shipped().recognise(&[Clue { how: How::Name, text: "吉林省长春市农安县工信局" }]).unwrap();
        assert_eq!(bureau.name, "农安县工信局");
    }

    #[test]
    fn a_bureau_outside_the_directory_is_unknown_under_its_found_name() {
        for (text, name) in [
            ("关于报送四平高新技术产业开发区专项课题的函", "四平高新技术产业开发区"),
            ("转发：白城高新区专项课题", "白城高新区"),
            ("西安市工信局报送", "西安市工信局"),
            ("沈阳市铁西区工信局", "沈阳市铁西区工信局"),
            ("北京市朝阳区经济和信息化局", "北京市朝阳区经济和信息化局"),
            ("敦化经济开发区管委会", "敦化经济开发区"),
        ] {
            let bureau = Submitters::shipped().recognise(&[Clue { how: How::Subject, text }]).unwrap();
            assert_eq!((bureau.id.as_str(), bureau.name.as_str(), bureau.decision), (UNKNOWN, name, Decision::Hold));
        }
    }

    #[test]
    fn a_bare_class_of_bureau_names_nobody() {
        for text in [
            "高新区专项课题",
            "市工信局",
            "各市（州）工信局",
            "国家高新区",
            "各省级高新区",
            "县工信局报送",
            "我市高新区",
            "所在地市工信局",
            "专项课题",
        ] {
            assert_eq!(ask(How::Subject, text), None, "{text}");
        }
    }

    #[test]
    fn a_firm_named_like_a_zone_is_not_the_zone() {
        for text in ["长春高新技术产业（集团）股份有限公司", "长春高新区示例光电有限公司", "长春净月潭旅游公司", "长春净月大街1号"]
        {
            assert_eq!(ask(How::Name, text), None, "{text}");
        }
        assert_id(How::Subject, "长春高新区报送示例光电有限公司专项课题", "changchun-gaoxin");
    }

    #[test]
    fn the_signature_of_a_letter_outweighs_whoever_else_it_names() {
        let letter = "关于转报农安县工信局专项课题的函\n吉林省工业和信息化厅：\n根据要求，我局汇总了农安县工信局报送的课题。\n附件：1. 汇总表\n长春市工业和信息化局\n2024年8月15日";
        assert_id(How::Letter, letter, "changchun");
        let county = "关于报送专项课题的函\n长春市工业和信息化局：\n现将课题报上。\n农安县工业和信息化局\n2024年8月15日";
        assert_id(How::Letter, county, "nongan");
        let one_line = "关于报送专项课题的函 省工信厅： 现将农安县工信局等单位的课题报上。 长春市工业和信息化局 2024年8月15日";
        assert_id(How::Letter, one_line, "changchun");
        assert_id(How::Letter, "长春市工业和信息化局文件\n长工信函〔2024〕37号\n关于报送专项课题的函\n省工信厅：", "changchun");
    }

    #[test]
    fn the_strongest_clue_wins_wherever_it_stands_in_the_list() {
        let clues = [
            Clue { how: How::Subject, text: "转发：四平市工信局专项课题" },
            Clue { how: How::Table, text: "填报单位（盖章）：辽源市工业和信息化局 填报日期：2024年8月" },
            Clue { how: How::Letter, text: "关于报送专项课题的函" },
        ];
        let bureau = Submitters::shipped().recognise(&clues).unwrap();
        assert_eq!((bureau.id.as_str(), bureau.how), ("liaoyuan", How::Table));
    }

    #[test]
    fn a_known_address_speaks_where_no_text_does() {
        let mut directory = Submitters::shipped();
        directory.entries[0].addresses = vec!["CCgxj@163.com".to_owned(), "@gxj.changchun.example".to_owned()];
        let from = |text| directory.recognise(&[Clue { how: How::Address, text }]).map(|bureau| bureau.id);
        assert_eq!(from("ccgxj@163.com").as_deref(), Some("changchun"));
        assert_eq!(from("张三 <li@GXJ.changchun.example>").as_deref(), Some("changchun"));
        assert_eq!(from("other@163.com"), None);
    }
}
