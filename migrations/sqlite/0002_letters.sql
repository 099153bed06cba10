-- Letters: two ways out, rich text, caps, what the server allows, alerts, and what bounced. Times as in 0001.

ALTER TABLE letter ADD COLUMN urgency INTEGER NOT NULL DEFAULT 2; -- 0 alert, 1 receipt of annexes, 2 queue letter, 3 digest, 4 courtesy receipt: the order of sending
ALTER TABLE letter ADD COLUMN html TEXT; -- HTML twin of the text; internal letters only
ALTER TABLE letter ADD COLUMN account TEXT; -- sending account it was last handed to: whose caps it counts against
ALTER TABLE letter ADD COLUMN domain TEXT NOT NULL DEFAULT ''; -- the recipient's mail domain, for its cap
ALTER TABLE letter ADD COLUMN faults INTEGER NOT NULL DEFAULT 0; -- tries that failed for the letter's own sake, not the account's
ALTER TABLE letter ADD COLUMN held_because TEXT; -- loop, address_cap, undeliverable, content, person: why it is held
ALTER TABLE letter ADD COLUMN alternates INTEGER NOT NULL DEFAULT 0; -- 1: it answers a mail that answered us or brought nothing new, as a mail loop does
ALTER TABLE letter ADD COLUMN bounced_at INTEGER; -- when a delivery report said that it did not arrive
ALTER TABLE enclosure ADD COLUMN content_id TEXT; -- of a picture that stands inside the HTML text
ALTER TABLE message ADD COLUMN authentication TEXT; -- verified, failed, unknown: what our own provider found out about the sender

CREATE INDEX letter_recipient ON letter (recipient, kind, due_at);
CREATE INDEX letter_domain ON letter (domain, kind, due_at);

CREATE TABLE handover (
    id         INTEGER PRIMARY KEY, -- running number
    account    TEXT NOT NULL, -- sending account
    letter_id  INTEGER NOT NULL REFERENCES letter (id), -- the letter
    started_at INTEGER NOT NULL -- when it was handed to the server: every attempt counts against the account's caps
) STRICT;
CREATE INDEX handover_account ON handover (account, started_at);

CREATE TABLE sending_state (
    account      TEXT PRIMARY KEY, -- sending account, 'user@host'
    halted_until INTEGER, -- nothing leaves before this time; then one letter tries
    reason       TEXT, -- the server's words, or ours
    token        TEXT, -- what kind of halt, for people and metrics
    halted_at    INTEGER, -- when the present halt began; NULL: sending works
    loud         INTEGER NOT NULL DEFAULT 0, -- 1: people must hear of the halt
    halvings     INTEGER NOT NULL DEFAULT 0, -- how often the rate was halved
    halved_at    INTEGER, -- when last
    refusals     INTEGER NOT NULL DEFAULT 0, -- logins refused one after another: the rests grow with them
    refused_at   INTEGER -- when the last one was; a secret written later is tried at once
) STRICT;

CREATE TABLE undeliverable (
    address   TEXT PRIMARY KEY, -- lower case
    why       TEXT NOT NULL, -- what the delivery report said
    letter_id INTEGER REFERENCES letter (id), -- the letter that came back
    marked_at INTEGER NOT NULL -- when
) STRICT;

CREATE TABLE alert (
    topic      TEXT PRIMARY KEY, -- what it is about: 'sending:user@host', 'mailbox', 'disk'
    said       TEXT NOT NULL, -- the latest sentence for people
    raised_at  INTEGER NOT NULL, -- when the present or last trouble began
    told_at    INTEGER NOT NULL, -- when a letter last told about it
    open       INTEGER NOT NULL, -- 1: the trouble lasts
    letters    INTEGER NOT NULL DEFAULT 0 -- letters written about it: part of their keys
) STRICT;

CREATE TABLE health (
    name TEXT PRIMARY KEY, -- 'mailbox_poll', 'mailbox_fault', 'mailbox_secret'
    at   INTEGER NOT NULL, -- when it was last so
    said TEXT NOT NULL -- what was seen
) STRICT;
