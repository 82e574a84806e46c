select 'schedule as agreed' as check_name,
  count(*) = 0 as ok,
  count(*) || ' tiers of the schedule differ from the agreement' as detail
from fee_schedule s
join fee_agreement a on a.tier = s.tier
where s.year_bp <> a.year_bp

union all

select 'october fees as agreed',
  count(*) = 30 and count(*) filter (where f.fee = (2 * f.securities_value * a.year_bp + 120000) / 240000) = 30,
  count(*) filter (where f.fee = (2 * f.securities_value * a.year_bp + 120000) / 240000) || ' of ' || count(*) || ' fees are right; 30 are due'
from custody_fee f
join fee_agreement a on a.tier = f.tier
where f.month = '2026-10';
