# One row of an ECB reference-rate file as SQL: rates as whole millionths, cut from the text and never through a
# floating-point number. Needs -v date=YYYY-MM-DD. The last line of a good answer is `-- rates: N`.

function fail(what) {
  printf "%s:%d: %s\n", FILENAME, FNR, what | "cat >&2"
  bad = 1
  exit 65
}

# "1.1172" -> "1117200"
function micro(text,    parts, fraction, whole) {
  if (text !~ /^[0-9]+(\.[0-9]+)?$/) fail("`" text "` is not a rate")
  split(text, parts, ".")
  fraction = parts[2]
  if (length(fraction) > 6) fail("`" text "` has more than six decimals")
  while (length(fraction) < 6) fraction = fraction "0"
  whole = parts[1] fraction
  sub(/^0+/, "", whole)
  if (whole == "" || length(whole) > 15) fail("`" text "` is not a believable rate")
  return whole
}

BEGIN { FS = "," }

{ gsub(/[ \r]/, "") }

FNR == 1 {
  if ($1 != "Date") fail("the first column is `" $1 "`, not `Date`")
  for (i = 2; i <= NF; i++) {
    if ($i == "") continue
    if ($i !~ /^[A-Z][A-Z][A-Z]$/) fail("`" $i "` is not a currency")
    currency[i] = $i
  }
  columns = NF
  next
}

$1 == date {
  if (NF != columns) fail(NF " columns where the heading has " columns)
  if (seen++) fail("a second row for " date)
  printf "insert into rate (day, currency, micro) values ('%s', 'EUR', 1000000);\n", date
  for (i = 2; i <= NF; i++) {
    # The ECB writes N/A where it has suspended a currency.
    if (!(i in currency) || $i == "N/A") continue
    printf "insert into rate (day, currency, micro) values ('%s', '%s', %s);\n", date, currency[i], micro($i)
    count++
  }
}

END {
  if (bad) exit 65
  if (!seen) {
    printf "%s: no row for %s\n", FILENAME, date | "cat >&2"
    exit 65
  }
  printf "-- rates: %d\n", count
}
