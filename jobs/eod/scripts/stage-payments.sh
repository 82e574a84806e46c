#!/bin/sh
# The payment file as SQL for load-payments. A line that is not exactly of the agreed form stops the job: what is not
# understood is never loaded. Hands on how many payments there are.
# stage-payments.sh BUSINESS_DATE
set -eu
date=$1
file=$NIGHTRUN_WORK/in/payments-$date.csv
stage=$NIGHTRUN_WORK/stage
mkdir -p "$stage"

awk -F, -v date="$date" '
  function fail(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what | "cat >&2"
    bad = 1
    exit 65
  }
  # "1234.56" -> "123456"; yen have no decimals.
  function minor(text, currency) {
    if (currency == "JPY") {
      if (text !~ /^[0-9]+$/) fail("`" text "` is not an amount in yen")
    } else {
      if (text !~ /^[0-9]+\.[0-9][0-9]$/) fail("`" text "` is not an amount with two decimals")
      sub(/\./, "", text)
    }
    sub(/^0+/, "", text)
    if (length(text) > 15) fail("an amount beyond belief")
    return text == "" ? "0" : text
  }
  BEGIN { print "delete from payment;" }
  trailer { fail("a line after the trailer") }
  NR == 1 {
    if ($0 != "payment,account,direction,currency,amount,counterparty") fail("not the agreed heading")
    next
  }
  $1 == "trailer" {
    if (NF != 3 || $2 !~ /^[0-9]+$/ || $3 !~ /^[0-9]+$/ || length($3) > 15) fail("not the agreed trailer")
    printf "insert or replace into control_total (name, value) values (%cpayments in file%c, %s);\n", 39, 39, $2
    printf "insert or replace into control_total (name, value) values (%cpayment hash total%c, %s);\n", 39, 39, $3
    trailer = $2
    next
  }
  {
    if (NF != 6) fail(NF " columns, not 6")
    if ($1 !~ /^[0-9-]+$/ || substr($1, 1, 10) != date) fail("`" $1 "` is not a payment of " date)
    if ($2 !~ /^[0-9]+$/ || length($2) > 15) fail("`" $2 "` is not an account")
    if ($3 !~ /^[a-z]+$/) fail("`" $3 "` is not a direction")
    if ($4 !~ /^[A-Z][A-Z][A-Z]$/) fail("`" $4 "` is not a currency")
    if ($6 !~ /^[A-Za-z0-9 .-]+$/) fail("a counterparty with signs that are not agreed")
    printf "insert into payment (id, account_id, direction, currency, amount, counterparty) values "
    printf "(%c%s%c, %s, %c%s%c, %c%s%c, %s, %c%s%c);\n", 39, $1, 39, $2, 39, $3, 39, 39, $4, 39, minor($5, $4), 39, $6, 39
  }
  END {
    if (bad) exit 65
    if (trailer == "") { print FILENAME ": no trailer: the file is cut off" | "cat >&2"; exit 65 }
    printf "-- payments: %d\n", trailer
  }' "$file" > "$stage/payments.part"

payments=$(sed -n 's/^-- payments: //p' "$stage/payments.part")
mv "$stage/payments.part" "$stage/payments.sql"
echo "PAYMENTS=$payments" >> "$NIGHTRUN_OUT"
echo "$payments payments of $date"
