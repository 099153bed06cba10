-- annexd, first schema. All times are milliseconds since 1970-01-01 UTC. Every column is commented.

CREATE TABLE message (
    id             INTEGER PRIMARY KEY, -- running number, order of acceptance
    sha256         TEXT NOT NULL UNIQUE, -- of the raw bytes, lower-case hex: the identity of a message
    bytes          INTEGER NOT NULL, -- size of the raw mail
    state          TEXT NOT NULL CHECK (state IN ('accepted', 'recorded', 'ignored', 'duplicate', 'parked')), -- accepted: waits to be examined
    attempts       INTEGER NOT NULL DEFAULT 0, -- examinations begun
    retry_at       INTEGER, -- not examined again before this time
    problem        TEXT, -- why the last examination failed, or why it is parked
    accepted_at    INTEGER NOT NULL, -- when the raw bytes became durable
    recorded_at    INTEGER, -- when the verdict was recorded
    content_sha256 TEXT, -- of what the sender wrote, without transport headers; finds the same mail on another way
    message_id     TEXT, -- Message-ID header, a hint
    sender         TEXT, -- address of the single From mailbox
    subject        TEXT, -- decoded, one line
    sent_at        INTEGER, -- Date header, a hint
    kind           TEXT, -- kind of mail, see the outside contract
    answer_reason  TEXT, -- why the sender is answered or not
    bureau_id      TEXT, -- directory id of the submitter, 'unknown' for one not in the directory
    bureau_name    TEXT, -- its name as shown to people
    letter_file    TEXT, -- path of the formal letter among the attachments
    letter_number  TEXT -- its document number
) STRICT;
CREATE INDEX message_waiting ON message (id) WHERE state = 'accepted';
CREATE INDEX message_content ON message (content_sha256);

CREATE TABLE sighting (
    id          INTEGER PRIMARY KEY, -- running number
    message_id  INTEGER NOT NULL REFERENCES message (id), -- the message that was seen
    mailbox     TEXT NOT NULL, -- 'imap:user@host', 'maildir:/path', 'import'
    folder      TEXT NOT NULL, -- IMAP folder, empty otherwise
    uidvalidity INTEGER NOT NULL, -- IMAP UIDVALIDITY, 0 where there is none
    uid         INTEGER, -- IMAP UID
    locator     TEXT NOT NULL, -- UID as text, or the unique file name
    arrived_at  INTEGER, -- INTERNALDATE or the file's time
    seen_at     INTEGER NOT NULL, -- when annexd saw it
    first       INTEGER NOT NULL, -- 1: this sighting made the message; 0: another copy of it
    UNIQUE (mailbox, folder, uidvalidity, locator, message_id)
) STRICT;
CREATE INDEX sighting_message ON sighting (message_id);
CREATE INDEX sighting_uid ON sighting (mailbox, folder, uidvalidity, uid);

CREATE TABLE attachment (
    message_id INTEGER NOT NULL REFERENCES message (id), -- the mail it came with
    ordinal    INTEGER NOT NULL, -- position in the flat list of files
    path       TEXT NOT NULL, -- way to the bytes, names joined by /
    sha256     TEXT NOT NULL, -- of the decoded bytes
    bytes      INTEGER NOT NULL, -- decoded size
    type       TEXT NOT NULL, -- what the bytes are
    role       TEXT NOT NULL, -- annex1, annex2, letter, container, other
    status     TEXT NOT NULL, -- read, container, kept, encrypted, unsupported, damaged, too_large, refused
    problem    TEXT, -- why it was not read, for the sender
    PRIMARY KEY (message_id, ordinal)
) STRICT;

CREATE TABLE topic (
    serial       INTEGER PRIMARY KEY, -- running number, order of arrival
    id           TEXT NOT NULL UNIQUE, -- receipt number
    applicant_key TEXT NOT NULL, -- folded applicant
    title_key    TEXT NOT NULL, -- folded title
    code_key     TEXT NOT NULL, -- credit code as compared, may be empty
    sender       TEXT NOT NULL, -- address that sent the latest revision
    bureau_id    TEXT, -- submitter of the latest revision
    bureau_name  TEXT, -- its name
    revision     INTEGER NOT NULL, -- latest revision
    fingerprint  TEXT NOT NULL, -- of the latest revision's folded fields
    status       TEXT NOT NULL CHECK (status IN ('accepted', 'needs_correction', 'suspected_duplicate', 'withdrawn')), -- see the outside contract
    held         INTEGER NOT NULL, -- 1: its submitter is not named in the notice, a person decides
    division     TEXT NOT NULL, -- current division
    review       TEXT NOT NULL DEFAULT 'open' CHECK (review IN ('open', 'accepted', 'returned')), -- the division's word
    urgent       INTEGER NOT NULL DEFAULT 0, -- 1: marked so by its submitter, its division hears of it at once
    announced_to TEXT, -- division that a queue letter told about it
    announced_joint TEXT, -- second division (会办) that a queue letter told about it
    received_at  INTEGER NOT NULL -- arrival of its first mail
) STRICT;
CREATE INDEX topic_key ON topic (applicant_key, title_key);
CREATE INDEX topic_code ON topic (code_key);
CREATE INDEX topic_division ON topic (division);
CREATE INDEX topic_urgent ON topic (serial) WHERE urgent = 1;

