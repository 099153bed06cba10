//! A signature as it is kept beside its topic: postcard, after the number of its form.

use super::signature::Signature;

/// Raised whenever [`Signature`] or what it is made from changes: older ones are then made again from the text.
const FORM: u8 = 2;
/// The form before it: other bands and pairs.
const FORM_BEFORE: u8 = 1;

impl Signature {
    /// For keeping.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![FORM]).unwrap_or_default()
    }

    /// One that was kept; `None` for one of another form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        of_form(FORM, bytes)
    }

    /// One that was kept in the form before, with the bands, keys and pairs under which its topic still stands.
    #[must_use]
    pub fn from_bytes_of_before(bytes: &[u8]) -> Option<Self> {
        of_form(FORM_BEFORE, bytes)
    }
}

fn of_form(form: u8, bytes: &[u8]) -> Option<Signature> {
    let (own, body) = bytes.split_first()?;
    (*own == form).then(|| postcard::from_bytes(body).ok())?
}

#[cfg(test)]
mod tests {
    use crate::domain::dedupe::{Prepared, Settings, Signature};

    #[test]
    fn a_signature_comes_back_as_it_was_kept() {
        let text = |key: &str| match key {
            "applicant" => "长春示例电控有限公司",
            "problem" => "整车控制器在-40℃冷启动时功率器件应力集中，驱动电流波动超过15%，缺少低温热管理与自适应标定方法。",
            _ => "",
        };
        let signature = Prepared::of(text, &Settings::default()).signature;
        assert!(!signature.triples.is_empty() && !signature.pairs.is_empty());
        let kept = signature.to_bytes();
        assert_eq!(Signature::from_bytes(&kept), Some(signature));
        assert_eq!(Signature::from_bytes(&kept[..kept.len() / 2]), None);
        assert_eq!(Signature::from_bytes(&[&[u8::MAX], &kept[1..]].concat()), None);
        assert_eq!(Signature::from_bytes(&[]), None);
    }

    #[test]
    fn a_signature_of_the_form_before_is_renewed_as_if_made_today() {
        let text = |key: &str| {
            if key == "problem" {
                "燃料电池双极板冲压成形回弹大，流道减薄开裂，平面度难以保证，良率只有62%。"
            } else {
                ""
            }
        };
        let today = Prepared::of(text, &Settings::default()).signature;
        let before = Signature { bands: vec![1; 24], pairs: vec![2; 28], ..today.clone() };
        let kept = [&[super::FORM_BEFORE], &before.to_bytes()[1..]].concat();
        assert_eq!(Signature::from_bytes(&kept), None);
        let read = Signature::from_bytes_of_before(&kept).expect("it was kept");
        assert_eq!(read, before);
        assert_eq!(read.renewed(), today);
        assert_eq!(Signature::from_bytes_of_before(&today.to_bytes()), None);
    }
}
