//! What mails are judged by, with the text model that is in force: asked for at every message, so that a model that was trained,
//! rolled back or switched off speaks from the next message on.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::{
    domain::{routing::Model, verdict::Knowledge},
    edge::store::{InForce, Store, StoreError},
};

/// Knowledge with the model in force. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Judging {
    base: Arc<Knowledge>,
    current: Arc<Mutex<(InForce<String>, Arc<Knowledge>)>>,
}

impl Judging {
    /// Until it is asked for: with the shipped model.
    #[must_use]
    pub fn by(base: Arc<Knowledge>) -> Self {
        let current = Arc::new(Mutex::new((InForce::Shipped, base.clone())));
        Self { base, current }
    }

    /// What was judged by last, for what is done ahead: whoever judges asks [`Self::now`].
    pub async fn last(&self) -> Arc<Knowledge> {
        self.current.lock().await.1.clone()
    }

    /// What to judge by now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn now(&self, store: &Store) -> Result<Arc<Knowledge>, StoreError> {
        let in_force = store.model_in_force().await?;
        let mut current = self.current.lock().await;
        if current.0 != in_force {
            let knowledge = with_model(&self.base, &in_force, store).await?;
            tracing::info!(
                model = knowledge.divisions.model().map(|model| model.version().to_owned()),
                "Another routing model is in force."
            );
            *current = (in_force, knowledge);
        }
        Ok(current.1.clone())
    }
}

/// The same knowledge with the model in force in a store.
///
/// # Errors
/// When the database cannot be read.
pub async fn learnt(knowledge: &Arc<Knowledge>, store: &Store) -> Result<Arc<Knowledge>, StoreError> {
    with_model(knowledge, &store.model_in_force().await?, store).await
}

async fn with_model(base: &Arc<Knowledge>, in_force: &InForce<String>, store: &Store) -> Result<Arc<Knowledge>, StoreError> {
    let divisions = base.divisions.clone();
    let divisions = match in_force {
        InForce::Shipped => return Ok(base.clone()),
        InForce::Off => divisions.without_model(),
        InForce::Learnt(version) => {
            let body = store.model_body(version).await?.unwrap_or_default();
            match Model::parse(&body) {
                Ok(model) => divisions.with_model(Arc::new(model)),
                Err(problem) => {
                    tracing::error!(version, problem, "The learnt routing model cannot be used; the shipped one speaks.");
                    return Ok(base.clone());
                }
            }
        }
    };
    Ok(Arc::new(Knowledge { divisions, ..Knowledge::clone(base) }))
}
