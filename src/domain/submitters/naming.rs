//! Finding the names of bureaus and zones in a line of text, with the traps that lie in them.

use super::{Bureau, Decision, How, Submitters, UNKNOWN};
use crate::domain::folding;

/// What a county's name goes on with where its industry bureau is meant. Longer ones first.
const OFFICES: &[&str] = &[
    "工业信息化和科学技术局",
    "工业和信息化和商务局",
    "科技和工业信息化局",
    "工业和科技信息化局",
    "工业信息化和科技局",
    "经济和信息化局",
    "工业和信息化局",
    "科学技术和工业信息化局",
    "工业信息化局",
    "经济信息化局",
    "经济发展局",
    "经济贸易局",
    "工信科技局",
    "科技工信局",
    "科工信局",
    "工科局",
    "科工局",
    "工信局",
    "经信局",
    "经信委",
    "经发局",
    "经贸局",
    "经济局",
];

/// What a zone's name ends with. Longer ones first.
const ZONES: &[&str] =
    &["高新技术产业开发区", "经济技术开发区", "高新技术开发区", "经济开发区", "工业集中区", "高新区", "经开区", "化工园区"];

/// Words that end before a name begins.
const LEADS: &[&str] = &[
    "关于",
    "报送",
    "转发",
    "转报",
    "推荐",
    "上报",
    "回复",
    "答复",
    "单位",
    "来自",
    "提交",
    "征集",
    "汇总",
    "以及",
    "根据",
    "按照",
    "现将",
    "吉林省",
    "我省",
    "由",
    "和",
    "与",
    "及",
    "的",
    "将",
    "请",
    "向",
    "了",
    "为",
];

/// A class of bureaus, not a bureau: 各国家高新区, 所在地市工信局.
const NOBODY: &[&str] = &[
    "国家",
    "国家级",
    "省级",
    "各",
    "我",
    "本",
    "全省",
    "全市",
    "属地",
    "所在",
    "所属",
    "当地",
    "相关",
    "有关",
    "上级",
    "某",
    "该",
    "市",
    "县",
    "区",
    "州",
    "地方",
    "国内",
    "等",
    "或",
];

/// What may follow a bare name: 净月工信局, 长春高新报送.
const AFTER_BARE: &[&str] =
    &["报", "推荐", "管委", "工信", "科技局", "科技创新", "经发", "经济发展", "专项", "课题", "局", "委", "上报", "转", "关于", "申报"];

/// Between a name and 公司, one of these shows that the firm is another noun.
const ACTS: &[&str] = &["报", "推荐", "关于", "提交", "转", "专项", "课题", "局", "委", "征集", "属", "的", "企业"];

/// Characters of a line that are searched.
const LINE_CHARS: usize = 500;

/// A name found in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    id: String,
    name: String,
    decision: Decision,
    /// Byte range in the folded line.
    start: usize,
    end: usize,
    /// 0 = in the directory, 1 = county, 2 = found by its pattern.
    rank: u8,
}

impl Found {
    pub fn bureau(self, how: How) -> Bureau {
        Bureau { id: self.id, name: self.name, how, decision: self.decision }
    }
}

/// The names of a directory, folded and ready to be looked for.
pub struct Names {
    known: Vec<Known>,
    counties: Vec<County>,
}

struct Known {
    folded: String,
    id: String,
    name: String,
    decision: Decision,
    bare: bool,
}

struct County {
    /// 农安县, and 农安 where nothing else is called so.
    folded: String,
    /// The name that is shown.
    name: String,
    id: String,
    city: String,
}

