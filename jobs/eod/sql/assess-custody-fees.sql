-- A twelfth of the yearly rate on the securities' value, by the schedule as it is loaded; rounded half up to the cent.

delete from custody_fee where month = (select substr(day, 1, 7) from business_day);

insert into custody_fee (month, account_id, tier, securities_value, year_bp, fee)
select substr(d.day, 1, 7), a.id, a.tier, a.securities_value, s.year_bp,
  (2 * a.securities_value * s.year_bp + 120000) / 240000
from account a
join fee_schedule s on s.tier = a.tier
join business_day d
where a.kind = 'custody';

-- expect: rows
select 1 where (select count(*) from custody_fee f join business_day d on f.month = substr(d.day, 1, 7)) = 30;
