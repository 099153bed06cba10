#!/bin/sh
# Makes Postfix's queue and data folders with the owners it insists on. Usage: prepare-postfix.sh FOLDER
set -eu
cd "$1"
chown root:root . etc etc/main.cf etc/master.cf
chmod 755 . etc
mkdir -p queue data
chown root queue
chown postfix data
cd queue
for folder in active bounce corrupt defer deferred flush hold incoming private saved trace; do
    mkdir -p "$folder"
    chown postfix "$folder"
    chmod 700 "$folder"
done
mkdir -p pid public maildrop
chown root pid
chown postfix:postdrop public maildrop
chmod 710 public
chmod 730 maildrop
# Whatever an earlier run was killed over.
rm -f pid/* ../data/master.lock
