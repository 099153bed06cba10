#!/bin/sh
# Makes Postfix's queue and data folders with the owners it insists on. Usage: prepare-postfix.sh FOLDER
set -eu
cd "$1"
chown root:root . etc etc/main.cf etc/master.cf
chmod 755 . etc
# Postfix waits for a configuration file that was just written to grow old.
touch -d "1 minute ago" etc/main.cf etc/master.cf ../mailboxes ../domains
mkdir -p queue data
chown root queue
chown postfix data
cd queue
folders="active bounce corrupt defer deferred flush hold incoming private saved trace"
mkdir -p $folders
chown postfix $folders
chmod 700 $folders
mkdir -p pid public maildrop
chown root pid
chown postfix:postdrop public maildrop
chmod 710 public
chmod 730 maildrop
# Whatever an earlier run was killed over.
rm -f pid/* ../data/master.lock