impl Names {
    pub fn of(directory: &Submitters) -> Self {
        let mut known = Vec::new();
        for entry in &directory.entries {
            let long = std::iter::once(&entry.name).chain(&entry.abbreviations).map(|name| (name, false));
            for (name, bare) in long.chain(entry.bare.iter().map(|name| (name, true))) {
                let folded = folding::fold(name);
                known.push(Known { folded, id: entry.id.clone(), name: entry.name.clone(), decision: entry.decision, bare });
            }
        }
        let mut counties = Vec::new();
        for group in &directory.counties {
            for area in &group.areas {
                let mut parts = area.split_whitespace();
                let (names, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                for name in names.split('/').filter(|name| !name.is_empty()) {
                    let mut add = |text: &str| {
                        counties.push(County {
                            folded: folding::fold(text),
                            name: name.to_owned(),
                            id: id.to_owned(),
                            city: group.city.clone(),
                        });
                    };
                    add(name);
                    // Districts are called alike all over the country, and 通化 may be the prefecture.
                    let stem = name.strip_suffix(['县', '市']).filter(|stem| !directory.entries.iter().any(|e| e.name.starts_with(*stem)));
                    if let Some(stem) = stem {
                        add(stem);
                    }
                }
            }
        }
        Self { known, counties }
    }

    /// The name that a letter is signed with; else the one it is headed with; else the last one it mentions. Addressees do not count.
    pub fn in_letter(&self, text: &str) -> Option<Found> {
        // Letters out of HTML or a scan may be one long line.
        let lines: Vec<String> = text.split(['\n', '。', '；']).map(folded_line).filter(|line| !line.is_empty()).collect();
        let named: Vec<(&String, Found)> = lines.iter().filter_map(|line| self.best(line, true).map(|found| (line, found))).collect();
        let signed = named.iter().rev().find(|(line, found)| is_signature(line, found));
        let headed = named.iter().find(|(line, found)| found.start == 0 && line.get(found.end..).is_some_and(is_heading));
        signed.or(headed).or(named.last()).map(|(_, found)| found.clone())
    }

    pub fn in_line(&self, text: &str) -> Option<Found> {
        self.best(&folded_line(text), false)
    }

    /// The most exact name of a folded line: the directory before counties before patterns, then the longest, then the first.
    fn best(&self, line: &str, addressees: bool) -> Option<Found> {
        let mut found = self.all(line);
        found.retain(|name| {
            let before = line.get(..name.start).unwrap_or_default();
            let after = line.get(name.end..).unwrap_or_default();
            let addressed = ["致", "呈", "报至", "主送"].iter().any(|verb| before.ends_with(verb))
                || (addressees && matches!(after, ":" | "领导:" | "科技科:" | ","));
            !addressed && !is_part_of_a_firm(after)
        });
        let spans: Vec<(usize, usize)> = found.iter().map(|name| (name.start, name.end)).collect();
        found.retain(|name| {
            !spans.iter().any(|(start, end)| *start <= name.start && name.end <= *end && end - start > name.end - name.start)
        });
        found.into_iter().min_by_key(|name| (name.rank, std::cmp::Reverse(name.end - name.start), name.start))
    }

    fn all(&self, line: &str) -> Vec<Found> {
        let mut found = Vec::new();
        for known in &self.known {
            for (start, text) in line.match_indices(known.folded.as_str()) {
                let end = start + text.len();
                let after = line.get(end..).unwrap_or_default();
                let whole = start == 0 && !after.starts_with(is_han);
                if !known.bare || whole || AFTER_BARE.iter().any(|word| after.starts_with(word)) {
                    let (id, name) = (known.id.clone(), known.name.clone());
                    found.push(Found { id, name, decision: known.decision, start, end, rank: 0 });
                }
            }
        }
        for county in &self.counties {
            for (start, text) in line.match_indices(county.folded.as_str()) {
                found.extend(county_bureau(line, county, start, start + text.len()));
            }
        }
        found.extend(by_pattern(line, OFFICES, true));
        found.extend(by_pattern(line, ZONES, false));
        found
    }
}

/// The county's bureau, if an office follows the name and no foreign city stands before it.
fn county_bureau(line: &str, county: &County, start: usize, end: usize) -> Option<Found> {
    let after = line.get(end..)?;
    let office = OFFICES.iter().find(|office| after.starts_with(**office))?;
    let before = line.get(..start)?;
    let at_home = before.ends_with(county.city.as_str()) || (county.city == "延边州" && before.ends_with("自治州"));
    if !at_home && before.ends_with(['市', '州', '盟']) {
        return None;
    }
    Some(Found {
        id: county.id.clone(),
        name: format!("{}{office}", county.name),
        decision: Decision::Hold,
        start: if at_home { start.saturating_sub(county.city.len()) } else { start },
        end: end + office.len(),
        rank: 1,
    })
}

/// `…市工信局`, `…高新区`: the name is what stands before, back to the last word that cannot be part of a name.
fn by_pattern(line: &str, endings: &[&str], office: bool) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for ending in endings {
        for (at, text) in line.match_indices(ending) {
            let end = at + text.len();
            // A shorter ending inside a longer one (工信局 in 科工信局) has been found already.
            if found.iter().any(|known| known.end == end) {
                continue;
            }
            let Some(place) = line.get(..at).map(place_before).filter(|place| is_somebody(place, office)) else { continue };
            let start = at - place.len();
            let name = format!("{place}{text}");
            found.push(Found { id: UNKNOWN.to_owned(), name, decision: Decision::Hold, start, end, rank: 2 });
        }
    }
    found
}

