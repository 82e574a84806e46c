#!/bin/sh
# Stands in for the market data provider: puts the ECB's file of one business day where the bank expects it.
# deliver-rates.sh BUSINESS_DATE
set -eu
date=$1
in=$NIGHTRUN_WORK/in
history=data/eurofxref-history.csv

mkdir -p "$in"
# Under another name first: who waits for the file never sees half of it.
if ! awk -F, -v date="$date" 'NR == 1 { print } $1 == date { print; found = 1 } END { exit !found }' \
    "$history" > "$in/.eurofxref-$date.part"; then
  rm -f "$in/.eurofxref-$date.part"
  echo "$history has no row for $date: it covers the ECB's business days from 2025-01-02 to 2026-10-30" >&2
  exit 66
fi
mv "$in/.eurofxref-$date.part" "$in/eurofxref-$date.csv"
echo "delivered $in/eurofxref-$date.csv"
