//! What stands inside a paragraph: runs of text, symbols, fields, content controls and legacy form fields (ECMA-376 part 1, 17.3 and 17.16).

use quick_xml::events::BytesStart;

use super::{
    super::marks::{self, CHECKED, EMPTY},
    FormField, Frame, Walker, attribute, is_on, number,
};
use crate::domain::forms::ReadProblem;

impl Walker<'_> {
    pub(super) fn control_property(&mut self, name: &str, element: &BytesStart<'_>) {
        let Some(control) = self.controls.last_mut() else { return };
        match name {
            "showingPlcHdr" => control.placeholder = is_on(element),
            // Unchecked until its w14:checked says otherwise.
            "checkbox" => control.check = Some(false),
            _ => {}
        }
    }

    pub(super) fn run_property(&mut self, name: &str, element: &BytesStart<'_>) {
        match name {
            "vanish" => self.hidden = is_on(element),
            "rFonts" => {
                self.font = attribute(element, "ascii").or_else(|| attribute(element, "hAnsi")).filter(|font| marks::is_symbol_font(font));
            }
            _ => {}
        }
    }

    pub(super) fn form_field(&mut self, name: &str, element: &BytesStart<'_>) {
        if !self.frames.iter().rev().any(|frame| matches!(frame, Frame::FormField)) {
            return;
        }
        match name {
            "checkBox" => self.field.check = Some(false),
            "checked" => self.field.check = Some(is_on(element)),
            // A check box's default is a switch, a drop-down's the number of an entry.
            "default" if self.field.check.is_some() => self.field.check = Some(is_on(element)),
            "result" | "default" => self.field.chosen = number(element).map_or(0, |chosen| chosen as usize),
            "listEntry" => self.field.entries.extend(attribute(element, "val")),
            _ => {}
        }
    }

    /// Content of a run beside its text (17.3.3).
    pub(super) fn run_content(&mut self, name: &str, element: &BytesStart<'_>) -> Result<(), ReadProblem> {
        match name {
            "tab" | "ptab" => self.push("\t"),
            "br" | "cr" => self.push("\n"),
            "noBreakHyphen" => self.push("-"),
            "sym" => {
                let font = attribute(element, "font").unwrap_or_default();
                let code = attribute(element, "char").and_then(|code| u32::from_str_radix(&code, 16).ok());
                // An ordinary font's character may be written as a symbol too.
                let ordinary =
                    |code: u32| char::from_u32(code).filter(|c| !c.is_control() && !('\u{E000}'..='\u{F8FF}').contains(c) && code > 0xFF);
                match code.and_then(|code| marks::symbol(&font, code).or_else(|| ordinary(code))) {
                    Some(mark) => self.push(mark.encode_utf8(&mut [0; 4])),
                    None => Ok(()),
                }
            }
            "fldChar" => {
                match attribute(element, "fldCharType").as_deref() {
                    Some("begin") => {
                        self.field = FormField::default();
                        self.fields.push(true);
                    }
                    Some("separate") => self.fields.last_mut().into_iter().for_each(|in_code| *in_code = false),
                    Some("end") => _ = self.fields.pop(),
                    _ => {}
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Text as it stands in a `w:t`.
    pub(super) fn text(&mut self, text: &str) -> Result<(), ReadProblem> {
        if !matches!(self.frames.last(), Some(Frame::Text)) || self.hidden || self.fields.iter().any(|in_code| *in_code) {
            return Ok(());
        }
        match self.font.clone() {
            Some(font) => self.push(&marks::symbols(&font, text)),
            None if text.contains(|c| ('\u{F000}'..='\u{F0FF}').contains(&c)) => self.push(&marks::of_any_font(text)),
            None => self.push(text),
        }
    }

    /// Adds to the open paragraph, unless it is a control's placeholder or the drawing of its check box.
    pub(super) fn push(&mut self, text: &str) -> Result<(), ReadProblem> {
        if self.controls.iter().any(|control| control.placeholder) || self.hidden {
            return Ok(());
        }
        let mark;
        let text = match self.controls.last_mut().and_then(|control| Some((control.check?, &mut control.written))) {
            Some((_, true)) => return Ok(()),
            Some((checked, written)) => {
                *written = true;
                mark = if checked { CHECKED } else { EMPTY };
                mark.encode_utf8(&mut [0; 4]).to_owned()
            }
            None => text.to_owned(),
        };
        self.characters = self.characters.saturating_add(text.chars().count());
        if self.characters > self.limits.document_max_chars {
            return Err(ReadProblem::Refused(format!("文档文字超过{}字的上限", self.limits.document_max_chars)));
        }
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.push_str(&text);
        }
        Ok(())
    }

    /// What a legacy form field shows is drawn by Word: a box, or the chosen entry of a drop-down.
    pub(super) fn end_form_field(&mut self) {
        let field = std::mem::take(&mut self.field);
        let text = match (field.entries.get(field.chosen), field.check) {
            (Some(entry), _) => entry.clone(),
            (None, Some(true)) => CHECKED.to_string(),
            (None, Some(false)) => EMPTY.to_string(),
            (None, None) => return,
        };
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.push_str(&text);
        }
    }
}
