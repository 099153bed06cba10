//! `annexd digest`: the administrators' digest of a day, printed or sent.

use jiff::civil::Date;
use serde_json::json;

use super::print_line;
use crate::{
    daemon,
    domain::time::day_of,
    pipeline::{House, send, stop::Stopped, summarise},
};

/// Prints the digest of `date` (default: yesterday), or queues it to every administrator who has not had it and sends what is due.
///
/// # Errors
/// When the store cannot be reached, the template does not render, or nobody is to get it.
pub async fn digest(house: &House, date: Option<Date>, send: bool, json: bool) -> anyhow::Result<()> {
    let day = match date {
        Some(day) => day,
        None => day_of(house.now(), &house.zone).yesterday()?,
    };
    if !send {
        let (subject, text) = summarise::print_digest(house, day).await?;
        let printed = if json {
            json!({"date": day.to_string(), "subject": subject, "text": text}).to_string()
        } else {
            format!("{subject}\n\n{text}")
        };
        print_line(printed.trim_end());
        return Ok(());
    }
    anyhow::ensure!(!house.config.digest.to.is_empty(), "nobody gets the digest: fill in digest.to in the configuration");
    let queued = summarise::send_digest(house, day).await?;
    let sent = send::send_due(house, &mut daemon::outlets(house), &Stopped::never()).await?;
    print_line(&format!("{queued} digest(s) of {day} queued, {} letter(s) sent.", sent.sent));
    Ok(())
}
