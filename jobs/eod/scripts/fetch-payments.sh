#!/bin/sh
# Stands in for the payment hub: 240 payments of the day by a fixed rule (README.md), with a trailer that counts them.
# The hub is made to refuse the first connection, as such hubs do; the second attempt gets the file.
# fetch-payments.sh BUSINESS_DATE
set -eu
date=$1
in=$NIGHTRUN_WORK/in
mkdir -p "$in"

echo "payment hub: connecting, attempt $NIGHTRUN_ATTEMPT"
if [ "$NIGHTRUN_ATTEMPT" -eq 1 ]; then
  echo "payment hub: connection refused" >&2
  exit 75
fi

awk -v date="$date" '
  # Whole minor units as the file writes them: with two decimals, without any for yen.
  function decimal(minor, currency) {
    return currency == "JPY" ? minor "" : sprintf("%d.%02d", int(minor / 100), minor % 100)
  }
  BEGIN {
    split("USD GBP CHF JPY HKD SGD CNY", foreign, " ")
    day = substr(date, 9, 2) + 0
    print "payment,account,direction,currency,amount,counterparty"
    for (i = 1; i <= 240; i++) {
      customer = i * 37 % 120 + 1
      slot = (i + int(i / 120)) % 2
      currency = slot == 0 ? "EUR" : foreign[customer % 7 + 1]
      minor = (i * 7349 + day * 131) % 250000 + 500
      sum += minor
      printf "%s-%04d,%d,%s,%s,%s,Counterparty %02d\n", date, i, 10001 + (customer - 1) * 3 + slot,
        i % 3 == 0 ? "in" : "out", currency, decimal(minor, currency), i * 11 % 97
    }
    printf "trailer,240,%d\n", sum
  }' > "$in/.payments-$date.part"
mv "$in/.payments-$date.part" "$in/payments-$date.csv"
echo "payment hub: received $in/payments-$date.csv"
