//! R5: where the applicant is. Names of the province's prefectures, cities, counties and districts with their GB/T 2260 codes.

use super::{Desk, Finding, checks, shortened};
use crate::domain::folding;

/// A place of the province: GB/T 2260 code (four or six digits), name.
pub struct Region {
    pub code: &'static str,
    pub name: &'static str,
}

/// Counties before prefectures, longer names before shorter: 通化县 is not 通化市, 长白山 lies in no single county.
#[rustfmt::skip]
const REGIONS: &[(&str, &str, &[&str])] = &[
    ("220523", "辉南县", &["辉南"]), ("220524", "柳河县", &["柳河"]), ("220581", "梅河口市", &["梅河口"]), ("220582", "集安市", &["集安"]),
    ("220521", "通化县", &["通化县"]), ("220502", "东昌区", &["东昌"]), ("220503", "二道江区", &["二道江"]),
    ("220122", "农安县", &["农安"]), ("220182", "榆树市", &["榆树"]), ("220183", "德惠市", &["德惠"]), ("220184", "公主岭市", &["公主岭"]),
    ("220102", "南关区", &["南关区"]), ("220103", "宽城区", &["宽城区"]), ("220104", "朝阳区", &["长春市朝阳", "长春朝阳"]), ("220105", "二道区", &["二道区"]),
    ("220106", "绿园区", &["绿园"]), ("220112", "双阳区", &["双阳"]), ("220113", "九台区", &["九台"]),
    ("220202", "昌邑区", &["昌邑区"]), ("220203", "龙潭区", &["龙潭区"]), ("220204", "船营区", &["船营"]), ("220211", "丰满区", &["丰满区"]),
    ("220221", "永吉县", &["永吉"]), ("220281", "蛟河市", &["蛟河"]), ("220282", "桦甸市", &["桦甸"]), ("220283", "舒兰市", &["舒兰"]), ("220284", "磐石市", &["磐石"]),
    ("220302", "铁西区", &["四平市铁西", "四平铁西"]), ("220303", "铁东区", &["四平市铁东", "四平铁东"]), ("220322", "梨树县", &["梨树"]),
    ("220323", "伊通满族自治县", &["伊通"]), ("220382", "双辽市", &["双辽"]),
    ("220402", "龙山区", &["辽源市龙山", "辽源龙山"]), ("220403", "西安区", &["辽源市西安", "辽源西安"]), ("220421", "东丰县", &["东丰"]), ("220422", "东辽县", &["东辽"]),
    ("220602", "浑江区", &["浑江"]), ("220605", "江源区", &["江源区"]), ("220621", "抚松县", &["抚松"]), ("220622", "靖宇县", &["靖宇"]),
    ("220623", "长白朝鲜族自治县", &["长白朝鲜族", "长白县"]), ("220681", "临江市", &["临江"]),
    ("220702", "宁江区", &["宁江"]), ("220721", "前郭尔罗斯蒙古族自治县", &["前郭"]), ("220722", "长岭县", &["长岭"]), ("220723", "乾安县", &["乾安"]), ("220781", "扶余市", &["扶余"]),
    ("220802", "洮北区", &["洮北"]), ("220821", "镇赉县", &["镇赉"]), ("220822", "通榆县", &["通榆"]), ("220881", "洮南市", &["洮南"]), ("220882", "大安市", &["大安市"]),
    ("222401", "延吉市", &["延吉"]), ("222402", "图们市", &["图们"]), ("222403", "敦化市", &["敦化"]), ("222404", "珲春市", &["珲春"]), ("222405", "龙井市", &["龙井"]),
    ("222406", "和龙市", &["和龙"]), ("222424", "汪清县", &["汪清"]), ("222426", "安图县", &["安图"]),
    ("2201", "长春市", &["长春"]), ("2202", "吉林市", &["吉林市"]), ("2203", "四平市", &["四平"]), ("2204", "辽源市", &["辽源"]),
    ("2205", "通化市", &["通化"]), ("2206", "白山市", &["白山市"]), ("2207", "松原市", &["松原"]), ("2208", "白城市", &["白城"]),
    ("2224", "延边朝鲜族自治州", &["延边"]), ("22", "吉林省", &["吉林省", "吉林", "长白山"]),
];

/// Other provinces, as an address begins.
const ELSEWHERE: &[&str] = &[
    "北京市",
    "天津市",
    "上海市",
    "重庆市",
    "河北省",
    "山西省",
    "辽宁省",
    "黑龙江",
    "江苏省",
    "浙江省",
    "安徽省",
    "福建省",
    "江西省",
    "山东省",
    "河南省",
    "湖北省",
    "湖南省",
    "广东省",
    "海南省",
    "四川省",
    "贵州省",
    "云南省",
    "陕西省",
    "甘肃省",
    "青海省",
    "台湾省",
    "内蒙古",
    "广西",
    "西藏",
    "宁夏",
    "新疆",
    "香港",
    "澳门",
    "沈阳",
    "大连市",
    "哈尔滨",
    "深圳",
    "广州市",
];

/// The place of the province that a text names; a six-digit code is taken as well.
#[must_use]
pub fn region(text: &str) -> Option<Region> {
    let folded = folding::fold(text);
    if ELSEWHERE.iter().any(|name| folded.contains(name)) && !folded.contains("吉林省") {
        return None;
    }
    let by_code = |code: &str| REGIONS.iter().find(|(known, ..)| *known == code);
    let found = by_code(&folded)
        .or_else(|| folded.strip_suffix("00").and_then(by_code))
        .or_else(|| REGIONS.iter().find(|(_, _, names)| names.iter().any(|name| folded.contains(name))));
    found.map(|(code, name, _)| Region { code, name })
}

/// R5: a region that names another province and none of this one's places is shown to reviewers.
pub fn region_is_in_the_province(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("region") else { return };
    let folded = folding::fold(text);
    if region(text).is_none() && ELSEWHERE.iter().any(|name| folded.contains(name)) {
        desk.raise(findings, &checks::REGION_ELSEWHERE, "region", &[("found", &shortened(text, 40))]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_place_named_is_the_region() {
        for (text, code) in [
            ("长春市朝阳区", "220104"),
            ("吉林省长春市", "2201"),
            ("通化县", "220521"),
            ("通化市", "2205"),
            ("梅河口", "220581"),
            ("延边州敦化市", "222403"),
            ("220184", "220184"),
            ("220200", "2202"),
            ("吉林省吉林市船营区", "220204"),
            ("吉林高新区", "22"),
        ] {
            assert_eq!(region(text).map(|region| region.code), Some(code), "{text}");
        }
        for text in ["辽宁省朝阳市", "沈阳市铁西区", "陕西省西安市", "高新区", ""] {
            assert!(region(text).is_none(), "{text}");
        }
    }
}
