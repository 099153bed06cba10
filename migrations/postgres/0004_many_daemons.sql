-- Many daemons on one database: who is at work, who has which turn, who examines which mail.

CREATE TABLE presence (
    holder TEXT COLLATE "C" PRIMARY KEY, -- one running annexd: host, process, draw
    until  BIGINT NOT NULL -- taken for dead after this time of the database's clock
);

CREATE TABLE lease (
    name   TEXT COLLATE "C" PRIMARY KEY, -- 'mailbox:imap:user@host', 'letters': what only one may do at a time
    holder TEXT COLLATE "C" NOT NULL -- who does it; whoever asks first after its death has it next
);

ALTER TABLE message ADD COLUMN claimed_by TEXT COLLATE "C"; -- holder that examines it; void once that one is dead
