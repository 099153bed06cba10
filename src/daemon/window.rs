//! The window for watchers, one for all programmes of the process.

use std::sync::Arc;

use anyhow::Context as _;

use crate::{
    config::WebConfig,
    domain::status::Status,
    edge::web,
    pipeline::{House, status, stop::Stopped},
};

/// Shows the state to watchers until stopping is asked for.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn web_loop(houses: Vec<House>, web: WebConfig, stopped: Stopped) -> anyhow::Result<()> {
    let Some(zone) = houses.first().map(|house| house.zone.clone()) else { return Ok(()) };
    let gather: web::Gather = Arc::new(move || {
        let houses = houses.clone();
        Box::pin(async move { state(&houses).await.map_err(|error| format!("{error:#}")) })
    });
    tokio::select! {
        () = stopped.asked() => Ok(()),
        served = web::serve(web.listen, zone, gather) => served.with_context(|| format!("{} cannot be listened on", web.listen)),
    }
}

async fn state(houses: &[House]) -> anyhow::Result<Status> {
    let mut states = Vec::new();
    for house in houses {
        let figures = house.meters.figures(house.readers.crashes());
        states.push(status::status(house, Some(figures)).await?);
    }
    Ok(Status::of_all(states))
}
