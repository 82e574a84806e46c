#!/bin/sh
# Reads tonight's backup from end to end, looks at its first bytes, and keeps its checksum beside it.
# verify-backup.sh BUSINESS_DATE
set -eu
cd "$NIGHTRUN_WORK/backup"
file=bank-$1.db

if [ "$(dd if="$file" bs=15 count=1 2>/dev/null)" != "SQLite format 3" ]; then
  echo "$NIGHTRUN_WORK/backup/$file is not a SQLite database" >&2
  exit 65
fi
cksum "$file" > "bank-$1.cksum"
echo "backup reads back: $(cat "bank-$1.cksum")"