/// The place name at the end of a text, at most 12 characters.
fn place_before(before: &str) -> &str {
    let run_start = before.char_indices().rev().take(12).take_while(|(_, c)| is_han(*c)).last().map_or(before.len(), |(at, _)| at);
    let run = before.get(run_start..).unwrap_or_default();
    let cut = LEADS.iter().filter_map(|lead| run.rfind(lead).map(|at| at + lead.len())).max().unwrap_or(0);
    run.get(cut..).unwrap_or_default()
}

fn is_somebody(place: &str, office: bool) -> bool {
    let chars = place.chars().count();
    let is_class =
        NOBODY.contains(&place) || ["各", "我", "本", "所在", "所属", "属地", "国家级", "省级"].iter().any(|word| place.starts_with(word));
    let is_area = place.ends_with(['市', '县', '区', '州', '旗', '盟']);
    // The office of a zone (净月高新区工信局) is named by its zone.
    let is_zone = ["高新区", "经开区", "汽开区", "开发区", "新区", "示范区", "净月区"].iter().any(|zone| place.ends_with(zone));
    !is_class && if office { chars >= 3 && is_area && !is_zone } else { chars >= 2 }
}

/// A short line that is little more than the name: a signature, perhaps with seal mark and date.
fn is_signature(line: &str, found: &Found) -> bool {
    let rest = line.chars().count().saturating_sub(line.get(found.start..found.end).map_or(0, |name| name.chars().count()));
    let is_other = ["抄送", "附件", "联系", "转发", "抄报", "主送", "关于"].iter().any(|word| line.starts_with(word));
    rest <= 16 && !is_other && !line.get(found.end..).is_some_and(is_heading)
}

/// `…关于报送…`, `…文件`: the name heads a letter.
fn is_heading(after: &str) -> bool {
    after.starts_with("关于") || after.starts_with("文件")
}

/// `长春高新区某某有限公司`: an address or a firm's name, not the zone.
fn is_part_of_a_firm(after: &str) -> bool {
    let run: String = after.chars().take(24).take_while(|c| is_han(*c) || matches!(c, '(' | ')')).collect();
    let firm = ["公司", "集团", "研究院", "研究所", "大学", "厂"].iter().filter_map(|word| run.find(word)).min();
    firm.and_then(|at| run.get(..at)).is_some_and(|between| !ACTS.iter().any(|act| between.contains(act)))
}

/// A line as it is searched, cut to [`LINE_CHARS`].
fn folded_line(text: &str) -> String {
    folding::fold(text).chars().take(LINE_CHARS).collect()
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}')
}
