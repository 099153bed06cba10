//! The status page: one HTML file without scripts, fonts or pictures. Values are escaped by the template engine.

use jiff::tz::TimeZone;
use minijinja::{Environment, context, value::Serde};

use crate::domain::status::{Status, board::board};

/// The page; where there is no status, why.
///
/// # Errors
/// When the template does not render.
pub fn page(status: Result<&Status, &str>, zone: &TimeZone) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    // The name's ending turns escaping on.
    environment.add_template("status.html", include_str!("status.html"))?;
    let template = environment.get_template("status.html")?;
    match status {
        Ok(status) => template.render(context! { board => Serde(board(status, zone)), fault => "" }),
        Err(fault) => template.render(context! { board => (), fault }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::status::{AlertStatus, QueueStatus};

    #[test]
    fn foreign_text_stays_text() {
        let alert = AlertStatus { said: "<script>alert(1)</script>".to_owned(), since: "2024-08-15T01:00:00Z".parse().unwrap() };
        let queue = QueueStatus { division: "x".to_owned(), name: "\"><img src=x>".to_owned(), open: Default::default() };
        let status = Status { alerts: vec![alert], queues: vec![queue], ..Status::default() };
        let html = page(Ok(&status.judged()), &TimeZone::UTC).unwrap();
        assert!(html.contains("&lt;script&gt;alert(1)") && !html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(page(Err("a < b"), &TimeZone::UTC).unwrap().contains("a &lt; b"));
    }

    #[test]
    fn the_page_needs_no_script_and_nothing_from_elsewhere() {
        let html = page(Ok(&Status::default()), &TimeZone::UTC).unwrap();
        for forbidden in ["<script", "http:", "https:", "url(", "<link", "<img"] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
    }
}
