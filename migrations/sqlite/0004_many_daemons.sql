-- Many daemons on one database: who is at work, who has which turn, who examines which mail.

CREATE TABLE presence (
    holder TEXT PRIMARY KEY, -- one running annexd: host, process, draw
    until  INTEGER NOT NULL -- taken for dead after this time of the database's clock
) STRICT;

CREATE TABLE lease (
    name   TEXT PRIMARY KEY, -- 'mailbox:imap:user@host', 'letters': what only one may do at a time
    holder TEXT NOT NULL -- who does it; whoever asks first after its death has it next
) STRICT;

ALTER TABLE message ADD COLUMN claimed_by TEXT; -- holder that examines it; void once that one is dead
