#!/bin/sh
# One text file for each account with payments, from the file that check-payments has passed.
# payment-advices.sh BUSINESS_DATE
set -eu
date=$1
file=$NIGHTRUN_WORK/in/payments-$date.csv
out=$NIGHTRUN_WORK/out/advices-$date
rm -rf "$out.part"
mkdir -p "$out.part"

awk -F, -v date="$date" -v out="$out.part" '
  NR == 1 || $1 == "trailer" { next }
  {
    advice = out "/" $2 ".txt"
    if (!($2 in begun)) {
      printf "Sample Bank\nPayment advice for account %s, %s\n\n", $2, date > advice
      begun[$2] = 1
      accounts++
    }
    printf "%-16s %-8s %12s %s  %s\n", $1, $3 == "in" ? "credit" : "debit", $5, $4, $6 >> advice
    close(advice)
  }
  END { printf "advices for %d accounts\n", accounts }' "$file"

rm -rf "$out"
mv "$out.part" "$out"
