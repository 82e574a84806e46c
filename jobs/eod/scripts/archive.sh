#!/bin/sh
# The night's inputs, documents and backup in one file, read back before it counts as archived. The rates file must
# still be the one that was loaded: its checksum came with stage-rates.
# archive.sh BUSINESS_DATE
set -eu
date=$1
cd "$NIGHTRUN_WORK"
mkdir -p archive

checksum=$(cksum < "in/eurofxref-$date.csv" | tr ' ' '-')
if [ "$checksum" != "$RATES_CHECKSUM" ]; then
  echo "in/eurofxref-$date.csv has changed since it was loaded: $RATES_CHECKSUM then, $checksum now" >&2
  exit 65
fi

tar -cf "archive/.eod-$date.tar" "in/eurofxref-$date.csv" "in/payments-$date.csv" "out/advices-$date" \
  "backup/bank-$date.db" "backup/bank-$date.cksum"
gzip -f "archive/.eod-$date.tar"

advices=$(gzip -dc "archive/.eod-$date.tar.gz" | tar -tf - | grep -c "^out/advices-$date/[0-9]*\.txt$")
mv "archive/.eod-$date.tar.gz" "archive/eod-$date.tar.gz"
echo "archived $RATES rates, $PAYMENTS payments, $advices advices and the backup in archive/eod-$date.tar.gz"
