-- Read as JSON, so that it says what is missing where the column is not there yet.
select 'every tier has its minimum' as check_name,
  count(*) = 3 and count(*) filter (where to_jsonb(s) ->> 'minimum_fee' = '500') = 3 as ok,
  count(*) filter (where to_jsonb(s) ->> 'minimum_fee' = '500') || ' of ' || count(*) || ' tiers have a minimum of 500 cents' as detail
from fee_schedule s;
