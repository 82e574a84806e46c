#!/bin/sh
# Stands in for the system that delivers the file: deliver.sh DATE FILE
set -eu
mkdir -p "$(dirname "$2")"
{
  echo "$1,1001,250.00"
  echo "$1,1002,-250.00"
} > "$2.part"
mv "$2.part" "$2"            # nobody sees half a file
echo "delivered $2"
