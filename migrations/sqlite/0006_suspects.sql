-- Whose examination did a process not survive. Times as in 0001.

ALTER TABLE message ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0; -- processes that ended with this mail in hand; all but the first had no other
CREATE INDEX message_claimed ON message (claimed_by) WHERE state = 'accepted' AND claimed_by IS NOT NULL;
CREATE INDEX message_suspect ON message (id) WHERE state = 'accepted' AND deaths > 0;
