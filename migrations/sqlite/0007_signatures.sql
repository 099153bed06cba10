-- Signatures are kept: a candidate is compared without its text being read and signed again. Topics of before have none until their next
-- revision, and are compared by their text.

CREATE TABLE signature (
    topic_serial INTEGER PRIMARY KEY REFERENCES topic (serial), -- the topic
    body         BLOB NOT NULL -- what its latest revision is compared by
) STRICT;

-- A signature says under which hashes its topic stands: the postings need no index by topic any more, which was half of the writing.
ALTER TABLE signature_band RENAME TO signature_band_before;
ALTER TABLE signature_pair RENAME TO signature_pair_before;

CREATE TABLE signature_band (
    hash         INTEGER NOT NULL, -- hash of a band of the text's signature, or of the applicant
    priority     INTEGER NOT NULL, -- fixed draw of the topic: its place in long postings
    topic_serial INTEGER NOT NULL, -- the topic
    PRIMARY KEY (hash, priority, topic_serial)
) STRICT, WITHOUT ROWID;
INSERT INTO signature_band (hash, priority, topic_serial) SELECT hash, priority, topic_serial FROM signature_band_before ORDER BY 1, 2, 3;
DROP TABLE signature_band_before;

CREATE TABLE signature_pair (
    hash         INTEGER NOT NULL, -- hash of two rare terms that stand in the same text
    priority     INTEGER NOT NULL, -- fixed draw of the topic: its place in long postings
    topic_serial INTEGER NOT NULL, -- the topic
    PRIMARY KEY (hash, priority, topic_serial)
) STRICT, WITHOUT ROWID;
INSERT INTO signature_pair (hash, priority, topic_serial) SELECT hash, priority, topic_serial FROM signature_pair_before ORDER BY 1, 2, 3;
DROP TABLE signature_pair_before;