CREATE TABLE revision (
    topic_serial INTEGER NOT NULL REFERENCES topic (serial), -- the topic
    revision     INTEGER NOT NULL, -- 1 for the first
    message_id   INTEGER NOT NULL REFERENCES message (id), -- the mail that brought it
    fields       TEXT NOT NULL, -- JSON object: field key to text, as the sender wrote it
    places       TEXT NOT NULL, -- JSON object: field key to file, place and flags; its texts are empty, they stand in fields
    changed      TEXT NOT NULL, -- JSON list: field keys that differ from the revision before
    closed       TEXT NOT NULL, -- JSON list: findings of the revision before that this one has put right
    sources      TEXT NOT NULL, -- JSON list: attachment, where, form
    findings     TEXT NOT NULL, -- JSON list of findings, with audience
    duplicates   TEXT NOT NULL, -- JSON list of suspected twins
    completeness TEXT NOT NULL, -- JSON object: percent and its points
    normalised   TEXT NOT NULL, -- JSON object: facts of the fields in one spelling each (uscc, region, period, benefit_wan …)
    recorded_at  INTEGER NOT NULL, -- when it was recorded
    PRIMARY KEY (topic_serial, revision)
) STRICT;
CREATE INDEX revision_message ON revision (message_id);

CREATE TABLE signature_band (
    hash         INTEGER NOT NULL, -- hash of a band of the text's signature, or of the applicant
    priority     INTEGER NOT NULL, -- fixed draw of the topic: its place in long postings
    topic_serial INTEGER NOT NULL REFERENCES topic (serial), -- the topic
    PRIMARY KEY (hash, priority, topic_serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX signature_band_topic ON signature_band (topic_serial);

CREATE TABLE signature_pair (
    hash         INTEGER NOT NULL, -- hash of two rare terms that stand in the same text
    priority     INTEGER NOT NULL, -- fixed draw of the topic: its place in long postings
    topic_serial INTEGER NOT NULL REFERENCES topic (serial), -- the topic
    PRIMARY KEY (hash, priority, topic_serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX signature_pair_topic ON signature_pair (topic_serial);

CREATE TABLE replay (
    id           INTEGER PRIMARY KEY, -- running number
    topic_serial INTEGER NOT NULL REFERENCES topic (serial), -- the topic that was put right
    revision     INTEGER NOT NULL, -- its revision
    before       TEXT NOT NULL, -- JSON object: fields, findings and division as they stood
    replayed_at  INTEGER NOT NULL -- when
) STRICT;

CREATE TABLE topic_message (
    topic_serial INTEGER NOT NULL REFERENCES topic (serial), -- the topic
    message_id   INTEGER NOT NULL REFERENCES message (id), -- a mail that spoke of it
    change       TEXT NOT NULL CHECK (change IN ('new', 'revision', 'same')), -- what the mail did to the topic
    PRIMARY KEY (topic_serial, message_id)
) STRICT;

CREATE TABLE route (
    id           INTEGER PRIMARY KEY, -- running number; the highest of a topic is in force
    topic_serial INTEGER NOT NULL REFERENCES topic (serial), -- the topic
    division     TEXT NOT NULL, -- where it goes
    confidence   REAL NOT NULL, -- 0 to 1
    candidates   TEXT NOT NULL, -- JSON list of division and score, best first: the second is the runner-up
    evidence     TEXT NOT NULL, -- JSON list of reasons
    routed_by    TEXT NOT NULL, -- rule, model, person, twin, fallback
    joint        TEXT, -- second division of a topic that lies between two (会办)
    rules_version TEXT NOT NULL DEFAULT '', -- routing table that was in force; empty for a person's word
    model_version TEXT NOT NULL DEFAULT '', -- text model that spoke; empty without one
    decided_at   INTEGER NOT NULL -- when
) STRICT;
CREATE INDEX route_topic ON route (topic_serial);

CREATE TABLE model (
    id         INTEGER PRIMARY KEY, -- running number, order of training
    version    TEXT NOT NULL UNIQUE, -- of the model: the same examples give the same one
    created_at INTEGER NOT NULL, -- when it was trained
    trained_on TEXT NOT NULL, -- JSON list of the topics whose correction it learnt from, beside the shipped seeds
    figures    TEXT NOT NULL, -- JSON object: how it and the one before did in cross-validation
    body       TEXT NOT NULL, -- the model, as one text
    active     INTEGER NOT NULL -- 1: it routes; none active: the shipped model does
) STRICT;
CREATE UNIQUE INDEX model_active ON model (active) WHERE active = 1;

CREATE TABLE decision (
    id           INTEGER PRIMARY KEY, -- running number
    topic_serial INTEGER NOT NULL REFERENCES topic (serial), -- the topic
    verb         TEXT NOT NULL CHECK (verb IN ('accept', 'transfer', 'amend', 'return', 'duplicate', 'withdraw')), -- what was decided
    words        TEXT NOT NULL, -- reason or opinion
    division     TEXT NOT NULL, -- division that decided
    decided_by   TEXT NOT NULL, -- address, or 'command'
    message_id   INTEGER REFERENCES message (id), -- the mail that said so
    decided_at   INTEGER NOT NULL -- when
) STRICT;
CREATE INDEX decision_topic ON decision (topic_serial);

CREATE TABLE mail_finding (
    message_id INTEGER NOT NULL REFERENCES message (id), -- the mail it is about
    ordinal    INTEGER NOT NULL, -- position
    finding    TEXT NOT NULL, -- JSON object, with audience
    PRIMARY KEY (message_id, ordinal)
) STRICT;

CREATE TABLE setting (
    name  TEXT PRIMARY KEY, -- 'secret', 'model_off'
    value BLOB NOT NULL -- its value
) STRICT;

CREATE TABLE counter (
    name  TEXT PRIMARY KEY, -- 'receipt:2024'
    value INTEGER NOT NULL -- last number given out
) STRICT;

CREATE TABLE letter (
    id          INTEGER PRIMARY KEY, -- running number
    key         TEXT NOT NULL UNIQUE, -- what it is about: nothing is said twice
    kind        TEXT NOT NULL CHECK (kind IN ('ack', 'queue', 'digest', 'alert')), -- see the outside contract
    recipient   TEXT NOT NULL, -- one address
    subject     TEXT NOT NULL, -- one line
    body        TEXT NOT NULL, -- plain text
    message_id  TEXT NOT NULL, -- derived from the key
    in_reply_to TEXT, -- Message-ID it answers
    refs        TEXT NOT NULL, -- JSON list for the References header
    cause_id    INTEGER REFERENCES message (id), -- the mail that caused it
    state       TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'unknown', 'failed', 'held')), -- see the outside contract
    attempts    INTEGER NOT NULL DEFAULT 0, -- times it was handed to the server
    repeated    INTEGER NOT NULL DEFAULT 0, -- 1: sent once more after its fate was unknown
    last_reply  TEXT, -- the server's last answer
    created_at  INTEGER NOT NULL, -- when it was queued
    due_at      INTEGER NOT NULL, -- not before
    started_at  INTEGER, -- last handed to the server: counts against the account's caps
    sent_at     INTEGER -- accepted by the server
) STRICT;
CREATE INDEX letter_due ON letter (due_at) WHERE state = 'queued';
CREATE INDEX letter_started ON letter (started_at);
CREATE INDEX letter_message_id ON letter (message_id);

CREATE TABLE enclosure (
    letter_id  INTEGER NOT NULL REFERENCES letter (id), -- the letter it goes with
    ordinal    INTEGER NOT NULL, -- position
    name       TEXT NOT NULL, -- file name shown to the reader
    media_type TEXT NOT NULL, -- Content-Type
    bytes      BLOB NOT NULL, -- content
    PRIMARY KEY (letter_id, ordinal)
) STRICT;

CREATE TABLE slot (
    kind       TEXT NOT NULL, -- queue or digest
    recipient  TEXT NOT NULL, -- division id or address
    slot       TEXT NOT NULL, -- scheduled moment or day
    letters    INTEGER NOT NULL, -- how many it caused; 0: there was nothing to say
    marked_at  INTEGER NOT NULL, -- when
    PRIMARY KEY (kind, recipient, slot)
) STRICT;
