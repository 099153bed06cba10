//! `annexd forms blank`: blank forms made from the catalogue, as submitters would fill them.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, anyhow};

use super::print_line;
use crate::{
    config::Installation,
    domain::forms::{
        blank::{blank_docx, blank_xlsx},
        catalogue::Shape,
    },
};

/// Writes one file a form into `out`, which is created.
///
/// # Errors
/// When the folder or a file cannot be written.
pub fn blank(installation: &Installation, out: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("{} cannot be created", out.display()))?;
    let nothing = BTreeMap::new();
    for form in &installation.knowledge.catalogue.forms {
        let (extension, bytes) = match form.shape {
            Shape::Form => ("docx", blank_docx(form, &nothing)),
            Shape::Table => ("xlsx", blank_xlsx(form, &nothing, &[])),
        };
        let path = out.join(format!("{}-{}.{extension}", form.called, form.title));
        std::fs::write(&path, bytes.map_err(|problem| anyhow!(problem))?)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        print_line(&path.display().to_string());
    }
    Ok(())
}
