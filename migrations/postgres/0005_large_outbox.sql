-- What is asked for after every mail must not read the whole outbox. Times as in 0001.

CREATE INDEX letter_unsettled ON letter (due_at) WHERE state = 'unknown';
CREATE INDEX letter_held ON letter (held_because, created_at) WHERE state = 'held';
CREATE INDEX letter_answer_due ON letter (due_at) WHERE kind = 'ack' AND state <> 'held';
CREATE INDEX message_parked ON message (id) WHERE state = 'parked';
