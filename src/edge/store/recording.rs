//! Judging by what the database knows, and recording: message, attachments, topics, revisions, routes and the letters they cause. One
//! transaction takes several mails, because they touch the same pages and wait for the same disk; each sees those before it.

use jiff::Timestamp;

use super::{
    Store, StoreError, Writing,
    orders::{Decider, carry_out},
    outbox,
    record::{record_attachments, record_message, record_topics},
};
use crate::domain::{
    dedupe,
    letters::{Letter, orders::Carried},
    routing::Divisions,
    verdict::{Known, LookupKeys, Topic, Verdict},
};

/// What recording did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Receipt numbers in the order of the verdict's topics.
    pub receipt_numbers: Vec<Option<String>>,
    /// Letters queued.
    pub letters: usize,
}

/// A transaction in which mails are judged and recorded. Dropped, it leaves nothing behind; after an error it must be.
pub struct Recording {
    transaction: Writing,
    store: Store,
}

impl Store {
    /// Begins; nobody else writes until it ends.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn begin_recording(&self) -> Result<Recording, StoreError> {
        Ok(Recording { transaction: self.begin().await?, store: self.clone() })
    }
}

impl Recording {
    /// [`Store::earlier_in_other_hands`], without another connection: those may all wait for this one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn earlier_in_other_hands(&mut self, id: i64) -> Result<u64, StoreError> {
        self.store.earlier_in_other_hands_by(&mut self.transaction, id).await
    }

    /// Looks up everything a judgement depends on, mails recorded just before included.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn known(&mut self, keys: &LookupKeys, settings: &dedupe::Settings) -> Result<Known, StoreError> {
        super::known::known(self.store.engine, &mut self.transaction, keys, settings).await
    }

    /// Records a verdict and carries out a division's orders. `year` heads new receipt numbers; `render` writes the letters once the numbers are known.
    ///
    /// # Errors
    /// When the database refuses or a letter cannot be rendered; then nothing is recorded.
    #[allow(clippy::too_many_arguments, reason = "one transaction needs all of it")]
    pub async fn record(
        &mut self,
        message_id: i64,
        verdict: &Verdict,
        now: Timestamp,
        year: i16,
        mail_domain: &str,
        divisions: &Divisions,
        render: impl FnOnce(&[Option<String>], &Carried) -> Result<Vec<Letter>, String>,
    ) -> Result<Recorded, StoreError> {
        let transaction = &mut self.transaction;
        if !record_message(transaction, message_id, verdict, now).await? {
            // Recorded before: nothing changes.
            return Ok(Recorded { receipt_numbers: Vec::new(), letters: 0 });
        }
        record_attachments(transaction, message_id, verdict).await?;
        for returned in &verdict.returned {
            outbox::bounced(transaction, &returned.message_id, &returned.why, returned.permanent, now).await?;
        }
        let topics: Vec<&Topic> = verdict.topics.iter().collect();
        let numbers = record_topics(self.store.engine, transaction, message_id, &topics, verdict, now, year).await?;
        let receipt_numbers: Vec<Option<String>> = numbers.into_iter().map(Some).collect();
        let carried = match (&verdict.orders, &verdict.from) {
            (Some(orders), Some(from)) if orders.verified => {
                let decider = Decider { division: &orders.division, by: &from.address, message_id: Some(message_id) };
                carry_out(transaction, orders, decider, divisions, now).await?
            }
            _ => Carried::default(),
        };
        let mut letters = 0;
        for letter in render(&receipt_numbers, &carried).map_err(StoreError::Letter)? {
            letters += usize::from(outbox::insert(transaction, &letter, Some(message_id), mail_domain, now).await?);
        }
        Ok(Recorded { receipt_numbers, letters })
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// When it could not be; then nothing is recorded.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}
