-- Retention: who had old mails and letters removed, and when. Times as in 0001.

CREATE TABLE purge (
    id         INTEGER PRIMARY KEY, -- running number
    purged_at  INTEGER NOT NULL, -- when
    purged_by  TEXT NOT NULL, -- who ran the command
    older_than INTEGER NOT NULL, -- mails and letters from before this moment
    mails      INTEGER NOT NULL, -- raw mails removed
    bytes      INTEGER NOT NULL, -- their size together
    letters    INTEGER NOT NULL -- letters emptied
) STRICT;
