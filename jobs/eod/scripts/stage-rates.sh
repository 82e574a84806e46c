#!/bin/sh
# The delivered rates file as SQL for load-rates. Hands on how many rates there are, and the file's checksum.
# stage-rates.sh BUSINESS_DATE
set -eu
date=$1
file=$NIGHTRUN_WORK/in/eurofxref-$date.csv
stage=$NIGHTRUN_WORK/stage
mkdir -p "$stage"

{
  echo "delete from rate where day = '$date';"
  awk -v date="$date" -f scripts/rates-to-sql.awk "$file"
} > "$stage/rates.part"

rates=$(sed -n 's/^-- rates: //p' "$stage/rates.part")
echo "insert or replace into control_total (name, value) values ('rates in file', $rates);" >> "$stage/rates.part"
mv "$stage/rates.part" "$stage/rates.sql"

checksum=$(cksum < "$file" | tr ' ' '-')
printf 'RATES=%s\nRATES_CHECKSUM=%s\n' "$rates" "$checksum" >> "$NIGHTRUN_OUT"
echo "$rates rates of $date, checksum $checksum"
