//! The wording of all letters: templates that an administrator may edit (`config/letters/*.txt`, and the HTML twins of internal
//! letters, in which every value is escaped). The first line is the subject. A template that does not render is found when it is loaded, on sample values, not at the tenth letter.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use crate::domain::folding::one_line;

/// Names of the templates, each with its shipped wording.
const SHIPPED: [(&str, &str); 12] = [
    ("receipt.txt", include_str!("../../../config/letters/receipt.txt")),
    ("enterprise.txt", include_str!("../../../config/letters/enterprise.txt")),
    ("correction.txt", include_str!("../../../config/letters/correction.txt")),
    ("no_annex.txt", include_str!("../../../config/letters/no_annex.txt")),
    ("confirmation.txt", include_str!("../../../config/letters/confirmation.txt")),
    ("guidance.txt", include_str!("../../../config/letters/guidance.txt")),
    ("queue.txt", include_str!("../../../config/letters/queue.txt")),
    ("digest.txt", include_str!("../../../config/letters/digest.txt")),
    ("alert.txt", include_str!("../../../config/letters/alert.txt")),
    ("list.txt", include_str!("../../../config/letters/list.txt")),
    ("queue.html", include_str!("../../../config/letters/queue.html")),
    ("digest.html", include_str!("../../../config/letters/digest.html")),
];

/// Compiled templates.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
}

/// A rendered letter text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    pub text: String,
}

impl Templates {
    /// The shipped wording, replaced where `edited` holds a template of the same name.
    ///
    /// # Errors
    /// One sentence for each template that does not parse, and for each unknown name.
    pub fn load(edited: &BTreeMap<String, String>) -> Result<Self, Vec<String>> {
        let mut environment = Environment::new();
        // A line that holds only a tag leaves no empty line behind.
        match SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
            Ok(syntax) => environment.set_syntax(syntax),
            Err(error) => return Err(vec![error.to_string()]),
        }
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut mistakes: Vec<String> = edited
            .keys()
            .filter(|name| !SHIPPED.iter().any(|(known, _)| known == name))
            .map(|name| format!("letters/{name}: no letter has this name"))
            .collect();
        for (name, shipped) in SHIPPED {
            let source = edited.get(name).map_or(shipped, String::as_str);
            if let Err(error) = environment.add_template_owned(name, source.to_owned()) {
                mistakes.push(format!("letters/{name}: line {}: {error}", error.line().unwrap_or(1)));
            }
        }
        let templates = Self { environment };
        if mistakes.is_empty() {
            mistakes = templates.rehearse();
        }
        if mistakes.is_empty() { Ok(templates) } else { Err(mistakes) }
    }

    /// Writes every letter on made-up values for many situations; one sentence for each template that fails in one.
    fn rehearse(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut failed = std::collections::BTreeSet::new();
        for sample in super::preview::samples() {
            match sample.render(self) {
                Err(problem) if failed.insert(sample.template) => mistakes.push(format!("{problem} (when writing: {})", sample.about)),
                Ok(rendered) if rendered.subject.is_empty() && failed.insert(sample.template) => {
                    mistakes.push(format!("letters/{}: line 1: the subject is empty (when writing: {})", sample.template, sample.about));
                }
                _ => {}
            }
        }
        mistakes
    }

    /// Renders one template: first line subject, rest text.
    ///
    /// # Errors
    /// One sentence naming the template and the line where it uses a value that does not exist.
    pub fn render(&self, name: &str, values: impl Serialize) -> Result<Rendered, String> {
        let template = self.environment.get_template(name).map_err(|error| format!("letters/{name}: {error}"))?;
        let rendered =
            template.render(Serde(values)).map_err(|error| format!("letters/{name}: line {}: {error}", error.line().unwrap_or(1)))?;
        let (subject, text) = rendered.split_once('\n').unwrap_or((rendered.as_str(), ""));
        Ok(Rendered { subject: one_line(subject), text: format!("{}\n", text.trim()) })
    }
}
