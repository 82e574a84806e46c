#!/bin/sh
# What only tonight's dates and paths can say, as SQL: the day with the rates of the evening before, and the backup.
# stage-day.sh BUSINESS_DATE PREVIOUS NEXT
set -eu
day=$1
previous=$2
next=$3
stage=$NIGHTRUN_WORK/stage
backup=$NIGHTRUN_WORK/backup
mkdir -p "$stage" "$backup"

{
  echo "insert into business_day (day, previous_day, next_day, state) values ('$day', '$previous', '$next', 'open');"
  awk -v date="$previous" -f scripts/rates-to-sql.awk data/eurofxref-history.csv
} > "$stage/open-day.part"
mv "$stage/open-day.part" "$stage/open-day.sql"

# A path may hold an apostrophe; in SQL it is written twice.
file=$(printf '%s\n' "$backup/bank-$day.db" | sed "s/'/''/g")
echo "vacuum into '$file';" > "$stage/backup.sql"
# VACUUM INTO writes only where nothing is: an earlier night of the same date makes room.
rm -f "$backup/bank-$day.db" "$backup/bank-$day.cksum"

echo "business day $day, after $previous, before $next"
